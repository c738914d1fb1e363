//! `cargo xtask board NAME`: builds the firmware of a board in boards/ and its extensions, and runs it in QEMU.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::error::{Result, bail};
use crate::process::{self, find as find_program, output};
use crate::project;
use crate::setup::bare::{self, Compiler};
use crate::setup::missing_linker;

pub(crate) mod barriers;
mod c;
pub(crate) mod disks;
mod examples;
mod linked;
mod share;
mod tables;

pub(crate) use c::{FIRMWARE, Firmware, littlefs};
pub(crate) use examples::EXAMPLES;

/// A board, for one of the targets it can be built for: `boards/NAME` holds its firmware.
pub(crate) struct Board {
    pub(crate) name: &'static str,
    pub(crate) target: &'static str,
    /// The file of relocations of its processor, in `llext-link/src/arch`.
    arch: &'static str,
    pub(crate) c_compiler: &'static [&'static str],
    emulator: &'static [&'static str],
}

/// A 32-bit core whose entries of physical memory protection can be changed.
const SMEPMP: &str = "rv32,smepmp=true";

pub(crate) const BOARDS: &[Board] = &[
    Board {
        name: "aarch64-virt",
        target: "aarch64-unknown-none",
        arch: "aarch64",
        c_compiler: &["aarch64-linux-gnu-gcc"],
        emulator: &["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a53", "-nic", "none", "-m", "256M"],
    },
    Board {
        name: "arm-virt",
        target: "armv7a-none-eabi",
        arch: "arm",
        c_compiler: &["arm-none-eabi-gcc", "-mcpu=cortex-a15", "-marm", "-mno-unaligned-access"],
        emulator: &["qemu-system-arm", "-M", "virt", "-cpu", "cortex-a15", "-nic", "none", "-m", "256M"],
    },
    Board {
        name: "microbit",
        target: "thumbv6m-none-eabi",
        arch: "arm",
        c_compiler: &["arm-none-eabi-gcc", "-mcpu=cortex-m0", "-mthumb"],
        emulator: &["qemu-system-arm", "-M", "microbit"],
    },
    Board {
        name: "mps2-an385",
        target: "thumbv7m-none-eabi",
        arch: "arm",
        c_compiler: &["arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb"],
        emulator: &["qemu-system-arm", "-M", "mps2-an385"],
    },
    Board {
        name: "mps2-an385",
        target: "thumbv7em-none-eabihf",
        arch: "arm",
        c_compiler: &["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard"],
        emulator: &["qemu-system-arm", "-M", "mps2-an386"],
    },
    Board {
        name: "mps2-an505",
        target: "thumbv8m.main-none-eabihf",
        arch: "arm",
        c_compiler: &["arm-none-eabi-gcc", "-mcpu=cortex-m33", "-mthumb", "-mfloat-abi=hard"],
        emulator: &["qemu-system-arm", "-M", "mps2-an505"],
    },
    Board {
        name: "riscv32-virt",
        target: "riscv32imac-unknown-none-elf",
        arch: "riscv",
        c_compiler: &["riscv64-unknown-elf-gcc", "-march=rv32imac", "-mabi=ilp32"],
        emulator: &["qemu-system-riscv32", "-M", "virt", "-cpu", SMEPMP, "-bios", "none"],
    },
    Board {
        name: "riscv32-virt",
        target: "riscv32imc-unknown-none-elf",
        arch: "riscv",
        c_compiler: &["riscv64-unknown-elf-gcc", "-march=rv32imc", "-mabi=ilp32"],
        emulator: &["qemu-system-riscv32", "-M", "virt", "-cpu", SMEPMP, "-bios", "none"],
    },
    Board {
        name: "riscv64-virt",
        target: "riscv64gc-unknown-none-elf",
        arch: "riscv",
        c_compiler: &["riscv64-unknown-elf-gcc", "-march=rv64gc", "-mabi=lp64d", "-mcmodel=medany"],
        emulator: &["qemu-system-riscv64", "-M", "virt", "-bios", "none", "-m", "3G"],
    },
];

