//! Firmware for QEMU's virt machine with a Cortex-A15, in A32 code.
#![no_std]
#![no_main]

use common::Room;

core::arch::global_asm!(include_str!("start.s"));

static mut CODE: Room<{ common::CODE }> = common::room();
static mut DATA: Room<{ common::DATA }> = common::room();

/// What the code after reset ends with.
#[unsafe(no_mangle)]
extern "C" fn start() -> ! {
    // SAFETY: this runs once, and nothing else names the statics.
    unsafe { common::main(&mut *(&raw mut CODE), &mut *(&raw mut DATA)) }
}

/// What the vectors end with.
#[unsafe(no_mangle)]
extern "C" fn fault(at: usize) -> ! {
    common::fault(at)
}
