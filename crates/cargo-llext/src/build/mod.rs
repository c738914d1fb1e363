//! `llext build`: a crate or C sources become one self-contained, stripped relocatable.
//!
//! Compile, gather the objects, mark what must stay, link them with `-r --gc-sections`, prune, and count: what was
//! exported before must be exported after.

mod krate;
mod link;
mod objects;
mod parallel;
mod project;
mod prune;
mod settings;
mod sources;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::check;
use crate::cli::{Build, BuildOptions};
use crate::elf;
use crate::error::Error;
use crate::terminal::Terminal;
use project::{How, Project};
pub(crate) use sources::is_source;

/// What a build made.
#[derive(Debug, Serialize)]
pub(crate) struct Built {
    pub(crate) name: String,
    pub(crate) file: PathBuf,
    pub(crate) bytes: usize,
    pub(crate) exports: Vec<String>,
    pub(crate) imports: Vec<String>,
}

pub(crate) fn run(arguments: &Build, terminal: &Terminal) -> Result<Built, Error> {
    let project = Project::of(arguments, terminal)?;
    build(&project, arguments.output.as_deref(), arguments.options.symbols, terminal)
}

/// Builds the project in a folder, or of one source, into its usual place.
pub(crate) fn run_at(path: &Path, options: &BuildOptions, terminal: &Terminal) -> Result<Built, Error> {
    let project = Project::at(&[path.to_owned()], How { options, compiler: &[] }, terminal)?;
    build(&project, None, options.symbols, terminal)
}

fn build(
    project: &Project,
    output: Option<&Path>,
    symbols: bool,
    terminal: &Terminal,
) -> Result<Built, Error> {
    let usual = project.output_folder().join(format!("{}.llext", project.name()));
    let file = output.unwrap_or(&usual);

    let mut objects = project.compile(terminal)?;
    let before = objects::keep_what_nobody_names(&mut objects)?;
    if before == 0 && project.needs_table() {
        return Err(Error::NothingExported { file: project.name().to_owned() });
    }
    // From here on every object is ELF, and the linker drops neither exports nor constructors.

    let scratch = project.scratch_folder();
    let collect = before > 0;
    let linked = link::link(&objects, &scratch, project.folder(), collect, terminal)?;
    let pruned = prune::prune(&linked, file, symbols)?;
    // From here on the bytes are what will be written.

    let built = examine(project, file, &pruned, before)?;
    write(file, &pruned)?;
    let (exports, imports) = (built.exports.len(), built.imports.len());
    terminal.status(
        "Built",
        format_args!("{} ({} bytes, exports {exports}, imports {imports})", built.name, built.bytes),
    );
    Ok(built)
}

/// Counts what came out, and holds it against what was promised.
fn examine(project: &Project, file: &Path, bytes: &[u8], before: usize) -> Result<Built, Error> {
    let shown = file.display().to_string();
    let extension = elf::Extension::parse(&shown, bytes)?;
    let exports: Vec<String> = extension.exports()?.into_iter().map(|export| export.name).collect();
    if before > exports.len() {
        return Err(Error::LostExports { file: shown, before, after: exports.len() });
    }
    if exports.is_empty() {
        return Err(Error::NothingExported { file: shown });
    }
    let settings = project.settings();
    let missing: Vec<_> = settings.exports.iter().filter(|name| !exports.contains(name)).cloned().collect();
    if !missing.is_empty() {
        return Err(Error::MissingExports {
            file: shown,
            missing: missing.join(", "),
            found: exports.join(", "),
        });
    }
    if let Some(interface) = &settings.interface {
        check::require(&extension, &[project.folder().join(interface)])?;
    }
    let imports = extension.imports().into_iter().map(|import| import.name).collect();
    Ok(Built { name: project.name().to_owned(), file: file.to_owned(), bytes: bytes.len(), exports, imports })
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), Error> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(Error::unwritable(folder))?;
    }
    std::fs::write(file, bytes).map_err(Error::unwritable(file))
}

impl fmt::Display for Built {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.file.display())
    }
}
