//! Thread-local variables of the host, lent to an extension.

use crate::common::compile;
use llext::export::{Exports, SymbolName};
use llext::host::CAPACITY;
use llext::lock::StdRawMutex;
use llext::memory::Linux;
use llext::{Error, Registry};
use std::cell::Cell;

std::thread_local! {
    static COUNTER: Cell<i32> = const { Cell::new(40) };
}

const SOURCE: &str = "extern __thread int counter; int probe(void) { return counter += 2; }";

/// The variable's distance from the thread pointer: the same in every thread, as this program brings it along.
fn from_thread_pointer() -> isize {
    let pointer: usize;
    // SAFETY: on x86-64 the thread pointer's first word holds itself.
    unsafe {
        core::arch::asm!("mov {}, fs:0", out(reg) pointer, options(nostack, readonly, preserves_flags))
    };
    COUNTER.with(|counter| counter.as_ptr() as isize - pointer as isize)
}

/// Exports the variable by its offset in a block.
struct Host(usize);

impl Exports for Host {
    fn address(&self, name: &SymbolName<'_>) -> Option<usize> {
        (name.bytes == b"counter").then_some(self.0)
    }
}

#[test]
fn an_extension_uses_the_variable_of_the_thread_that_calls_it() {
    let bytes = compile("thread_local", SOURCE, &["-O1", "-fno-pic", "-ftls-model=local-exec"]);
    let registry = Registry::<Linux, StdRawMutex, { CAPACITY }>::new(Linux::new());
    let host = Host(0x40);
    // SAFETY: the source is in this test.
    let app =
        unsafe { registry.loader(&host).thread_local(from_thread_pointer() - 0x40).load("app", &bytes[..]) };
    let app = app.unwrap();
    // SAFETY: that is its signature.
    let probe = unsafe { app.symbol::<extern "C" fn() -> i32>("probe") }.unwrap();
    assert_eq!([probe.call(()), probe.call(())], [42, 44]);
    let elsewhere = std::thread::scope(|scope| scope.spawn(|| probe.call(())).join());
    assert_eq!((elsewhere.unwrap(), COUNTER.get()), (42, 44));
}

#[test]
fn without_a_block_it_is_refused() {
    let bytes = compile("thread_local_refused", SOURCE, &["-O1", "-fno-pic", "-ftls-model=local-exec"]);
    let registry = Registry::<Linux, StdRawMutex, { CAPACITY }>::new(Linux::new());
    let refused = registry.loader(&Host(0)).verify("app", &bytes[..]);
    assert!(matches!(refused, Err(Error::Link(llext_link::Error::ThreadLocal { .. }))), "{refused:?}");
}
