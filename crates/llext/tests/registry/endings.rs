//! How extensions go when others interfere: none is stuck, none is mistaken for another.

use crate::common::compile;
use llext::error::Name;
use llext::export::{Exports, SymbolName};
use llext::host::CAPACITY;
use llext::lock::StdRawMutex;
use llext::memory::Linux;
use llext::{Error, Leaving, Plugin, Registry, Source};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

type Apps = Registry<Linux, StdRawMutex, CAPACITY>;
type Probe = extern "C" fn() -> i32;

static ENDED: AtomicU32 = AtomicU32::new(0);

extern "C" fn has_ended() {
    ENDED.fetch_add(1, Ordering::Relaxed);
}

llext::exports! { static HOST; fn has_ended(); }

fn load<'r>(apps: &'r Apps, bytes: &[u8]) -> Result<Plugin<'r>, Error> {
    // SAFETY: the sources of these tests are in these tests.
    unsafe { apps.loader(&HOST).load("app", bytes) }
}

/// A load of other bytes once got the live extension, when that was about to go as the load began, and stayed after all.
#[test]
fn other_bytes_never_get_what_stays_after_all() {
    let one = compile("endings_one", "int probe(void) { return 1; }", &["-O1"]);
    let two = compile("endings_two", "int probe(void) { return 2; }", &["-O1"]);
    let apps = Apps::new(Linux::new());
    let live = load(&apps, &one).unwrap();
    let guard = live.downgrade().enter().unwrap();
    let (done, wrong) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let start = Instant::now();
            while start.elapsed() < Duration::from_secs(1) && wrong.load(Ordering::Relaxed) == 0 {
                match load(&apps, &two) {
                    Ok(_) => wrong.store(1, Ordering::Relaxed),
                    Err(Error::Exists { .. } | Error::Busy { .. }) => {}
                    Err(other) => panic!("{other}"),
                }
            }
            done.store(true, Ordering::Relaxed);
        });
        let mut live = Some(live);
        while !done.load(Ordering::Relaxed) {
            let refused = live.take().unwrap().unload_within(Duration::ZERO).unwrap_err();
            live = Some(refused.handle);
        }
    });
    drop(guard);
    assert_eq!(wrong.load(Ordering::Relaxed), 0, "a load of other bytes got the live extension");
}

fn fail(_: &Leaving) {
    panic!("the hook fails")
}

fn fail_to_revoke(_: usize) {
    panic!("the revocation fails")
}

#[test]
fn what_the_host_cannot_do_keeps_nothing() {
    let one = compile("endings_hook", "int probe(void) { return 1; }", &["-O1"]);
    let apps = Apps::new(Linux::new());
    // SAFETY: as in `load`.
    let live = unsafe { apps.loader(&HOST).on_leaving(fail).load("app", &one[..]) }.unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| drop(live))).is_err());
    let live = load(&apps, &one).unwrap();
    let timer = live.own_revocable("timer", fail_to_revoke, 0).unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| drop(live))).is_err());
    assert!(!timer.release());
    assert_eq!(load(&apps, &one).unwrap().unload().ok(), Some(0));
}

/// An extension goes, and with it the first of two that only it kept, whose hook fails.
#[test]
fn what_fails_as_one_provider_goes_keeps_no_other() {
    let one = compile("endings_providers", "int probe(void) { return 1; }", &["-O1"]);
    let apps = Apps::new(Linux::new());
    // SAFETY: as in `load`.
    let first = unsafe { apps.loader(&HOST).on_leaving(fail).load("first", &one[..]) }.unwrap();
    // SAFETY: as in `load`.
    let second = unsafe { apps.loader(&HOST).load("second", &one[..]) }.unwrap();
    // SAFETY: as in `load`.
    let user = unsafe { apps.loader(&HOST).needs(&first).needs(&second).load("app", &one[..]) }.unwrap();
    drop((first, second));
    assert!(catch_unwind(AssertUnwindSafe(|| drop(user))).is_err());
    assert_eq!(apps.iter().count(), 0, "all of them are gone");
}

/// A load that lets go what it did not use, in the midst of which a hook panics.
#[test]
fn what_fails_while_a_load_lets_providers_go_takes_nothing_from_others() {
    const SETTLING: &str = "int which(void); int probe(void) { return which(); }";
    let [unused, which, user] = ["int unused;", "int which(void) { return 7; }", SETTLING]
        .map(|source| compile("endings_settling", source, &["-O1"]));
    let apps = Apps::new(Linux::new());
    // SAFETY: as in `load`.
    let load = |name, bytes: &[u8]| unsafe { apps.loader(&HOST).search_live(true).load(name, bytes) };
    let _first = load("first", &unused).unwrap();
    let provider = load("provider", &which).unwrap();
    // SAFETY: as in `load`.
    let leaving = unsafe { apps.loader(&HOST).on_leaving(fail).load("leaving", &unused[..]) }.unwrap();
    let other = load("other", &user).unwrap();
    assert_eq!(other.dependencies().count(), 1);
    let leaving = Cell::new(Some(leaving));
    let host = Asked(|| drop(leaving.take()));
    // SAFETY: as in `load`.
    let loaded = catch_unwind(AssertUnwindSafe(|| unsafe {
        drop(apps.loader(&host).search_live(true).load("user", &user[..]));
    }));
    assert!(loaded.is_err() && apps.find("leaving").is_none());
    let refused = provider.unload().expect_err("`other` needs it");
    let error = Error::InUse { dependents: 1, objects: 0, calls: 0, first: Name::new(b"other") };
    assert_eq!(refused.error, error);
}

