//! The lock as a parameter: what guards the registry depends on who can interrupt whom.
//!
//! The names and shapes are those of `embassy-sync`.

use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::sync::atomic::{AtomicBool, Ordering, compiler_fence};
use core::time::Duration;

/// A mutual exclusion without data.
///
/// # Safety
///
/// While `lock` runs its closure, no other call of `lock` or `try_lock` on the same value runs one: not from another
/// thread, core or interrupt. Calls on different values may nest; the run time never nests calls on one.
///
/// ```
/// use core::sync::atomic::{AtomicBool, Ordering};
/// use llext::RawMutex;
///
/// struct Spin(AtomicBool);
///
/// // SAFETY: only who turns the flag on runs the closure.
/// unsafe impl RawMutex for Spin {
///     const INIT: Self = Self(AtomicBool::new(false));
///
///     fn lock<T>(&self, f: impl FnOnce() -> T) -> T {
///         while self.0.swap(true, Ordering::Acquire) {
///             core::hint::spin_loop();
///         }
///         let value = f();
///         self.0.store(false, Ordering::Release);
///         value
///     }
/// }
/// assert_eq!(Spin::INIT.lock(|| 42), 42);
/// ```
pub unsafe trait RawMutex {
    /// A mutex that nobody holds.
    const INIT: Self;

    /// Runs `f` alone.
    fn lock<T>(&self, f: impl FnOnce() -> T) -> T;

    /// Runs `f` alone, if nobody else is there; without waiting, also where this very thread may be the one that is there,
    /// in code that a signal interrupted. A mutex that cannot know never does.
    fn try_lock<T>(&self, f: impl FnOnce() -> T) -> Option<T> {
        let _ = f;
        None
    }

    /// Wakes those who wait for something that has just changed. Without waiting there is nobody to wake.
    fn notify(&self) {}

    /// Runs `attempt` alone, again after each [`RawMutex::notify`], until it gives a value or `timeout` has passed. A
    /// mutex that cannot wait tries once.
    fn wait<T>(&self, timeout: Duration, attempt: impl FnMut() -> Option<T>) -> Option<T> {
        let _ = timeout;
        self.lock(attempt)
    }
}

/// No lock: for one thread without interrupts that load. A registry with it cannot be shared between threads.
#[derive(Debug)]
pub struct NoopRawMutex(Inside, PhantomData<*mut ()>);

// SAFETY: the type is neither `Send` nor `Sync`, so calls on one value come from one thread, and closures do not nest.
unsafe impl RawMutex for NoopRawMutex {
    const INIT: Self = Self(Inside::nobody(), PhantomData);

    fn lock<T>(&self, f: impl FnOnce() -> T) -> T {
        self.0.run(f)
    }

    fn try_lock<T>(&self, f: impl FnOnce() -> T) -> Option<T> {
        self.0.is_free().then(|| self.lock(f))
    }
}

/// Whether somebody is inside, for what interrupts them on the same processor: a handler of faults, say. It sees what was
/// written in the order of the program, so the compiler alone has to keep that: no barrier is needed.
#[derive(Debug)]
struct Inside(AtomicBool);

impl Inside {
    const fn nobody() -> Self {
        Self(AtomicBool::new(false))
    }