/// Processes of this machine, which only run the suite.
const PROCESSES: &[Board] = &[
    Board {
        target: "i686-unknown-linux-gnu",
        arch: "x86",
        c_compiler: &["gcc"],
        name: "linux",
        emulator: &[],
    },
    Board {
        target: "x86_64-unknown-linux-gnu",
        arch: "x86_64",
        c_compiler: &["gcc"],
        name: "linux",
        emulator: &[],
    },
];

/// A board takes a second or two; one that hangs is ended.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// The firmware that says what it does.
pub(crate) const DEMO: &[&str] = &["--features=demo"];

/// What the demonstration looks for in the folder that the emulator runs in.
const GIVEN: &str = "extension.elf";

/// An extension to load instead of those in boards/extensions.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a> {
    pub(crate) file: &'a Path,
    /// Whether it is linked here first, for the firmware, and loaded where it was linked for.
    pub(crate) linked: bool,
}

/// The names of all that can be run.
pub(crate) fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = BOARDS.iter().chain(EXAMPLES).map(|board| board.name).collect();
    names.extend(FIRMWARE.iter().map(|firmware| firmware.name));
    names.dedup();
    names
}

/// Builds and runs every board of this name. Without a given extension, those in boards/extensions are loaded.
pub(crate) fn run(name: &str, given: Option<Given<'_>>) -> Result<()> {
    let example = EXAMPLES.iter().find(|board| board.name == name);
    let firmware = FIRMWARE.iter().find(|firmware| firmware.name == name);
    if given.is_some() && (example.is_some() || firmware.is_some()) {
        bail!("{name} loads extensions of its own")
    }
    if let Some(example) = example {
        return example.run_example();
    }
    if let Some(firmware) = firmware {
        return firmware.run();
    }
    BOARDS.iter().filter(|board| board.name == name).try_for_each(|board| board.run(given))
}

/// The board of a target.
pub(crate) fn of_target(target: &str) -> Result<&'static Board> {
    match BOARDS.iter().chain(PROCESSES).find(|board| board.target == target) {
        Some(board) => Ok(board),
        None => bail!("no board has a processor for {target}"),
    }
}

impl Board {
    /// The first tool it lacks.
    pub(crate) fn missing(&self) -> Option<String> {
        let mut programs = self.c_compiler.first().into_iter().chain(self.emulator.first());
        let program = programs.find(|program| find_program(program).is_none());
        let disks = || (self.name == disks::BOARD).then(disks::missing).flatten();
        let linker = || missing_linker(self.target);
        program.map(|program| format!("{program} is missing")).or_else(linker).or_else(disks).or_else(|| {
            Compiler::find(self.target).is_none().then(|| format!("there is no Rust for {}", self.target))
        })
    }

    /// Builds and runs it; its own exit status decides.
    pub(crate) fn run(&self, given: Option<Given<'_>>) -> Result<()> {
        self.build_extensions()?;
        if let Some(Given { file, linked: true }) = given {
            return self.run_given_linked(file);
        }
        let firmware = self.build_firmware(DEMO)?;
        tables::check(&fs::read(&firmware)?, self.arch)?;
        if self.name == disks::BOARD {
            disks::card(&self.output(), &self.output().join("blink.o"))?;
        }
        let place = self.output().join(GIVEN);
        let _ = fs::remove_file(&place);
        if let Some(given) = given {
            fs::copy(given.file, &place)?;
        }
        process::run_within(&mut self.emulator(&firmware), LIMIT)?;
        if given.is_none() { self.run_linked(&firmware) } else { Ok(()) }
    }

    /// What the firmware has in it, by each compiler.
    pub(crate) fn build_extensions(&self) -> Result<()> {
        fs::create_dir_all(self.output())?;
        ["blink", "chain", "lookup", "wrong"].iter().try_for_each(|name| self.build_c(name))?;
        self.build_rust(&self.output().join("mean.o"))
    }

