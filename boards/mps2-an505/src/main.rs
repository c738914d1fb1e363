//! Firmware for QEMU's mps2-an505: a Cortex-M33 with hardware floats.
#![no_std]
#![no_main]

use common::Room;
#[cfg(feature = "demo")]
use {core::mem::MaybeUninit, llext::NoopRawMutex};

#[cfg(feature = "demo")]
mod protection;

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut CODE: Room<{ common::CODE }> = common::room();
    static mut DATA: Room<{ common::DATA }> = common::room();
    #[cfg(feature = "demo")]
    demo(CODE, DATA);
    #[cfg(not(feature = "demo"))]
    common::main(CODE, DATA)
}

#[cfg(feature = "demo")]
fn demo(code: &'static mut [MaybeUninit<u8>], data: &'static mut [MaybeUninit<u8>]) -> ! {
    let peripherals = cortex_m::Peripherals::take();
    let Some(cortex_m::Peripherals { mut SCB, .. }) = peripherals else { common::fault(0) };
    common::demo::with::<NoopRawMutex>(code, data, |_| protection::run(&mut SCB))
}

#[cortex_m_rt::exception]
unsafe fn HardFault(frame: &cortex_m_rt::ExceptionFrame) -> ! {
    common::fault(frame.pc() as usize)
}
