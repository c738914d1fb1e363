//! Extensions that outlive the registry: saved, lost but for the memory, and live again without being linked.

mod cost;
mod damage;
mod kept;
mod refused;

use crate::common::compile;
use core::mem::MaybeUninit;
use llext::registry::Contents;
use llext::{Handle, NoopRawMutex, Pool, Registry};
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect};
use std::cell::RefCell;
use std::mem::forget;
use std::ptr::null_mut;
use std::slice::{from_raw_parts, from_raw_parts_mut};

pub(crate) const SLOTS: usize = 4;
pub(crate) type Apps = crate::Pooled<'static>;
pub(crate) type App = Handle<'static, Pool<'static>, NoopRawMutex, SLOTS>;

thread_local! { static HEARD: RefCell<Vec<i32>> = const { RefCell::new(Vec::new()) }; }

pub(crate) extern "C" fn host_hear(number: i32) {
    HEARD.with_borrow_mut(|heard| heard.push(number));
}
llext::exports! { pub(crate) static HOST; fn host_hear(number: i32); }

/// What extensions told the host since it was asked last.
pub(crate) fn heard() -> Vec<i32> {
    HEARD.take()
}

/// Tells the host when it comes up (1), and when it goes: from `atexit` (3), then from a destructor (2).
pub(crate) const COUNTER: &str = "
    extern void host_hear(int);
    extern int atexit(void (*)(void));
    static int count = 40;
    static int *volatile at = &count;
    static void gone(void) { host_hear(3); }
    __attribute__((constructor)) static void begin(void) { host_hear(1); atexit(gone); }
    __attribute__((destructor)) static void end(void) { host_hear(2); }
    int probe(void) { return ++*at; }";

/// Counts with what another extension exports.
pub(crate) const USER: &str = "extern int probe(void); int twice(void) { probe(); return probe(); }";

pub(crate) fn object(name: &str, source: &str) -> Vec<u8> {
    compile(&format!("save_{name}"), source, &["-O1", "-fPIC"])
}

const PAGE: usize = 4096;
pub(crate) const SIZE: usize = 128 * 1024;

/// Memory that stays when a registry is lost. What lies before and behind it cannot be touched.
pub(crate) struct Retained(*mut u8);

impl Retained {
    pub(crate) fn new() -> Self {
        let all = ProtFlags::READ | ProtFlags::WRITE | ProtFlags::EXEC;
        // SAFETY: a new mapping, of which the ends are made inaccessible; nobody knows it yet.
        unsafe {
            let start = mmap_anonymous(null_mut(), SIZE + 2 * PAGE, all, MapFlags::PRIVATE).unwrap();
            for edge in [start, start.byte_add(PAGE + SIZE)] {
                mprotect(edge, PAGE, MprotectFlags::empty()).unwrap();
            }
            Self(start.byte_add(PAGE).cast())
        }
    }

    fn lend(&self, from: usize, to: usize) -> &'static mut [MaybeUninit<u8>] {
        // SAFETY: it is never unmapped; each registry that has it is lost before another is made.
        unsafe { from_raw_parts_mut(self.0.add(from).cast(), to - from) }
    }

    /// A registry over all of it.
    pub(crate) fn unified(&self) -> &'static Apps {
        Box::leak(Box::new(Registry::new(Pool::unified(self.lend(0, SIZE)))))
    }

    /// A registry over a half for code and one for data.
    pub(crate) fn split(&self) -> &'static Apps {
        let pool = Pool::new(self.lend(0, SIZE / 2), self.lend(SIZE / 2, SIZE));
        Box::leak(Box::new(Registry::new(pool)))
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        // SAFETY: anonymous memory is initialised; no extension runs.
        unsafe { from_raw_parts(self.0, SIZE) }.to_vec()
    }

    pub(crate) fn fill(&self, bytes: &[u8]) {
        // SAFETY: as above.
        unsafe { from_raw_parts_mut(self.0, SIZE) }.copy_from_slice(bytes);
    }
}

pub(crate) fn load(apps: &'static Apps, name: &'static str, bytes: &[u8]) -> App {
    // SAFETY: the sources are in this folder.
    unsafe { apps.loader(&HOST).search_live(true).load(name, bytes) }.unwrap()
}

pub(crate) fn save(apps: &'static Apps, contents: Contents) -> Vec<u8> {
    let mut saved = vec![0; 8192];
    // SAFETY: this thread alone has the registry.
    let len = unsafe { apps.loader(&HOST).save(contents, &mut saved) }.unwrap();
    saved.truncate(len);
    saved
}

/// All extensions, in the order they were loaded.
pub(crate) fn restore(apps: &'static Apps, saved: &[u8]) -> Result<Vec<App>, llext::Error> {
    let mut all = Vec::new();
    // SAFETY: the memory is as it was, or the test expects that it is found out.
    let count = unsafe { apps.loader(&HOST).restore(saved, |app| all.push(app)) }?;
    assert_eq!(count, all.len());
    Ok(all)
}

pub(crate) fn call(app: &App, function: &str) -> i32 {
    // SAFETY: that is the type of all functions here.
    unsafe { app.symbol::<extern "C" fn() -> i32>(function) }.unwrap().call(())
}

/// Loses handles, as a power cycle does.
pub(crate) fn lose(apps: impl IntoIterator<Item = App>) {
    apps.into_iter().for_each(forget);
}
