//! From sources to the file of one variant. Every step leaves a file named by the hash of all it depends on, and is taken
//! once.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::harness::extension::{self, Extension};
use super::harness::kind::{Compiler, Form, PartialLinker, Variant};
use super::harness::patch;
use super::rows::Row;
use super::tools::Tools;
use crate::error::{Error, Result, bail};
use crate::project;

/// The files of one variant.
pub(super) struct Built {
    /// The extension itself.
    pub(super) file: PathBuf,
    /// What is loaded before it: names and files.
    pub(super) needs: Vec<(String, PathBuf)>,
}

/// Builds one variant of one extension.
pub(super) struct Job<'a> {
    pub(super) row: &'static Row,
    pub(super) tools: &'a Tools,
    pub(super) extension: &'a Extension,
    pub(super) variant: &'a Variant,
    /// Where all files go.
    pub(super) folder: &'a Path,
}

impl Job<'_> {
    pub(super) fn run(&self) -> Result<Built> {
        let directives = &self.extension.directives;
        let mut needs = Vec::new();
        for name in &directives.needs {
            needs.push((stem(Path::new(name)), self.provider(name)?));
        }
        let mut link = directives.link(self.variant);
        for name in &directives.links {
            link.push(self.provider(name)?.display().to_string());
        }
        let roots = directives.roots(self.variant);
        let made = self.make(&self.extension.sources(), &self.extension.name, &link, &roots)?;
        Ok(Built { file: self.patched(made)?, needs })
    }

    fn provider(&self, name: &str) -> Result<PathBuf> {
        self.make(&[self.extension.folder().join(name)], &stem(Path::new(name)), &[], &[])
    }

    fn patched(&self, file: PathBuf) -> Result<PathBuf> {
        let patches = || self.extension.directives.patches(self.variant);
        if patches().next().is_none() {
            return Ok(file);
        }
        let copy = file.with_extension(&self.extension.name);
        fs::copy(&file, &copy)?;
        patch::apply(&copy, patches()).map_err(Error::new)?;
        Ok(copy)
    }

    /// One file of the variant's kind. Without `roots`, all is kept.
    fn make(&self, sources: &[PathBuf], name: &str, link: &[String], roots: &[String]) -> Result<PathBuf> {
        if self.variant.compiler == Compiler::Rustc {
            return self.make_of_rust(&sources[0], name, link, roots);
        }
        let flags = self.extension.directives.flags(self.variant);
        let objects = sources.iter().map(|source| self.compile(source, &flags));
        let objects = objects.collect::<Result<Vec<_>>>()?;
        match self.variant.kind.form {
            Form::Object => Ok(objects[0].clone()),
            Form::Partial(PartialLinker::Gnu) => self.link(self.row.ld, &["-r".to_owned()], &objects),
            Form::Partial(PartialLinker::RustLld) => self.link_kept(&objects, roots),
            Form::Shared { .. } => self.link_shared(&objects, name, link),
        }
    }

    fn compile(&self, source: &Path, flags: &[String]) -> Result<PathBuf> {
        let words = if self.variant.compiler == Compiler::Clang { self.row.clang } else { self.row.gcc };
        let mut step = Step::new(self, words)?;
        step.words.extend(["-c", "-w", "-ffreestanding"].map(str::to_owned));
        step.words.push(format!("-{}", self.variant.level.name()));
        step.words.extend(self.variant.kind.c.iter().map(|word| (*word).to_owned()));
        step.words.push(format!("-I{}", extension::root().display()));
        step.words.push(format!("-I{}", extension::root().join("../include").display()));
        step.words.extend_from_slice(flags);
        step.inputs = self.inputs()?;
        step.take("o", &[source.to_owned()])
    }

    fn link(&self, linker: &[&str], words: &[String], files: &[PathBuf]) -> Result<PathBuf> {
        let mut step = Step::new(self, linker)?;
        step.words.extend_from_slice(words);
        step.take("elf", files)
    }

    /// Drops what neither a root nor a constructor needs; a library's members are taken for the roots alone.
    fn link_kept(&self, files: &[PathBuf], roots: &[String]) -> Result<PathBuf> {
        let mut words = vec!["-r".to_owned()];
        if !roots.is_empty() {
            words.push("--gc-sections".to_owned());
            words.extend(roots.iter().map(|root| format!("--undefined={root}")));
        }
        self.link(&["ld.lld"], &words, files)
    }

    /// Without a compiler's start files and libraries: there are none for boards.
    fn link_shared(&self, files: &[PathBuf], name: &str, link: &[String]) -> Result<PathBuf> {
        let start = self.compile(&project::root().join("xtask/src/matrix/start.c"), &[])?;
        let files = [files, &[start]].concat();
        let [gnu, lld] = self.row.shared;
        let is_gcc = self.variant.compiler == Compiler::Gcc && !gnu.is_empty();
        let mut words = ["-shared", "-z", "max-page-size=4096", "-soname"].map(str::to_owned).to_vec();
        words.push(name.to_owned());
        for word in link {
            words.extend(word.trim_start_matches("-Wl,").split(',').map(str::to_owned));
        }
        self.link(if is_gcc { gnu } else { lld }, &words, &files)
    }

    /// An object, or for a linker a library that holds all of core that the extension needs.
    fn make_of_rust(&self, source: &Path, name: &str, link: &[String], roots: &[String]) -> Result<PathBuf> {
        let is_object = self.variant.kind.form == Form::Object;
        let mut step = Step::of_rust(self)?;
        let level = self.variant.level.name().trim_start_matches('O');
        step.words.extend(["--edition=2024", "-Cpanic=abort"].map(str::to_owned));
        step.words.push(format!("-Copt-level={level}"));
        step.words.extend(self.variant.kind.rust.unwrap_or_default().iter().map(|word| (*word).to_owned()));
        step.words.extend(self.extension.directives.flags(self.variant));
        let form = if is_object {
            ["--crate-type=lib", "-Ccodegen-units=1", "--emit=obj"]
        } else {
            ["--crate-type=staticlib", "-Clto=fat", "--emit=link"]
        };
        step.words.extend(form.map(str::to_owned));
        if self.variant.kind.family() == "so" {
            step.words.push("-Crelocation-model=pic".to_owned());
        }
        step.inputs = self.inputs()?;
        let made = step.take(if is_object { "o" } else { "a" }, &[source.to_owned()])?;
        match self.variant.kind.form {
            Form::Object => Ok(made),
            Form::Partial(_) => self.link_kept(&[made], roots),
            Form::Shared { .. } => {
                let keep = roots.iter().map(|root| format!("--undefined={root}"));
                let words: Vec<String> =
                    link.iter().cloned().chain(keep).chain(["--gc-sections".to_owned()]).collect();
                self.link_shared(&[made], name, &words)
            }
        }
    }

    /// The extension's own folder, or its file; and the headers.
    fn inputs(&self) -> Result<Vec<PathBuf>> {
        let root = extension::root();
        let mut inputs = vec![root.join("host.h"), root.join("../include/llext/extension.h")];
        if self.extension.folder() == root {
            inputs.push(self.extension.source.clone());
        } else {
            for entry in self.extension.folder().read_dir()? {
                inputs.push(entry?.path());
            }
        }
        inputs.sort();
        Ok(inputs)
    }
}

