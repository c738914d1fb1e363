//! What provides symbols, as `llext check --against` takes it: a firmware, a program, an extension, a list of names.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use llext_link::Error as LinkError;
use object::elf;

use crate::elf::{self as file, Extension};
use crate::error::Error;

/// The names that a host provides.
pub(crate) struct Host {
    pub(crate) path: PathBuf,
    /// The processor it is for; a list of names is for all.
    machine: Option<elf::Machine>,
    names: HashSet<String>,
}

impl Host {
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let bytes = file::read(path)?;
        if !bytes.starts_with(&elf::ELFMAG) {
            return Self::from_list(path, &bytes);
        }
        let extension = Extension::parse(&path.display().to_string(), &bytes)?;
        let exports = match extension.host_exports()? {
            Some(exports) => exports,
            None => extension.exports()?,
        };
        if exports.is_empty() {
            return Err(nothing(path));
        }
        let names = exports.into_iter().map(|export| export.name).collect();
        Ok(Self { path: path.to_owned(), machine: Some(extension.machine()), names })
    }

    /// One name a line; what follows # is a remark.
    fn from_list(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        let text = std::str::from_utf8(bytes)
            .ok()
            .filter(|text| !text.contains('\0'))
            .ok_or_else(|| nothing(path))?;
        let line = |line: &str| line.split('#').next().unwrap_or_default().trim().to_owned();
        let names = text.lines().map(line).filter(|name| !name.is_empty()).collect();
        Ok(Self { path: path.to_owned(), machine: None, names })
    }

    /// Refuses an extension for another processor.
    pub(crate) fn suits(&self, extension: &Extension<'_>) -> Result<(), Error> {
        let found = extension.machine().0;
        match self.machine {
            Some(machine) if machine.0 != found => {
                Err(Error::of_link(&extension.path, LinkError::WrongMachine { found, expected: machine.0 }))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn provides(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}

/// Whether llext itself provides the symbol to every extension.
pub(crate) fn is_built_in(name: &str) -> bool {
    let supplied =
        ["__dso_handle", "__cxa_atexit", "__cxa_finalize", "atexit", "_GLOBAL_OFFSET_TABLE_", "llext_panic"];
    supplied.contains(&name) || name.starts_with("__start_") || name.starts_with("__stop_")
}

fn nothing(path: &Path) -> Error {
    Error::NoExportTable { path: path.display().to_string() }
}
