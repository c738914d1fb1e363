//! The sources under extensions/: one file, or one folder with a file of the folder's name, or with several that have directives.

use std::fs;
use std::path::{Path, PathBuf};

use super::directive::Directives;
use super::kind::{Compiler, Place, Variant};

/// What a source is written in, told by its suffix.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    C,
    Cpp,
    Assembly,
    Rust,
}

/// One extension with its directives.
pub(crate) struct Extension {
    pub(crate) name: String,
    pub(crate) source: PathBuf,
    pub(crate) directives: Directives,
    pub(crate) language: Language,
}

impl Language {
    pub(crate) fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "c" => Some(Self::C),
            "cpp" => Some(Self::Cpp),
            "S" => Some(Self::Assembly),
            "rs" => Some(Self::Rust),
            _ => None,
        }
    }
}

/// The folder that holds them all.
pub(crate) fn root() -> PathBuf {
    let mut above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let workspace = above.find(|folder| folder.join("Cargo.lock").exists());
    workspace.expect("this package lies in the workspace").join("extensions")
}

/// Every extension, by name; all that is wrong with their directives otherwise.
pub(crate) fn discover() -> Result<Vec<Extension>, String> {
    let mut extensions = Vec::new();
    let mut errors = Vec::new();
    for source in sources(&root())? {
        match Extension::read(source) {
            Ok(extension) => extensions.push(extension),
            Err(error) => errors.push(error),
        }
    }
    extensions.sort_by(|a, b| a.name.cmp(&b.name));
    if errors.is_empty() { Ok(extensions) } else { Err(errors.join("\n")) }
}

/// A folder with a Cargo.toml is a crate of its own, which the tool's tests build.
fn sources(root: &Path) -> Result<Vec<PathBuf>, String> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(root).map_err(|error| format!("{}: {error}", root.display()))? {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.is_file() {
            sources.extend(Language::of(&path).map(|_| path));
        } else if !path.join("Cargo.toml").exists() {
            sources.extend(main_files(&path)?);
        }
    }
    Ok(sources)
}

/// The source of the folder's name, else every source with directives.
fn main_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let name = stem(folder);
    let candidates = ["c", "cpp", "S", "rs"].map(|suffix| folder.join(format!("{name}.{suffix}")));
    if let Some(own) = candidates.into_iter().find(|path| path.is_file()) {
        return Ok(vec![own]);
    }
    let has_directives = |path: &PathBuf| {
        let text = Language::of(path).and_then(|_| fs::read_to_string(path).ok());
        text.is_some_and(|text| text.starts_with("//!"))
    };
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(has_directives).collect();
    if files.is_empty() {
        return Err(format!(
            "{}: no source of the folder's name in it, nor one with directives",
            folder.display()
        ));
    }
    Ok(files)
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

impl Extension {
    fn read(source: PathBuf) -> Result<Self, String> {
        let language =
            Language::of(&source).ok_or_else(|| format!("{}: unknown suffix", source.display()))?;
        let named = |error: String| format!("{}: {error}", source.display());
        let text = fs::read_to_string(&source).map_err(|error| named(error.to_string()))?;
        let directives = Directives::parse(&text).map_err(named)?;
        Ok(Self { name: stem(&source), source, directives, language })
    }

    /// The folder its other files are named from.
    pub(crate) fn folder(&self) -> &Path {
        self.source.parent().unwrap_or(Path::new("."))
    }

    /// Its own sources, the one with the directives first.
    pub(crate) fn sources(&self) -> Vec<PathBuf> {
        let others = self.directives.files.iter().map(|name| self.folder().join(name));
        std::iter::once(self.source.clone()).chain(others).collect()
    }

    /// The variants to build for a place, of any compiler, found or not.
    pub(crate) fn variants(&self, place: Place) -> impl Iterator<Item = Variant> {
        Variant::all(place).filter(|variant| self.speaks_to(variant) && self.why_not(variant).is_none())
    }

    /// Why a variant is not built, although its compiler knows the language.
    pub(crate) fn why_not(&self, variant: &Variant) -> Option<&str> {
        self.directives.excludes(variant).or_else(|| self.pointless(variant))
    }

    /// Whether the compiler knows the language at all.
    pub(crate) fn speaks_to(&self, variant: &Variant) -> bool {
        (self.language == Language::Rust) == (variant.compiler == Compiler::Rustc)
    }

    fn pointless(&self, variant: &Variant) -> Option<&'static str> {
        match self.language {
            Language::Rust => variant.kind.rust.err(),
            Language::Assembly if !variant.place.contains(&"x86_64") => Some("it is assembly of x86-64"),
            Language::Assembly if !variant.kind.assembly => {
                Some("assembly has no options for code generation")
            }
            Language::Assembly if variant.level.name() != "O2" => Some("assembly is not optimised"),
            _ => None,
        }
    }
}
