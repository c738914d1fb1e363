//! The suite: built by gcc against libllext.a, and run on this machine or as the firmware of a board.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Build, extensions, frames, library};
use crate::board::{FIRMWARE, Firmware};
use crate::error::{Result, bail};
use crate::matrix::harness::kind::Place;
use crate::process::{find, output};
use crate::project;
use crate::setup::bare::Compiler;

/// One way to build and run it.
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    pub(super) target: &'static str,
    pub(super) build: Build,
    /// The compiler, with its options for the target.
    pub(super) gcc: &'static [&'static str],
    /// Who links shared objects.
    pub(super) shared: &'static [&'static str],
    pub(super) machine: Machine,
    /// What the project's tool does with it.
    pub(super) tool: Tool,
    /// How directives call it.
    pub(super) place: Place,
}

/// What runs a suite.
#[derive(Clone, Copy)]
pub(super) enum Machine {
    /// This one.
    Own,
    /// This one, by a program that has another processor.
    Emulated(&'static [&'static str]),
    /// The board for which firmware in C has this name.
    Board(&'static str),
}

/// What the project's tool does with a suite. It finds its way about programs that lie where they were linked.
#[derive(Clone, Copy)]
pub(super) enum Tool {
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

    /// The object that the program can load, of the extension called hello.
    fn hello(self) -> &'static str {
        if let Self::Slids = self { "hello.slid" } else { "hello.o" }
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
    let mut tool = Command::new(project::tool()?);
    output(tool.current_dir(folder).arg("llext").args(words.split(' '))).map(drop)
}

/// Firmware takes some seconds; if it hangs it is ended.
const LIMIT: &str = "120";
/// What the emulator prints for its guest comes on standard error; results go to standard output.
const BOUNDED: &str = "exec timeout $0 \"$@\" 2>&1";

const STRICT: [&str; 6] = ["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror"];

pub(super) fn folder() -> PathBuf {
    project::root().to_owned()
}

impl Suite {
    /// Why it cannot be run here, if so.
    pub(crate) fn missing(&self) -> Option<String> {
        if Compiler::find(self.target).is_none() {
            return Some(format!("there is no Rust for {}", self.target));
        }
        if let Some(program) = [self.gcc[0], self.shared[0]].into_iter().find(|name| find(name).is_none()) {
            return Some(format!("{program} is missing"));
        }
        match self.machine {
            Machine::Own if !cfg!(all(target_os = "linux", target_arch = "x86_64")) => {
                Some("it runs on x86-64 Linux".to_owned())
            }
            Machine::Emulated(emulator) if find(emulator[0]).is_none() => {
                Some(format!("{} is missing", emulator[0]))
            }
            Machine::Own | Machine::Emulated(_) => self.has_no_headers(),
            Machine::Board(name) => firmware(name).ok()?.missing(),
        }
    }

    fn has_no_headers(&self) -> Option<String> {
        let mut gcc = self.gcc();
        gcc.args(["-x", "c", "-include", "errno.h", "-fsyntax-only", "/dev/null"]);
        output(&mut gcc).err().map(|_| format!("the C library for {} is missing", self.gcc.join(" ")))
    }

    pub(super) fn gcc(&self) -> Command {
        in_project(self.gcc)
    }

    /// Who links shared objects.
    pub(super) fn linker(&self) -> Command {
        in_project(self.shared)
    }

    pub(super) fn is_firmware(&self) -> bool {
        matches!(self.machine, Machine::Board(_))
    }

    /// Whether what is in assembly among the extensions is this processor's.
    pub(super) fn is_x86(&self) -> bool {
        self.place.iter().any(|word| word.starts_with("x86"))
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
        if self.build.lz4 && frames::are_made() {
            frames::make(self.tool.hello(), &to)?;
        }
        self.machine.command(&program, &to)
    }

    fn compile(&self, library: &Path, program: &Path) -> Result<()> {
        let mut sources = Vec::new();
        for entry in folder().join("crates/llext-capi/suite").read_dir()? {
            sources.extend(Some(entry?.path()).filter(|path| path.extension().is_some_and(|own| own == "c")));
        }
        sources.sort();
        let mut gcc = self.gcc();
        gcc.args(STRICT).args(["-I", "include"]);
        if self.build.is_hosted() {
            gcc.arg("-DWITH_STD");
        }
        if self.build.lz4 {
            gcc.arg(format!("-DWITH_LZ4={}", u8::from(frames::are_made())));
        }
        gcc.args(self.tool.flags()).args(sources).arg(library).args(self.machine.libraries()?);
        output(gcc.arg("-o").arg(program)).map(drop)
    }
}

impl Machine {
    /// What a program for it is linked with.
    fn libraries(self) -> Result<Vec<&'static str>> {
        match self {
            Self::Own | Self::Emulated(_) => Ok(vec!["-pthread", "-ldl", "-lm", "-lgcc_s"]),
            Self::Board(name) => Ok(firmware(name)?.linking()),
        }
    }

    /// The suite on it.
    fn command(self, program: &Path, folder: &Path) -> Result<Command> {
        match self {
            Self::Own => {
                let mut suite = Command::new(program);
                suite.arg(folder);
                Ok(suite)
            }
            Self::Emulated(emulator) => {
                let mut suite = in_project(emulator);
                suite.arg(program).arg(folder);
                Ok(suite)
            }
            Self::Board(name) => {
                let qemu = firmware(name)?.emulator(program)?;
                let mut suite = Command::new("sh");
                suite.args(["-c", BOUNDED, LIMIT]).arg(qemu.get_program()).args(qemu.get_args());
                suite.args(["-append", "."]).current_dir(folder);
                Ok(suite)
            }
        }
    }
}

/// Firmware in C, by its name.
pub(super) fn firmware(name: &str) -> Result<&'static Firmware> {
    match FIRMWARE.iter().find(|firmware| firmware.name == name) {
        Some(firmware) => Ok(firmware),
        None => bail!("no firmware in C is named {name}"),
    }
}

fn in_project(words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    command.current_dir(folder()).args(&words[1..]);
    command
}
