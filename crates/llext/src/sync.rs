//! The number that many change at once: an atomic where the processor has one of 64 bits, elsewhere behind a lock.
//!
//! `--cfg llext_locked_words` takes the lock everywhere. Under `--cfg loom` or `--cfg shuttle` tests have both, of a kind
//! that a model checker watches, and choose.

#[cfg(all(target_has_atomic = "64", not(llext_locked_words), not(all(test, any(loom, shuttle)))))]
pub(crate) use atomic::Number;
#[cfg(all(any(not(target_has_atomic = "64"), llext_locked_words), not(all(test, any(loom, shuttle)))))]
pub(crate) use locked::Number;
#[cfg(all(test, any(loom, shuttle)))]
pub(crate) use model::{Number, lock_words};

#[cfg(all(target_has_atomic = "64", any(test, not(llext_locked_words))))]
#[cfg_attr(test, allow(dead_code, reason = "only tests have both kinds"))]
mod atomic {
    #[cfg(all(test, any(loom, shuttle)))]
    use super::model::AtomicU64;
    use core::marker::PhantomData;
    #[cfg(not(all(test, any(loom, shuttle))))]
    use core::sync::atomic::AtomicU64;
    use core::sync::atomic::Ordering;

    /// An atomic.
    pub(crate) struct Number<R> {
        value: AtomicU64,
        lock: PhantomData<R>,
    }

    impl<R> Number<R> {
        pub(crate) const fn new(first: u64) -> Self {
            Self { value: AtomicU64::new(first), lock: PhantomData }
        }

        pub(crate) fn load(&self) -> u64 {
            self.value.load(Ordering::Acquire)
        }

        /// Changes the number in one step, if `change` has an answer for it; what it was. `change` may be asked again.
        pub(crate) fn update(&self, change: impl Fn(u64) -> Option<u64>) -> Result<u64, u64> {
            // Who ends an extension must see what everybody did who left it before.
            self.value.fetch_update(Ordering::AcqRel, Ordering::Acquire, change)
        }
    }
}

#[cfg(any(test, not(target_has_atomic = "64"), llext_locked_words))]
#[cfg_attr(test, allow(dead_code, reason = "only tests have both kinds"))]
mod locked {
    use crate::lock::{Locked, RawMutex};

    /// A number under a lock of its own.
    pub(crate) struct Number<R>(Locked<R, u64>);

    impl<R: RawMutex> Number<R> {
        pub(crate) const fn new(first: u64) -> Self {
            Self(Locked::new(first))
        }

        pub(crate) fn load(&self) -> u64 {
            self.0.with(|number| *number)
        }

        /// As that of the atomic.
        pub(crate) fn update(&self, change: impl Fn(u64) -> Option<u64>) -> Result<u64, u64> {
            self.0.with(|number| {
                let before = *number;
                *number = change(before).ok_or(before)?;
                Ok(before)
            })
        }
    }
}

/// What the models use: either kind of number, and atomics that can be made in constants.
#[cfg(all(test, any(loom, shuttle)))]
mod model {
    use super::{atomic, locked};
    use crate::lock::RawMutex;
    use core::cell::Cell;
    #[cfg(loom)]
    use loom::sync::atomic as checked;
    #[cfg(shuttle)]
    use shuttle::sync::atomic as checked;
    use std::sync::OnceLock;

    std::thread_local! {
        static LOCKED: Cell<bool> = const { Cell::new(false) };
    }

    /// Chooses the kind of the numbers of this thread's models.
    pub(crate) fn lock_words(locked: bool) {
        LOCKED.set(locked);
    }

    /// A number of the kind that was chosen.
    pub(crate) struct Number<R> {
        atomic: atomic::Number<R>,
        locked: locked::Number<R>,
    }

    impl<R: RawMutex> Number<R> {
        pub(crate) const fn new(first: u64) -> Self {
            Self { atomic: atomic::Number::new(first), locked: locked::Number::new(first) }
        }

        pub(crate) fn load(&self) -> u64 {
            if LOCKED.get() { self.locked.load() } else { self.atomic.load() }
        }

        pub(crate) fn update(&self, change: impl Fn(u64) -> Option<u64>) -> Result<u64, u64> {
            if LOCKED.get() { self.locked.update(change) } else { self.atomic.update(change) }
        }
    }

    /// Model checkers cannot make their atomics in constants: this one is made when first used.
    pub(super) struct AtomicU64 {
        first: u64,
        atomic: OnceLock<checked::AtomicU64>,
    }

    impl AtomicU64 {
        pub(super) const fn new(first: u64) -> Self {
            Self { first, atomic: OnceLock::new() }
        }
    }

    impl core::ops::Deref for AtomicU64 {
        type Target = checked::AtomicU64;

        fn deref(&self) -> &Self::Target {
            self.atomic.get_or_init(|| checked::AtomicU64::new(self.first))
        }
    }
}

#[cfg(all(test, feature = "std", target_has_atomic = "64", not(any(loom, shuttle))))]
mod tests {
    use super::{atomic, locked};
    use crate::lock::StdRawMutex;
    use std::thread;

    macro_rules! both_kinds {
        ($($kind:ident: $name:ident, $raced:ident;)*) => { $(
            #[test]
            fn $name() {
                let number = $kind::Number::<StdRawMutex>::new(7);
                assert_eq!((number.update(|found| Some(found + 1)), number.load()), (Ok(7), 8));
                assert_eq!((number.update(|_| None), number.load()), (Err(8), 8));
            }

            #[test]
            fn $raced() {
                let number = $kind::Number::<StdRawMutex>::new(0);
                let many = || (0..10_000).for_each(|_| assert!(number.update(|found| Some(found + 1)).is_ok()));
                thread::scope(|scope| [0; 4].map(|_| scope.spawn(many)).map(|thread| thread.join().is_ok()));
                assert_eq!(number.load(), 40_000);
            }
        )* };
    }
    both_kinds! {
        atomic: an_atomic_changes_in_one_step, an_atomic_loses_no_change;
        locked: a_locked_number_changes_in_one_step, a_locked_number_loses_no_change;
    }
}
