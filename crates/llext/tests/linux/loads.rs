//! What a load promises: it ends as a live extension or as if it had never begun.

use crate::Pooled;
use crate::common::{compile, load, probe, start};
use llext::source::{ReadError, ReadOnly, Static};
use llext::{Error, Host, Pool, Source};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;

static CALLS: AtomicU32 = AtomicU32::new(0);

extern "C" fn host_add(a: i32, b: i32) -> i32 {
    CALLS.fetch_add(1, Ordering::Relaxed);
    a + b
}

llext::exports! { static HOST; fn host_add(a: i32, b: i32) -> i32; }

const PROBE: &str =
    "extern int host_add(int, int); static int n = 40; int probe(void) { return host_add(n, 2); }";

fn host() -> Host {
    Host::without_libc(&HOST).unwrap()
}

type Probe = extern "C" fn() -> i32;

/// A source that would block before every read, and counts its reads.
struct Slow<'a> {
    bytes: &'a [u8],
    ready: bool,
    reads: Vec<(u64, usize)>,
}

impl Source for Slow<'_> {
    fn size(&mut self) -> Result<u64, ReadError> {
        Ok(self.bytes.len() as u64)
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        self.ready = !self.ready;
        if self.ready {
            return Err(ReadError::WouldBlock);
        }
        self.reads.push((offset, buffer.len()));
        ReadOnly(self.bytes).read_at(offset, buffer)
    }
}

#[test]
fn an_object_runs_from_every_source() {
    let (host, bytes) = (host(), compile("every_source", PROBE, &["-O2"]));
    for _ in 0..2 {
        let lent = load(&host, "lent", &bytes[..]).unwrap();
        let read = load(&host, "read", ReadOnly(&bytes)).unwrap();
        for plugin in [&lent, &read] {
            assert_eq!(probe(plugin), 42);
        }
        assert_eq!(read.unload().unwrap(), 0);
        assert_eq!(lent.unload().unwrap(), 0);
    }
}

#[test]
fn steps_of_any_size_end_the_same() {
    let host = host();
    for (kind, flags) in [("o", &["-O2"][..]), ("so", &["-O2", "-shared", "-nostdlib"])] {
        let bytes = compile(&format!("steps_{kind}"), PROBE, flags);
        for budget in [1, 2, 3, 7, 100, u32::MAX] {
            let mut source = &bytes[..];
            let mut load = start(&host, "steps", &mut source);
            let mut steps = 1;
            let plugin = loop {
                match load.step(budget) {
                    Poll::Ready(result) => break result.unwrap(),
                    Poll::Pending => steps += 1,
                }
            };
            assert!(steps > 1 || budget > 10, "budget {budget} took {steps} steps");
            assert_eq!(probe(&plugin), 42);
        }
    }
}

#[test]
fn a_source_may_block_before_every_read() {
    let (host, bytes) = (host(), compile("blocks", PROBE, &["-O2"]));
    let mut source = Slow { bytes: &bytes, ready: false, reads: Vec::new() };
    let mut load = start(&host, "slow", &mut source);
    let plugin = loop {
        if let Poll::Ready(result) = load.step(u32::MAX) {
            break result.unwrap();
        }
    };
    assert_eq!(probe(&plugin), 42);
}

#[test]
fn no_byte_is_read_twice_but_relocations() {
    let (host, bytes) = (host(), compile("once", PROBE, &["-O2"]));
    let mut source = Slow { bytes: &bytes, ready: false, reads: Vec::new() };
    let mut load = start(&host, "once", &mut source);
    while load.step(u32::MAX).is_pending() {}
    drop(load);
    let mut seen = vec![0u8; bytes.len()];
    for (offset, len) in &source.reads {
        seen[*offset as usize..*offset as usize + len].iter_mut().for_each(|count| *count += 1);
    }
    assert!(seen.iter().all(|count| *count <= 2));
    let twice = seen.iter().filter(|count| **count == 2).count();
    let relocation = if cfg!(target_arch = "x86") { 8 } else { 24 };
    assert_eq!(twice % relocation, 0, "only whole relocations are read a second time");
    assert!(twice < bytes.len() / 4, "{twice} bytes of {} were read twice", bytes.len());
}

