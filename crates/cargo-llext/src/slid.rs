//! `llext slid EXTENSION`: gives what the extension needs its SLIDs, for hosts whose tables have no names.
//!
//! The SLID of an undefined symbol goes into its `st_value`, which has no other use. The names stay: extensions know each
//! other's symbols by them.

use std::fmt;

use object::read::elf::ElfFile;
use object::{File, Object, ObjectSymbol, ReadRef};
use serde::Serialize;

use crate::cli::Slid;
use crate::demangle;
use crate::elf::{self, Extension};
use crate::error::Error;
use crate::table::Columns;
use crate::terminal::HEADING;
use crate::words::Words;

/// What was written.
#[derive(Serialize)]
pub(crate) struct Injected {
    file: String,
    output: String,
    /// How many of them had their SLID before.
    unchanged: usize,
    symbols: Vec<Named>,
}

/// A SLID and the name that it stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Named {
    pub(crate) slid: String,
    pub(crate) name: String,
}

pub(crate) fn run(arguments: &Slid) -> Result<Injected, Error> {
    let mut bytes = elf::read(&arguments.file)?;
    let file = arguments.file.display().to_string();
    let extension = Extension::parse(&file, &bytes)?;
    let words = Words::of(&extension.file);
    let (mut symbols, mut places) = (Vec::new(), Vec::new());
    for import in imports(&extension) {
        let name = import.name.into_owned();
        let found = words.read(&bytes, import.place).unwrap_or_default();
        let slid = words.slid(name.as_bytes());
        if found != 0 && found != slid {
            return Err(Error::NotUndefined { file, name, found });
        }
        symbols.push(Named { slid: words.show(slid), name });
        places.push((import.place, slid, found == slid));
    }
    refuse_clashes(&file, &symbols)?;
    for (place, slid, _) in &places {
        words.write(&mut bytes, *place, *slid);
    }
    let output = arguments.output.as_ref().unwrap_or(&arguments.file);
    std::fs::write(output, &bytes).map_err(Error::unwritable(output))?;
    let unchanged = places.iter().filter(|(.., unchanged)| *unchanged).count();
    Ok(Injected { file, output: output.display().to_string(), unchanged, symbols })
}

/// Refuses symbols with one SLID, or with one name, all of them at once.
pub(crate) fn refuse_clashes(file: &str, symbols: &[Named]) -> Result<(), Error> {
    let mut sorted: Vec<&Named> = symbols.iter().collect();
    sorted.sort_by_key(|symbol| (&symbol.slid, &symbol.name));
    let clashes = sorted.windows(2).filter(|pair| pair[0].slid == pair[1].slid);
    let told = |pair: &[&Named]| format!("{} and {} ({})", pair[0].name, pair[1].name, pair[0].slid);
    let clashes: Vec<String> = clashes.map(told).collect();
    if clashes.is_empty() {
        return Ok(());
    }
    Err(Error::SymbolsClash { file: file.to_owned(), count: clashes.len(), clashes: clashes.join("; ") })
}

/// A symbol that somebody else defines, and where its `st_value` lies in the file.
struct Place<'d> {
    name: std::borrow::Cow<'d, str>,
    place: usize,
}

fn imports<'d>(extension: &Extension<'d>) -> Vec<Place<'d>> {
    match &extension.file {
        File::Elf32(file) => places(file, extension.relocatable(), (16, 4)),
        File::Elf64(file) => places(file, extension.relocatable(), (24, 8)),
        _ => Vec::new(),
    }
}

/// The imports of a file whose symbols have this size, and their values this place in them.
fn places<'d, F, R>(file: &ElfFile<'d, F, R>, relocatable: bool, (size, value): (u64, u64)) -> Vec<Place<'d>>
where
    F: object::read::elf::FileHeader,
    R: ReadRef<'d>,
{
    let table = if relocatable { file.elf_symbol_table() } else { file.elf_dynamic_symbol_table() };
    let Some(start) = file.elf_section_table().section(table.section()).ok().map(|section| {
        use object::read::elf::SectionHeader;
        section.sh_offset(file.endian()).into()
    }) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let symbols: Box<dyn Iterator<Item = _>> =
        if relocatable { Box::new(file.symbols()) } else { Box::new(file.dynamic_symbols()) };
    for symbol in symbols.filter(|symbol| symbol.is_undefined() && symbol.is_global()) {
        let name = String::from_utf8_lossy(symbol.name_bytes().unwrap_or_default());
        let place: u64 = start + symbol.index().0 as u64 * size + value;
        if let (false, Ok(place)) = (name.is_empty(), usize::try_from(place)) {
            found.push(Place { name, place });
        }
    }
    found
}

impl fmt::Display for Injected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { output, unchanged, symbols, .. } = self;
        let count = symbols.len();
        writeln!(
            f,
            "{HEADING}{output}{HEADING:#}: {count} symbols have their SLIDs ({unchanged} had them before)"
        )?;
        show(f, symbols)
    }
}

/// Shows SLIDs and names as a table.
pub(crate) fn show(f: &mut fmt::Formatter<'_>, symbols: &[Named]) -> fmt::Result {
    if symbols.is_empty() {
        return Ok(());
    }
    let mut columns = Columns::new(&["SLID", "symbol"]);
    for Named { slid, name } in symbols {
        columns.row([slid.clone(), demangle::printable(name)]);
    }
    write!(f, "{columns}")
}
