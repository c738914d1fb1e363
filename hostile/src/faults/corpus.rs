//! The intact files: every extension in every kind this machine can make, each content once.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::process::Command;

use object::{Object, ObjectSymbol};

use super::harness::build::{Builder, inputs};
use super::harness::extension::Extension;
use super::harness::kind::NATIVE;
use super::harness::tools::Tools;
use super::harness::{extension, parallel};
use super::places::Places;
use crate::options::Options;
use crate::target;

/// One intact file.
pub(crate) struct Sample {
    /// Extension and variant.
    pub(crate) name: String,
    /// The extension alone.
    pub(crate) extension: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) places: Places,
    /// The names of what it expects others to provide.
    pub(crate) undefined: HashSet<Vec<u8>>,
}

/// All of them, by size.
pub(crate) fn collect(options: &Options) -> Result<Vec<Sample>, String> {
    let mut samples =
        if target::runs_here() { of_matrix(&options.extensions)? } else { of_compiler(&options.folder)? };
    samples.sort_by(|a, b| (a.bytes.len(), &a.name).cmp(&(b.bytes.len(), &b.name)));
    samples.dedup_by(|a, b| a.bytes == b.bytes);
    Ok(samples)
}

/// In every kind that the matrix of extensions knows.
fn of_matrix(folder: &Path) -> Result<Vec<Sample>, String> {
    let extensions = extension::discover()?;
    let tools = Tools::find();
    let builder = Builder::new(&tools, folder.to_owned());
    let each =
        extensions.iter().flat_map(|extension| extension.variants(NATIVE).map(move |kind| (extension, kind)));
    let wanted: Vec<_> = each.filter(|(_, variant)| tools.can_make(variant)).collect();
    let samples = parallel::map(&wanted, |(extension, variant)| {
        let built = builder.build(extension, variant)?;
        Sample::read(&extension.name, &variant.to_string(), &built.file)
    });
    samples.into_iter().collect()
}

/// For another architecture: the sources in C, as far as its compiler takes them.
fn of_compiler(folder: &Path) -> Result<Vec<Sample>, String> {
    let folder = folder.join(target::native().name);
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let is_c = |extension: &Extension| extension.source.extension().is_some_and(|suffix| suffix == "c");
    let extensions: Vec<_> = extension::discover()?.into_iter().filter(is_c).collect();
    let kinds: [(&str, &[&str]); 4] = [
        ("O0.o", &["-c", "-O0"]),
        ("O2.o", &["-c", "-O2", "-ffunction-sections"]),
        ("r.o", &["-r", "-nostdlib", "-O1"]),
        (SHARED, &["-c", "-fPIC", "-O2"]),
    ];
    let each: Vec<_> =
        extensions.iter().flat_map(|extension| kinds.iter().map(move |kind| (extension, kind))).collect();
    let version = version(target::native().compiler.0)?;
    let samples = parallel::map(&each, |(extension, (kind, flags))| {
        let key = key(extension, flags, &version)?;
        compile(&extension.source, kind, flags, &folder.join(format!("{key:016x}.{kind}")))
    });
    let samples: Vec<_> = samples.into_iter().collect::<Result<Vec<_>, _>>()?;
    let samples: Vec<_> = samples.into_iter().flatten().collect();
    let compiler = target::native().compiler.0;
    if samples.is_empty() { Err(format!("{compiler} makes none of the extensions")) } else { Ok(samples) }
}

/// The kind that is linked.
const SHARED: &str = "so";

/// What the compiler says of itself.
fn version(compiler: &str) -> Result<Vec<u8>, String> {
    let output = Command::new(compiler).arg("--version").output();
    Ok(output.map_err(|error| format!("{compiler}: {error}"))?.stdout)
}

/// A number for everything a file depends on: each is made for one part of the program, and used by the next.
fn key(extension: &Extension, flags: &[&str], version: &[u8]) -> Result<u64, String> {
    let mut hasher = DefaultHasher::new();
    for path in inputs(extension)? {
        std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?.hash(&mut hasher);
    }
    let target::Target { compiler, linker, .. } = target::native();
    (include_str!("corpus.rs"), &extension.source, compiler, linker, flags, version).hash(&mut hasher);
    Ok(hasher.finish())
}

/// What the compiler makes of one source, or has made; none where it cannot.
fn compile(source: &Path, kind: &str, flags: &[&str], product: &Path) -> Result<Option<Sample>, String> {
    let name = source.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    if !product.exists() && !make(source, kind, flags, product)? {
        return Ok(None);
    }
    Sample::read(&name, kind, product).map(Some)
}

/// Whether the compiler, and for what is linked the linker, made it.
fn make(source: &Path, kind: &str, flags: &[&str], product: &Path) -> Result<bool, String> {
    let include = extension::root().join("../include");
    let partial = product.with_extension(format!("{kind}.partial"));
    let (compiler, options) = target::native().compiler;
    let mut command = Command::new(compiler);
    command.args(options).args(flags).arg("-w").arg("-ffreestanding").arg("-I").arg(include);
    command.arg("-I").arg(extension::root()).arg(source).arg("-o").arg(&partial);
    if !succeeds(&mut command)? {
        return Ok(false);
    }
    if kind == SHARED {
        let object = product.with_extension("pic.o");
        std::fs::rename(&partial, &object).map_err(|error| format!("{}: {error}", object.display()))?;
        let (linker, options) = target::native().linker;
        let mut command = Command::new(linker);
        if !succeeds(command.args(options).arg("-shared").arg(object).arg("-o").arg(&partial))? {
            return Ok(false);
        }
    }
    std::fs::rename(&partial, product).map_err(|error| format!("{}: {error}", product.display()))?;
    Ok(true)
}

fn succeeds(command: &mut Command) -> Result<bool, String> {
    let output = command.output().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    Ok(output.status.success())
}

impl Sample {
    fn read(extension: &str, variant: &str, path: &Path) -> Result<Self, String> {
        let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self {
            name: format!("{extension}/{variant}"),
            extension: extension.to_owned(),
            places: Places::of(&bytes),
            undefined: undefined(&bytes),
            bytes,
        })
    }
}

/// None in a file that was built to be refused by every reader.
fn undefined(file: &[u8]) -> HashSet<Vec<u8>> {
    let Ok(file) = object::File::parse(file) else { return HashSet::new() };
    let symbols = file.symbols().chain(file.dynamic_symbols());
    let undefined = symbols.filter(|symbol| symbol.is_undefined());
    undefined.filter_map(|symbol| Some(symbol.name_bytes().ok()?.to_vec())).collect()
}
