//! Damages every extension that the harness builds, in many ways, and links each damaged file without running it.
//!
//! What must hold: the loader answers with success or with an error, soon; it writes nothing outside what it reserved;
//! and nothing remains. The damage is the same in every run; `--case N` repeats one case.

#[cfg(target_os = "linux")]
mod corpus;
#[cfg(target_os = "linux")]
mod guarded;
#[cfg(target_os = "linux")]
mod harness;
#[cfg(target_os = "linux")]
mod mutation;
#[cfg(target_os = "linux")]
mod options;
#[cfg(target_os = "linux")]
mod places;
#[cfg(target_os = "linux")]
mod plan;
#[cfg(target_os = "linux")]
mod random;
#[cfg(target_os = "linux")]
mod run;
#[cfg(target_os = "linux")]
mod tally;
#[cfg(target_os = "linux")]
mod trial;
#[cfg(target_os = "linux")]
mod watch;

use std::process::ExitCode;

/// The extensions are built for one platform.
fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    if std::env::consts::ARCH == "x86_64" {
        return run::main();
    }
    println!("0 passed, 0 failed: this takes Linux on x86-64");
    ExitCode::SUCCESS
}