/// A thousand functions: a symbol, an export and a name each, and no relocations.
fn a_thousand_functions() -> Vec<u8> {
    let functions: String =
        (0..1000).map(|number| format!("int f{number}(void) {{ return {number}; }}")).collect();
    compile("thousand_functions", &functions, &["-O2", "-fno-asynchronous-unwind-tables"])
}

#[test]
fn a_step_reads_no_more_than_its_budget() {
    let (host, bytes) = (host(), a_thousand_functions());
    let mut source = Slow { bytes: &bytes, ready: false, reads: Vec::new() };
    let mut load = start(&host, "thousand", &mut source);
    while load.step(2).is_pending() {}
    drop(load);
    let longest = source.reads.iter().map(|(_, len)| *len).max();
    assert_eq!(longest, Some(512), "of a table that has many times as much");
}

#[test]
fn the_end_of_a_load_is_done_in_steps() {
    let (host, bytes) = (host(), a_thousand_functions());
    let mut source = &bytes[..];
    let mut load = start(&host, "thousand", &mut source);
    let steps = 1 + std::iter::from_fn(|| load.step(8).is_pending().then_some(())).count();
    // Resolved, assigned, made, checked, indexed.
    assert!((5000 / 8..6000 / 8).contains(&steps), "{steps} steps");
}

#[test]
fn memory_is_cleared_in_steps() {
    let source = "static int room[16384]; int *room_at(void) { return room; }";
    for (kind, flags) in [("o", &["-O2"][..]), ("so", &["-O2", "-shared", "-fPIC", "-nostdlib"])] {
        let bytes = compile(&format!("cleared_{kind}"), source, flags);
        let mut memory = vec![MaybeUninit::new(0xaa); 1 << 20];
        let (apps, mut source) = (Pooled::new(Pool::unified(&mut memory)), &bytes[..]);
        let source: &mut dyn Source = &mut source;
        // SAFETY: nothing of it is run.
        let mut load = unsafe { apps.loader(&HOST).start("cleared", source) }.unwrap();
        let mut steps = 0;
        let loaded = loop {
            if let Poll::Ready(loaded) = load.step(1) {
                break loaded;
            }
            steps += 1;
        };
        assert!(loaded.is_ok() && steps > 65536 / 256, "{kind}: 64 KiB were cleared in {steps} steps");
    }
}

/// Both are called with fewer or other arguments than the run time takes: a stub adds whose destructors they are.
#[test]
fn what_is_registered_for_the_end_runs_then() {
    static LAST: AtomicU32 = AtomicU32::new(0);
    extern "C" fn note(order: u32) {
        let _ = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(last * 10 + order));
    }
    llext::exports! { static NOTES; fn note(order: u32); }
    let source = "
        extern void note(unsigned);
        extern int atexit(void (*)(void)), __cxa_atexit(void (*)(void *), void *, void *);
        extern char __dso_handle;
        static void plain(void) { note(1); }
        static void with(void *order) { note((unsigned)(unsigned long)order); }
        int probe(void) { return __cxa_atexit(with, (void *)2, &__dso_handle) + atexit(plain); }";
    let own = "char __dso_handle __attribute__((visibility(\"hidden\")));";
    for (kind, flags) in [("o", &["-O2"][..]), ("so", &["-O2", "-shared", "-nostdlib"])] {
        // What a shared object calls so is its own, from crtbegin.
        let source = if kind == "so" { format!("{own} {source}") } else { source.to_string() };
        let bytes = compile(&format!("end_{kind}"), &source, flags);
        let host = Host::without_libc(&NOTES).unwrap();
        let plugin = load(&host, "end", &bytes[..]).unwrap();
        assert_eq!(probe(&plugin), 0);
        assert_eq!(LAST.swap(0, Ordering::Relaxed), 0);
        plugin.unload().unwrap();
        assert_eq!(LAST.swap(0, Ordering::Relaxed), 12, "{kind}");
    }
}

