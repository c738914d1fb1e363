//! The compilers and linkers of a row that this machine has.

use std::path::PathBuf;
use std::process::Command;

use super::harness::kind::{Compiler, Form, PartialLinker, Variant};
use super::rows::Row;
use crate::oracle;
use crate::process::output;
use crate::setup::bare;

/// What was found, each with its version, which is part of what a made file is remembered by.
pub(super) struct Tools {
    tools: Vec<Tool>,
    pub(super) rustc: Option<Rustc>,
}

/// A program, by the name that rows have for it.
pub(super) struct Tool {
    name: &'static str,
    pub(super) program: PathBuf,
    pub(super) version: String,
    /// Whether it compiles C++ too.
    cpp: bool,
}

/// The Rust compiler for the row's target, and the first words to it.
pub(super) struct Rustc {
    pub(super) program: PathBuf,
    pub(super) words: Vec<String>,
    pub(super) version: String,
}

impl Tools {
    pub(super) fn of(row: &Row) -> Self {
        let mut names = vec![row.gcc[0], row.clang[0], row.ld[0], "ld.lld"];
        names.extend(row.shared.iter().filter_map(|words| words.first()));
        names.sort_unstable();
        names.dedup();
        Self { tools: names.into_iter().filter_map(Tool::ask).collect(), rustc: Rustc::find(row.target) }
    }

    pub(super) fn find(&self, name: &str) -> Option<&Tool> {
        self.tools.iter().find(|tool| tool.name == name)
    }

    /// What is missing to make this variant.
    pub(super) fn lacks(&self, row: &Row, variant: &Variant, is_cpp: bool) -> Option<String> {
        let compiler = match variant.compiler {
            Compiler::Gcc => row.gcc[0],
            Compiler::Clang => row.clang[0],
            Compiler::Rustc if self.rustc.is_some() => "ld.lld",
            Compiler::Rustc => return Some(format!("there is no Rust for {}", row.target)),
        };
        let linker = match variant.kind.form {
            Form::Object => compiler,
            Form::Partial(PartialLinker::Gnu) => row.ld[0],
            Form::Partial(PartialLinker::RustLld) => "ld.lld",
            Form::Shared { .. } if variant.compiler == Compiler::Gcc => {
                row.shared[0].first().copied().unwrap_or("ld.lld")
            }
            Form::Shared { .. } => row.shared[1][0],
        };
        let missing = [compiler, linker].into_iter().find(|name| self.find(name).is_none());
        let without_cpp = || is_cpp && self.find(compiler).is_some_and(|tool| !tool.cpp);
        missing
            .map(|name| format!("{name} is missing"))
            .or_else(|| without_cpp().then(|| format!("{compiler} has no C++")))
    }
}

impl Tool {
    fn ask(name: &'static str) -> Option<Self> {
        let program = oracle::program(name)?;
        let version = output(Command::new(&program).arg("--version")).ok()?;
        let own = output(Command::new(&program).arg("-print-prog-name=cc1plus"));
        let cpp = name == "clang" || own.is_ok_and(|path| PathBuf::from(path).is_absolute());
        Some(Self { name, program, version, cpp })
    }
}

impl Rustc {
    fn find(target: &str) -> Option<Self> {
        let (program, words) = bare::Compiler::find(target)?.rustc()?;
        let version = output(Command::new(&program).arg("-vV")).ok()?;
        Some(Self { program, words, version })
    }
}
