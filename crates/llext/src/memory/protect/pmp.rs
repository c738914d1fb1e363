//! RISC-V's physical memory protection: an entry covers a power of two of bytes aligned to it (NAPOT), or all from the
//! address of the entry before it to its own (TOR). The first entry that covers an address counts.
//!
//! Machine mode minds only locked entries, and these can be changed again only with the extension Smepmp, while
//! `mseccfg.RLB` is set. With `mseccfg.MML`, it runs nothing that no entry lets it run.
//!
//! <https://docs.riscv.org/reference/isa/priv/machine.html>, section "Physical Memory Protection";
//! <https://docs.riscv.org/reference/isa/priv/smepmp.html>

use super::plan::Plan;
use super::{MOST, MemoryError, Protection, Span};
use core::ops::Range;

/// An entry as its registers hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// `pmpaddr`: an address by 4.
    pub(super) address: usize,
    /// `pmpcfg`: locked, what it means, what it allows.
    pub(super) config: u8,
}

/// For an entry that only holds the address where the next one begins.
pub(super) const OFF: u8 = 0;
pub(super) const TOR: u8 = 1 << 3;
pub(super) const NAPOT: u8 = 3 << 3;
const LOCKED: u8 = 1 << 7;
/// The smallest power of two that an entry can cover.
const LEAST: usize = 8;

/// Entries for these spans, in their order.
pub(super) fn plan(spans: &[Span]) -> Plan<Entry> {
    let mut plan = Plan::new(Entry { address: 0, config: OFF });
    for Span { start, end, protection } in spans.iter().filter(|span| span.start < span.end) {
        let size = end - start;
        let config = LOCKED | allowed(*protection);
        if size >= LEAST && size.is_power_of_two() && start % size == 0 {
            plan.push(Entry { address: (start / 4) | (size / 8 - 1), config: config | NAPOT });
        } else {
            plan.push(Entry { address: start / 4, config: OFF });
            plan.push(Entry { address: end / 4, config: config | TOR });
        }
    }
    plan
}

/// The entries that let `text` be run, if so many are left from `first` on. The unit would take both ends down to its
/// granule, and so the end of the text away: all of the granules that it touches can be run.
pub(super) fn plan_text(
    first: usize,
    text: Range<usize>,
    granule: usize,
) -> Result<Plan<Entry>, MemoryError> {
    let end = text.end.checked_next_multiple_of(granule).unwrap_or(text.end);
    let start = text.start & !(granule - 1);
    let plan = plan(&[Span { start, end, protection: Protection::ReadExecute }]);
    plan.within(MOST - first.min(MOST))?;
    Ok(plan)
}

/// Bits of `pmpcfg`: 1 to read, 2 to write, 4 to run.
fn allowed(protection: Protection) -> u8 {
    match protection {
        Protection::Read => 1,
        Protection::ReadWrite => 1 | 2,
        Protection::ReadExecute => 1 | 4,
    }
}

/// The size and alignment of the smallest place for `size` bytes: it takes one entry or two.
pub(super) fn fit(size: usize, granule: usize) -> (usize, usize) {
    (size.checked_next_multiple_of(granule).unwrap_or(size), granule)
}

#[cfg(all(any(target_arch = "riscv32", target_arch = "riscv64"), target_os = "none"))]
pub use unit::Pmp;

#[cfg(all(any(target_arch = "riscv32", target_arch = "riscv64"), target_os = "none"))]
mod unit {
    use super::super::Protect;
    use super::*;
    use core::arch::asm;

    /// `mseccfg`, which is CSR 0x747: locked entries can be changed; machine mode runs what entries say and no more.
    const RLB: usize = 1 << 2;
    const MML: usize = 1 << 0;
    /// How many entries one `pmpcfg` register holds.
    const IN_ONE: usize = size_of::<usize>();

    /// The entries of a core with Smepmp that runs in machine mode.
    #[derive(Debug)]
    pub struct Pmp {
        first: usize,
        granule: usize,
    }

