//! Says for which processor this build is, where there is no operating system: its relocations alone need names there. And
//! whether the processor loads words only where they are aligned.

use std::env;

fn main() {
    let of = |name: &str| env::var(name).expect("cargo sets it");
    let arch = of("CARGO_CFG_TARGET_ARCH");
    let loads_aligned = if arch.starts_with("riscv") { "yes" } else { "" };
    let processor = if of("CARGO_CFG_TARGET_OS") == "none" { &arch } else { "" };
    println!("cargo::rustc-env=BARE_PROCESSOR={processor}");
    println!("cargo::rustc-env=LOADS_ALIGNED={loads_aligned}");
    println!("cargo::rerun-if-changed=build.rs");
}