#[test]
fn indirect_functions_are_resolved_by_what_they_name() {
    let source = r#"
        static int forty_two(void) { return 42; }
        void *resolve(void) { return (void *)forty_two; }
        __asm__(".type chosen, @gnu_indirect_function; .globl chosen; .hidden chosen; .set chosen, resolve");
        extern int chosen(void) __attribute__((visibility("hidden")));
        int (*pointer)(void) = chosen;
        int probe(void) { return pointer(); }
    "#;
    let host = host();
    let bytes = compile("indirect", source, &["-O2", "-shared", "-nostdlib"]);
    let plugin = load(&host, "indirect", &bytes[..]).unwrap();
    assert_eq!(probe(&plugin), 42);
}

#[test]
fn a_name_being_loaded_is_busy() {
    let (host, bytes) = (host(), compile("busy", PROBE, &["-O2"]));
    let mut source = &bytes[..];
    let first = start(&host, "name", &mut source);
    let second = load(&host, "name", &bytes[..]).unwrap_err();
    assert!(matches!(second, Error::Busy { .. }), "{second}");
    drop(first);
    load(&host, "name", &bytes[..]).unwrap();
}

#[test]
fn the_same_bytes_are_the_same_extension_and_others_are_not() {
    let host = host();
    let bytes = Static(compile("identity", PROBE, &["-O2"]).leak());
    let other = bytes.0.to_vec();
    let first = load(&host, "name", bytes).unwrap();
    let second = load(&host, "name", bytes).unwrap();
    assert_eq!((first.uses(), second.uses()), (2, 2));
    let third = load(&host, "name", &other[..]).unwrap_err();
    assert!(matches!(third, Error::Exists { .. }), "{third}");
    // SAFETY: the sources of these tests are in these tests.
    let forced = unsafe { host.loader().same_name_is_enough(true).load("name", &other[..]) }.unwrap();
    assert_eq!(forced.unload().unwrap(), 2);
    assert_eq!(first.unload().unwrap(), 1);
    assert_eq!(second.unload().unwrap(), 0);
    assert!(host.find("name").is_none());
}

#[test]
fn names_have_a_length() {
    let (host, bytes) = (host(), compile("lengths", PROBE, &["-O2"]));
    let longest = "n".repeat(llext::registry::MAX_NAME);
    load(&host, &longest, &bytes[..]).unwrap();
    for name in ["", &(longest + "n")] {
        let error = load(&host, name, &bytes[..]).unwrap_err();
        assert!(matches!(error, Error::BadExtensionName { .. }), "{error}");
    }
}

#[test]
fn a_full_registry_says_so() {
    let mut memory = vec![MaybeUninit::uninit(); 1 << 16];
    let registry = Pooled::new(Pool::unified(&mut memory));
    let bytes = compile("full", PROBE, &["-O2", "-mcmodel=large"]);
    // SAFETY: nothing of it is run.
    let load = |name| unsafe { registry.loader(&HOST).bring_up(false).load(name, &bytes[..]) };
    let mut live = ["one", "two", "three", "four"].map(|name| Some(load(name).unwrap()));
    assert_eq!(load("five").unwrap_err(), Error::RegistryFull { slots: 4 });
    assert_eq!(registry.iter().count(), 4);
    live[1] = None;
    load("five").unwrap();
}

#[test]
fn every_missing_symbol_is_heard() {
    let host = host();
    let source = "extern int a(void), b(void), c(void); int probe(void) { return a() + b() + c(); }";
    let bytes = compile("missing", source, &["-O2"]);
    let mut heard = Vec::new();
    let mut hear = |name: &[u8]| heard.push(String::from_utf8_lossy(name).into_owned());
    // SAFETY: the sources of these tests are in these tests.
    let error = unsafe { host.loader().on_missing(&mut hear).load("missing", &bytes[..]) }.unwrap_err();
    assert_eq!(error.to_string(), "a: undefined symbol (3 missing in all)");
    heard.sort();
    assert_eq!(heard, ["a", "b", "c"]);
}

