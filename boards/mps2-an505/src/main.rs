//! Firmware for QEMU's mps2-an505: a Cortex-M33 with hardware floats.
#![no_std]
#![no_main]

use common::Room;

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut CODE: Room<{ common::CODE }> = common::room();
    static mut DATA: Room<{ common::DATA }> = common::room();
    common::main(CODE, DATA)
}

#[cortex_m_rt::exception]
unsafe fn HardFault(frame: &cortex_m_rt::ExceptionFrame) -> ! {
    common::fault(frame.pc() as usize)
}
