//! Memory protected by hardware, where there is no operating system: text is never writable, and nothing else is run.
//!
//! [`Protected`] is a [`Pool`](super::Pool) of three slices, each protected once and for all. Only what a load is writing
//! is opened, and closed when it is sealed: so there may be as many extensions as there is memory for, and few regions
//! are needed. [`Protect`] is the port: what a unit must do. Which regions it takes is planned, by functions that know
//! no registers, before any register is written.

use super::{MemoryError, Protection};

#[cfg(any(test, all(target_arch = "arm", target_os = "none")))]
mod armv7m;
#[cfg(any(test, all(target_arch = "arm", target_os = "none")))]
mod armv8m;
#[cfg(all(target_arch = "arm", target_os = "none"))]
mod mpu;
#[cfg(any(
    test,
    all(any(target_arch = "arm", target_arch = "riscv32", target_arch = "riscv64"), target_os = "none")
))]
mod plan;
#[cfg(any(test, all(any(target_arch = "riscv32", target_arch = "riscv64"), target_os = "none")))]
mod pmp;
mod pool;
mod shield;
#[cfg(test)]
mod tests;

#[cfg(all(target_arch = "arm", target_os = "none"))]
pub use armv7m::MpuV7;
#[cfg(all(target_arch = "arm", target_os = "none"))]
pub use armv8m::MpuV8;
#[cfg(all(any(target_arch = "riscv32", target_arch = "riscv64"), target_os = "none"))]
pub use pmp::Pmp;
pub use pool::{Protected, ProtectedBlock};
pub use shield::Shield;

/// A range of addresses and what may be done there.
///
/// ```
/// use llext::memory::Protection;
/// use llext::memory::protect::Span;
///
/// let text = Span { start: 0x2000_0000, end: 0x2000_4000, protection: Protection::ReadExecute };
/// assert!(text.holds(0x2000_3fff) && !text.holds(0x2000_4000));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first address.
    pub start: usize,
    /// The first address past it.
    pub end: usize,
    /// What may be done there.
    pub protection: Protection,
}

impl Span {
    /// Whether it holds this address.
    pub fn holds(&self, address: usize) -> bool {
        (self.start..self.end).contains(&address)
    }
}

/// Hardware that protects a few regions of memory from the core it belongs to.
///
/// # Safety
///
/// * Once [`protect`](Self::protect) has succeeded, the hardware allows for every address what the first span says that
///   holds it. Other addresses are as they were. After an error everything is.
/// * A place of the size and alignment that [`fit`](Self::fit) gives can be a span, and so can every range that begins and
///   ends at multiples of [`granule`](Self::granule).
pub unsafe trait Protect {
    /// What the ends of spans are multiples of, bytes: a power of two.
    fn granule(&self) -> usize;

    /// The size and alignment of the smallest place for `size` bytes that one region can cover.
    fn fit(&self, size: usize) -> (usize, usize);

    /// Protects these spans, and none that it was given before. Where spans meet, the first counts.
    ///
    /// # Errors
    /// [`MemoryError::OutOfRegions`].
    fn protect(&mut self, spans: &[Span]) -> Result<(), MemoryError>;
}

/// More regions are not used. The pools take one each, and every load under way two.
const MOST: usize = 16;
