//! From sources to the files of one variant: compile, link, patch; kept until anything they were made from changes.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::extension::{Extension, root};
use super::kind::{Compiler, Form, PartialLinker, Variant};
use super::patch;
use super::tools::{Tool, Tools};

/// The files of one variant.
pub(crate) struct Built {
    /// The extension itself.
    pub(crate) file: PathBuf,
    /// What is loaded before it, in this order.
    pub(crate) needs: Vec<PathBuf>,
}

/// Builds into a folder that outlives the run.
pub(crate) struct Builder<'a> {
    pub(crate) tools: &'a Tools,
    /// Where the files of every variant go.
    pub(crate) target: PathBuf,
    compiled: Compiled,
}

/// What was compiled in this run, by the compiler's words and the number of what it reads: kinds that differ in linking alone
/// are made of the same objects, but not of one that somebody has changed meanwhile.
#[derive(Default)]
struct Compiled(Mutex<HashMap<Work, Arc<Object>>>);

type Work = (Vec<OsString>, u64);

/// The bytes of an object, once it is made.
type Object = OnceLock<Result<Vec<u8>, String>>;

impl Compiled {
    /// Makes `object` of `inputs` by this command, unless there is one like it.
    fn make(&self, command: &mut Command, inputs: u64, object: &Path, folder: &Path) -> Result<(), String> {
        let words = [command.get_program()].into_iter().chain(command.get_args());
        let key = (words.map(OsStr::to_owned).collect(), inputs);
        let known = Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        let said = |error| format!("{}: {error}", object.display());
        let make = || {
            run(command.arg("-o").arg(object), folder)?;
            fs::read(object).map_err(said)
        };
        let bytes = known.get_or_init(make).as_ref().map_err(String::clone)?;
        fs::write(object, bytes).map_err(said)
    }
}

impl<'a> Builder<'a> {
    pub(crate) fn new(tools: &'a Tools, target: PathBuf) -> Self {
        Self { tools, target, compiled: Compiled::default() }
    }

    /// The files of `variant`, made now or before.
    pub(crate) fn build(&self, extension: &Extension, variant: &Variant) -> Result<Built, String> {
        let folder = self.target.join(&extension.name).join(variant.to_string());
        let built = Built::in_folder(extension, variant, &folder);
        let inputs = number(extension)?;
        let key = self.key(extension, variant, inputs);
        if fs::read_to_string(folder.join("key")).is_ok_and(|found| found == key) {
            return Ok(built);
        }
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        // What it tells about may be half made when something fails. It may never have been there.
        let _ = fs::remove_file(folder.join("key"));
        Job { builder: self, extension, variant, inputs, folder: &folder }.run(&built)?;
        fs::write(folder.join("key"), key).map_err(|error| error.to_string())?;
        Ok(built)
    }

    /// A number for everything the result depends on.
    fn key(&self, extension: &Extension, variant: &Variant, inputs: u64) -> String {
        let mut hasher = DefaultHasher::new();
        let d = &extension.directives;
        (inputs, self.tools.versions(), HARNESS, d.flags(variant), d.link(variant), d.roots(variant))
            .hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }
}

/// The parts of the harness that decide how a file is made.
const HARNESS: [&str; 3] = [include_str!("build.rs"), include_str!("patch.rs"), include_str!("kind.rs")];

impl Built {
    fn in_folder(extension: &Extension, variant: &Variant, folder: &Path) -> Self {
        let file = |name: &str| product(folder, Path::new(name), variant);
        Self {
            file: file(&extension.name),
            needs: extension.directives.needs.iter().map(|name| file(name)).collect(),
        }
    }
}

fn product(folder: &Path, source: &Path, variant: &Variant) -> PathBuf {
    let stem = source.file_stem().unwrap_or_default().to_string_lossy();
    folder.join(format!("{stem}.{}", variant.kind.suffix()))
}

