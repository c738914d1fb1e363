//! Loads whatever the bytes say, and runs nothing of it.
#![no_main]

#[path = "../subjects/load.rs"]
mod load;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| load::run(bytes));
