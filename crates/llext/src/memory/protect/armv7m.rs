//! Armv7-M: regions of a power of two of at least 32 bytes, aligned to their size. Those of 256 bytes and more have
//! eight parts that can be left out one by one. Where regions meet, the one with the highest number counts.
//!
//! <https://developer.arm.com/documentation/ddi0403>, section B3.5

use super::plan::Plan;
use super::{Protection, Span};

/// What one region covers, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Region {
    /// A multiple of its size.
    pub(super) base: usize,
    /// Its size is this power of two.
    pub(super) log: u32,
    /// A bit for each eighth that is left out, the first eighth's the lowest.
    pub(super) without: u8,
    pub(super) protection: Protection,
}

/// The smallest region, and the smallest that has parts.
const LEAST: u32 = 5;
const PARTED: u32 = 8;
/// The largest that is looked for: half of all addresses.
const LARGEST: u32 = 31;

/// Regions for these spans, the one that counts first at the beginning.
pub(super) fn plan(spans: &[Span]) -> Plan<Region> {
    let unused = Region { base: 0, log: LEAST, without: 0, protection: Protection::Read };
    let mut plan = Plan::new(unused);
    for span in spans {
        let mut at = span.start;
        while at < span.end {
            let (region, end) = farthest(at, span);
            plan.push(region);
            at = end;
        }
    }
    plan
}

/// The region that covers most of a span from `at` on, and where it ends.
fn farthest(at: usize, span: &Span) -> (Region, usize) {
    let reach = |log: u32| {
        let part = if log < PARTED { 1 << log } else { 1 << (log - 3) };
        let base = at & !((1 << log) - 1);
        // The last region ends where addresses do: all of it counts but for the last byte.
        let end = base.saturating_add(1 << log);
        let end = if log < PARTED { end } else { end.min(span.end & !(part - 1)) };
        let fits = at % part == 0 && at < end && end <= span.end;
        fits.then_some((end, log, base, part))
    };
    // Of those that reach equally far, the smallest.
    let best = (LEAST..=LARGEST).rev().filter_map(reach).max_by_key(|(end, ..)| *end);
    let (end, log, base, part) = best.unwrap_or((span.end, LEAST, at, 1 << LEAST));
    let covered = |eighth: &u32| (at..end).contains(&(base + *eighth as usize * part));
    let without = if log < PARTED { 0 } else { (0..8).filter(|n| !covered(n)).map(|n| 1 << n).sum() };
    (Region { base, log, without, protection: span.protection }, end)
}

/// The size and alignment of the smallest place for `size` bytes that is one region.
pub(super) fn fit(size: usize) -> (usize, usize) {
    let Some(whole) = size.max(1 << LEAST).checked_next_power_of_two() else { return (size, 1 << LEAST) };
    let part = if whole < 1 << PARTED { whole } else { whole / 8 };
    (size.next_multiple_of(part), whole)
}

#[cfg(all(target_arch = "arm", target_os = "none"))]
pub use unit::MpuV7;

#[cfg(all(target_arch = "arm", target_os = "none"))]
mod unit {
    use super::super::mpu::Mpu;
    use super::super::{MemoryError, Protect};
    use super::*;

    /// RASR: on, and memory like the SRAM of the default map: write-back, not shared.
    const SRAM: u32 = 1 << 19 | 1 << 17 | 1 << 16 | 1;
    const NEVER_RUN: u32 = 1 << 28;
    const READ_WRITE: u32 = 0b011 << 24;
    const READ_ONLY: u32 = 0b110 << 24;

    /// The memory protection unit of a Cortex-M3, M4 or M7.
    #[derive(Debug)]
    pub struct MpuV7(Mpu);

    impl MpuV7 {
        /// The regions from `first` on; those before it stay the caller's, and count for less.
        ///
        /// # Safety
        /// The core is an Armv7-M, runs privileged, and nobody else uses these regions.
        pub unsafe fn new(first: u8) -> Self {
            // SAFETY: as the caller says.
            Self(unsafe { Mpu::new(first) })
        }
    }

    // SAFETY: `plan` covers each span exactly, and the tests hold it to that; the highest number counts first.
    unsafe impl Protect for MpuV7 {
        fn granule(&self) -> usize {
            1 << LEAST
        }

        fn fit(&self, size: usize) -> (usize, usize) {
            fit(size)
        }

        fn protect(&mut self, spans: &[Span]) -> Result<(), MemoryError> {
            let (plan, numbers) = (plan(spans), self.0.numbers());
            let regions = plan.within(numbers.len())?.iter();
            let regions = regions.map(|region| (region.base as u32, attributes(region)));
            let all = numbers.rev().zip(regions.chain(core::iter::repeat((0, 0))));
            self.0.write(all.map(|(number, (base, attributes))| (number, base, attributes)));
            Ok(())
        }
    }

    fn attributes(region: &Region) -> u32 {
        let access = match region.protection {
            Protection::Read => READ_ONLY | NEVER_RUN,
            Protection::ReadWrite => READ_WRITE | NEVER_RUN,
            Protection::ReadExecute => READ_ONLY,
        };
        SRAM | access | u32::from(region.without) << 8 | (region.log - 1) << 1
    }
}
