//! Does with a registry what the bytes say.
#![no_main]

#[path = "../subjects/registry.rs"]
mod registry;

static FILES: registry::Files = [
    include_bytes!(concat!(env!("OUT_DIR"), "/extension0.o")),
    include_bytes!(concat!(env!("OUT_DIR"), "/extension1.o")),
    include_bytes!(concat!(env!("OUT_DIR"), "/extension2.o")),
];

libfuzzer_sys::fuzz_target!(|operations: &[u8]| registry::run(operations, FILES));
