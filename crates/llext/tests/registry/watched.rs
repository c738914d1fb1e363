//! A lock that knows which of its kind this thread holds: no user code runs under one, and none nests on itself.

use llext::RawMutex;
use std::cell::RefCell;
use std::sync::{Mutex, PoisonError};

thread_local! { static HELD: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) }; }

/// What is user code, or slow, calls this.
#[track_caller]
pub(crate) fn no_lock_is_held() {
    assert!(HELD.with_borrow(Vec::is_empty), "under a lock of the registry");
}

/// A lock of the tests' own.
#[derive(Debug)]
pub(crate) struct WatchedMutex(Mutex<()>);

// SAFETY: the guard is held while the closure runs.
unsafe impl RawMutex for WatchedMutex {
    const INIT: Self = Self(Mutex::new(()));

    fn lock<T>(&self, f: impl FnOnce() -> T) -> T {
        let own = (&raw const *self).addr();
        assert!(!HELD.with_borrow(|held| held.contains(&own)), "a lock is taken while it is held");
        let _guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        HELD.with_borrow_mut(|held| held.push(own));
        let value = f();
        HELD.with_borrow_mut(|held| held.pop());
        value
    }
}
