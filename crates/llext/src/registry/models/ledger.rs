//! What every extension of a model goes through, kept outside the checker's sight.
//!
//! The checkers run all threads of a model on one thread of the system, so a thread's own variable belongs to a model.

use super::checker::thread::{self, ThreadId};
use super::extension::Body;
use super::world::NAMES;
use core::cell::{Cell, RefCell};
use std::boxed::Box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::string::String;
use std::thread_local;
use std::vec::Vec;

thread_local! {
    static BODIES: RefCell<Vec<&'static Body>> = const { RefCell::new(Vec::new()) };
    static LATEST: [Cell<Option<&'static Body>>; NAMES.len()] = const { [const { Cell::new(None) }; NAMES.len()] };
    static FAULTS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static INTERRUPT: Cell<Option<ThreadId>> = const { Cell::new(None) };
}

/// Begins anew. What a schedule that failed left behind is not looked at again.
pub(super) fn begin() {
    BODIES.with_borrow_mut(Vec::clear);
    FAULTS.with_borrow_mut(Vec::clear);
    LATEST.with(|latest| latest.iter().for_each(|body| body.set(None)));
    INTERRUPT.set(None);
}

/// This thread is an interrupt: from here on it may not end an extension.
pub(super) fn interrupt() {
    INTERRUPT.set(Some(thread::current().id()));
}

pub(super) fn assert_may_end() {
    let interrupt = INTERRUPT.get();
    assert!(interrupt.is_none_or(|id| id != thread::current().id()), "an interrupt ends an extension");
}

/// The memory of another extension: it stays until the end of the schedule, so that a use after its release is seen.
pub(super) fn body() -> &'static Body {
    BODIES.with_borrow_mut(|bodies| {
        let body: &Body = Box::leak(Box::new(Body::new(bodies.len())));
        bodies.push(body);
        body
    })
}

/// The extension that has, or had last, the name of this index.
pub(super) fn latest(which: usize) -> Option<&'static Body> {
    LATEST.with(|latest| latest[which].get())
}

/// From here on `body` is what the name of this index stands for.
pub(super) fn name(which: usize, body: &'static Body) {
    LATEST.with(|latest| latest[which].set(Some(body)));
}

/// Runs what the code of an extension would do: a panic cannot leave it, and fails the schedule later.
pub(super) fn outside<T>(code: impl FnOnce() -> T) -> Option<T> {
    let caught = catch_unwind(AssertUnwindSafe(code));
    let text = |panic: Box<dyn core::any::Any + Send>| match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast_ref::<&str>().map_or("a panic", |text| *text).into(),
    };
    caught.map_err(|panic| FAULTS.with_borrow_mut(|faults| faults.push(text(panic)))).ok()
}

/// Every extension came up and went down once at most, went, and gave its memory back; nothing went wrong in one.
pub(super) fn close() {
    FAULTS.with_borrow(|faults| assert!(faults.is_empty(), "in an extension: {faults:?}"));
    BODIES.with_borrow(|bodies| bodies.iter().for_each(|body| body.assert_released()));
    LATEST.with(|latest| latest.iter().for_each(|body| body.set(None)));
    for body in BODIES.take() {
        // SAFETY: it was leaked by `body`, everybody has let it go, and nothing here leads to it any more.
        drop(unsafe { Box::from_raw(core::ptr::from_ref(body).cast_mut()) });
    }
}