    /// The firmware with some of its features, linked, and with the relocations that made it; the machine's own program
    /// without.
    pub(crate) fn build_firmware(&self, features: &[&str]) -> Result<PathBuf> {
        let mut cargo = self.compiler()?.cargo()?;
        cargo.current_dir(boards().join(self.name)).env("EXTENSIONS", self.output());
        cargo.args(["rustc", "--release", "--target", self.target, "--no-default-features"]).args(features);
        if !self.emulator.is_empty() {
            cargo.args(["--", "-Clink-arg=--emit-relocs"]);
        }
        process::run(&mut cargo)?;
        Ok(bare::folder().join(self.target).join("release").join(self.name))
    }

    /// The board with this firmware, ready to run.
    pub(crate) fn emulator(&self, firmware: &Path) -> Command {
        let Some((program, machine)) = self.emulator.split_first() else { return Command::new(firmware) };
        let mut qemu = Command::new(program);
        qemu.args(machine.iter().map(|argument| known(program, argument)));
        qemu.args(["-nographic", "-semihosting-config", "enable=on,target=native"]);
        qemu.arg("-kernel").arg(firmware).current_dir(self.output());
        qemu
    }

    fn compiler(&self) -> Result<Compiler> {
        match Compiler::find(self.target) {
            Some(compiler) => Ok(compiler),
            None => bail!("there is no Rust for {}", self.target),
        }
    }

    /// Where its extensions go.
    pub(crate) fn output(&self) -> PathBuf {
        bare::folder().join(self.target).join("extensions")
    }

    fn build_c(&self, name: &str) -> Result<()> {
        let source = boards().join("extensions").join(name).with_extension("c");
        let mut gcc = Command::new(self.c_compiler[0]);
        gcc.args(&self.c_compiler[1..]).args(["-O2", "-ffreestanding", "-fno-pic", "-c"]).arg(source);
        renew(&self.output().join(name).with_extension("o"), gcc.arg("-o"))
    }

    /// By the tool, which makes one object of the crate and all it needs.
    fn build_rust(&self, object: &Path) -> Result<()> {
        let mut tool = self.compiler()?.serve(Command::new(project::tool()?))?;
        tool.args(["llext", "build", "--release", "--target", self.target]);
        renew(object, tool.arg(boards().join("extensions/mean")).arg("-o"))
    }
}

/// Makes the file that `maker` is told last. One that is the same stays as old as it is: so no firmware with it in it is
/// built again.
fn renew(file: &Path, maker: &mut Command) -> Result<()> {
    let made = file.with_extension("new");
    process::run(maker.arg(&made))?;
    if fs::read(&made)? == fs::read(file).unwrap_or_default() {
        fs::remove_file(made)?;
    } else {
        fs::rename(made, file)?;
    }
    Ok(())
}

fn boards() -> PathBuf {
    project::root().join("boards")
}

/// An argument as this version of the emulator knows it: the extension was called otherwise while it was new.
fn known(emulator: &str, argument: &str) -> String {
    if argument != SMEPMP {
        return argument.to_owned();
    }
    let listed = output(Command::new(emulator).args(["-device", "rv32-riscv-cpu,help"])).unwrap_or_default();
    if listed.contains("x-epmp") { argument.replace("smepmp", "x-epmp") } else { argument.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::bare::TARGETS;

    #[test]
    fn every_folder_is_a_row_and_every_row_a_folder() {
        let mut folders = Vec::new();
        for entry in boards().read_dir().unwrap() {
            let entry = entry.unwrap();
            if entry.path().join("memory.x").exists() {
                folders.push(entry.file_name().into_string().unwrap());
            }
        }
        let mut names: Vec<_> = BOARDS.iter().chain(EXAMPLES).map(|board| board.name.to_owned()).collect();
        names.sort();
        names.dedup();
        folders.sort();
        assert_eq!(folders, names);
    }

    #[test]
    fn every_target_can_be_set_up() {
        assert!(BOARDS.iter().chain(EXAMPLES).all(|board| TARGETS.contains(&board.target)));
    }
}
