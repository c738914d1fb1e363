//! The suite: built by gcc against libllext.a, and run on Linux and on the boards that have firmware in C.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Build, extensions, library};
use crate::board::{FIRMWARE, Firmware};
use crate::error::Result;
use crate::matrix::harness::kind::{NATIVE, Place};
use crate::process::{find, output, run};
use crate::project;
use crate::setup::bare::Compiler;

/// One way to build and run it.
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    target: &'static str,
    build: Build,
    /// The compiler, with its options for the target.
    gcc: &'static [&'static str],
    /// Who links shared objects.
    pub(super) linker: &'static [&'static str],
    /// The name of the board it runs on, unless it is this machine.
    pub(super) board: Option<&'static str>,
    /// What the project's tool does with it.
    tool: Tool,
    /// How directives call it.
    pub(super) place: Place,
}

/// What the project's tool does with a suite. It finds its way about programs that lie where they were linked.
#[derive(Clone, Copy)]
enum Tool {
    Nothing,
    /// The program exports numbers instead of names, and so does an extension.
    Slids,
    /// An extension is linked for it.
    Link,
}

impl Tool {
    fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Nothing => &[],
            Self::Slids => &["-DCONFIG_LLEXT_EXPORT_BUILTINS_BY_SLID", "-no-pie", "-fno-pie"],
            Self::Link => &["-DWITH_LINKED", "-no-pie", "-fno-pie"],
        }
    }

    fn apply(self, folder: &Path) -> Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::Slids => {
                llext(folder, "prepare --slid suite")?;
                llext(folder, "slid hello.o -o hello.slid")
            }
            Self::Link => {
                let link = "link object-export.o --at code=0x20000000 --at data=0x20100000";
                llext(folder, &format!("{link} --against suite -o object-export.linked"))
            }
        }
    }
}

/// One command of the tool, built first.
fn llext(folder: &Path, words: &str) -> Result<()> {
    run(project::cargo().args(["build", "--release", "--package=cargo-llext", "--bin=cargo-llext"]))?;
    let mut tool = Command::new(project::target().join("release/cargo-llext"));
    output(tool.current_dir(folder).arg("llext").args(words.split(' '))).map(drop)
}

pub(crate) const SUITES: [Suite; 6] = [
    Suite {
        name: "heap",
        target: "x86_64-unknown-linux-gnu",
        build: Build::BARE,
        gcc: &["gcc", "-m64"],
        linker: &["gcc", "-m64", "-nostdlib"],
        board: None,
        tool: Tool::Link,
        place: NATIVE,
    },
    Suite {
        name: "process",
        target: "x86_64-unknown-linux-gnu",
        build: Build::CHECKED,
        gcc: &["gcc", "-m64"],
        linker: &["gcc", "-m64", "-nostdlib"],
        board: None,
        tool: Tool::Nothing,
        place: NATIVE,
    },
    Suite {
        name: "heap-32",
        target: "i686-unknown-linux-gnu",
        build: Build::BARE,
        // The kernel's headers serve both, and lie with those of 64 bits.
        gcc: &["gcc", "-m32", "-idirafter", "/usr/include/x86_64-linux-gnu"],
        linker: &["gcc", "-m32", "-nostdlib"],
        board: None,
        tool: Tool::Nothing,
        place: &["x86"],
    },
    Suite {
        name: "slid",
        target: "x86_64-unknown-linux-gnu",
        build: Build::TERSE,
        gcc: &["gcc", "-m64"],
        linker: &["gcc", "-m64", "-nostdlib"],
        board: None,
        tool: Tool::Slids,
        place: NATIVE,
    },
    Suite {
        name: "mps2-an385",
        target: "thumbv7m-none-eabi",
        build: Build::BARE,
        gcc: &["arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb"],
        linker: &["arm-none-eabi-ld"],
        board: Some("c-mps2-an385"),
        tool: Tool::Nothing,
        place: &["pool", "arm", "v7-m"],
    },
    Suite {
        name: "riscv32-virt",
        target: "riscv32imac-unknown-none-elf",
        build: Build::BARE,
        gcc: RISCV32_GCC,
        // The one beside this gcc links no shared objects.
        linker: &["riscv64-linux-gnu-ld", "-m", "elf32lriscv"],
        board: Some("c-riscv32-virt"),
        tool: Tool::Nothing,
        place: &["pool", "riscv", "riscv32"],
    },
];

