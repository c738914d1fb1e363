//! `llext discarded FIRMWARE`: the exports of groups that a firmware was built without.
//!
//! C's `EXPORT_GROUP_SYMBOL` names what it leaves out in a section that is not loaded: group and symbol, each with a NUL.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use object::{Object, ObjectSection};
use serde::Serialize;

use crate::cli::Discarded;
use crate::demangle;
use crate::elf::{self, Extension};
use crate::error::Error;
use crate::table::Columns;
use crate::terminal::HEADING;

const SECTION: &str = "llext_discarded";

/// What a firmware does not offer, by group.
#[derive(Serialize)]
pub(crate) struct LeftOut {
    file: String,
    groups: BTreeMap<String, BTreeSet<String>>,
}

pub(crate) fn run(arguments: &Discarded) -> Result<LeftOut, Error> {
    let bytes = elf::read(&arguments.file)?;
    let file = arguments.file.display().to_string();
    let firmware = Extension::parse(&file, &bytes)?.file;
    let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for section in firmware.sections().filter(|section| section.name() == Ok(SECTION)) {
        let data = section.data().map_err(Error::malformed(&arguments.file))?;
        let text = String::from_utf8_lossy(data);
        let words: Vec<&str> = text.split_terminator('\0').collect();
        for (entry, pair) in words.chunks(2).enumerate() {
            let [group, symbol] = pair else {
                return Err(Error::BadExportTable { path: file, entry, what: "size" });
            };
            groups.entry((*group).to_owned()).or_default().insert((*symbol).to_owned());
        }
    }
    Ok(LeftOut { file, groups })
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count: usize = self.groups.values().map(BTreeSet::len).sum();
        writeln!(f, "{HEADING}{}{HEADING:#}: {count} symbols of groups that were left out", self.file)?;
        if count == 0 {
            return Ok(());
        }
        let mut columns = Columns::new(&["group", "symbol"]);
        for (group, symbols) in &self.groups {
            for symbol in symbols {
                columns.row([demangle::printable(group), demangle::printable(symbol)]);
            }
        }
        write!(f, "{columns}")
    }
}
