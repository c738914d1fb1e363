//! `llext size FILE`: what fills a file, in memory and beside it.

use std::fmt;

use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};
use serde::Serialize;

use crate::cli::Size;
use crate::demangle;
use crate::elf::{self, Extension};
use crate::error::Error;
use crate::plan;
use crate::table::Columns;
use crate::terminal::{HEADING, Terminal};

/// What fills a file.
#[derive(Serialize)]
pub(crate) struct Filling {
    file: String,
    bytes: usize,
    loaded: u64,
    regions: Vec<Share>,
    symbols: Vec<Symbol>,
    #[serde(skip)]
    bars: bool,
}

/// How much of the loaded bytes one region takes.
#[derive(Serialize)]
struct Share {
    region: String,
    bytes: u64,
}

#[derive(Serialize)]
struct Symbol {
    name: String,
    readable: String,
    section: String,
    bytes: u64,
}

pub(crate) fn run(arguments: &Size, terminal: &Terminal) -> Result<Filling, Error> {
    let bytes = elf::read(&arguments.file)?;
    let extension = Extension::parse(&arguments.file.display().to_string(), &bytes)?;
    let regions = regions(&extension, &bytes);
    Ok(Filling {
        bytes: bytes.len(),
        loaded: regions.iter().map(|share| share.bytes).sum(),
        regions,
        symbols: symbols(&extension, arguments.top),
        bars: terminal.interactive() && !terminal.json(),
        file: extension.path,
    })
}

/// The sizes of the loaded sections by region; by section name where the linker has no regions for the file.
fn regions(extension: &Extension<'_>, bytes: &[u8]) -> Vec<Share> {
    let planned = plan::regions(bytes).ok().filter(|_| extension.relocatable());
    let mut shares: Vec<Share> = Vec::new();
    for section in
        extension.file.sections().filter(|section| elf::is_allocated(section) && section.size() > 0)
    {
        let region = match planned.as_ref().map(|regions| regions.get(section.index().0).copied().flatten()) {
            Some(Some(region)) => region.to_owned(),
            Some(None) => continue,
            None => String::from_utf8_lossy(section.name_bytes().unwrap_or_default()).into_owned(),
        };
        match shares.iter_mut().find(|share| share.region == region) {
            Some(share) => share.bytes = share.bytes.saturating_add(section.size()),
            None => shares.push(Share { region, bytes: section.size() }),
        }
    }
    shares.sort_by_key(|share| std::cmp::Reverse(share.bytes));
    shares
}

fn symbols(extension: &Extension<'_>, top: usize) -> Vec<Symbol> {
    let sized = |symbol: &object::Symbol<'_, '_>| {
        symbol.size() > 0
            && matches!(symbol.kind(), SymbolKind::Text | SymbolKind::Data | SymbolKind::Unknown)
    };
    let tell = |symbol: object::Symbol<'_, '_>| {
        let name = String::from_utf8_lossy(symbol.name_bytes().unwrap_or_default()).into_owned();
        let section =
            symbol.section_index().and_then(|index| extension.section_name(index)).unwrap_or_default();
        Symbol { readable: demangle::demangle(&name), name, section, bytes: symbol.size() }
    };
    let mut symbols: Vec<Symbol> = extension.file.symbols().filter(sized).map(tell).collect();
    symbols.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    symbols.truncate(top);
    symbols
}

impl fmt::Display for Filling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, bytes, loaded, .. } = self;
        writeln!(f, "{HEADING}{file}{HEADING:#}: {bytes} bytes in the file, {loaded} in memory")?;
        let mut columns = Columns::new(&["region", ">bytes", ">share", ""]);
        for share in &self.regions {
            let percent = share.bytes as f64 * 100.0 / (*loaded).max(1) as f64;
            let bar = if self.bars { bar(percent) } else { String::new() };
            columns.row([
                demangle::printable(&share.region),
                share.bytes.to_string(),
                format!("{percent:.1}%"),
                bar,
            ]);
        }
        write!(f, "{columns}")?;
        if self.symbols.is_empty() {
            return Ok(());
        }
        writeln!(f, "\n{HEADING}biggest symbols{HEADING:#}")?;
        let mut columns = Columns::new(&[">bytes", "section", "symbol"]);
        for symbol in &self.symbols {
            let name = if symbol.name.is_empty() { "(no name)" } else { &symbol.readable };
            columns.row([symbol.bytes.to_string(), demangle::printable(&symbol.section), name.to_owned()]);
        }
        write!(f, "{columns}")
    }
}

/// A bar of up to 40 cells, in eighths of a cell.
fn bar(percent: f64) -> String {
    const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let eighths = (percent * 3.2).round() as usize;
    let rest = EIGHTHS.get(eighths % 8).filter(|_| !eighths.is_multiple_of(8));
    format!("{}{}", "█".repeat(eighths / 8), rest.map(char::to_string).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #[test]
    fn bars_are_as_long_as_their_share() {
        assert_eq!(super::bar(100.0).chars().count(), 40);
        assert_eq!(super::bar(0.0), "");
        assert_eq!(super::bar(1.25), "▌");
    }
}
