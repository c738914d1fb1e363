//! Links whatever the bytes say, for the architecture that the first of them says.
#![no_main]

#[path = "../subjects/link.rs"]
mod link;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| link::run(bytes));
