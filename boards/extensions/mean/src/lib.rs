//! The extension in Rust that the firmware of every board loads: a start and an end, calls out, and state of its own.
//!
//! One thread calls it, so loads and stores are enough: some cores have no other atomic instructions.
#![no_std]

use core::sync::atomic::{AtomicU32, Ordering};

unsafe extern "C" {
    safe fn led_set(led: u8, on: bool);
    safe static TICKS: AtomicU32;
}

const RUNNING: u8 = 7;
static SUM: AtomicU32 = AtomicU32::new(0);
static COUNT: AtomicU32 = AtomicU32::new(0);

#[llext_sdk::init]
fn start() -> Result<(), i32> {
    led_set(RUNNING, true);
    Ok(())
}

#[llext_sdk::fini]
fn end() {
    led_set(RUNNING, false);
}

/// The mean of every value it was ever given.
#[llext_sdk::export]
extern "C" fn mean(value: u32) -> u32 {
    add(&TICKS, 1);
    add(&SUM, value) / add(&COUNT, 1)
}

/// The sum, which is also kept.
fn add(number: &AtomicU32, more: u32) -> u32 {
    let sum = number.load(Ordering::Relaxed) + more;
    number.store(sum, Ordering::Relaxed);
    sum
}
