//! Reads whatever the bytes say.
#![no_main]

#[path = "../subjects/parse.rs"]
mod parse;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parse::run(bytes));
