//! The one atomic the run time needs: that of the processor, or of whoever models the races.

#[cfg(all(target_has_atomic = "64", not(any(loom, shuttle))))]
pub(crate) use core::sync::atomic::AtomicU64;
#[cfg(target_has_atomic = "64")]
pub(crate) use core::sync::atomic::Ordering;

#[cfg(any(loom, shuttle))]
pub(crate) use model::AtomicU64;

/// The atomics of model checkers cannot be made in constants: these are made when first used.
#[cfg(any(loom, shuttle))]
mod model {
    #[cfg(loom)]
    use loom::sync::atomic;
    #[cfg(shuttle)]
    use shuttle::sync::atomic;
    use std::sync::OnceLock;

    pub(crate) struct AtomicU64 {
        first: u64,
        atomic: OnceLock<atomic::AtomicU64>,
    }

    impl AtomicU64 {
        pub(crate) const fn new(first: u64) -> Self {
            Self { first, atomic: OnceLock::new() }
        }
    }

    impl core::ops::Deref for AtomicU64 {
        type Target = atomic::AtomicU64;

        fn deref(&self) -> &Self::Target {
            self.atomic.get_or_init(|| atomic::AtomicU64::new(self.first))
        }
    }
}