    impl Pmp {
        /// The entries from `first` to 15; those before it stay the caller's, and count for more. The first of its own lets
        /// `text` be run, the firmware's code and constants, and what shares a granule of the unit's with its ends; nothing
        /// else can be run from here on, but for what the caller's entries say.
        ///
        /// # Errors
        /// [`MemoryError::OutOfRegions`] if `text` takes more entries than there are from `first` on: one if it is a power of
        /// two of bytes and aligned to that, else two. Then nothing is changed.
        ///
        /// # Safety
        /// The core runs in machine mode, has Smepmp and 16 entries, and none is locked yet unless `mseccfg.RLB` is set. All
        /// code of the firmware lies in `text`. Nobody else uses these entries.
        pub unsafe fn new(first: u8, text: Range<usize>) -> Result<Self, MemoryError> {
            let mut unit = Self { first: usize::from(first).min(MOST), granule: 4 };
            plan_text(unit.first, text.clone(), unit.granule)?;
            set(RLB);
            unit.clear();
            write_address(MOST - 1, usize::MAX);
            unit.granule = 4 << read_last().trailing_zeros();
            // Whole granules take no more entries than the text itself.
            let plan = plan_text(unit.first, text, unit.granule)?;
            let entries = plan.within(MOST - unit.first)?;
            unit.write(entries);
            unit.first += entries.len();
            set(MML);
            Ok(unit)
        }

        fn clear(&mut self) {
            (self.first..MOST).for_each(|number| write_config(number, OFF));
        }

        fn write(&mut self, entries: &[Entry]) {
            for (number, entry) in (self.first..MOST).zip(entries) {
                write_address(number, entry.address);
            }
            for (number, entry) in (self.first..MOST).zip(entries) {
                write_config(number, entry.config);
            }
        }
    }

    // SAFETY: `plan` covers each span exactly, the first span first, and the tests hold it to that.
    unsafe impl Protect for Pmp {
        fn granule(&self) -> usize {
            self.granule
        }

        fn fit(&self, size: usize) -> (usize, usize) {
            fit(size, self.granule)
        }

        fn protect(&mut self, spans: &[Span]) -> Result<(), MemoryError> {
            let plan = plan(spans);
            let entries = plan.within(MOST - self.first)?;
            self.clear();
            self.write(entries);
            Ok(())
        }
    }

    fn set(bits: usize) {
        // SAFETY: whoever made the unit vouched for the register.
        unsafe { asm!("csrs 0x747, {}", in(reg) bits, options(nostack)) };
    }

    /// The number of a register is part of the instruction.
    macro_rules! by_number {
        ($number:expr, $value:expr; $($n:literal)*) => {
            match $number {
                $(
                    // SAFETY: whoever made the unit vouched for these entries.
                    $n => unsafe { asm!(concat!("csrw pmpaddr", $n, ", {}"), in(reg) $value, options(nostack)) },
                )*
                _ => {}
            }
        };
    }

    fn write_address(number: usize, address: usize) {
        by_number!(number, address; 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    }

    fn read_last() -> usize {
        let address;
        // SAFETY: reading changes nothing.
        unsafe { asm!("csrr {}, pmpaddr15", out(reg) address, options(nomem, nostack)) };
        address
    }

    /// Changes one byte of the register that holds it. Registers are counted by fours: wide ones have even numbers only.
    fn write_config(number: usize, config: u8) {
        let shift = number % IN_ONE * 8;
        let (bits, none) = (usize::from(config) << shift, 0xff << shift);
        // SAFETY: whoever made the unit vouched for these entries.
        unsafe {
            match number / IN_ONE * IN_ONE / 4 {
                0 => {
                    asm!("csrc pmpcfg0, {}", "csrs pmpcfg0, {}", in(reg) none, in(reg) bits, options(nostack))
                }
                1 => asm!("csrc 0x3a1, {}", "csrs 0x3a1, {}", in(reg) none, in(reg) bits, options(nostack)),
                2 => {
                    asm!("csrc pmpcfg2, {}", "csrs pmpcfg2, {}", in(reg) none, in(reg) bits, options(nostack))
                }
                _ => asm!("csrc 0x3a3, {}", "csrs 0x3a3, {}", in(reg) none, in(reg) bits, options(nostack)),
            }
        }
    }
}