/// One run of a compiler or linker.
struct Step<'a> {
    folder: &'a Path,
    program: PathBuf,
    words: Vec<String>,
    /// Files it reads besides those named last.
    inputs: Vec<PathBuf>,
    hasher: DefaultHasher,
}

impl<'a> Step<'a> {
    fn new(job: &Job<'a>, words: &[&str]) -> Result<Self> {
        let Some(tool) = job.tools.find(words[0]) else { bail!("{} is missing", words[0]) };
        let words = words[1..].iter().map(|word| (*word).to_owned()).collect();
        Ok(Self::of(job.folder, tool.program.clone(), &tool.version, words))
    }

    fn of_rust(job: &Job<'a>) -> Result<Self> {
        let Some(rustc) = &job.tools.rustc else { bail!("there is no Rust for {}", job.row.target) };
        let words = rustc.words.iter().cloned().chain(["--target".to_owned(), job.row.target.to_owned()]);
        Ok(Self::of(job.folder, rustc.program.clone(), &rustc.version, words.collect()))
    }

    fn of(folder: &'a Path, program: PathBuf, version: &str, words: Vec<String>) -> Self {
        let mut hasher = DefaultHasher::new();
        version.hash(&mut hasher);
        Self { folder, program, words, inputs: Vec::new(), hasher }
    }

    /// The file it makes of `files`, now or before.
    fn take(mut self, suffix: &str, files: &[PathBuf]) -> Result<PathBuf> {
        self.words.hash(&mut self.hasher);
        for file in self.inputs.iter().chain(files) {
            file.hash(&mut self.hasher);
            fs::read(file)?.hash(&mut self.hasher);
        }
        let product = self.folder.join(format!("{:016x}.{suffix}", self.hasher.finish()));
        if product.exists() {
            return Ok(product);
        }
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let work = self.folder.join(format!("{}-{number}", std::process::id()));
        fs::create_dir_all(&work)?;
        let partial = work.join("made");
        let mut command = Command::new(&self.program);
        command.args(&self.words).args(files).arg("-o").arg(&partial).current_dir(&work);
        let output = command.env("LC_ALL", "C").stdin(Stdio::null()).output()?;
        if output.status.success() {
            fs::rename(partial, &product)?;
        }
        fs::remove_dir_all(&work)?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let said: Vec<&str> = said.lines().take(6).collect();
            bail!("{}: {}", stem(&self.program), said.join("; "));
        }
        Ok(product)
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
