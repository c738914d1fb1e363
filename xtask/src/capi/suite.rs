//! The suite: built by gcc against libllext.a, and run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Build, extensions, library};
use crate::error::Result;
use crate::matrix::harness::kind::{NATIVE, Place};
use crate::process::output;
use crate::project;
use crate::setup::bare::Compiler;

/// One way to build and run it.
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    target: &'static str,
    build: Build,
    /// Options of gcc's for the target.
    pub(super) machine: &'static [&'static str],
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
    let mut tool = Command::new(project::tool()?);
    output(tool.current_dir(folder).arg("llext").args(words.split(' '))).map(drop)
}

pub(crate) const SUITES: [Suite; 4] = [
    Suite {
        name: "heap",
        target: "x86_64-unknown-linux-gnu",
        build: Build::BARE,
        machine: &["-m64"],
        tool: Tool::Link,
        place: NATIVE,
    },
    Suite {
        name: "process",
        target: "x86_64-unknown-linux-gnu",
        build: Build::CHECKED,
        machine: &["-m64"],
        tool: Tool::Nothing,
        place: NATIVE,
    },
    Suite {
        name: "heap-32",
        target: "i686-unknown-linux-gnu",
        build: Build::BARE,
        // The kernel's headers serve both, and lie with those of 64 bits.
        machine: &["-m32", "-idirafter", "/usr/include/x86_64-linux-gnu"],
        tool: Tool::Nothing,
        place: &["x86"],
    },
    Suite {
        name: "slid",
        target: "x86_64-unknown-linux-gnu",
        build: Build::TERSE,
        machine: &["-m64"],
        tool: Tool::Slids,
        place: NATIVE,
    },
];

const STRICT: [&str; 6] = ["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror"];

pub(super) fn folder() -> PathBuf {
    project::root().to_owned()
}

impl Suite {
    /// Why it cannot be run here, if so.
    pub(crate) fn missing(&self) -> Option<String> {
        if !(cfg!(all(target_os = "linux", target_arch = "x86_64"))) {
            return Some(format!("the suite {} runs on x86-64 Linux", self.name));
        }
        if Compiler::find(self.target).is_none() {
            return Some(format!("there is no Rust for {}", self.target));
        }
        let mut gcc = Command::new("gcc");
        gcc.args(self.machine).args(["-x", "c", "-include", "errno.h", "-fsyntax-only", "/dev/null"]);
        output(&mut gcc).err().map(|_| format!("gcc {} is missing", self.machine.join(" ")))
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
        let mut suite = Command::new(program);
        suite.arg(&to);
        Ok(suite)
    }

    fn compile(&self, library: &Path, program: &Path) -> Result<()> {
        let mut sources = Vec::new();
        for entry in folder().join("crates/llext-capi/suite").read_dir()? {
            sources.extend(Some(entry?.path()).filter(|path| path.extension().is_some_and(|own| own == "c")));
        }
        sources.sort();
        let mut gcc = Command::new("gcc");
        gcc.current_dir(folder()).args(self.machine).args(STRICT).args(["-I", "include"]);
        if self.build.is_hosted() {
            gcc.arg("-DWITH_STD");
        }
        gcc.args(self.tool.flags());
        gcc.args(sources).arg(library).args(["-pthread", "-ldl", "-lm", "-lgcc_s", "-o"]).arg(program);
        output(&mut gcc).map(drop)
    }
}
