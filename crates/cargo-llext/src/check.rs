//! `llext check FILE --against HOST`: every symbol and every extension that the file needs and nobody provides.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::cli::Check;
use crate::demangle::{self, printable};
use crate::elf::{self, Extension, Import};
use crate::error::{Error, Refusal};
use crate::host::{self, Host};
use crate::needs::{self, Need};
use crate::terminal::{BAD, GOOD, Terminal};

/// How an extension's imports are met.
#[derive(Serialize)]
pub(crate) struct Verdict {
    file: String,
    against: Vec<String>,
    imports: usize,
    missing: Vec<Missing>,
    needs: usize,
    missing_needs: Vec<Need>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Refusal>,
}

#[derive(Serialize)]
struct Missing {
    name: String,
    readable: String,
}

pub(crate) fn run(arguments: &Check, terminal: &Terminal) -> Result<(), Error> {
    let bytes = elf::read(&arguments.file)?;
    let extension = Extension::parse(&arguments.file.display().to_string(), &bytes)?;
    let mut verdict = judge(&extension, &arguments.against)?;
    verdict.error = verdict.refusal().as_ref().map(Refusal::of);
    terminal.show(&verdict)?;
    verdict.refusal().map_or(Ok(()), Err)
}

/// Refuses an extension that needs what its host does not provide.
pub(crate) fn require(extension: &Extension<'_>, against: &[PathBuf]) -> Result<(), Error> {
    let verdict = judge(extension, against)?;
    verdict.refusal().map_or(Ok(()), Err)
}

fn judge(extension: &Extension<'_>, against: &[PathBuf]) -> Result<Verdict, Error> {
    let hosts = against.iter().map(|path| Host::read(path)).collect::<Result<Vec<_>, _>>()?;
    for host in &hosts {
        host.suits(extension)?;
    }
    let provided =
        |import: &Import| host::is_built_in(&import.name) || hosts.iter().any(|host| host.provides(import));
    let needed: Vec<Import> = extension.imports().into_iter().filter(|import| !import.weak).collect();
    let imports = needed.len();
    let missing = needed.into_iter().filter(|import| !provided(import)).map(Missing::from).collect();
    let needed = needs::of(&extension.file);
    let needs = needed.len();
    let is_there = |need: &Need| hosts.iter().any(|host| host.has_library(&need.name));
    let missing_needs = needed.into_iter().filter(|need| !is_there(need)).collect();
    let against = hosts.iter().map(|host| host.path.display().to_string()).collect();
    let file = extension.path.clone();
    Ok(Verdict { file, against, imports, missing, needs, missing_needs, error: None })
}

impl Verdict {
    fn refusal(&self) -> Option<Error> {
        let (file, host) = (self.file.clone(), self.against.join(", "));
        let symbols: Vec<_> = self.missing.iter().map(|missing| missing.readable.as_str()).collect();
        let needs: Vec<_> = self.missing_needs.iter().map(|need| printable(&need.name)).collect();
        if !symbols.is_empty() {
            let (count, names) = (symbols.len(), symbols.join(", "));
            return Some(Error::MissingSymbols { file, host, count, names });
        }
        (!needs.is_empty()).then(|| Error::MissingNeeds { file, host, names: needs.join(", ") })
    }
}

impl From<Import> for Missing {
    fn from(import: Import) -> Self {
        Self { readable: demangle::demangle(&import.name), name: import.name }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for missing in &self.missing {
            writeln!(f, "{BAD}missing{BAD:#} {}", demangle::both(&missing.name))?;
        }
        for need in &self.missing_needs {
            writeln!(f, "{BAD}missing{BAD:#} extension {need}")?;
        }
        if !self.missing.is_empty() || !self.missing_needs.is_empty() {
            return Ok(());
        }
        let (file, imports, hosts) = (&self.file, self.imports, self.against.join(", "));
        let needs = if self.needs > 0 { format!(" and {} needs", self.needs) } else { String::new() };
        writeln!(f, "{GOOD}ok{GOOD:#} {file}: all {imports} imports{needs} are provided by {hosts}")
    }
}