/// Variables lie in the sections that the suite looks for, not in those of small ones.
const RISCV32_GCC: &[&str] =
    &["riscv64-unknown-elf-gcc", "-march=rv32imac", "-mabi=ilp32", "-mno-relax", "-msmall-data-limit=0"];

/// The suite takes some seconds; firmware that hangs is ended.
const LIMIT: &str = "120";
/// The emulator prints what its guest does on standard error; results go to standard output.
const BOUNDED: &str = "exec timeout $0 \"$@\" 2>&1";

const STRICT: [&str; 6] = ["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror"];

pub(super) fn folder() -> PathBuf {
    project::root().to_owned()
}

impl Suite {
    /// Why it cannot be run here, if so.
    pub(crate) fn missing(&self) -> Option<String> {
        if self.board.is_none() && !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            return Some(format!("the suite {} runs on x86-64 Linux", self.name));
        }
        if Compiler::find(self.target).is_none() {
            return Some(format!("there is no Rust for {}", self.target));
        }
        if let Some(firmware) = self.firmware() {
            let no_linker = find(self.linker[0]).is_none().then(|| format!("{} is missing", self.linker[0]));
            return firmware
                .missing()
                .or(no_linker)
                .map(|missing| format!("the suite {}: {missing}", self.name));
        }
        let mut gcc = self.gcc();
        gcc.args(["-x", "c", "-include", "errno.h", "-fsyntax-only", "/dev/null"]);
        output(&mut gcc).err().map(|_| format!("{} is missing", self.gcc.join(" ")))
    }

    pub(super) fn gcc(&self) -> Command {
        let mut gcc = Command::new(self.gcc[0]);
        gcc.args(&self.gcc[1..]);
        gcc
    }

    fn firmware(&self) -> Option<&'static Firmware> {
        FIRMWARE.iter().find(|firmware| Some(firmware.name) == self.board)
    }

    /// Whether it loads what LLEXT's tests load, in each kind of file.
    pub(super) fn has_list(&self) -> bool {
        !matches!(self.tool, Tool::Slids)
    }

    /// Builds the library, the extensions and the program, which is to be run.
    pub(crate) fn program(&self) -> Result<Command> {
        let library = library(self.target, self.build)?;
        let to = project::target().join("capi").join(format!("suite-{}", self.name));
        fs::create_dir_all(&to)?;
        extensions::build(self, &to)?;
        let program = to.join("suite");
        self.compile(&library, &program)?;
        self.tool.apply(&to)?;
        match self.firmware() {
            None => {
                let mut suite = Command::new(program);
                suite.arg(&to);
                Ok(suite)
            }
            Some(firmware) => {
                let qemu = firmware.emulator(&program)?;
                let mut suite = Command::new("sh");
                suite.args(["-c", BOUNDED, LIMIT]).arg(qemu.get_program()).args(qemu.get_args());
                suite.args(["-append", "."]);
                suite.current_dir(to);
                Ok(suite)
            }
        }
    }

    fn compile(&self, library: &Path, program: &Path) -> Result<()> {
        let mut sources = Vec::new();
        for entry in folder().join("crates/llext-capi/suite").read_dir()? {
            sources.extend(Some(entry?.path()).filter(|path| path.extension().is_some_and(|own| own == "c")));
        }
        sources.sort();
        let mut gcc = self.gcc();
        gcc.current_dir(folder()).args(STRICT).args(["-I", "include"]);
        if self.build.is_hosted() {
            gcc.arg("-DWITH_STD");
        }
        gcc.args(self.tool.flags());
        match self.firmware() {
            Some(firmware) => {
                gcc.args(["-I", "boards/c/suite", "boards/c/suite/arithmetic.c"]).args(firmware.options())
            }
            None => gcc.args(["-DWITH_THREADS", "-pthread"]),
        };
        gcc.args(sources).arg(library);
        if self.board.is_none() {
            gcc.args(["-ldl", "-lm", "-lgcc_s"]);
        }
        gcc.arg("-o").arg(program);
        output(&mut gcc).map(drop)
    }
}
