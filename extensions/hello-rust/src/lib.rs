//! An extension in Rust, which needs nothing of its host.
//!
//! call: probe() = 1
//! call: add(2, 3) = 5
#![no_std]

use core::sync::atomic::{AtomicI32, Ordering};

static READY: AtomicI32 = AtomicI32::new(0);

#[llext_sdk::init]
fn init() -> Result<(), i32> {
    READY.store(1, Ordering::Relaxed);
    Ok(())
}

/// 1 once the extension is ready.
#[llext_sdk::export]
extern "C" fn probe() -> i32 {
    READY.load(Ordering::Relaxed)
}

/// The sum, which wraps.
#[llext_sdk::export]
extern "C" fn add(a: i32, b: i32) -> i32 {
    a.wrapping_add(b)
}
