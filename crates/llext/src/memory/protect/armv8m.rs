//! Armv8-M: regions begin and end at any multiple of 32 bytes, and may not meet: an address in two of them is refused.
//! So spans that meet are cut into pieces.
//!
//! <https://developer.arm.com/documentation/ddi0553>, chapter B12

use super::plan::Plan;
use super::{Protection, Span};

/// Every region is made of these.
const GRANULE: usize = 32;

/// Regions for these spans: what each covers is what it says.
pub(super) fn plan(spans: &[Span]) -> Plan<Span> {
    let unused = Span { start: 0, end: 0, protection: Protection::Read };
    let mut plan = Plan::new(unused);
    let mut last = unused;
    while let Some(piece) = next(last.end, spans) {
        if piece.start == last.end && piece.protection == last.protection {
            last.end = piece.end;
            continue;
        }
        if last != unused {
            plan.push(last);
        }
        last = piece;
    }
    if last != unused {
        plan.push(last);
    }
    plan
}

/// The first piece at or after `at` of which one span decides.
fn next(at: usize, spans: &[Span]) -> Option<Span> {
    let left = spans.iter().filter(|span| span.start < span.end && span.end > at);
    let start = left.map(|span| span.start.max(at)).min()?;
    let (place, deciding) = spans.iter().enumerate().find(|(_, span)| span.holds(start))?;
    let before = spans.iter().take(place).map(|span| span.start).filter(|other| *other > start);
    let end = before.fold(deciding.end, usize::min);
    Some(Span { start, end, protection: deciding.protection })
}

/// The size and alignment of the smallest place for `size` bytes.
pub(super) fn fit(size: usize) -> (usize, usize) {
    (size.checked_next_multiple_of(GRANULE).unwrap_or(size), GRANULE)
}

#[cfg(all(target_arch = "arm", target_os = "none"))]
pub use unit::MpuV8;

#[cfg(all(target_arch = "arm", target_os = "none"))]
mod unit {
    use super::super::mpu::Mpu;
    use super::super::{MemoryError, Protect};
    use super::*;

    const MAIR1: *mut u32 = 0xe000_edc4 as *mut u32;

    /// RBAR: never run; who may write.
    const NEVER_RUN: u32 = 1;
    const READ_WRITE: u32 = 0b01 << 1;
    const READ_ONLY: u32 = 0b11 << 1;
    /// RLAR: on, and which attribute.
    const ENABLED: u32 = 7 << 1 | 1;
    /// MAIR1: attribute 7, the highest byte: memory like the SRAM of the default map, write-back.
    const SRAM: u32 = 0xff << 24;

    /// The memory protection unit of a Cortex-M23, M33, M55 or M85: that of the security state it is used in.
    #[derive(Debug)]
    pub struct MpuV8(Mpu);

    impl MpuV8 {
        /// The regions from `first` on, and attribute 7; the regions before it stay the caller's, and may not meet the
        /// slices of the pool.
        ///
        /// # Safety
        /// The core is an Armv8-M, runs privileged, and nobody else uses these.
        pub unsafe fn new(first: u8) -> Self {
            // SAFETY: every Armv8-M has the register; the rest is as the caller says.
            unsafe {
                MAIR1.write_volatile(MAIR1.read_volatile() | SRAM);
                Self(Mpu::new(first))
            }
        }
    }

    // SAFETY: `plan` covers each span exactly and nothing twice, and the tests hold it to that.
    unsafe impl Protect for MpuV8 {
        fn granule(&self) -> usize {
            GRANULE
        }

        fn fit(&self, size: usize) -> (usize, usize) {
            fit(size)
        }

        fn protect(&mut self, spans: &[Span]) -> Result<(), MemoryError> {
            let (plan, numbers) = (plan(spans), self.0.numbers());
            let regions = plan.within(numbers.len())?;
            // No two may meet even for a moment, so all are switched off first.
            let off = numbers.clone().map(|number| (number, 0, 0));
            let on = numbers.zip(regions).map(|(number, region)| {
                let limit = (region.end as u32 - 1) & !(GRANULE as u32 - 1);
                (number, region.start as u32 | access(region.protection), limit | ENABLED)
            });
            self.0.write(off.chain(on));
            Ok(())
        }
    }

    fn access(protection: Protection) -> u32 {
        match protection {
            Protection::Read => READ_ONLY | NEVER_RUN,
            Protection::ReadWrite => READ_WRITE | NEVER_RUN,
            Protection::ReadExecute => READ_ONLY,
        }
    }
}
