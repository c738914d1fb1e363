//! What provides symbols, as `llext check --against` takes it: a firmware, a program, an extension, a list of names.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use llext_link::Error as LinkError;
use llext_link::arch::Arch;
use object::elf;

use crate::elf::{self as file, Extension, Import};
use crate::error::Error;
use crate::link::cores;
use crate::needs;

/// The names that a host provides.
pub(crate) struct Host {
    pub(crate) path: PathBuf,
    /// The processor it is for; a list of names is for all.
    machine: Option<elf::Machine>,
    /// The names, and where each lies if that is fixed.
    names: HashMap<String, Option<u64>>,
    /// The SLIDs of what it provides without names.
    slids: HashSet<String>,
    /// Which of the processors of its machine it is for, where there are several.
    pub(crate) arch: Option<Arch>,
    /// The memory it is linked for.
    pub(crate) memory: Vec<Range<u64>>,
    /// The names of extensions and libraries that it is or has.
    libraries: HashSet<String>,
}

impl Host {
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let bytes = file::read(path)?;
        if !bytes.starts_with(&elf::ELFMAG) {
            return Self::from_list(path, &bytes);
        }
        let extension = Extension::parse(&path.display().to_string(), &bytes)?;
        let slids = extension.host_slids()?;
        let exports = match extension.host_exports()? {
            Some(exports) => exports,
            None if slids.is_empty() => extension.exports()?,
            None => Vec::new(),
        };
        if exports.is_empty() && slids.is_empty() {
            return Err(nothing(path));
        }
        let names = exports.into_iter().map(|export| (export.name, export.address)).collect();
        Ok(Self {
            path: path.to_owned(),
            machine: Some(extension.machine()),
            names,
            slids,
            arch: cores::of(&extension),
            memory: extension.memory(),
            libraries: libraries_of(path, &extension),
        })
    }

    /// One name a line, of a symbol or of a library; what follows # is a remark.
    fn from_list(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        let text = std::str::from_utf8(bytes)
            .ok()
            .filter(|text| !text.contains('\0'))
            .ok_or_else(|| nothing(path))?;
        let line = |line: &str| line.split('#').next().unwrap_or_default().trim().to_owned();
        let libraries: HashSet<String> = text.lines().map(line).filter(|name| !name.is_empty()).collect();
        let names = libraries.iter().map(|name| (name.clone(), None));
        Ok(Self { path: path.to_owned(), libraries: libraries.clone(), ..Self::of_names(names.collect()) })
    }

    fn of_names(names: HashMap<String, Option<u64>>) -> Self {
        let (path, slids, libraries) = (PathBuf::new(), HashSet::new(), HashSet::new());
        Self { path, machine: None, names, slids, arch: None, memory: Vec::new(), libraries }
    }

    /// One with these symbols, all at one address.
    #[cfg(test)]
    pub(crate) fn with(names: &[&str], address: u64) -> Self {
        Self::of_names(names.iter().map(|name| ((*name).to_owned(), Some(address))).collect())
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

    pub(crate) fn provides(&self, import: &Import) -> bool {
        let by_slid = import.slid.as_ref().is_some_and(|slid| self.slids.contains(slid));
        by_slid || self.names.contains_key(&import.name)
    }

    /// Where a symbol lies.
    pub(crate) fn address(&self, name: &str) -> Option<u64> {
        self.names.get(name).copied().flatten()
    }

    /// Refuses a host whose symbols lie nowhere yet.
    pub(crate) fn must_be_fixed(&self) -> Result<(), Error> {
        match self.names.values().all(Option::is_some) {
            true => Ok(()),
            false => Err(Error::NotFixed { path: self.shown() }),
        }
    }

    /// How messages call it.
    pub(crate) fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// Whether a load finds what an extension needs by this name.
    pub(crate) fn has_library(&self, name: &str) -> bool {
        self.libraries.contains(name) || self.libraries.contains("libc.so.6") && is_part_of_libc(name)
    }
}

/// What a file is called and calls itself, and what it is linked with itself and so brings along.
fn libraries_of(path: &Path, extension: &Extension<'_>) -> HashSet<String> {
    let called = [path.file_name(), path.file_stem()].into_iter().flatten();
    let called = called.map(|name| name.to_string_lossy().into_owned());
    let linked = needs::of(&extension.file).into_iter().map(|need| need.name);
    called.chain(needs::soname(&extension.file)).chain(linked).collect()
}

/// Whether who has the C library has this too.
#[cfg(target_os = "linux")]
fn is_part_of_libc(name: &str) -> bool {
    use llext::export::{Exports, Libc};
    Libc::new().provides(name.as_bytes())
}

#[cfg(not(target_os = "linux"))]
fn is_part_of_libc(_: &str) -> bool {
    false
}

/// Whether llext itself provides the symbol to every extension.
pub(crate) fn is_built_in(name: &str) -> bool {
    let defined = ["__dso_handle", "_GLOBAL_OFFSET_TABLE_"];
    let supplied = llext::is_provided(name.as_bytes()) || defined.contains(&name);
    supplied || name.starts_with("__start_") || name.starts_with("__stop_")
}

fn nothing(path: &Path) -> Error {
    Error::NoExportTable { path: path.display().to_string() }
}
