//! Firmware for QEMU's mps2-an385: a Cortex-M3 with plenty of memory, whose interrupts call extensions as well.
#![no_std]
#![no_main]

use common::Room;

#[cfg(feature = "demo")]
mod interrupt;

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut CODE: Room<{ common::CODE }> = common::room();
    static mut DATA: Room<{ common::DATA }> = common::room();
    #[cfg(feature = "demo")]
    common::demo::with(CODE, DATA, interrupt::run);
    #[cfg(not(feature = "demo"))]
    common::main(CODE, DATA)
}

#[cortex_m_rt::exception]
unsafe fn HardFault(frame: &cortex_m_rt::ExceptionFrame) -> ! {
    common::fault(frame.pc() as usize)
}
