//! Firmware for QEMU's microbit: a Cortex-M0 with 16 KB of RAM, the smallest useful set-up.
#![no_std]
#![no_main]

use common::Room;

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut CODE: Room<2048> = common::room();
    static mut DATA: Room<4096> = common::room();
    common::main(CODE, DATA)
}

#[cortex_m_rt::exception]
unsafe fn HardFault(frame: &cortex_m_rt::ExceptionFrame) -> ! {
    common::fault(frame.pc() as usize)
}
