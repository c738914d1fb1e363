//! Protection by the core's PMP, and what follows when it refuses.

use common::protection::{self, Slice};
use llext::memory::protect::Pmp;
use riscv::register::mepc;
use riscv_rt::TrapFrame;

/// What stands for flash: all of the firmware's code and constants.
const FLASH: core::ops::Range<usize> = 0x8000_0000..0x8040_0000;

static mut SLICES: [Slice; 3] = [Slice::EMPTY; 3];

/// Shows what the PMP refuses.
pub(crate) fn run() -> Result<(), llext::Error> {
    let error = |error| llext::Error::Memory { error };
    // SAFETY: the emulator is told to have Smepmp, and the core runs in machine mode; this runs once, and nothing else
    // uses the unit. One entry is too few for this range, and nothing is changed.
    let refused = unsafe { Pmp::new(15, FLASH.start..FLASH.end - 4) };
    assert!(refused.is_err(), "a range took effect that fits no entry");
    // SAFETY: as above; nothing else uses the slices.
    unsafe { protection::run(Pmp::new(0, FLASH).map_err(error)?, &mut *(&raw mut SLICES)) }
}

/// Lets the function that was refused return to who called it: it has saved nothing on the stack.
pub(crate) fn refused(frame: &TrapFrame) {
    protection::stopped(mepc::read());
    // SAFETY: whoever called is where the core goes on.
    unsafe { mepc::write(frame.ra) };
}
