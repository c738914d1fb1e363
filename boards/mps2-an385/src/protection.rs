//! Protection by the core's MPU, and the handler of what it refuses.

use common::protection::{self, Slice};
use core::arch::global_asm;
use cortex_m::peripheral::scb::Exception;
use cortex_m_rt::ExceptionFrame;
use llext::memory::protect::MpuV7;

static mut SLICES: [Slice; 3] = [Slice::EMPTY; 3];

/// Shows what the MPU refuses.
pub(crate) fn run(scb: &mut cortex_m::peripheral::SCB) -> Result<(), llext::Error> {
    scb.enable(Exception::MemoryManagement);
    // SAFETY: the core has this unit and runs privileged; this runs once, and nothing else uses unit or slices.
    unsafe { protection::run(MpuV7::new(0), &mut *(&raw mut SLICES)) }
}

// The handler gets what the core saved on the stack, and may change it.
global_asm!(".global MemoryManagement", ".thumb_func", "MemoryManagement:", "mrs r0, msp", "b {refused}", refused = sym refused);

/// Lets the function that was refused return to who called it: it has saved nothing on the stack.
unsafe extern "C" fn refused(frame: &mut ExceptionFrame) {
    protection::stopped(frame.pc() as usize);
    let back = frame.lr() & !1;
    // SAFETY: whoever called is where the core goes on.
    unsafe { frame.set_pc(back) };
}
