//! Lets a firmware that uses this crate link with `-Tllext.x`, and tells which Thumb code a Cortex-M runs and how wide a
//! RISC-V's floats are: compilers keep that to themselves.

use std::env;

fn main() {
    let folder = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    println!("cargo::rustc-link-search={folder}");
    println!("cargo::rerun-if-changed=llext.x");

    println!("cargo::rustc-check-cfg=cfg(cortex_m, values(\"baseline\", \"mainline\"))");
    let target = env::var("TARGET").expect("cargo sets it");
    let is = |cores: &[&str]| cores.iter().any(|core| target.starts_with(core));
    if is(&["thumbv6m", "thumbv8m.base"]) {
        println!("cargo::rustc-cfg=cortex_m=\"baseline\"");
    } else if is(&["thumbv7m", "thumbv7em", "thumbv8m.main"]) {
        println!("cargo::rustc-cfg=cortex_m=\"mainline\"");
    }

    println!("cargo::rustc-check-cfg=cfg(riscv_float, values(\"single\", \"double\"))");
    if let Some(extensions) = riscv_extensions(&target) {
        if extensions.contains(['d', 'g']) {
            println!("cargo::rustc-cfg=riscv_float=\"double\"");
        } else if extensions.contains('f') {
            println!("cargo::rustc-cfg=riscv_float=\"single\"");
        }
    }
}

/// The letters after the word size in a RISC-V target's name. A profile has them all.
fn riscv_extensions(target: &str) -> Option<&str> {
    let (isa, _) = target.strip_prefix("riscv")?.split_once('-')?;
    let letters = isa.strip_prefix("32").or_else(|| isa.strip_prefix("64"))?;
    let is_profile = letters.starts_with('a') && letters[1..].starts_with(|c: char| c.is_ascii_digit());
    Some(if is_profile { "g" } else { letters })
}
