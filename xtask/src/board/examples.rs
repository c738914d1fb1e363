//! Firmware under the executors that products use: extensions are loaded while tasks run.

use std::fs;

use super::{Board, LIMIT, tables};
use crate::error::Result;
use crate::process;

/// The board is a Cortex-M3 for all of them.
const TARGET: &str = "thumbv7m-none-eabi";
const C_COMPILER: &[&str] = &["arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb"];

/// Time follows the instructions, 64 nanoseconds each, and passes at once while the processor sleeps: so a run is as the one
/// before.
const EMULATOR: &[&str] = &["qemu-system-arm", "-M", "mps2-an385", "-icount", "shift=6,sleep=off"];

const fn example(name: &'static str) -> Board {
    Board { name, target: TARGET, arch: "arm", c_compiler: C_COMPILER, emulator: EMULATOR }
}

pub(crate) const EXAMPLES: &[Board] = &[example("embassy-an385"), example("rtic-an385")];

impl Board {
    /// Builds and runs it; its own exit status decides.
    pub(crate) fn run_example(&self) -> Result<()> {
        self.build_extensions()?;
        let firmware = self.build_firmware(&[])?;
        tables::check(&fs::read(&firmware)?, self.arch)?;
        process::run_within(&mut self.emulator(&firmware), LIMIT)
    }
}