#[test]
fn scratch_may_be_lent() {
    let (host, bytes) = (host(), compile("scratch", PROBE, &["-O2"]));
    let needed = host.loader().verify("scratch", &bytes[..]).unwrap().scratch;
    let mut enough = vec![0; needed + 16];
    // SAFETY: the sources of these tests are in these tests.
    unsafe { host.loader().scratch(&mut enough).load("scratch", &bytes[..]) }.unwrap();
    let mut little = vec![0; needed / 2];
    // SAFETY: the sources of these tests are in these tests.
    let error = unsafe { host.loader().scratch(&mut little).load("scratch", &bytes[..]) }.unwrap_err();
    assert!(matches!(error, Error::ScratchTooSmall { .. }), "{error}");
}

#[test]
fn verifying_runs_nothing() {
    let source = "extern int host_add(int, int); __attribute__((constructor)) static void up(void) { host_add(1, 1); }";
    let (host, bytes) = (host(), compile("verify", source, &["-O2"]));
    let before = CALLS.load(Ordering::Relaxed);
    let footprint = host.loader().verify("verify", &bytes[..]).unwrap();
    assert!(footprint.parts.iter().sum::<u32>() > 0);
    assert!(host.find("verify").is_none());
    drop(load(&host, "verify", &bytes[..]).unwrap());
    assert!(CALLS.load(Ordering::Relaxed) > before);
}

#[test]
fn a_provider_with_dependents_cannot_go() {
    let host = host();
    let provider = compile("provider", "int one(void) { return 1; }", &["-O2"]);
    let user = compile("user", "extern int one(void); int probe(void) { return one() + 1; }", &["-O2"]);
    let error = load(&host, "user", &user[..]).unwrap_err();
    assert_eq!(error.to_string(), "one: undefined symbol (1 missing in all)");
    let provider = load(&host, "provider", &provider[..]).unwrap();
    // SAFETY: the sources of these tests are in these tests.
    let user = unsafe { host.loader().needs(&provider).load("user", &user[..]) }.unwrap();
    assert_eq!(probe(&user), 2);
    let refused = provider.unload().unwrap_err();
    assert_eq!(
        refused.to_string(),
        "extension: in use by \"user\" (found dependents 1, host objects 0, calls or loads 0; expected none)"
    );
    user.unload().unwrap();
    refused.handle.unload().unwrap();
}

#[test]
fn a_provider_that_was_dropped_goes_with_its_last_dependent() {
    let host = host();
    let provider = compile("lazy_provider", "int one(void) { return 1; }", &["-O2"]);
    let user = compile("lazy_user", "extern int one(void); int probe(void) { return one(); }", &["-O2"]);
    let provider = load(&host, "provider", &provider[..]).unwrap();
    // SAFETY: the sources of these tests are in these tests.
    let user = unsafe { host.loader().search_live(true).load("user", &user[..]) }.unwrap();
    drop(provider);
    assert_eq!(probe(&user), 1);
    drop(user);
    assert_eq!(host.registry().iter().count(), 0);
}

#[test]
fn what_is_not_exported_is_not_found() {
    let (host, bytes) = (host(), compile("notfound", PROBE, &["-O2"]));
    let plugin = load(&host, "notfound", &bytes[..]).unwrap();
    // SAFETY: the sources of these tests are in these tests.
    let error = unsafe { plugin.symbol::<Probe>("prob") }.unwrap_err();
    assert_eq!(error.to_string(), "prob: not exported by the extension");
    let names: Vec<_> = plugin.exports().map(|(name, _)| name.to_vec()).collect();
    assert_eq!(names, [b"probe"]);
}

#[test]
fn an_extension_that_cannot_be_loaded_keeps_no_name() {
    let host = host();
    for bytes in [&b""[..], b"\x7fELF", &[0; 200]] {
        load(&host, "bad", bytes).unwrap_err();
    }
    let good = compile("good", PROBE, &["-O2"]);
    load(&host, "bad", &good[..]).unwrap();
}

#[test]
fn a_host_and_its_plugins_are_shared_between_threads() {
    fn shared<T: Send + Sync>(value: T) -> T {
        value
    }
    let bytes = compile("threads", PROBE, &["-O2"]);
    let host = shared(host());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (host, bytes) = (&host, &bytes);
            scope.spawn(move || {
                for _ in 0..100 {
                    let name = format!("thread{thread}");
                    let plugin = shared(load(host, &name, &bytes[..]).unwrap());
                    assert_eq!(probe(&plugin), 42);
                }
            });
        }
    });
    assert_eq!(host.registry().iter().count(), 0);
}

