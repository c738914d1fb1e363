//! What the firmware offers to extensions.
//!
//! One thread runs, so loads and stores are enough: some cores have no other atomic instructions.

use core::sync::atomic::{AtomicU32, Ordering};

/// What stands for the board's lights: a bit for each that is on.
pub(crate) static LEDS: AtomicU32 = AtomicU32::new(0);
pub(crate) static TICKS: AtomicU32 = AtomicU32::new(0);

extern "C" fn led_set(led: u8, on: bool) {
    let others = LEDS.load(Ordering::Relaxed) & !(1 << led);
    LEDS.store(others | u32::from(on) << led, Ordering::Relaxed);
}

llext::exports! {
    pub(crate) static HOST;
    fn led_set(led: u8, on: bool);
    static TICKS: AtomicU32;
}
