//! What runs when an extension comes and when it goes: in order, and once.

use crate::kit::{
    App, Apps, HOST, apps, compiled, init_failed, is_empty, kept, live, load, noted, object, shared,
};
use llext::{Error, ExtensionPanic, Host, Leaving};
use std::cell::RefCell;
use std::ffi::CStr;
use std::sync::mpsc::{Sender, channel};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

/// Constructors note 1 to 5, `llext_fini` 6, destructors 7 to 9, what was registered at run time 20 to 24.
const ALL: &str = "
    extern int atexit(void (*)(void)); extern int __cxa_atexit(void (*)(void *), void *, void *);
    static void n20(void) { note(20); } static void n22(void) { note(22); }
    static void n24(void) { note(24); } static void n23(void) { note(23); atexit(n24); }
    static void arg(void *argument) { note((int)(long)argument); }
    __attribute__((constructor(102))) static void c(void) { note(3); }
    __attribute__((constructor)) static void d(void) { note(4); }
    __attribute__((constructor(101))) static void b(void) {
        note(2); atexit(n20); __cxa_atexit(arg, (void *)21, &__dso_handle);
    }
    __attribute__((destructor(101))) static void z(void) { note(9); }
    __attribute__((destructor(102))) static void y(void) { note(8); }
    __attribute__((destructor)) static void x(void) { note(7); atexit(n23); }
    int llext_init(void) { note(5); atexit(n22); return 0; }
    void llext_fini(void) { note(6); }";