#[test]
fn bytes_that_may_change_have_no_identity() {
    let (host, mut buffer) = (host(), compile("reused", PROBE, &["-O2"]));
    let first = load(&host, "name", &buffer[..]).unwrap();
    buffer.fill(0);
    let second = load(&host, "name", &buffer[..]).unwrap_err();
    assert!(matches!(second, Error::Exists { .. }), "{second}");
    assert_eq!(first.uses(), 1);
}

#[test]
fn a_provider_lives_in_the_same_registry() {
    let (here, there) = (host(), host());
    let bytes = compile("foreign", PROBE, &["-O2"]);
    let provider = load(&there, "provider", &bytes[..]).unwrap();
    let error = here.loader().needs(&provider).verify("user", &bytes[..]).unwrap_err();
    assert_eq!(error, Error::ForeignProvider);
}

#[test]
fn a_load_that_has_ended_says_so() {
    let (host, bytes) = (host(), compile("ended", PROBE, &["-O2"]));
    let mut source = &bytes[..];
    let mut load = start(&host, "ended", &mut source);
    assert!(load.step(u32::MAX).is_ready());
    assert!(matches!(load.step(1), Poll::Ready(Err(Error::LoadEnded))));
}

#[test]
fn names_that_share_one_long_string_cost_no_more_than_their_limit() {
    let symbols: String = (0..3000).map(|n| format!("extern int {}(void);\n", "x".repeat(n + 1))).collect();
    let calls: String = (0..3000).map(|n| format!("{}() + ", "x".repeat(n + 1))).collect();
    let bytes = compile("long", &format!("{symbols} int probe(void) {{ return {calls} 0; }}"), &["-O0"]);
    let error = host().loader().verify("long", &bytes[..]).unwrap_err();
    assert!(error.to_string().ends_with("undefined symbol (3000 missing in all)"), "{error}");
}

/// Exported data lies behind the constant bytes in which its name is looked up.
#[test]
fn a_shared_object_exports_its_data_too() {
    let source = "int number = 42; int nothing; int probe(void) { return number; }";
    let bytes = compile("data_exports", source, &["-O2", "-shared", "-nostdlib"]);
    let host = host();
    let plugin = load(&host, "data", &bytes[..]).unwrap();
    // SAFETY: both are that in the source, and nobody writes them.
    let (number, nothing) =
        unsafe { (plugin.object::<i32>("number").unwrap(), plugin.object::<i32>("nothing").unwrap()) };
    assert_eq!((*number, *nothing), (42, 0));
    assert!(plugin.exports().any(|(name, _)| name == b"nothing"));
}

/// LLEXT's LLEXT_IMPORT_ALL_GLOBALS: the list in `.exported_sym` then counts for nothing.
#[test]
fn all_globals_are_exports_where_that_is_asked_for() {
    let source = "int one(void) { return 1; } int two = 2;
        static const struct { const char *name; const void *address; } entry
            __attribute__((section(\".exported_sym\"), used)) = { \"other\", (const void *)one };";
    let host = host();
    for (kind, flags) in [("o", &["-O2"][..]), ("so", &["-O2", "-shared", "-nostdlib"])] {
        let bytes = compile(&format!("globals_{kind}"), source, flags);
        for (globals, expected) in [(false, &["other"][..]), (true, &["one", "two"])] {
            // SAFETY: the source is in this test.
            let plugin = unsafe { host.loader().export_globals(globals).load("app", &bytes[..]) }.unwrap();
            let mut names: Vec<_> = plugin.exports().map(|(name, _)| name.to_vec()).collect();
            names.sort();
            names.retain(|name| !name.starts_with(b"_")); // what GNU ld defines in a shared object
            assert_eq!(
                names,
                expected.iter().map(|name| name.as_bytes().to_vec()).collect::<Vec<_>>(),
                "{kind}"
            );
        }
    }
}
