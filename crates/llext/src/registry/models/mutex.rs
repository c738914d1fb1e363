//! A lock that the checker watches.

use super::checker::{Condvar, Mutex};
use crate::lock::RawMutex;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::sync::OnceLock;

/// Made when first used, for the checkers' locks cannot be made in constants. Waiting has no end but success, unless the
/// time to wait is zero.
pub(super) struct ModelMutex {
    lock: OnceLock<(Mutex<()>, Condvar)>,
    is_gone: AtomicBool,
}

impl ModelMutex {
    fn parts(&self) -> &(Mutex<()>, Condvar) {
        assert!(
            !self.is_gone.load(Ordering::Relaxed),
            "a lock is used that is gone: what it guards was released"
        );
        self.lock.get_or_init(|| (Mutex::new(()), Condvar::new()))
    }
}

impl Drop for ModelMutex {
    fn drop(&mut self) {
        self.is_gone.store(true, Ordering::Relaxed);
    }
}

// SAFETY: the guard is held while the closure runs.
unsafe impl RawMutex for ModelMutex {
    const INIT: Self = Self { lock: OnceLock::new(), is_gone: AtomicBool::new(false) };

    fn lock<T>(&self, f: impl FnOnce() -> T) -> T {
        let (mutex, _) = self.parts();
        let _guard = mutex.lock().expect("nobody panics under a lock");
        f()
    }

    fn notify(&self) {
        let (_, condvar) = self.parts();
        self.lock(|| condvar.notify_all());
    }

    fn wait<T>(&self, timeout: Duration, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
        let (mutex, condvar) = self.parts();
        let mut guard = mutex.lock().expect("nobody panics under a lock");
        loop {
            let found = attempt();
            if found.is_some() || timeout.is_zero() {
                return found;
            }
            guard = condvar.wait(guard).expect("nobody panics under a lock");
        }
    }
}
