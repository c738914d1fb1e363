//! What a built file contains, as names: what `shows:` is checked against.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use object::LittleEndian;
use object::elf::{self, FileHeader64, Names};
use object::read::elf::{ElfFile64, FileHeader, SectionHeader, Sym};

type Header = FileHeader64<LittleEndian>;
type Parsed<'a> = ElfFile64<'a, LittleEndian>;

/// Every section, symbol, and spelled-out constant of a file with the number of times it occurs.
pub(crate) struct Facts(BTreeMap<String, usize>);

impl Facts {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let bytes = fs::read(path).map_err(|error| error.to_string())?;
        Self::gather(&bytes).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn gather(bytes: &[u8]) -> object::Result<Self> {
        let file = Parsed::parse(bytes)?;
        let machine = file.elf_header().e_machine(LittleEndian);
        let mut facts = Gather { names: elf::machine_names(machine), counts: BTreeMap::new() };
        facts.sections(&file)?;
        facts.symbols(&file)?;
        facts.relocations(&file)?;
        facts.dynamic(&file)?;
        facts.segments(&file);
        Ok(Self(facts.counts))
    }

    /// Whether `claim` holds: `NAME`, `NAME*`, `NAME>=COUNT`, `NAME=COUNT`, each with `!` before it for the opposite.
    pub(crate) fn bear_out(&self, claim: &str) -> bool {
        if let Some(claim) = claim.strip_prefix('!') {
            return !self.bear_out(claim);
        }
        if let Some((name, count)) = claim.split_once(">=") {
            return count.parse().is_ok_and(|count: usize| self.count(name) >= count);
        }
        if let Some((name, count)) = claim.split_once('=') {
            return count.parse().is_ok_and(|count: usize| self.count(name) == count);
        }
        self.count(claim) > 0
    }

    fn count(&self, name: &str) -> usize {
        match name.strip_suffix('*') {
            Some(start) => {
                self.0.iter().filter(|(name, _)| name.starts_with(start)).map(|(_, count)| count).sum()
            }
            None => self.0.get(name).copied().unwrap_or(0),
        }
    }
}

struct Gather {
    names: &'static Names,
    counts: BTreeMap<String, usize>,
}

impl Gather {
    fn note(&mut self, name: impl Into<String>) {
        *self.counts.entry(name.into()).or_default() += 1;
    }

    fn note_all(&mut self, names: impl IntoIterator<Item = Option<&'static str>>) {
        for name in names.into_iter().flatten() {
            self.note(name);
        }
    }

    fn sections(&mut self, file: &Parsed<'_>) -> object::Result<()> {
        let table = file.elf_section_table();
        for section in table.iter() {
            self.note("sections");
            self.note(String::from_utf8_lossy(table.section_name(LittleEndian, section)?));
            let kind = section.sh_type(LittleEndian);
            self.note_all([self.names.sht.name(kind)]);
            if kind == elf::SHT_GROUP {
                self.note("COMDAT");
            }
            let (names, mut flags) = (self.names, Vec::new());
            names.shf.names(section.sh_flags(LittleEndian), |_, name| flags.push(Some(name)));
            self.note_all(flags);
        }
        Ok(())
    }

    fn symbols(&mut self, file: &Parsed<'_>) -> object::Result<()> {
        for table in [file.elf_symbol_table(), file.elf_dynamic_symbol_table()] {
            for symbol in table.iter() {
                self.note(String::from_utf8_lossy(symbol.name(LittleEndian, table.strings())?));
                let names = self.names;
                self.note_all([names.stb.name(symbol.st_bind()), names.stt.name(symbol.st_type())]);
                self.note_all([names.shn.name(symbol.st_shndx(LittleEndian))]);
                self.note_all([visibility(symbol.st_visibility())]);
            }
        }
        Ok(())
    }

    fn relocations(&mut self, file: &Parsed<'_>) -> object::Result<()> {
        for section in file.elf_section_table().iter() {
            if let Some((entries, _)) = section.rela(LittleEndian, file.data())? {
                for entry in entries {
                    self.note_all([self.names.r.name(entry.r_type(LittleEndian, false))]);
                }
            }
        }
        Ok(())
    }

    fn dynamic(&mut self, file: &Parsed<'_>) -> object::Result<()> {
        let header: &Header = file.elf_header();
        for segment in header.program_headers(LittleEndian, file.data())? {
            use object::read::elf::{Dyn, ProgramHeader};
            for entry in segment.dynamic(LittleEndian, file.data())?.into_iter().flatten() {
                self.note_all([self.names.dt.name(entry.d_tag(LittleEndian))]);
            }
        }
        Ok(())
    }

    fn segments(&mut self, file: &Parsed<'_>) {
        for segment in file.elf_program_headers() {
            use object::read::elf::ProgramHeader;
            self.note_all([self.names.pt.name(segment.p_type(LittleEndian))]);
        }
    }
}

fn visibility(visibility: elf::SymbolVisibility) -> Option<&'static str> {
    match visibility {
        elf::STV_HIDDEN => Some("STV_HIDDEN"),
        elf::STV_INTERNAL => Some("STV_INTERNAL"),
        elf::STV_PROTECTED => Some("STV_PROTECTED"),
        _ => None,
    }
}
