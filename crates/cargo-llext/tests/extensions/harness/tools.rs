//! The compilers and linkers of this machine.

use std::path::PathBuf;
use std::process::Command;

use super::kind::{Compiler, Form, PartialLinker, Variant};

/// What was found, each with its version, which is part of what a built file is remembered by.
pub(crate) struct Tools {
    pub(crate) gcc: Option<Tool>,
    pub(crate) clang: Option<Tool>,
    pub(crate) rustc: Option<Tool>,
    pub(crate) rust_lld: Option<Tool>,
    pub(crate) ld: Option<Tool>,
}

/// A program that answered when asked for its version.
pub(crate) struct Tool {
    pub(crate) program: PathBuf,
    pub(crate) version: String,
}

impl Tools {
    pub(crate) fn find() -> Self {
        let rustc = first(["rustc".to_owned()]);
        let rust_lld = rustc.as_ref().and_then(rust_lld);
        let clang = first(clang_names()).filter(links_with_lld);
        Self { gcc: first(["gcc".to_owned()]), clang, rustc, rust_lld, ld: first(["ld".to_owned()]) }
    }

    pub(crate) fn compiler(&self, compiler: Compiler) -> Option<&Tool> {
        match compiler {
            Compiler::Gcc => self.gcc.as_ref(),
            Compiler::Clang => self.clang.as_ref(),
            Compiler::Rustc => self.rustc.as_ref(),
        }
    }

    /// Whether everything this variant takes was found.
    pub(crate) fn can_make(&self, variant: &Variant) -> bool {
        let linker = match variant.kind.form {
            Form::Partial(PartialLinker::Gnu) => self.ld.is_some(),
            Form::Partial(PartialLinker::RustLld) => self.rust_lld.is_some(),
            Form::Shared { .. } if variant.compiler == Compiler::Rustc => self.gcc.is_some(),
            _ => true,
        };
        linker && self.compiler(variant.compiler).is_some()
    }

    /// What is missing, by the name of what brings it.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        let found = [
            (self.gcc.is_some(), "gcc"),
            (self.clang.is_some(), "clang with lld"),
            (self.rustc.is_some(), "rustc"),
            (self.rust_lld.is_some(), "rust-lld"),
            (self.ld.is_some(), "GNU ld"),
        ];
        found.into_iter().filter(|(found, _)| !found).map(|(_, name)| name).collect()
    }

    /// All versions as one text.
    pub(crate) fn versions(&self) -> String {
        let all = [&self.gcc, &self.clang, &self.rustc, &self.rust_lld, &self.ld];
        all.into_iter()
            .flatten()
            .map(|tool| format!("{} {}\n", tool.program.display(), tool.version))
            .collect()
    }
}

impl Tool {
    fn ask(program: PathBuf, arguments: &[&str]) -> Option<Self> {
        let version = output(Command::new(&program).args(arguments))?.lines().next()?.to_owned();
        Some(Self { program, version })
    }
}

/// Distributions add the version to clang's name; the newest first.
fn clang_names() -> impl IntoIterator<Item = String> {
    std::iter::once("clang".to_owned()).chain((14..40).rev().map(|version| format!("clang-{version}")))
}

fn first(names: impl IntoIterator<Item = String>) -> Option<Tool> {
    names.into_iter().find_map(|name| Tool::ask(name.into(), &["--version"]))
}

fn links_with_lld(clang: &Tool) -> bool {
    let path = output(Command::new(&clang.program).arg("-print-prog-name=ld.lld"));
    path.is_some_and(|path| output(Command::new(path.trim()).arg("--version")).is_some())
}

fn rust_lld(rustc: &Tool) -> Option<Tool> {
    let libdir = output(Command::new(&rustc.program).args(["--print", "target-libdir"]))?;
    let program = PathBuf::from(libdir.trim()).parent()?.join("bin/rust-lld");
    Tool::ask(program, &["-flavor", "gnu", "--version"])
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}
