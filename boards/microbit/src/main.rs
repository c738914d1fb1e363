//! Firmware for QEMU's microbit: a Cortex-M0 with 16 KB of RAM, the smallest useful set-up.
#![no_std]
#![no_main]

use common::Room;

const FOR_CODE: usize = 2048;
/// A load takes 1.5 KB of it while it lasts, and the suite 8.5 KB of stack.
const FOR_DATA: usize = 4096 + 1536;

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut CODE: Room<FOR_CODE> = common::room();
    static mut DATA: Room<FOR_DATA> = common::room();
    common::main(CODE, DATA)
}

#[cortex_m_rt::exception]
unsafe fn HardFault(frame: &cortex_m_rt::ExceptionFrame) -> ! {
    common::fault(frame.pc() as usize)
}
