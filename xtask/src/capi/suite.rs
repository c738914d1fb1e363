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
    /// How directives call it.
    pub(super) place: Place,
}

pub(crate) const SUITES: [Suite; 3] = [
    Suite {
        name: "heap",
        target: "x86_64-unknown-linux-gnu",
        build: Build::BARE,
        machine: &["-m64"],
        place: NATIVE,
    },
    Suite {
        name: "process",
        target: "x86_64-unknown-linux-gnu",
        build: Build::CHECKED,
        machine: &["-m64"],
        place: NATIVE,
    },
    Suite {
        name: "heap-32",
        target: "i686-unknown-linux-gnu",
        build: Build::BARE,
        // The kernel's headers serve both, and lie with those of 64 bits.
        machine: &["-m32", "-idirafter", "/usr/include/x86_64-linux-gnu"],
        place: &["x86"],
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

    /// Builds the library, the extensions and the program, which is to be run.
    pub(crate) fn program(&self) -> Result<Command> {
        let library = library(self.target, self.build)?;
        let to = project::target().join("capi").join(format!("suite-{}", self.name));
        fs::create_dir_all(&to)?;
        extensions::build(self, &to)?;
        let program = to.join("suite");
        self.compile(&library, &program)?;
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
        gcc.args(sources).arg(library).args(["-pthread", "-ldl", "-lm", "-lgcc_s", "-o"]).arg(program);
        output(&mut gcc).map(drop)
    }
}
