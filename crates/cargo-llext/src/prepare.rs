//! `llext prepare FIRMWARE`: sorts a firmware's table of exports where it lies, by name or, with SLIDs for the names, by those.
//!
//! The tables are those that C's `EXPORT_SYMBOL` and `#[llext::export]` fill, and LLEXT's own. The names of a table that is made
//! for SLIDs lie in a section that no memory is given to, and their addresses count from its start: where that section is, the
//! firmware cannot read names, and where it is not, it would take SLIDs for names. So the two are never mixed up.

use std::fmt;
use std::path::Path;

use object::{Object, ObjectKind, ObjectSection, SectionIndex};
use serde::Serialize;

use crate::cli::Prepare;
use crate::elf::{self, Extension, PREPARED, SLID_NAMES};
use crate::error::Error;
use crate::slid::{self, Named};
use crate::terminal::HEADING;
use crate::words::Words;

/// The sections that hold a table of exports: of names, of SLIDs, of either.
const TABLES: [&[u8]; 3] = [b"llext_exports", b"llext_slids", b"llext_const_symbol_area"];

/// What was done to a firmware.
#[derive(Serialize)]
pub(crate) struct Prepared {
    file: String,
    output: String,
    by: &'static str,
    tables: Vec<Table>,
}

#[derive(Serialize)]
struct Table {
    section: String,
    /// Whether it was prepared before, and so left alone.
    already: bool,
    symbols: Vec<Named>,
}

/// An entry of a table.
struct Entry {
    name: String,
    /// What it is sorted by.
    key: u64,
    address: u64,
}

pub(crate) fn run(arguments: &Prepare) -> Result<Prepared, Error> {
    let mut bytes = elf::read(&arguments.file)?;
    let original = bytes.clone();
    let file = arguments.file.display().to_string();
    let firmware = Firmware { extension: Extension::parse(&file, &original)?, by_slid: arguments.slid };
    firmware.check()?;
    let tables = firmware.prepare(&mut bytes)?;
    let output = arguments.output.as_ref().unwrap_or(&arguments.file);
    // A firmware that was prepared before does not say its names any more: what was listed then is still true.
    if let Some(listing) = arguments.listing.as_ref().filter(|_| tables.iter().any(|table| !table.already)) {
        list(listing, &tables)?;
    }
    std::fs::write(output, &bytes).map_err(Error::unwritable(output))?;
    let by = if arguments.slid { "SLID" } else { "name" };
    Ok(Prepared { file, output: output.display().to_string(), by, tables })
}

struct Firmware<'d> {
    extension: Extension<'d>,
    by_slid: bool,
}

impl<'d> Firmware<'d> {
    /// Refuses files whose tables are not there yet, or are filled when they start, or are of the other kind.
    fn check(&self) -> Result<(), Error> {
        let Extension { path, file } = &self.extension;
        let path = path.clone();
        if file.kind() != ObjectKind::Executable {
            return Err(Error::NotFirmware { path });
        }
        let names = file.section_by_name_bytes(SLID_NAMES).is_some();
        match (self.by_slid, names) {
            (true, false) if !self.is_done() => Err(Error::NotForSlids { path }),
            (false, true) => Err(Error::ForSlids { path }),
            _ => Ok(()),
        }
    }

    fn tables(&self) -> impl Iterator<Item = object::Section<'d, '_>> {
        let is_table = |section: &object::Section<'_, '_>| {
            section.name_bytes().is_ok_and(|name| TABLES.contains(&name)) && section.size() > 0
        };
        self.extension.file.sections().filter(is_table)
    }

    fn is_done(&self) -> bool {
        self.tables().any(|table| elf::flags(&table).0 & PREPARED != 0)
    }

