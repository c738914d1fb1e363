//! Firmware for QEMU's mps2-an385: a Cortex-M3 with plenty of memory, whose interrupts call extensions as well.
#![no_std]
#![no_main]

use common::Room;
#[cfg(feature = "demo")]
use common::saved::{self, Retained};
#[cfg(feature = "demo")]
use core::mem::MaybeUninit;
#[cfg(feature = "demo")]
use cortex_m::peripheral::SCB;

#[cfg(feature = "demo")]
mod interrupt;
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
    #[unsafe(link_section = ".uninit.retained")]
    static mut RETAINED: Retained = Retained::EMPTY;
    // SAFETY: this runs once after a reset, and nothing else names the static, which the emulator begins with as 0.
    if let Err(error) = unsafe { saved::run(&mut *(&raw mut RETAINED), SCB::sys_reset) } {
        common::demo::fail(error)
    }
    let peripherals = cortex_m::Peripherals::take();
    let Some(cortex_m::Peripherals { SCB: mut scb, SYST, .. }) = peripherals else { common::fault(0) };
    common::demo::with(code, data, |apps| {
        interrupt::run(apps, SYST)?;
        protection::run(&mut scb)
    })
}

#[cortex_m_rt::exception]
unsafe fn HardFault(frame: &cortex_m_rt::ExceptionFrame) -> ! {
    common::fault(frame.pc() as usize)
}
