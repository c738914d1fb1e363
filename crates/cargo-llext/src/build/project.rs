//! What is to be built, and where its files go.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::krate::Crate;
use super::objects::Object;
use super::settings::Settings;
use super::sources::{self, Sources};
use crate::cli::{Build, BuildOptions};
use crate::error::Error;
use crate::terminal::Terminal;

/// What was wished for on the command line.
#[derive(Clone, Copy)]
pub(crate) struct How<'a> {
    pub(crate) options: &'a BuildOptions,
    /// Arguments for rustc or for the C compiler.
    pub(crate) compiler: &'a [OsString],
}

/// A crate, or C sources.
pub(crate) enum Project {
    Crate(Crate),
    Sources(Sources),
}

impl Project {
    /// What the command line means: a manifest is a crate, nothing is this folder, files are sources.
    pub(crate) fn of(arguments: &Build, terminal: &Terminal) -> Result<Self, Error> {
        let how = How { options: &arguments.options, compiler: &arguments.compiler };
        match (&arguments.manifest.manifest_path, arguments.paths.as_slice()) {
            (Some(manifest), _) => Crate::read(manifest, how, terminal).map(Self::Crate),
            (None, []) => Self::around(Path::new("."), how, terminal),
            (None, paths) => Self::at(paths, how, terminal),
        }
    }

    /// The project in a folder, or of these files.
    pub(crate) fn at(paths: &[PathBuf], how: How<'_>, terminal: &Terminal) -> Result<Self, Error> {
        match paths {
            [folder] if folder.is_dir() => Self::inside(folder, how, terminal),
            files => Sources::from_files(files, how).map(Self::Sources),
        }
    }

    /// The project whose folder this is.
    fn inside(folder: &Path, how: How<'_>, terminal: &Terminal) -> Result<Self, Error> {
        let manifest = folder.join("Cargo.toml");
        if manifest.is_file() {
            return Crate::read(&manifest, how, terminal).map(Self::Crate);
        }
        Sources::from_folder(folder, how).map(Self::Sources)
    }

    /// The project this folder belongs to: like cargo, the tool also works from within src.
    fn around(folder: &Path, how: How<'_>, terminal: &Terminal) -> Result<Self, Error> {
        if folder.join("Cargo.toml").is_file() || sources::are_in(folder) {
            return Self::inside(folder, how, terminal);
        }
        let here = folder.canonicalize().map_err(Error::unreadable(folder))?;
        match here.ancestors().find(|ancestor| ancestor.join("Cargo.toml").is_file()) {
            Some(parent) => Self::inside(parent, how, terminal),
            None => Err(Error::NotAProject { path: here.display().to_string() }),
        }
    }

    /// Compiles everything and gathers the objects.
    pub(crate) fn compile(&self, terminal: &Terminal) -> Result<Vec<Object>, Error> {
        match self {
            Self::Crate(krate) => krate.compile(terminal),
            Self::Sources(sources) => {
                sources.compile(&self.scratch_folder(), &self.output_folder(), terminal)
            }
        }
    }

    /// The extension's name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Crate(krate) => &krate.name,
            Self::Sources(sources) => &sources.name,
        }
    }

    /// Where the project lies.
    pub(crate) fn folder(&self) -> &Path {
        match self {
            Self::Crate(krate) => &krate.folder,
            Self::Sources(sources) => &sources.folder,
        }
    }

    /// What the project says about itself.
    pub(crate) fn settings(&self) -> &Settings {
        match self {
            Self::Crate(krate) => &krate.settings,
            Self::Sources(sources) => &sources.settings,
        }
    }

    /// Whether only a table says what is exported: a crate's global symbols are those of core as well.
    pub(crate) fn needs_table(&self) -> bool {
        matches!(self, Self::Crate(_))
    }

    /// Where the extension goes.
    pub(crate) fn output_folder(&self) -> PathBuf {
        match self {
            Self::Crate(krate) => krate.target_folder.join("llext"),
            Self::Sources(sources) => sources.folder.join("target").join("llext"),
        }
    }

    /// Where objects go on the way.
    pub(crate) fn scratch_folder(&self) -> PathBuf {
        self.output_folder().join("objects").join(self.name())
    }
}
