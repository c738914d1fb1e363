//! The file during a load: lent whole, or read piece by piece into a batch.

use super::buffer::Buffer;
use super::stored::Stored;
use crate::error::Error;
use crate::native::Native;
use crate::source::Source;
use llext_link::Error as LinkError;
use llext_link::addr::{Extent, SectionIndex};
use llext_link::elf::Bytes;
use llext_link::elf::header::{Header, Kind};
use llext_link::elf::section::{Section, Tables, relocation_size};
use llext_link::elf::symbol::Symbols;
use llext_link::symbol::View;

/// How many relocations one read brings. With an operating system a read costs more, and memory less.
pub(super) const BATCH: usize = if cfg!(feature = "std") { 1024 } else { 64 };

/// The file and what is known of it.
pub(super) struct File<'l, S, T> {
    pub(super) source: Stored<S>,
    pub(super) header: Option<Header>,
    /// Where the symbol tables lie: in the file when it is lent, else in `tables`.
    pub(super) extents: Tables,
    pub(super) sections: Buffer<'l, T>,
    pub(super) tables: Buffer<'l, T>,
    pub(super) batch: Buffer<'l, T>,
    /// What the batch holds: its size is 0 where that is used only once.
    pub(super) held: Extent,
    /// Whether the file's global symbols are its exports: it has no `.exported_sym`.
    pub(super) exports_globals: bool,
}

impl<S: Source, T: AsMut<[u8]> + AsRef<[u8]>> File<'_, S, T> {
    pub(super) fn header(&self) -> Result<Header, Error> {
        self.header.ok_or(Error::Link(llext_link::Error::NothingToLoad))
    }

    pub(super) fn sections(&self) -> &[Section] {
        self.sections.table()
    }

    /// How many records of `size` bytes one fetch may bring, at most `budget`.
    pub(super) fn batch(&self, size: usize, budget: u32) -> u32 {
        let most = if self.source.lent().is_some() { usize::MAX } else { self.batch.bytes().len() };
        u32::try_from(most / size).unwrap_or(u32::MAX).min(budget)
    }

    /// Makes the bytes of `extent` ready for [`File::fetched`].
    pub(super) fn fetch(&mut self, extent: Extent) -> Result<(), Error> {
        if self.source.lent().is_none() && extent.size > 0 {
            self.held = Extent { size: 0, ..extent };
            let buffer = self.batch.bytes_mut().get_mut(..extent.size as usize).unwrap_or_default();
            self.source.read_at(extent.offset.into(), buffer)?;
        }
        Ok(())
    }

    /// Makes the records of a table ready for [`File::fetched`]: how many bytes of `rest`, what is left of the table in
    /// section `index`. A read brings as many as there is room for, of this table and of those that follow in the file.
    pub(super) fn fetch_table(&mut self, index: u32, entry: u32, rest: Extent) -> Result<u32, Error> {
        if self.source.lent().is_some() {
            return Ok(rest.size);
        }
        let first = Extent { size: entry, ..rest };
        if first.offset < self.held.offset || first.end() > self.held.end() {
            let size = self.records_from(index, rest);
            self.fetch(Extent { size, ..rest })?;
            self.held.size = size;
        }
        Ok(rest.size.min((self.held.end() - u64::from(rest.offset)) as u32))
    }

    /// How many bytes of whole records lie side by side from `rest` on, and fit a batch.
    fn records_from(&self, index: u32, rest: Extent) -> u32 {
        let mut end = rest.offset;
        let tables = self.sections().iter().skip(index as usize).filter(|section| section.is_relocations());
        for (table, section) in tables.enumerate() {
            let extent = if table == 0 { rest } else { section.extent() };
            let entry = relocation_size::<Native>(section.role()) as u32;
            let room = (self.batch.bytes().len() as u32 - (end - rest.offset)) / entry * entry;
            if extent.offset != end {
                break;
            }
            end += extent.size.min(room);
            if extent.size > room {
                break;
            }
        }
        end - rest.offset
    }

    /// The bytes of `extent`, after [`File::fetch`] or [`File::fetch_table`].
    pub(super) fn fetched(&self, extent: Extent) -> &[u8] {
        match self.source.lent() {
            Some(all) => extent.of(all).unwrap_or_default(),
            // What is empty was not fetched, and may lie anywhere.
            None => {
                let offset = extent.offset.checked_sub(self.held.offset);
                let held = offset.and_then(|offset| Extent { offset, ..extent }.of(self.batch.bytes()));
                held.unwrap_or_default()
            }
        }
    }

    /// Copies the bytes of `extent` to where they will run.
    pub(super) fn copy(&mut self, extent: Extent, to: &mut [u8]) -> Result<(), Error> {
        match self.source.lent() {
            Some(all) => {
                if let Some(bytes) = extent.of(all).filter(|bytes| bytes.len() == to.len()) {
                    to.copy_from_slice(bytes);
                }
                Ok(())
            }
            None => Ok(self.source.read_at(extent.offset.into(), to)?),
        }
    }

    /// The tables that symbols are read from.
    fn table(&self, extent: Extent) -> &[u8] {
        let all = self.source.lent().unwrap_or(self.tables.bytes());
        extent.of(all).unwrap_or_default()
    }

    pub(super) fn names(&self) -> &[u8] {
        self.table(self.extents.names)
    }

    /// The symbols of a relocatable file, and their names.
    #[cfg(feature = "inspect")]
    pub(super) fn symbols(&self) -> [&[u8]; 2] {
        [self.extents.symbols, self.extents.strings].map(|table| self.table(table))
    }

    pub(super) fn view(&self) -> Result<View<'_, Native>, Error> {
        let extents = &self.extents;
        let (entries, strings) = (self.table(extents.symbols), self.table(extents.strings));
        let symbols = Symbols::new(entries, strings, self.table(extents.extended))?;
        let (sections, names) = (self.sections(), self.names());
        let exports_globals = self.exports_globals;
        Ok(View { kind: Kind::Relocatable, symbols, sections, names, exports_globals })
    }

    /// The run address of a section that is used in place.
    pub(super) fn run_address(&self, section: SectionIndex) -> Option<u64> {
        let file = self.source.stays()?.as_ptr().addr() as u64;
        let section = self.sections().get(section.0 as usize).filter(|section| section.is_in_place())?;
        Some(file.wrapping_add(section.extent().offset.into()))
    }

    /// What relocating needs of the file: the symbols, the records of `extent`, and the bytes of `section` if that is
    /// relocated in place, at `target`.
    pub(super) fn split(
        &mut self,
        extent: Extent,
        (section, target): (SectionIndex, Option<Extent>),
    ) -> Result<Split<'_>, Error> {
        let Some(target) = target.filter(|_| self.source.stays().is_some()) else {
            return Ok((self.view()?.symbols, self.fetched(extent), &mut []));
        };
        let Tables { symbols, strings, extended, .. } = self.extents;
        let overlap =
            LinkError::OverlappingSections { section: section.0, found: target.size.into(), expected: 0 };
        let (around, bytes) = self.source.around(target).ok_or(overlap)?;
        let table = |extent| around.of(extent).ok_or(overlap);
        let symbols = Symbols::new(table(symbols)?, table(strings)?, table(extended)?)?;
        Ok((symbols, table(extent)?, bytes))
    }
}

