//! The registers of a Cortex-M's memory protection unit, as far as Armv7-M and Armv8-M have the same.
//!
//! <https://developer.arm.com/documentation/ddi0403>, section B3.5.3;
//! <https://developer.arm.com/documentation/ddi0553>, chapter D1

use core::arch::asm;
use core::ops::Range;

const TYPE: *const u32 = 0xe000_ed90 as *const u32;
const CTRL: *mut u32 = 0xe000_ed94 as *mut u32;
const RNR: *mut u32 = 0xe000_ed98 as *mut u32;
const RBAR: *mut u32 = 0xe000_ed9c as *mut u32;
/// RASR or RLAR: its lowest bit switches the region on.
const ATTRIBUTES: *mut u32 = 0xe000_eda0 as *mut u32;

/// CTRL: on, and what no region covers is as without it, for privileged code.
const ON: u32 = 1 << 2 | 1;

/// The regions of a unit that are ours.
#[derive(Debug)]
pub(super) struct Mpu {
    first: u32,
    end: u32,
}

impl Mpu {
    /// The regions from `first` on.
    ///
    /// # Safety
    /// The core is a Cortex-M with such a unit or none, runs privileged, and nobody else uses these regions.
    pub(super) unsafe fn new(first: u8) -> Self {
        // SAFETY: every such core has MPU_TYPE, and the caller is privileged.
        let end = unsafe { TYPE.read_volatile() } >> 8 & 0xff;
        Self { first: first.into(), end }
    }

    /// Their numbers.
    pub(super) fn numbers(&self) -> Range<u32> {
        self.first..self.end
    }

    /// Writes regions one after the other, each as its number, its base and its attributes, and switches the unit on.
    pub(super) fn write(&mut self, regions: impl Iterator<Item = (u32, u32, u32)>) {
        // SAFETY: a barrier: what was written under the old regions is done.
        unsafe { asm!("dmb", options(nostack, preserves_flags)) };
        for (number, base, attributes) in regions {
            // SAFETY: whoever made the unit vouched for registers and regions. It is off while it changes.
            unsafe {
                RNR.write_volatile(number);
                ATTRIBUTES.write_volatile(0);
                RBAR.write_volatile(base);
                ATTRIBUTES.write_volatile(attributes);
            }
        }
        // SAFETY: as for the regions; the barriers let the next instruction see them.
        unsafe {
            CTRL.write_volatile(CTRL.read_volatile() | ON);
            asm!("dsb", "isb", options(nostack, preserves_flags));
        }
    }
}
