//! An extension that is linked once and begins again: its variables are as new, and nothing else is touched.

use crate::common::compile;
use llext::error::Name;
use llext::lock::StdRawMutex;
use llext::memory::{Linux, LinuxBlock, LinuxScratch, Memory, MemoryError, Request, Window};
use llext::source::{Static, Writable};
use llext::{Error, Host, Phase, Plugin, Registry, Source};
use std::fmt::Write as _;
use std::time::Instant;

extern "C" fn host_add(a: i32, b: i32) -> i32 {
    a + b
}

llext::exports! { static HOST; fn host_add(a: i32, b: i32) -> i32; }

/// Counts in variables of every kind: with a value, without one, common, with an address, and in a constructor.
const SOURCE: &str = "
    extern int host_add(int, int);
    extern int atexit(void (*)(void));
    int valued = 10, zero[3];
    int common;
    int *address = &valued;
    static void end(void) { common = -1000; }
    __attribute__((constructor)) static void begin(void) { zero[1] = host_add(zero[1], 5); atexit(end); }
    int probe(void) { int *at = address; address = &zero[2]; return ++*at + ++zero[0] + ++common + zero[1]; }";

fn host() -> Host {
    Host::without_libc(&HOST).unwrap()
}

fn load<'h>(host: &'h Host, source: impl Source) -> Plugin<'h> {
    // SAFETY: the source is above.
    unsafe { host.loader().keep_initial_data(true).load("app", source) }.unwrap()
}

fn probe(plugin: &Plugin<'_>) -> i32 {
    // SAFETY: that is its type there.
    unsafe { plugin.symbol::<extern "C" fn() -> i32>("probe") }.unwrap().call(())
}

/// Takes the plugin down and gives it its initial variables.
fn reset(plugin: &Plugin<'_>) -> Result<(), Error> {
    // SAFETY: nobody else calls it, and no test keeps a reference into it.
    unsafe {
        plugin.teardown()?;
        plugin.reset()
    }
}

#[test]
fn every_instance_begins_as_the_first() {
    let (host, bytes) = (host(), compile("reset", SOURCE, &["-O1", "-fcommon"]));
    let plugin = load(&host, &bytes[..]);
    for _ in 0..3 {
        assert_eq!([probe(&plugin), probe(&plugin)], [18, 10]);
        let regions: Vec<_> = plugin.regions().collect();
        assert_eq!(reset(&plugin), Ok(()));
        assert_eq!((plugin.phase(), plugin.regions().collect()), (Phase::Loaded, regions));
        plugin.bringup().unwrap();
    }
    assert_eq!(plugin.unload().unwrap(), 0);
}

#[test]
fn only_what_is_down_is_reset() {
    let (host, bytes) = (host(), compile("reset_phase", SOURCE, &["-O1", "-fcommon"]));
    let plugin = load(&host, &bytes[..]);
    let name = Name::new(b"app");
    // SAFETY: it is refused.
    let refused = unsafe { plugin.reset() };
    assert_eq!(refused, Err(Error::WrongPhase { name, found: Phase::Up, expected: Phase::Down }));
    assert_eq!(probe(&plugin), 18);
}

#[test]
fn without_a_copy_there_is_nothing_to_reset_to() {
    let (host, none) = (host(), Err(Error::NoInitialData { name: Name::new(b"app") }));
    let object = compile("reset_object", SOURCE, &["-O1", "-fcommon"]);
    // SAFETY: the source is above.
    assert_eq!(reset(&unsafe { host.load("app", &object[..]) }.unwrap()), none);
    let shared = compile("reset_shared", "int probe(void) { return 1; }", &["-shared", "-nostdlib"]);
    assert_eq!(reset(&load(&host, &shared[..])), none);
    assert_eq!(reset(&load(&host, Writable::new(aligned(&object)))), none);
}

/// The bytes at an address that suits every section.
fn aligned(bytes: &[u8]) -> &'static mut [u8] {
    let room = vec![0; bytes.len() + 64].leak();
    let start = room.as_ptr().align_offset(64);
    room[start..][..bytes.len()].copy_from_slice(bytes);
    &mut room[start..][..bytes.len()]
}

/// Memory that has nothing near a file in place: the first place that it is asked for is out of reach.
struct Far {
    memory: Linux,
    asked: bool,
}

// SAFETY: what is given is given by `Linux`.
unsafe impl Memory for Far {
    type Block = LinuxBlock;
    type Scratch = LinuxScratch;

    fn reach(&self) -> Window {
        self.memory.reach()
    }

    fn reserve(&mut self, request: &Request) -> Result<LinuxBlock, MemoryError> {
        if !core::mem::replace(&mut self.asked, true) {
            let Window { low, high } = request.window;
            return Err(MemoryError::OutOfReach { low, high, wanted: request.sizes.iter().sum() });
        }
        self.memory.reserve(request)
    }

    fn release(&mut self, block: LinuxBlock) {
        self.memory.release(block);
    }

    fn scratch(&mut self, bytes: usize) -> Result<LinuxScratch, MemoryError> {
        self.memory.scratch(bytes)
    }

    fn give_back(&mut self, scratch: LinuxScratch) {
        self.memory.give_back(scratch);
    }
}

/// The room for the copy was once forgotten when a file was planned again, and the copy lay on the names of its exports.
#[test]
fn a_copy_has_room_where_all_is_copied_after_all() {
    let source = "static const int table[4] = { 1, 2, 3, 4 };
        int valued[4] = { 10, 20, 30, 40 };
        int probe(void) { return ++valued[0] + table[valued[0] & 3]; }";
    let object = compile("reset_far", source, &["-O1", "-fPIC"]);
    let file = Static(aligned(&object));
    let apps = Registry::<_, StdRawMutex, 1>::new(Far { memory: Linux::new(), asked: false });
    // SAFETY: the source is above, and so are its types; nobody else calls it.
    unsafe {
        let app = apps.loader(&HOST).keep_initial_data(true).load("app", file).unwrap();
        for _ in 0..2 {
            assert_eq!(app.symbol::<extern "C" fn() -> i32>("probe").unwrap().call(()), 15);
            app.teardown().unwrap();
            app.reset().unwrap();
            app.bringup().unwrap();
        }
    }
}

/// How long each takes is printed, and not judged: that is the machine's.
#[test]
fn a_reset_costs_less_than_a_load() {
    let mut source = String::from("extern int host_add(int, int); int sum;\n");
    for function in 0..1_000 {
        writeln!(
            source,
            "int *at_{function} = &sum; int f{function}(void) {{ return host_add(*at_{function}, sum); }}"
        )
        .unwrap();
    }
    let (host, bytes) = (host(), compile("reset_large", &source, &["-O1"]));
    let begun = Instant::now();
    let plugin = load(&host, &bytes[..]);
    let loaded = begun.elapsed();
    let begun = Instant::now();
    reset(&plugin).unwrap();
    plugin.bringup().unwrap();
    println!("a load of 1,000 functions: {loaded:?}; a reset: {:?}", begun.elapsed());
    assert_eq!(plugin.phase(), Phase::Up);
}
