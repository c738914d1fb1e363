//! The intact files: every extension in every kind this machine can make, each content once.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use object::{Object, ObjectSymbol};

use super::harness::build::Builder;
use super::harness::kind::Variant;
use super::harness::tools::Tools;
use super::harness::{extension, parallel};
use super::places::Places;

/// One intact file.
pub(crate) struct Sample {
    /// Extension and variant.
    pub(crate) name: String,
    /// Kind alone.
    pub(crate) kind: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) places: Places,
    /// The names of what it expects others to provide.
    pub(crate) undefined: HashSet<Vec<u8>>,
}

/// All of them, by size.
pub(crate) fn collect() -> Result<Vec<Sample>, String> {
    let extensions = extension::discover()?;
    let tools = Tools::find();
    let builder = Builder { tools: &tools, target: target_folder()? };
    let each =
        extensions.iter().flat_map(|extension| extension.variants().map(move |kind| (extension, kind)));
    let wanted: Vec<_> = each.filter(|(_, variant)| tools.can_make(variant)).collect();
    let samples = parallel::map(&wanted, |(extension, variant)| {
        let built = builder.build(extension, variant)?;
        Sample::read(&extension.name, variant, &built.file)
    });
    let mut samples = samples.into_iter().collect::<Result<Vec<_>, _>>()?;
    samples.sort_by(|a, b| (a.bytes.len(), &a.name).cmp(&(b.bytes.len(), &b.name)));
    samples.dedup_by(|a, b| a.bytes == b.bytes);
    Ok(samples)
}

/// The one of the test `extensions`: what either builds, both use.
pub(crate) fn target_folder() -> Result<PathBuf, String> {
    let target =
        Path::new(env!("CARGO_TARGET_TMPDIR")).parent().ok_or("cargo's target folder has no parent")?;
    let folder = target.join("extensions");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

impl Sample {
    fn read(extension: &str, variant: &Variant, path: &Path) -> Result<Self, String> {
        let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let name = format!("{extension}/{variant}");
        Ok(Self {
            kind: variant.kind.name,
            places: Places::of(&bytes),
            undefined: undefined(&bytes),
            name,
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
