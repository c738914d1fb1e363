//! An extension in Rust that needs `math`, which extensions/registry-demo has in C.
//!
//! call: power(2, 10) = 1024
#![no_std]

llext_sdk::needs!("math");

unsafe extern "C" {
    safe fn multiply(a: i32, b: i32) -> i32;
}

/// `base` to the power of `exponent`, which is not negative.
#[llext_sdk::export]
extern "C" fn power(base: i32, exponent: u32) -> i32 {
    (0..exponent).fold(1, |product, _| multiply(product, base))
}