/// A number for all that is read of an extension.
fn number(extension: &Extension) -> Result<u64, String> {
    let mut hasher = DefaultHasher::new();
    for path in inputs(extension)? {
        fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

/// The extension's own folder, or its file and the header beside it; and the project's header.
pub(crate) fn inputs(extension: &Extension) -> Result<Vec<PathBuf>, String> {
    let own = if extension.folder() == root() {
        vec![extension.source.clone()]
    } else {
        files(extension.folder())?
    };
    let header = include_folder().join("llext/extension.h");
    Ok(own.into_iter().chain([root().join("host.h")]).chain(header.exists().then_some(header)).collect())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

fn include_folder() -> PathBuf {
    root().join("../include")
}

/// One variant in the making.
struct Job<'a> {
    builder: &'a Builder<'a>,
    extension: &'a Extension,
    variant: &'a Variant,
    /// The number of what it is made from.
    inputs: u64,
    folder: &'a Path,
}

impl Job<'_> {
    fn run(&self, built: &Built) -> Result<(), String> {
        let directives = &self.extension.directives;
        for name in directives.needs.iter().chain(&directives.links) {
            let source = self.extension.folder().join(name);
            self.make(&[source], &product(self.folder, Path::new(name), self.variant), &[], &[])?;
        }
        let linked = directives.links.iter().map(|name| product(self.folder, Path::new(name), self.variant));
        let linked: Vec<String> = linked.map(|path| path.display().to_string()).collect();
        let options: Vec<String> = directives.link(self.variant).into_iter().chain(linked).collect();
        let roots = directives.roots(self.variant);
        self.make(&self.extension.sources(), &built.file, &options, &roots)?;
        patch::apply(&built.file, directives.patches(self.variant))
    }

    /// One file of the variant's kind from `sources`. Without `roots`, all is kept.
    fn make(
        &self,
        sources: &[PathBuf],
        product: &Path,
        link: &[String],
        roots: &[String],
    ) -> Result<(), String> {
        match self.variant.kind.form {
            Form::Object => self.compile(&sources[0], product),
            Form::Partial(linker) => self.link_partially(linker, &self.compile_all(sources)?, product, roots),
            Form::Shared { lld, .. } if self.variant.compiler == Compiler::Clang => self.link_shared(
                &self.compile_all(sources)?,
                product,
                &[&["-fuse-ld=lld"], lld].concat(),
                link,
            ),
            Form::Shared { gnu, .. } if self.variant.compiler == Compiler::Rustc => {
                self.rustc_shared(&sources[0], product, gnu, link)
            }
            Form::Shared { gnu, .. } => self.link_shared(&self.compile_all(sources)?, product, gnu, link),
        }
    }

    fn compile_all(&self, sources: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
        let compile = |source: &PathBuf| {
            let name = source.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let object = self.folder.join(format!("{name}.part"));
            self.compile(source, &object).map(|()| object)
        };
        sources.iter().map(compile).collect()
    }

    fn compile(&self, source: &Path, object: &Path) -> Result<(), String> {
        if self.variant.compiler == Compiler::Rustc {
            return self.rustc(source, object);
        }
        let mut command = Command::new(&self.compiler()?.program);
        command.arg("-c").arg(source).args(self.variant.kind.c).arg(self.level());
        command.arg("-I").arg(root()).arg("-I").arg(include_folder());
        command.args(self.extension.directives.flags(self.variant));
        self.builder.compiled.make(&mut command, self.inputs, object, self.folder)
    }

    /// An object, or for partial linking a library that holds all of core the extension needs.
    fn rustc(&self, source: &Path, product: &Path) -> Result<(), String> {
        let mut command = self.rustc_command(source)?;
        match self.variant.kind.form {
            Form::Object => command.args(["--crate-type=lib", "-Ccodegen-units=1"]),
            _ => command.args(["--crate-type=staticlib", "-Clto=fat"]),
        };
        let kind = if self.variant.kind.form == Form::Object { "obj" } else { "link" };
        run(command.arg(format!("--emit={kind}={}", product.display())), self.folder)
    }

    fn rustc_shared(
        &self,
        source: &Path,
        product: &Path,
        kind: &[&str],
        link: &[String],
    ) -> Result<(), String> {
        let mut command = self.rustc_command(source)?;
        command.args(["--crate-type=cdylib", "-Clinker=gcc"]).arg("-o").arg(product);
        let options = kind.iter().copied().chain(link.iter().map(String::as_str));
        run(command.args(options.map(|option| format!("-Clink-arg={option}"))), self.folder)
    }

    fn rustc_command(&self, source: &Path) -> Result<Command, String> {
        let mut command = Command::new(&self.compiler()?.program);
        let level = self.variant.level.name().trim_start_matches('O');
        command.arg(source).args(["--edition=2024", "-Cpanic=abort"]).arg(format!("-Copt-level={level}"));
        command.args(self.variant.kind.rust.unwrap_or_default());
        command.args(self.extension.directives.flags(self.variant));
        Ok(command)
    }

    fn link_partially(
        &self,
        linker: PartialLinker,
        objects: &[PathBuf],
        product: &Path,
        roots: &[String],
    ) -> Result<(), String> {
        let mut command = match linker {
            PartialLinker::Gnu => Command::new(&found(&self.builder.tools.ld, "GNU ld")?.program),
            PartialLinker::RustLld => self.rust_lld(roots)?,
        };
        run(command.arg("-r").args(objects).arg("-o").arg(product), self.folder)
    }

    /// Drops what neither a root nor a constructor needs; a library's members are taken for the roots alone.
    fn rust_lld(&self, roots: &[String]) -> Result<Command, String> {
        let mut command = Command::new(&found(&self.builder.tools.rust_lld, "rust-lld")?.program);
        command.args(["-flavor", "gnu"]);
        if !roots.is_empty() {
            command.arg("--gc-sections").args(roots.iter().map(|root| format!("--undefined={root}")));
        }
        Ok(command)
    }

    fn link_shared(
        &self,
        objects: &[PathBuf],
        product: &Path,
        kind: &[&str],
        link: &[String],
    ) -> Result<(), String> {
        let mut command = Command::new(&self.compiler()?.program);
        command.arg("-shared").args(objects).arg("-o").arg(product).args(kind).args(link);
        let soname = product.file_stem().unwrap_or_default().to_string_lossy();
        run(command.arg(format!("-Wl,-soname,{soname}")), self.folder)
    }

    fn compiler(&self) -> Result<&Tool, String> {
        let compiler = self.variant.compiler;
        self.builder.tools.compiler(compiler).ok_or_else(|| format!("{} is missing", compiler.name()))
    }

    fn level(&self) -> String {
        format!("-{}", self.variant.level.name())
    }
}

fn found<'a>(tool: &'a Option<Tool>, name: &str) -> Result<&'a Tool, String> {
    tool.as_ref().ok_or_else(|| format!("{name} is missing"))
}

/// Inside `folder`, because rustc leaves its parts where it runs.
fn run(command: &mut Command, folder: &Path) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.current_dir(folder).output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    // Without the folder, the same mistake reads the same in every variant.
    let text = String::from_utf8_lossy(&output.stderr).replace(&folder.display().to_string(), ".");
    Err(format!("{program}: {}", text.trim_end()))
}
