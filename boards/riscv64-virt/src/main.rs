//! Firmware for QEMU's virt machine with a 64-bit RISC-V core.
#![no_std]
#![no_main]

use common::Room;
use riscv::register::mepc;
use riscv_rt::TrapFrame;

static mut CODE: Room<{ common::CODE }> = common::room();
static mut DATA: Room<{ common::DATA }> = common::room();

#[riscv_rt::entry]
fn main() -> ! {
    // SAFETY: this runs once, and nothing else names the statics.
    unsafe { common::main(&mut *(&raw mut CODE), &mut *(&raw mut DATA)) }
}

#[unsafe(export_name = "ExceptionHandler")]
extern "C" fn exception(_: &TrapFrame) -> ! {
    common::fault(mepc::read())
}