    fn run<T>(&self, f: impl FnOnce() -> T) -> T {
        self.0.store(true, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        let result = f();
        compiler_fence(Ordering::SeqCst);
        self.0.store(false, Ordering::Relaxed);
        result
    }

    fn is_free(&self) -> bool {
        let is_free = !self.0.load(Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        is_free
    }
}

/// The critical section of the `critical-section` crate: for microcontrollers.
#[cfg(feature = "critical-section")]
#[derive(Debug)]
pub struct CriticalSectionRawMutex(Inside);

#[cfg(feature = "critical-section")]
// SAFETY: a critical section excludes every other thread, core and interrupt.
unsafe impl RawMutex for CriticalSectionRawMutex {
    const INIT: Self = Self(Inside::nobody());

    fn lock<T>(&self, f: impl FnOnce() -> T) -> T {
        critical_section::with(|_| self.0.run(f))
    }

    fn try_lock<T>(&self, f: impl FnOnce() -> T) -> Option<T> {
        // Critical sections nest, so that a handler of faults gets into one that was there before it.
        critical_section::with(|_| self.0.is_free().then(|| self.0.run(f)))
    }
}

/// A mutex of the standard library, and what its waiters sleep on.
#[cfg(feature = "std")]
#[derive(Debug)]
pub struct StdRawMutex(std::sync::Mutex<()>, std::sync::Condvar);

#[cfg(feature = "std")]
// SAFETY: the guard is held while the closure runs.
unsafe impl RawMutex for StdRawMutex {
    const INIT: Self = Self(std::sync::Mutex::new(()), std::sync::Condvar::new());

    fn lock<T>(&self, f: impl FnOnce() -> T) -> T {
        let _guard = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        f()
    }

    fn try_lock<T>(&self, f: impl FnOnce() -> T) -> Option<T> {
        let _guard = match self.0.try_lock() {
            Ok(guard) => guard,
            Err(std::sync::TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(std::sync::TryLockError::WouldBlock) => return None,
        };
        Some(f())
    }

    fn notify(&self) {
        // Under the mutex, or a waiter between its attempt and its sleep would miss it.
        self.lock(|| self.1.notify_all());
    }

    fn wait<T>(&self, timeout: Duration, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
        let mut found = None;
        let guard = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let waited = self.1.wait_timeout_while(guard, timeout, |()| {
            found = attempt();
            found.is_none()
        });
        drop(waited.unwrap_or_else(std::sync::PoisonError::into_inner));
        found
    }
}

/// A value behind a lock. Closures given to [`Locked::with`] are short, do not nest and call no user code.
pub(crate) struct Locked<R, T> {
    raw: R,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached only under the lock, which is `Sync` itself.
unsafe impl<R: Sync, T: Send> Sync for Locked<R, T> {}

impl<R: RawMutex, T> Locked<R, T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { raw: R::INIT, value: UnsafeCell::new(value) }
    }

    /// Runs `f` alone with the value.
    pub(crate) fn with<U>(&self, f: impl FnOnce(&mut T) -> U) -> U {
        self.raw.lock(|| {
            // SAFETY: the lock excludes all others, and closures given here do not nest.
            f(unsafe { &mut *self.value.get() })
        })
    }

    /// Runs `f` alone with the value, unless that would take waiting.
    pub(crate) fn try_with<U>(&self, f: impl FnOnce(&mut T) -> U) -> Option<U> {
        // SAFETY: as in `with`.
        self.raw.try_lock(|| f(unsafe { &mut *self.value.get() }))
    }

    /// Wakes those who wait.
    pub(crate) fn notify(&self) {
        self.raw.notify();
    }

    /// Runs `attempt` alone with the value until it succeeds or `timeout` has passed.
    pub(crate) fn wait<U>(
        &self,
        timeout: Duration,
        mut attempt: impl FnMut(&mut T) -> Option<U>,
    ) -> Option<U> {
        self.raw.wait(timeout, || {
            // SAFETY: as in `with`: an attempt runs under the lock.
            attempt(unsafe { &mut *self.value.get() })
        })
    }
}

#[cfg(all(test, feature = "std", not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_is_held_is_not_got_by_trying() {
        is_not_got::<StdRawMutex>();
        is_not_got::<NoopRawMutex>();
        #[cfg(feature = "critical-section")]
        is_not_got::<CriticalSectionRawMutex>();
    }

    fn is_not_got<R: RawMutex>() {
        let locked = Locked::<R, _>::new(7);
        assert_eq!(locked.try_with(|value| *value), Some(7));
        assert_eq!(locked.with(|_| locked.try_with(|value| *value)), None);
        assert_eq!(locked.try_with(|value| *value), Some(7));
    }
}