#[test]
fn what_fails_while_a_load_is_given_up_leaves_its_name_free() {
    let one = compile("endings_given_up", "int probe(void) { return 1; }", &["-O1"]);
    let apps = Apps::new(Linux::new());
    // SAFETY: as in `load`.
    let provider = unsafe { apps.loader(&HOST).on_leaving(fail).load("provider", &one[..]) }.unwrap();
    let mut source = &one[..];
    let source: &mut dyn Source = &mut source;
    // SAFETY: as in `load`.
    let started = unsafe { apps.loader(&HOST).needs(&provider).start("app", source) }.unwrap();
    drop(provider);
    assert!(catch_unwind(AssertUnwindSafe(|| drop(started))).is_err());
    assert_eq!(load(&apps, &one).unwrap().unload().ok(), Some(0));
}

/// A host that does something when it is asked, and provides nothing.
struct Asked<F>(F);

impl<F: Fn()> Exports for Asked<F> {
    fn address(&self, _: &SymbolName<'_>) -> Option<usize> {
        (self.0)();
        None
    }
}

static REVOKED: AtomicU32 = AtomicU32::new(0);

fn revoke(_: usize) {
    REVOKED.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn a_registry_that_goes_takes_away_what_waits_for_reap() {
    let one = compile("endings_registry", "int probe(void) { return 1; }", &["-O1"]);
    let apps = Apps::new(Linux::new());
    let live = load(&apps, &one).unwrap();
    std::mem::forget(live.own_revocable("timer", revoke, 0).unwrap());
    let guard = live.downgrade().try_enter().unwrap();
    drop(live);
    drop(guard);
    assert!(matches!(load(&apps, &one), Err(Error::Busy { .. })));
    drop(apps);
    assert_eq!(REVOKED.load(Ordering::Relaxed), 1);
}

static ORDER: Mutex<Vec<usize>> = Mutex::new(Vec::new());

fn note(number: usize) {
    ORDER.lock().unwrap().push(number);
}

#[test]
fn objects_are_revoked_last_one_first_also_after_a_release() {
    let one = compile("endings_order", "int probe(void) { return 1; }", &["-O1"]);
    let apps = Apps::new(Linux::new());
    let live = load(&apps, &one).unwrap();
    let first = live.own_revocable("first", note, 1).unwrap();
    let _others = [live.own_revocable("second", note, 2), live.own_revocable("third", note, 3)];
    assert!(first.release());
    drop(live);
    assert_eq!(*ORDER.lock().unwrap(), [3, 2]);
}

/// Somebody else may load what is needed between the question whether it is there and the callback's own load.
#[test]
fn what_somebody_else_has_just_loaded_is_there() {
    let note = "asm(\".pushsection .note.llext,\\\"a\\\",@note; .balign 4; .long 6, 2, 2; .asciz \\\"llext\\\"; .balign 4;
        .asciz \\\"b\\\"; .balign 4; .popsection\");"
        .replace('\n', " ");
    let user = compile("endings_user", &note, &["-O1"]);
    let needed = compile("endings_needed", "int probe(void) { return 1; }", &["-O1"]);
    let apps = Apps::new(Linux::new());
    let mut other = None;
    // SAFETY: as in `load`.
    let user = unsafe {
        apps.loader(&HOST)
            .on_needed(&mut |need| {
                other = Some(apps.loader(&HOST).load("b", &needed[..])?);
                need.loader(&HOST).load(need.name(), &needed[..])
            })
            .load("app", &user[..])
            .unwrap()
    };
    assert_eq!(user.dependencies().next(), other.as_ref().map(|other| other.name()));
}

/// An indirect function's resolver runs before everything else, and may register a destructor already.
#[test]
fn a_resolver_may_use_what_the_run_time_provides() {
    let source = "extern int atexit(void (*)(void)); extern void has_ended(void);
        static void end(void) { has_ended(); }
        static int real(void) { return 7; }
        static void *choose(void) { atexit(end); return (void *)real; }
        __attribute__((visibility(\"hidden\"))) int chosen(void) __attribute__((ifunc(\"choose\")));
        int probe(void) { return chosen(); }";
    let bytes = compile("endings_resolver", source, &["-O1", "-shared", "-nostdlib"]);
    let apps = Apps::new(Linux::new());
    let live = load(&apps, &bytes).unwrap();
    // SAFETY: `probe` has this type.
    assert_eq!(unsafe { live.symbol::<Probe>("probe") }.unwrap().call(()), 7);
    assert_eq!(live.unload().ok(), Some(0));
    assert_eq!(ENDED.load(Ordering::Relaxed), 1);
}
