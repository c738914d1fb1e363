//! `cargo xtask board NAME`: builds the firmware of a board in boards/ and its extensions, and runs it in QEMU.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::error::{Result, bail};
use crate::process::{self, find as find_program};
use crate::project;
use crate::setup::bare::{self, Compiler};

mod tables;

/// A board: `boards/NAME` holds its firmware, `extension.c` and the crate `extension`.
pub(crate) struct Board {
    pub(crate) name: &'static str,
    /// The file of relocations of its processor, in `llext-link/src/arch`.
    arch: &'static str,
    target: &'static str,
    c_compiler: &'static [&'static str],
    emulator: &'static [&'static str],
}

pub(crate) const BOARDS: &[Board] = &[Board {
    name: "mps2-an385",
    arch: "arm",
    target: "thumbv7m-none-eabi",
    c_compiler: &["arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb", "-O2"],
    emulator: &["qemu-system-arm", "-M", "mps2-an385"],
}];

/// A board takes a second or two; one that hangs is ended.
const LIMIT: Duration = Duration::from_secs(60);

/// The board of a name that is known to be one.
pub(crate) fn find(name: &str) -> &'static Board {
    BOARDS.iter().find(|board| board.name == name).expect("the command line takes only names of boards")
}

impl Board {
    /// The first tool it lacks.
    pub(crate) fn missing(&self) -> Option<String> {
        let programs = [self.c_compiler[0], self.emulator[0]];
        let program = programs.into_iter().find(|program| find_program(program).is_none());
        program.map(|program| format!("{program} is missing")).or_else(|| {
            Compiler::find(self.target).is_none().then(|| format!("there is no Rust for {}", self.target))
        })
    }

    /// Builds and runs it; its own exit status decides.
    pub(crate) fn run(&self) -> Result<()> {
        let Some(compiler) = Compiler::find(self.target) else {
            bail!("there is no Rust for {}", self.target)
        };
        let extensions = bare::folder().join(self.name);
        fs::create_dir_all(&extensions)?;
        self.build_c(&extensions.join("c.o"))?;
        self.build_rust(&compiler, &extensions.join("rust.o"))?;
        let firmware = self.build_firmware(&compiler, &extensions)?;
        tables::check(&fs::read(&firmware)?, self.arch)?;
        self.emulate(&firmware)
    }

    fn folder(&self) -> PathBuf {
        project::root().join("boards").join(self.name)
    }

    fn build_c(&self, object: &Path) -> Result<()> {
        let mut gcc = Command::new(self.c_compiler[0]);
        gcc.args(&self.c_compiler[1..]).arg("-c").arg(self.folder().join("extension.c"));
        process::run(gcc.arg("-o").arg(object))
    }

    /// By the tool, which makes one object of the crate and all it needs.
    fn build_rust(&self, compiler: &Compiler, object: &Path) -> Result<()> {
        let mut cargo = project::cargo();
        process::run(cargo.args(["build", "--release", "--package=cargo-llext", "--bin=cargo-llext"]))?;
        let mut tool = compiler.serve(Command::new(project::target().join("release/cargo-llext")))?;
        tool.args(["llext", "build", "--release", "--target", self.target, "-o"]);
        process::run(tool.arg(object).arg(self.folder().join("extension")))
    }

    fn build_firmware(&self, compiler: &Compiler, extensions: &Path) -> Result<PathBuf> {
        let mut cargo = compiler.cargo()?;
        cargo.current_dir(self.folder()).env("EXTENSIONS", extensions);
        process::run(cargo.args(["build", "--release", "--package=firmware", "--target", self.target]))?;
        Ok(bare::folder().join(self.target).join("release/firmware"))
    }

    fn emulate(&self, firmware: &Path) -> Result<()> {
        let mut qemu = Command::new(self.emulator[0]);
        qemu.args(&self.emulator[1..]).args(["-nographic", "-semihosting-config", "enable=on,target=native"]);
        process::run_within(qemu.arg("-kernel").arg(firmware), LIMIT)
    }
}