const PREINIT: &str = "static void a(void) { note(1); }
    __attribute__((section(\".preinit_array\"), used)) static void (*first)(void) = a;";

/// What ends them all, in order.
const ENDS: [i32; 9] = [6, 22, 21, 20, 7, 8, 9, 23, 24];

#[test]
fn an_object_s_constructors_run_by_priority_and_its_destructors_in_reverse_once() {
    let apps = apps();
    let app = load(&apps, "app", object(&format!("{ALL}{PREINIT}"))).unwrap();
    assert_eq!(noted(), [1, 2, 3, 4, 5]);
    let again = app.try_clone().unwrap();
    drop(app);
    assert_eq!(noted(), []);
    drop(again);
    assert_eq!(noted(), ENDS);
    is_empty(&apps);
}

#[test]
fn a_shared_object_s_first_and_last_functions_enclose_the_others() {
    let apps = apps();
    let source = format!("{ALL} void first(void) {{ note(1); }} void last(void) {{ note(10); }}");
    let flags = ["-O1", "-shared", "-nostdlib", "-DSHARED", "-Wl,-init=first", "-Wl,-fini=last"];
    let app = load(&apps, "app", compiled(&source, &flags)).unwrap();
    assert_eq!(noted(), [1, 2, 3, 4, 5]);
    drop(app);
    assert_eq!(noted(), [6, 22, 21, 20, 7, 8, 9, 10, 23, 24]);
    is_empty(&apps);
}

#[test]
fn what_registers_more_than_a_few_destructors_is_heard_out() {
    let source = "extern int atexit(void (*)(void)); static int n = 0; static void down(void) { note(n++); }
        int llext_init(void) { for (int i = 0; i < 40; i++) if (atexit(down)) return 1; return 0; }";
    let apps = apps();
    drop(load(&apps, "app", object(source)).unwrap());
    assert_eq!(noted(), (0..40).collect::<Vec<_>>());
}

/// `__aeabi_atexit` has its first two arguments the other way round.
#[test]
fn code_for_arm_registers_destructors_under_a_name_of_its_own() {
    let source = "extern int __aeabi_atexit(void *, void (*)(void *), void *);
        static void arg(void *argument) { note((int)(long)argument); }
        static int add(int n) { return __aeabi_atexit((void *)(long)n, arg, &__dso_handle); }
        int llext_init(void) { return add(21) | add(22); }";
    for bytes in [object(source), shared(source)] {
        drop(load(&apps(), "app", bytes).unwrap());
        assert_eq!(noted(), [22, 21]);
    }
}

/// What initialises, and says no.
fn refuses() -> String {
    ALL.replace("atexit(n22); return 0;", "atexit(n22); return 5;")
}

#[test]
fn an_initialisation_that_says_no_is_rolled_back() {
    let apps = apps();
    for bytes in [object(&refuses()), shared(&refuses())] {
        assert_eq!(load(&apps, "app", bytes).err(), Some(init_failed("app", 5)));
        // Its constructors ran, and are undone. It did not come up: `llext_fini` is not for it.
        assert_eq!(noted(), [&[2, 3, 4, 5], &ENDS[1..]].concat());
        assert_eq!(live(&apps).len(), 0);
        is_empty(&apps);
    }
}

thread_local! { static LEFT: RefCell<Vec<(String, String, bool)>> = const { RefCell::new(Vec::new()) }; }

/// Keeps the extension's name and the text it gave, while that is still there; and whether it lay in the extension.
fn leaving(leaving: &Leaving) {
    crate::kit::note(100);
    // SAFETY: the extensions that are loaded with this hook gave the address of a text of theirs.
    let text = unsafe { CStr::from_ptr(kept() as *const _) }.to_string_lossy().into_owned();
    let is_inside = leaving.parts.iter().any(|(start, size)| kept().wrapping_sub(*start) < *size);
    LEFT.with_borrow_mut(|left| left.push((crate::kit::text(leaving.extension), text, is_inside)));
}

fn load_with_hook<'r>(apps: &'r Apps, bytes: &'static [u8]) -> Result<App<'r>, Error> {
    // SAFETY: the sources of these tests are in these tests.
    unsafe { apps.loader(&HOST).on_leaving(leaving).load("app", bytes) }
}

#[test]
fn the_host_hears_of_a_leaving_after_destructors_and_while_the_memory_is_there() {
    let says = "__attribute__((constructor)) static void up(void) { keep(\"good bye\"); }
        __attribute__((destructor)) static void down(void) { note(2); }";
    let apps = apps();
    for bytes in [object(says), shared(says)] {
        drop(load_with_hook(&apps, bytes).unwrap());
        assert_eq!(noted(), [2, 100]);
        assert_eq!(LEFT.take(), [("app".to_owned(), "good bye".to_owned(), true)]);
        is_empty(&apps);
    }
}

#[test]
fn the_host_hears_of_the_leaving_of_what_failed_to_initialise() {
    let says = "int llext_init(void) { keep(\"no\"); return 1; }
        __attribute__((destructor)) static void down(void) { note(2); }";
    let apps = apps();
    assert!(load_with_hook(&apps, object(says)).is_err());
    assert_eq!((noted(), LEFT.take()), (vec![2, 100], vec![("app".to_owned(), "no".to_owned(), true)]));
    is_empty(&apps);
}

/// A process of its own would be needed to end one: here the thread that panicked waits for ever.
static PANICS: LazyLock<Host> = LazyLock::new(|| Host::without_libc(&HOST).unwrap());
static HEARD: Mutex<Option<Sender<(String, String, u32)>>> = Mutex::new(None);

fn panicked(panic: &ExtensionPanic<'_>) -> ! {
    let heard = (crate::kit::text(panic.extension), panic.file.to_owned(), panic.line);
    HEARD.lock().unwrap().as_ref().unwrap().send(heard).unwrap();
    loop {
        std::thread::park();
    }
}

#[test]
fn a_panic_goes_to_the_host_s_hook_with_extension_file_and_line() {
    let source = "extern void llext_panic(const char *, unsigned long, void *, unsigned);
        int probe(void) { llext_panic(\"main.rs, and more\", 7, &__dso_handle, 33); return 0; }";
    let (sender, heard) = channel();
    *HEARD.lock().unwrap() = Some(sender);
    for (name, bytes) in [("object", object(source)), ("shared object", shared(source))] {
        std::thread::spawn(move || {
            // SAFETY: the sources of these tests are in these tests.
            let app = unsafe { PANICS.loader().on_panic(panicked).load(name, bytes) }.unwrap();
            crate::common::probe(&app)
        });
        let expected = (name.to_owned(), "main.rs".to_owned(), 33);
        assert_eq!(heard.recv_timeout(Duration::from_secs(60)), Ok(expected));
    }
}
