//! The extension in Rust that the firmware loads: a start and an end, calls out, and state of its own.
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
    TICKS.fetch_add(1, Ordering::Relaxed);
    let sum = SUM.fetch_add(value, Ordering::Relaxed) + value;
    sum / (COUNT.fetch_add(1, Ordering::Relaxed) + 1)
}
