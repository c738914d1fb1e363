//! Every byte of code is synchronised after it was written last and before any of it runs: tested on a double that
//! remembers what instruction fetch would see.

use crate::export::Exports;
use crate::lock::StdRawMutex;
use crate::memory::cache_double::fetched;
use crate::memory::{Linux, Memory, Part, Pool};
use crate::registry::Registry;
use crate::source::{Source, Static};
use core::sync::atomic::{AtomicU32, Ordering};
use std::cell::Cell;
use std::format;
use std::mem::MaybeUninit;
use std::process::{Command, id};
use std::vec;
use std::vec::Vec;

/// Branches, addresses, stubs and slots to be filled in; a constructor, whose call is the first.
const SOURCE: &str = "int host(int); extern int LEVEL; int table[3] = {1, 2, 3};
    static int twice(int n) { return 2 * n; } int (*call)(int) = twice; int *place = &table[1];
    static void first(void); int probe(int n) { return host(n) + call(n) + *place + LEVEL + (first != 0); }
    __attribute__((constructor)) static void first(void) { host(7); }";

std::thread_local! {
    /// The first byte of code that fetch would not see as it is, when the host was called.
    static STALE: Cell<Option<usize>> = const { Cell::new(None) };
    static CALLS: Cell<u32> = const { Cell::new(0) };
    static CODE: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

extern "C" fn host(n: i32) -> i32 {
    CALLS.set(CALLS.get() + 1);
    let (start, size) = CODE.get();
    STALE.set(STALE.get().or(stale(start, size)));
    n
}
static LEVEL: i32 = 5;

crate::exports! {
    static HOST;
    fn host(n: i32) -> i32;
    static LEVEL: i32;
}

/// The first of these bytes that fetch would not see as it is.
fn stale(start: usize, size: usize) -> Option<usize> {
    // SAFETY: the callers give ranges of live extensions.
    let is = |address: usize| unsafe { (address as *const u8).read_volatile() };
    (start..start + size).find(|&address| fetched(address) != Some(is(address)))
}

fn compile(flags: &[&str]) -> Vec<u8> {
    static FILES: AtomicU32 = AtomicU32::new(0);
    let number = FILES.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("llext-caches-{}-{number}", id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (source, output) = (folder.join("source.c"), folder.join("output"));
    std::fs::write(&source, SOURCE).unwrap();
    let mut cc = Command::new("cc");
    cc.args(if usize::BITS == 32 { &["-m32"][..] } else { &[] });
    assert!(cc.arg("-O1").args(flags).arg(&source).arg("-o").arg(&output).status().unwrap().success());
    let bytes = std::fs::read(&output).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    bytes
}

/// Loads without a call; looks at its code; brings it up, and looks again at each call.
fn code_is_fetched_as_written<M: Memory>(memory: M, source: impl Source, runs: bool) {
    let apps = Registry::<M, StdRawMutex, 1>::new(memory);
    let host: &dyn Exports = &HOST;
    // SAFETY: the file is what cc made of SOURCE; where it cannot be run, it is not brought up.
    let app = unsafe { apps.loader(host).bring_up(false).load("app", source).unwrap() };
    let code = app.regions().find(|region| region.part == Part::Code);
    let probe = app.exports().find(|(name, _)| *name == b"probe").unwrap().1;
    // Of a shared object, what surely is code.
    let code = code.map_or((probe, 16), |code| (code.address, code.size));
    assert!(code.1 > 0 && stale(code.0, code.1).is_none(), "{:x?}", stale(code.0, code.1));
    CODE.set(code);
    if runs {
        app.bringup().unwrap();
        assert_eq!((CALLS.take(), STALE.take()), (1, None));
    }
}

#[test]
fn of_an_object() {
    code_is_fetched_as_written(Linux::new(), &compile(&["-c"])[..], true);
    code_is_fetched_as_written(Linux::new(), &compile(&["-c", "-fno-pic", "-ffunction-sections"])[..], true);
}

#[test]
fn of_a_shared_object() {
    code_is_fetched_as_written(Linux::new(), &compile(&["-shared", "-fPIC"])[..], true);
}

/// This memory cannot be run here, so nothing is called.
#[test]
fn in_a_pool() {
    for flags in [&["-c", "-fPIC"][..], &["-shared", "-fPIC", "-nostdlib"]] {
        let mut memory = vec![MaybeUninit::uninit(); 1 << 20];
        code_is_fetched_as_written(Pool::unified(&mut memory), &compile(flags)[..], false);
    }
    let (mut code, mut data) = (vec![MaybeUninit::uninit(); 1 << 16], vec![MaybeUninit::uninit(); 1 << 16]);
    let bytes: &'static [u8] = compile(&["-c", "-ffunction-sections", "-fPIC"]).leak();
    code_is_fetched_as_written(Pool::new(&mut code, &mut data), Static(bytes), false);
}

#[test]
fn what_is_written_afterwards_is_noticed() {
    let mut bytes = [1_u8; 8];
    // SAFETY: the bytes are there.
    unsafe { crate::memory::synchronize(bytes.as_ptr().addr(), 8) };
    assert_eq!(stale(bytes.as_ptr().addr(), 8), None);
    bytes[5] = 2;
    assert_eq!(stale(bytes.as_ptr().addr(), 8), Some(bytes.as_ptr().addr() + 5));
    assert_eq!(stale(bytes.as_ptr().addr() + 8, 1), Some(bytes.as_ptr().addr() + 8));
}
