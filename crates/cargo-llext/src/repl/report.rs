//! What is told of extensions that are loaded.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::demangle::{both, printable};
use crate::run::session::Region;
use crate::table::Columns;
use crate::terminal::{FAINT, HEADING};

/// All that is loaded.
#[derive(Serialize)]
pub(super) struct List {
    pub(super) extensions: Vec<Row>,
}

/// One extension, in short.
#[derive(Serialize)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) state: &'static str,
    pub(super) uses: u32,
    pub(super) needed_by: Vec<String>,
    pub(super) bytes: usize,
    pub(super) file: PathBuf,
}

/// One extension, at length.
#[derive(Serialize)]
pub(super) struct Facts {
    #[serde(flatten)]
    pub(super) row: Row,
    pub(super) needs: Vec<String>,
    pub(super) regions: Vec<Region>,
    pub(super) exports: usize,
}

/// What an extension exports.
#[derive(Serialize)]
pub(super) struct Symbols {
    pub(super) name: String,
    pub(super) symbols: Vec<Symbol>,
}

#[derive(Serialize)]
pub(super) struct Symbol {
    pub(super) name: String,
    pub(super) address: String,
}

/// What lies at an address.
#[derive(Serialize)]
pub(super) struct Place {
    pub(super) address: String,
    pub(super) extension: String,
    pub(super) part: String,
    pub(super) offset: usize,
    /// The export before it.
    pub(super) symbol: Option<String>,
    pub(super) symbol_offset: Option<usize>,
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "-".to_owned();
    }
    names.iter().map(|name| printable(name)).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.extensions.is_empty() {
            return writeln!(f, "nothing is loaded");
        }
        let mut columns = Columns::new(&["name", "state", ">uses", "needed by", ">bytes", "file"]);
        for row in &self.extensions {
            columns.row([
                printable(&row.name),
                row.state.to_owned(),
                row.uses.to_string(),
                listed(&row.needed_by),
                row.bytes.to_string(),
                row.file.display().to_string(),
            ]);
        }
        write!(f, "{columns}")
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row { name, state, uses, needed_by, file, .. } = &self.row;
        let name = printable(name);
        writeln!(f, "{HEADING}{name}{HEADING:#}: {state}, {}", file.display())?;
        writeln!(f, "  uses       {uses}")?;
        writeln!(f, "  needed by  {}", listed(needed_by))?;
        writeln!(f, "  needs      {}", listed(&self.needs))?;
        writeln!(f, "  exports    {}", self.exports)?;
        self.regions.iter().try_for_each(|region| writeln!(f, "  {FAINT}{region}{FAINT:#}"))
    }
}

impl fmt::Display for Symbols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = &mut self.symbols.iter();
        lines.try_for_each(|symbol| writeln!(f, "  {:>14}  {}", symbol.address, both(&symbol.name)))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, extension, part, offset, .. } = self;
        write!(f, "{address}: {}, {part}+{offset:#x}", printable(extension))?;
        if let (Some(symbol), Some(offset)) = (&self.symbol, self.symbol_offset) {
            write!(f, ", {}+{offset:#x}", both(symbol))?;
        }
        writeln!(f)
    }
}
