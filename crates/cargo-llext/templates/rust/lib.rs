//! An extension: build it with `cargo llext build`, try it with `cargo llext run . --call add 1 2`.

#![no_std]

use llext_sdk::export;

/// Says that the extension is there.
#[export]
extern "C" fn probe() -> i32 {
    1
}

/// Adds two numbers.
#[export]
extern "C" fn add(a: i32, b: i32) -> i32 {
    a.wrapping_add(b)
}
