//! Says for which processor this build is, where there is no operating system: its relocations alone need names there.

use std::env;

fn main() {
    let of = |name: &str| env::var(name).expect("cargo sets it");
    let processor =
        if of("CARGO_CFG_TARGET_OS") == "none" { of("CARGO_CFG_TARGET_ARCH") } else { String::new() };
    println!("cargo::rustc-env=BARE_PROCESSOR={processor}");
    println!("cargo::rerun-if-changed=build.rs");
}
