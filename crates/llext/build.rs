//! Lets a firmware that uses this crate link with `-Tllext.x`, and tells which Thumb code a Cortex-M runs: compilers keep
//! that to themselves.

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
}
