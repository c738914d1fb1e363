//! Firmware for QEMU's virt machine with a 32-bit RISC-V core, with and without atomic instructions.
#![no_std]
#![no_main]

use common::Room;
use riscv_rt::TrapFrame;

#[cfg(feature = "demo")]
mod protection;

static mut CODE: Room<{ common::CODE }> = common::room();
static mut DATA: Room<{ common::DATA }> = common::room();

#[riscv_rt::entry]
fn main() -> ! {
    // SAFETY: this runs once, and nothing else names the statics.
    let (code, data) = unsafe { (&mut *(&raw mut CODE), &mut *(&raw mut DATA)) };
    // What is protected ends the run: all that is not could not be run any more.
    #[cfg(feature = "demo")]
    common::demo::with::<llext::NoopRawMutex>(code, data, |_| protection::run());
    #[cfg(not(feature = "demo"))]
    common::main(code, data)
}

#[unsafe(export_name = "ExceptionHandler")]
extern "C" fn exception(_frame: &TrapFrame) {
    #[cfg(feature = "demo")]
    protection::refused(_frame);
    #[cfg(not(feature = "demo"))]
    common::fault(riscv::register::mepc::read());
}
