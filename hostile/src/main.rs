//! Hostile files, failing surroundings: nothing breaks, nothing is lost. Run it by `cargo xtask hostile`.

#[cfg(target_os = "linux")]
mod catalogue;
#[cfg(target_os = "linux")]
mod counter;
#[cfg(target_os = "linux")]
mod cycles;
#[cfg(target_os = "linux")]
mod elf;
#[cfg(target_os = "linux")]
mod faults;
#[cfg(target_os = "linux")]
mod fence;
#[cfg(target_os = "linux")]
mod guarded;
#[cfg(target_os = "linux")]
mod heap;
#[cfg(target_os = "linux")]
mod host;
#[cfg(target_os = "linux")]
mod options;
#[cfg(target_os = "linux")]
mod run;
#[cfg(target_os = "linux")]
mod sample;
#[cfg(target_os = "linux")]
mod surroundings;
#[cfg(target_os = "linux")]
mod target;
#[cfg(target_os = "linux")]
mod trial;
#[cfg(target_os = "linux")]
mod work;

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    return run::main();
    #[cfg(not(target_os = "linux"))]
    {
        println!("left out: this takes Linux");
        ExitCode::SUCCESS
    }
}
