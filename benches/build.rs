//! Writes the host's functions as machine code, and beside them the table that `exports!` would make of them.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

#[allow(unreachable_pub)]
#[path = "src/names.rs"]
mod names;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/names.rs");
    println!("cargo:rustc-check-cfg=cfg(measurable)");
    if !measurable() {
        return;
    }
    println!("cargo:rustc-cfg=measurable");
    // dlopen finds the host's functions among the program's own dynamic exports: these, and no others of ours.
    println!("cargo:rustc-link-arg-bins=-Wl,--export-dynamic-symbol=z_impl_*");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let path = out.join("host.s");
    fs::write(&path, machine_code() + &export_table())
        .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
}

/// The workloads are x86-64 files, and the peers load them into a glibc process.
fn measurable() -> bool {
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    is("CARGO_CFG_TARGET_ARCH", "x86_64")
        && is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ENV", "gnu")
}

fn machine_code() -> String {
    let mut text = section(".text.llext_bench", "ax");
    for number in 0..names::HOST_FUNCTIONS {
        let name = names::host_function(number);
        line(&mut text, format_args!(".globl {name}\n.type {name},@function\n{name}:"));
        line(&mut text, format_args!("mov eax, {number}\nret\n.size {name}, . - {name}"));
    }
    text + ".popsection\n"
}

/// Hashes in ascending order, and {name, address} in the same order.
fn export_table() -> String {
    let mut names: Vec<_> = (0..names::HOST_FUNCTIONS).map(names::host_function).collect();
    names.sort_by_key(|name| spread_hash(name));
    let mut strings = section(".rodata.llext_bench.names", "a");
    let mut hashes = section(".rodata.llext_bench.hashes", "a") + &label("llext_bench_hashes");
    let mut entries = section(".data.rel.ro.llext_bench.entries", "aw") + &label("llext_bench_entries");
    for name in &names {
        line(&mut strings, format_args!(".L{name}: .asciz \"{name}\""));
        line(&mut hashes, format_args!(".long {}", spread_hash(name)));
        line(&mut entries, format_args!(".quad .L{name}, {name}"));
    }
    [strings, hashes, entries].map(|text| text + ".popsection\n").concat()
}

fn spread_hash(name: &str) -> u32 {
    let hash = name.bytes().fold(5381, |hash: u32, byte| hash.wrapping_mul(33).wrapping_add(byte.into()));
    // As `llext::export::spread`: tables are sorted by this.
    hash.wrapping_mul(0x9e37_79b1)
}

fn section(name: &str, flags: &str) -> String {
    format!(".pushsection {name},\"{flags}\",@progbits\n")
}

fn label(name: &str) -> String {
    format!(".balign 8\n.globl {name}\n.hidden {name}\n{name}:\n")
}

fn line(text: &mut String, content: std::fmt::Arguments<'_>) {
    writeln!(text, "{content}").expect("a String takes everything");
}