/// What relocating needs of a file: symbols, records, and the bytes of a section in place.
type Split<'a> = (Symbols<'a, Native>, &'a [u8], &'a mut [u8]);

/// The file as the linker reads headers: checked ranges only.
pub(super) struct Reader<'a, S> {
    pub(super) source: &'a mut Stored<S>,
    pub(super) batch: &'a mut [u8],
}

impl<S: Source> Bytes for Reader<'_, S> {
    type Error = Error;

    fn batch(&self) -> usize {
        if self.source.lent().is_some() { usize::MAX } else { self.batch.len() }
    }

    fn bytes(&mut self, offset: u32, len: usize) -> Result<&[u8], Error> {
        if self.source.lent().is_none() {
            let batch = self.batch.get_mut(..len).unwrap_or_default();
            self.source.read_at(offset.into(), batch)?;
            return Ok(batch);
        }
        let all = self.source.lent().unwrap_or_default();
        Ok(Extent { offset, size: len as u32 }.of(all).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::ReadOnly;
    use std::vec;

    #[test]
    fn nothing_is_fetched_of_what_is_not_there() {
        let nothing = || Buffer::Nothing;
        let mut file = File {
            source: Stored::new(ReadOnly(b"0123456789")),
            header: None,
            extents: Tables::default(),
            sections: nothing(),
            tables: nothing(),
            batch: Buffer::Owned(vec![0; 8], 8),
            held: Extent::default(),
            exports_globals: true,
        };
        let some = Extent { offset: 4, size: 3 };
        file.fetch(some).unwrap();
        assert_eq!(file.fetched(some), b"456");
        // Most files have no build attributes.
        file.fetch(Extent::default()).unwrap();
        assert_eq!(file.fetched(Extent::default()), b"");
    }
}
