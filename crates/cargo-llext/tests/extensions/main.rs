//! Builds every extension under extensions/ in all its kinds, loads each from every kind of source, calls what its
//! directives say and compares. extensions/README.md describes the directives; `--list` names the extensions.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
mod harness;

/// The sources and their options are for one platform.
fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    if std::env::consts::ARCH == "x86_64" {
        return harness::main();
    }
    println!("0 passed, 0 failed: this takes Linux on x86-64");
    ExitCode::SUCCESS
}