    fn prepare(&self, bytes: &mut [u8]) -> Result<Vec<Table>, Error> {
        let mut tables = Vec::new();
        for section in self.tables() {
            let name = String::from_utf8_lossy(section.name_bytes().unwrap_or_default()).into_owned();
            let already = elf::flags(&section).0 & PREPARED != 0;
            let symbols = if already { Vec::new() } else { self.prepare_table(&section, bytes)? };
            tables.push(Table { section: name, already, symbols });
        }
        if tables.is_empty() {
            return Err(Error::NoTable { path: self.extension.path.clone() });
        }
        Ok(tables)
    }

    fn prepare_table(
        &self,
        section: &object::Section<'d, '_>,
        bytes: &mut [u8],
    ) -> Result<Vec<Named>, Error> {
        let words = Words::of(&self.extension.file);
        let mut entries = self.entries(section, words)?;
        entries.sort_by(|one, other| match self.by_slid {
            true => one.key.cmp(&other.key),
            false => one.name.cmp(&other.name),
        });
        let name = |entry: &Entry| Named {
            slid: words.show(words.slid(entry.name.as_bytes())),
            name: entry.name.clone(),
        };
        let symbols: Vec<Named> = entries.iter().map(name).collect();
        slid::refuse_clashes(&self.extension.path, &symbols)?;
        let (start, _) = section.file_range().unwrap_or_default();
        for (number, entry) in entries.iter().enumerate() {
            let at = start as usize + number * 2 * words.size();
            words.write(bytes, at, entry.key);
            words.write(bytes, at + words.size(), entry.address);
        }
        self.mark(section.index(), words, bytes);
        Ok(symbols)
    }

    fn entries(&self, section: &object::Section<'d, '_>, words: Words) -> Result<Vec<Entry>, Error> {
        let data = section.data().map_err(Error::malformed(Path::new(&self.extension.path)))?;
        let mut entries = Vec::new();
        for (number, entry) in data.chunks(2 * words.size()).enumerate() {
            let bad = |what| Error::BadExportTable { path: self.extension.path.clone(), entry: number, what };
            let pointer = words.read(entry, 0).ok_or_else(|| bad("size"))?;
            let address = words.read(entry, words.size()).ok_or_else(|| bad("size"))?;
            let name = self.name(pointer).ok_or_else(|| bad("name"))?;
            let key = if self.by_slid { words.slid(name.as_bytes()) } else { pointer };
            entries.push(Entry { name, key, address });
        }
        Ok(entries)
    }

    /// The name that an entry points to.
    fn name(&self, pointer: u64) -> Option<String> {
        if !self.by_slid {
            return self.extension.string_at(self.extension.spot_of_address(pointer)?);
        }
        let names = self.extension.file.section_by_name_bytes(SLID_NAMES)?;
        let offset = pointer.checked_sub(names.address())?;
        self.extension.string_at(elf::Spot { section: names.index(), offset })
    }

    fn mark(&self, index: SectionIndex, words: Words, bytes: &mut [u8]) {
        if let Some(at) = words.flags_of(&self.extension.file, index) {
            let flags = words.read(bytes, at).unwrap_or_default();
            words.write(bytes, at, flags | PREPARED);
        }
    }
}

/// Writes which SLID stands for which name.
fn list(path: &Path, tables: &[Table]) -> Result<(), Error> {
    let symbols = tables.iter().flat_map(|table| &table.symbols);
    let lines: String = symbols.map(|Named { slid, name }| format!("{slid} -> {name}\n")).collect();
    std::fs::write(path, lines).map_err(Error::unwritable(path))
}

impl fmt::Display for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { output, by, tables, .. } = self;
        for Table { section, already, symbols } in tables {
            if *already {
                writeln!(f, "{HEADING}{output}{HEADING:#}: {section} was prepared before")?;
                continue;
            }
            let count = symbols.len();
            writeln!(f, "{HEADING}{output}{HEADING:#}: {section} sorted by {by}, {count} symbols")?;
            slid::show(f, symbols)?;
        }
        Ok(())
    }
}
