//! What is compiled: the sources in extensions/, generated ones, assembly by hand, and Rust.

use std::fs;
use std::path::{Path, PathBuf};

use super::generate;
use crate::error::Result;
use crate::project;

/// One source.
#[derive(Clone)]
pub(super) enum Source {
    /// A file in extensions/, with the options its first lines ask for.
    Extension { path: PathBuf, flags: Vec<String>, kinds: Option<String> },
    /// See [`generate`].
    Generated { seed: u64, functions: usize },
    /// Text of an assembler file, and whether `FIRST` is defined in it.
    Assembly(&'static str, bool),
    /// A Rust file in extensions/.
    Rust(PathBuf),
}

impl Source {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Extension { path, .. } | Self::Rust(path) => {
                path.file_name().unwrap_or_default().to_string_lossy().into_owned()
            }
            Self::Generated { seed, functions } => format!("generated-{seed}-{functions}.c"),
            Self::Assembly(_, true) => "assembly-first.S".to_owned(),
            Self::Assembly(_, false) => "assembly.S".to_owned(),
        }
    }

    /// Whether the source is for this family of kinds: `o`, `r` or `so`.
    pub(super) fn is_for(&self, family: &str) -> bool {
        let Self::Extension { kinds: Some(kinds), .. } = self else { return true };
        kinds.split([' ', '+']).any(|kind| kind.split('-').next() == Some(family))
    }

    /// The file to compile, written into `folder` where there is none, and its own options.
    pub(super) fn file(&self, folder: &Path) -> Result<(PathBuf, Vec<String>)> {
        let text = match self {
            Self::Extension { path, flags, .. } => return Ok((path.clone(), flags.clone())),
            Self::Rust(path) => return Ok((path.clone(), Vec::new())),
            Self::Generated { seed, functions } => generate::source(*seed, *functions),
            Self::Assembly(text, true) => format!("#define FIRST\n{text}"),
            Self::Assembly(text, false) => (*text).to_owned(),
        };
        let path = folder.join(self.name());
        fs::write(&path, text)?;
        Ok((path, Vec::new()))
    }
}

/// Directives that say that a file is not for this: damaged or refused on purpose, or in need of a C library.
const UNFIT: &[&str] = &["error", "patch", "libc", "no-libc", "missing"];

/// The C and Rust sources in extensions/ that link as they are.
pub(super) fn extensions() -> Result<Vec<Source>> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(project::root().join("extensions"))? {
        paths.push(entry?.path());
    }
    paths.sort();
    let mut sources = Vec::new();
    for path in paths {
        let suffix = path.extension().unwrap_or_default().to_string_lossy().into_owned();
        if suffix == "c" {
            let text = fs::read_to_string(&path)?;
            sources.extend(fit(&text).map(|flags| Source::Extension { path, flags, kinds: kinds(&text) }));
        } else if suffix == "rs" {
            sources.push(Source::Rust(path));
        }
    }
    Ok(sources)
}

/// The options of a source for every kind and compiler, if the source is fit.
fn fit(text: &str) -> Option<Vec<String>> {
    let mut flags = Vec::new();
    for line in text.lines().map_while(|line| line.strip_prefix("//!")) {
        let (name, value) = line.trim().split_once(':').unwrap_or((line.trim(), ""));
        let name = name.split('[').next().unwrap_or(name);
        if UNFIT.contains(&name) {
            return None;
        }
        if line.trim().starts_with("flags:") {
            flags.extend(value.split_whitespace().map(str::to_owned));
        }
    }
    Some(flags)
}

/// The kinds that a source is for, where it says so.
fn kinds(text: &str) -> Option<String> {
    let kinds = text.lines().find_map(|line| line.strip_prefix("//! kinds:"))?;
    Some(kinds.split('(').next().unwrap_or(kinds).to_owned())
}

#[cfg(test)]
mod tests {
    use super::{fit, kinds};

    #[test]
    fn a_source_says_which_kinds_it_is_for() {
        assert_eq!(kinds("//! kinds: so (why)\n").as_deref(), Some(" so "));
        assert_eq!(kinds("//! about: all\n"), None);
    }

    #[test]
    fn a_source_says_whether_it_is_fit() {
        assert_eq!(fit("//! about: all\n//! flags: -g -gz\nint x;"), Some(vec!["-g".into(), "-gz".into()]));
        assert_eq!(fit("//! about: all\n//! error[so]: TextRelocations\n"), None);
        assert_eq!(fit("//! libc\n"), None);
        assert_eq!(fit("int x;\n//! libc\n"), Some(Vec::new()));
    }
}
