//! An extension that uses all of llext-sdk.
#![no_std]

extern crate alloc;

use core::sync::atomic::{AtomicU32, Ordering};

llext_sdk::interface! {
    /// What the host of this extension offers.
    pub trait Board;
    /// Switches light `n`.
    fn led_set(n: u32, on: bool);
    /// Milliseconds since the start.
    static TICKS: AtomicU32;
}

llext_sdk::needs!("math");
llext_sdk::needs!("gfx-2d");

#[llext_sdk::init]
fn init() {
    llext_sdk::log_to_host(log::LevelFilter::Info);
}

#[llext_sdk::fini]
fn fini() {
    led_set(0, false);
}

#[llext_sdk::export]
static CALLS: AtomicU32 = AtomicU32::new(0);

#[llext_sdk::export(name = "digits")]
extern "C" fn count_digits(n: u32) -> usize {
    CALLS.fetch_add(1, Ordering::Relaxed);
    let text = alloc::format!("{n}");
    log::info!("{text}");
    text.len()
}

#[llext_sdk::export]
extern "C" fn element(index: usize) -> u32 {
    [TICKS.load(Ordering::Relaxed), 2, 3][index]
}
