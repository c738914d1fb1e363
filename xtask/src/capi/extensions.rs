//! The extensions of the suite: sources of extensions/ in each kind of file, and some of the suite's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::suite::{Suite, folder};
use crate::error::{Error, Result, bail};
use crate::matrix::harness::directive::Step;
use crate::matrix::harness::extension::{self, Extension, Language};
use crate::matrix::harness::kind::{Compiler, Level, Variant};
use crate::process::output;

/// Sources of extensions/ that are loaded, brought up, called as they say, taken down and unloaded.
const LISTED: [&str; 23] = [
    "hello",
    "init-fini",
    "init-priority",
    "relative-jump",
    "alignment",
    "multi-file",
    "weak-undefined",
    "weak-defined",
    "weak-multi-file",
    "cpp-virtual",
    "cpp-comdat",
    "cpp-multi-file",
    "strings",
    "function-pointers",
    "switch-table",
    "computed-goto",
    "common",
    "exported-sym",
    "many-sections",
    "visibility",
    "long-names",
    "stack-frames",
    "math",
];

/// What the suite loads by name: the file, the source, options for the compiler.
const NAMED: [(&str, &str, &[&str]); 9] = [
    ("many", MANY, &[]),
    ("math", "extensions/registry-demo/math.c", &[]),
    ("object-export", "extensions/object-export.c", &[]),
    ("app", "extensions/registry-demo/app.c", &[]),
    ("missing-three", "extensions/missing-three.c", &[]),
    // Constants do not refer to others: those may stay in a file.
    (
        "sections",
        "crates/llext-capi/suite/extensions/sections.c",
        &["-fno-unwind-tables", "-fno-asynchronous-unwind-tables"],
    ),
    ("calls-back", "crates/llext-capi/suite/extensions/calls-back.c", &[]),
    ("reenters", "crates/llext-capi/suite/extensions/reenters.c", &[]),
    ("hello", "extensions/hello.c", &[]),
];

const MANY: &str = "crates/llext-capi/suite/extensions/many.c";

/// Linked by nobody: no linker makes a shared object of "local exec".
const THREAD_LOCAL: &str = "crates/llext-capi/suite/extensions/thread-local.c";

/// How many providers `many` uses.
const PROVIDERS: usize = 10;

/// The kinds of files: what the harness calls them, and what they end in here.
const KINDS: [(&str, &str); 3] = [("o-default", "o"), ("r-ld", "r"), ("so-default", "so")];

/// Builds all of them into `to`, and writes the list of what is called there.
pub(super) fn build(suite: &Suite, to: &Path) -> Result<()> {
    let maker = Maker { suite, to };
    let known = extension::discover().map_err(Error::new)?;
    let mut list = String::new();
    for name in LISTED.into_iter().filter(|_| suite.has_list()) {
        let Some(extension) = known.iter().find(|extension| extension.name == name) else {
            bail!("extensions/ has no {name}")
        };
        if extension.language == Language::Assembly && !suite.is_x86() {
            list.push_str(&format!("without load_unload_{name} it is assembly of x86\n"));
            continue;
        }
        for variant in Variant::all(suite.place).filter(is_built) {
            list.push_str(&maker.listed(extension, &variant)?);
        }
    }
    fs::write(to.join("list"), list)?;
    for (name, source, flags) in NAMED {
        for (_, kind) in KINDS {
            maker.make(name, kind, &[folder().join(source)], flags)?;
        }
    }
    maker.make(
        "thread-local",
        "o",
        &[folder().join(THREAD_LOCAL)],
        &["-fno-pic", "-ftls-model=local-exec"],
    )?;
    for number in 0..PROVIDERS {
        let define = format!("-DNUMBER={number}");
        maker.make(&format!("many{number}"), "o", &[folder().join(MANY)], &[&define])?;
    }
    Ok(())
}

/// Compiled by gcc, at one level.
fn is_built(variant: &Variant) -> bool {
    let is_kind = KINDS.iter().any(|(name, _)| *name == variant.kind.name);
    is_kind && variant.compiler == Compiler::Gcc && variant.level == Level::O2
}

struct Maker<'a> {
    suite: &'a Suite,
    to: &'a Path,
}

impl Maker<'_> {
    /// Builds one variant of an extension, unless it is not made: its lines in the list.
    fn listed(&self, extension: &Extension, variant: &Variant) -> Result<String> {
        let directives = &extension.directives;
        if directives.excludes(variant).is_some() {
            return Ok(String::new());
        }
        let kind = KINDS.iter().find(|(name, _)| *name == variant.kind.name).map_or("", |(_, kind)| kind);
        let others = directives.files.iter().map(|file| extension.folder().join(file));
        let sources: Vec<PathBuf> = [extension.source.clone()].into_iter().chain(others).collect();
        let flags = directives.flags(variant);
        let mut flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        if extension.language == Language::Cpp {
            flags.push("-fno-exceptions");
        }
        self.make(&extension.name, kind, &sources, &flags)?;
        let mut lines = format!("load {}.{kind}\n", extension.name);
        for step in directives.steps(variant) {
            if let Step::Call { name, arguments, result } = step {
                let arguments: String = arguments.iter().map(|argument| format!(" {argument}")).collect();
                lines.push_str(&format!("call {name} {result}{arguments}\n"));
            }
        }
        Ok(lines)
    }

    fn make(&self, name: &str, kind: &str, sources: &[PathBuf], flags: &[&str]) -> Result<()> {
        let mut objects = Vec::new();
        for (at, source) in sources.iter().enumerate() {
            let object = self.to.join(format!("{name}.{kind}.{at}"));
            let mut gcc = self.suite.gcc();
            gcc.args(["-c", "-w", "-O2", "-fno-common", "-I", "extensions", "-I", "include"]);
            if self.suite.is_firmware() {
                gcc.arg("-ffreestanding");
            }
            if kind == "so" {
                gcc.arg("-fPIC");
            }
            output(gcc.args(flags).arg(source).arg("-o").arg(&object))?;
            objects.push(object);
        }
        let file = self.to.join(format!("{name}.{kind}"));
        match kind {
            "o" => fs::rename(&objects[0], file)?,
            "r" => link(self.suite.gcc().args(["-r", "-nostdlib"]), &objects, &file)?,
            _ => link(self.suite.linker().arg("-shared"), &objects, &file)?,
        }
        Ok(())
    }
}

fn link(linker: &mut Command, objects: &[PathBuf], file: &Path) -> Result<()> {
    output(linker.arg("-o").arg(file).args(objects)).map(drop)
}
