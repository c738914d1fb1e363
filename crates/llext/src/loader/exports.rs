//! The exports of every extension: entries are made where the file has none, checked, and entered in the index.

use super::linked::PRE_LOCATED;
use super::load::{Load, Stage as Whole, Word};
use super::tables::Origin;
use crate::error::{Error, Name};
use crate::export::{ENTRY, Export, IndexError, buckets_for, check_entries, insert};
use crate::image::Image;
use crate::lock::RawMutex;
use crate::memory::{Memory, Protection};
use crate::native::Native;
use crate::registry::ExportView;
use crate::source::Source;
use core::ops::Range;
use llext_link::Error as LinkError;
use llext_link::addr::{Extent, Part, SymbolIndex};
use llext_link::elf::dynamic::Dynamic;
use llext_link::elf::symbol::{SHN_ABS, STT_GNU_IFUNC};
use llext_link::elf::write_word;
use llext_link::symbol::Mark;

/// How far the exports have come. In this order:
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    /// Entries are made for global symbols, where the file has no table.
    Make(Made),
    /// Every entry is checked, from this one on; of a shared object's own symbols, the indirect functions.
    Check(u32),
    /// Every entry is entered in the index, from this one on.
    Index(u32),
}

/// How many symbols have been looked at, how many entries were made of them, and the bytes of their names.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Made {
    symbols: u32,
    entries: u32,
    names: u32,
}

impl Stage {
    pub(super) const BEGIN: Self = Self::Make(Made { symbols: 0, entries: 0, names: 0 });
}

/// As many of `count` things from `from` on as the budget allows, which they are taken from.
fn slice(from: u32, count: u32, budget: &mut u32) -> Range<u32> {
    let taken = count.saturating_sub(from).min(*budget);
    *budget -= taken;
    from..from + taken
}

impl<M: Memory, R: RawMutex, const N: usize, S: Source> Load<'_, '_, M, R, N, S> {
    #[inline(never)]
    pub(super) fn advance_exports(&mut self, stage: Stage, budget: &mut u32) -> Result<Whole, Error> {
        Ok(Whole::Exports(match stage {
            Stage::Make(made) => self.make_entries(made, budget)?,
            Stage::Check(from) => self.check_exports(from, budget)?,
            Stage::Index(from) => match self.index_entries(from, budget)? {
                Some(from) => Stage::Index(from),
                None => return Ok(Whole::Finish),
            },
        }))
    }

    /// What was made, checked and entered.
    #[inline(never)]
    pub(super) fn export_view(&mut self) -> Result<ExportView, Error> {
        let tables = self.tables;
        if let (Origin::Dynamic, Some(dynamic)) = (tables.origin, self.shared.dynamic()) {
            return self.dynamic_exports(dynamic);
        }
        let count = tables.entries as usize;
        if count == 0 {
            // A part that is empty may lie anywhere, aligned or not.
            return Ok(ExportView::Table {
                entries: (align_of::<Export>(), 0),
                buckets: (align_of::<u32>(), 0),
            });
        }
        let entries = self.entries_address()?;
        if let (true, Origin::Linked(index)) = (PRE_LOCATED, tables.origin) {
            return self.linked_exports((entries, count), index);
        }
        let buckets = self.addresses.part(Part::Constants) as usize + self.buckets_at();
        Ok(ExportView::Table { entries: (entries, count), buckets: (buckets, buckets_for(count)) })
    }

    /// The dynamic symbols of a shared object.
    #[inline(never)]
    fn dynamic_exports(&mut self, tables: Dynamic) -> Result<ExportView, Error> {
        let (start, size) = (self.addresses.part(Part::Image), self.layout.size(Part::Image));
        let (image, bias) = ((start as usize, size as usize), self.shared.bias as usize);
        Ok(ExportView::Dynamic { tables, image, constant: self.check_constant(&tables)?, bias })
    }

    /// Where the entries lie.
    fn entries_at(&self) -> (Part, usize) {
        match self.tables.origin {
            Origin::Image(extent) => (Part::Image, extent.offset as usize),
            Origin::Sections | Origin::Linked(_) => (Part::Constants, self.layout.exports.offset as usize),
            Origin::Globals | Origin::Dynamic => {
                (Part::Constants, self.layout.extra_constants.offset as usize)
            }
        }
    }

    /// Where the entries run, aligned.
    fn entries_address(&self) -> Result<usize, Error> {
        let (part, at) = self.entries_at();
        let entries = self.addresses.part(part) as usize + at;
        if entries % align_of::<Export>() != 0 {
            return Err(Error::BadExports { index: self.tables.entries, found: entries as u64 });
        }
        Ok(entries)
    }

    /// Where in the constants the index lies: behind the entries that were made.
    fn buckets_at(&self) -> usize {
        self.layout.extra_constants.offset as usize + self.tables.made()
    }

    /// The exports of a linked file, whose index was made when it was linked.
    fn linked_exports(&self, entries: (usize, usize), index: Extent) -> Result<ExportView, Error> {
        let buckets = self.addresses.part(Part::Constants) as usize + index.offset as usize;
        let [_, _, constants, _] = self.located();
        if index.of(constants).is_none() || buckets % align_of::<u32>() != 0 {
            return Err(Error::BadExports { index: entries.1 as u32, found: buckets as u64 });
        }
        Ok(ExportView::Table { entries, buckets: (buckets, index.size as usize / 4) })
    }

    /// The tables that exports are looked up in must lie before all that is written while the extension lives; how far
    /// that is from the start.
    fn check_constant(&mut self, dynamic: &Dynamic) -> Result<usize, Error> {
        let writable = self.protections().filter(|segment| segment.protection == Protection::ReadWrite);
        let first = writable.map(|segment| segment.offset).min();
        let image = self.image()?.part(Part::Image);
        let constant = image.get(..first.unwrap_or(image.len())).unwrap_or_default();
        dynamic.hash_table::<Native>(constant)?;
        for (tag, table) in [("DT_SYMTAB", dynamic.symbols), ("DT_STRTAB", dynamic.strings)] {
            if table.of(constant).is_none() {
                return Err(LinkError::BadDynamic { tag, found: table.offset.into() }.into());
            }
        }
        Ok(constant.len())
    }

    /// Makes a table of the file's global symbols, and their names behind the room for the index, in the constants.
    #[inline(never)]
    fn make_entries(&mut self, mut made: Made, budget: &mut u32) -> Result<Stage, Error> {
        if self.tables.made() == 0 {
            return Ok(Stage::Check(0));
        }
        let (entries, names) = (self.entries_at().1, self.buckets_at() + self.tables.buckets());
        let view = self.file.view()?;
        let values = self.values.table::<Word>();
        let address = self.addresses.part(Part::Constants);
        let part = self.image.as_mut().map_or(&mut [][..], |image| image.part(Part::Constants));
        for index in slice(made.symbols, view.symbols.len(), budget).map(SymbolIndex) {
            made.symbols += 1;
            let symbol = view.symbols.get(index)?;
            let value = values.get(index.0 as usize).copied().unwrap_or_default();
            if symbol.section == 0 || u32::from(symbol.section) == SHN_ABS || !symbol.is_exported() {
                continue;
            }
            if value == Mark::unusable() {
                continue;
            }
            let name = view.symbols.name(index, &symbol)?;
            let (entry_at, name_at) = (entries + made.entries as usize * ENTRY, names + made.names as usize);
            let changed = LinkError::TableChanged { what: "exports" };
            let to = part.get_mut(name_at..).and_then(|part| part.get_mut(..name.len()));
            to.ok_or(changed)?.copy_from_slice(name);
            let entry = part.get_mut(entry_at..).and_then(|part| part.get_mut(..ENTRY)).ok_or(changed)?;
            let (first, second) = entry.split_at_mut(ENTRY / 2);
            write_word::<Native>(first, address.wrapping_add(name_at as Word));
            write_word::<Native>(second, value);
            made.entries += 1;
            made.names += name.len() as u32 + 1;
        }
        if made.symbols < view.symbols.len() {
            return Ok(Stage::Make(made));
        }
        // Absolute symbols and those of sections that are not loaded were counted, and are no exports.
        self.tables.entries = made.entries;
        Ok(Stage::Check(0))
    }

    pub(super) fn check_exports(&mut self, from: u32, budget: &mut u32) -> Result<Stage, Error> {
        let count = match (self.tables.origin, self.shared.dynamic()) {
            (Origin::Dynamic, Some(dynamic)) => {
                dynamic.symbols::<Native>(self.image()?.part(Part::Image))?.len()
            }
            _ => self.tables.entries,
        };
        let checked = slice(from, count, budget);
        let end = checked.end;
        match (self.tables.origin, self.shared.dynamic()) {
            (Origin::Dynamic, Some(dynamic)) => self.check_indirect(&dynamic, checked)?,
            _ => self.check_entries(checked)?,
        }
        Ok(if end < count { Stage::Check(end) } else { Stage::Index(0) })
    }

    /// Exported indirect functions are resolved when they are looked up: their resolvers must lie in the code.
    #[inline(never)]
    fn check_indirect(&mut self, dynamic: &Dynamic, checked: Range<u32>) -> Result<(), Error> {
        let bias = self.shared.bias;
        for index in checked.map(SymbolIndex) {
            let symbol = dynamic.symbols::<Native>(self.image()?.part(Part::Image))?.get(index)?;
            if symbol.section != 0 && symbol.kind() == STT_GNU_IFUNC {
                self.check_function("resolver", index.0, symbol.value.wrapping_add(bias))?;
            }
        }
        Ok(())
    }

    /// An entry's name must end inside the image, and its address lie in it.
    fn check_entries(&mut self, checked: Range<u32>) -> Result<(), Error> {
        let size = self.layout.exports.size;
        if self.tables.origin == Origin::Sections && size as usize != self.tables.entries as usize * ENTRY {
            return Err(Error::BadExports { index: self.tables.entries, found: size.into() });
        }
        let (part, at) = self.entries_at();
        let (starts, sizes) = (self.addresses.parts, self.spans());
        let file = self.file.source.stays().filter(|_| self.relocatable.in_place.size > 0);
        let mut parts = match self.tables.origin {
            Origin::Linked(_) => self.located(),
            _ => self.image.as_mut().map(Image::working).unwrap_or_default().map(|part| &*part),
        };
        if let ([image, ..], Some(file)) = (&mut parts, file) {
            *image = file;
        }
        let [_, _, constants, data] = &mut parts;
        if matches!(self.tables.origin, Origin::Sections | Origin::Image(_)) {
            // The index and the record, which are written next, would take the end of a name that lies in them.
            *constants = constants.get(..self.layout.extra_constants.offset as usize).unwrap_or_default();
            *data = data.get(..self.layout.extra_data.offset as usize).unwrap_or_default();
        }
        let entries = parts.get(part as usize).and_then(|part| part.get(at..)).unwrap_or_default();
        check_entries(entries, checked, &parts, starts, sizes)
    }

    /// Where to go on, or `None` when all are entered.
    #[inline(never)]
    fn index_entries(&mut self, from: u32, budget: &mut u32) -> Result<Option<u32>, Error> {
        let count = self.tables.entries as usize;
        if count == 0 || matches!(self.tables.origin, Origin::Dynamic | Origin::Linked(_)) {
            return Ok(None);
        }
        let (entries, buckets_at) = (self.entries_address()?, self.buckets_at());
        let constants = self.image()?.part(Part::Constants);
        let buckets = constants.get_mut(buckets_at..).and_then(|part| part.get_mut(..buckets_for(count) * 4));
        // SAFETY: any bytes are numbers; the room is aligned to 16 and the entries before it to more than a `u32`.
        let (_, buckets, _) = unsafe { buckets.unwrap_or_default().align_to_mut::<u32>() };
        // SAFETY: the entries lie in the image at this address, aligned; each name was checked to end inside the
        // image; run addresses are where the bytes are written; the buckets are other bytes than entries and names.
        let entries = unsafe { core::slice::from_raw_parts(entries as *const Export, count) };
        let entered = slice(from, count as u32, budget);
        let end = entered.end;
        for number in entered.map(|number| number as usize) {
            match insert(entries, buckets, number) {
                Ok(true) => {}
                Ok(false) => {
                    let name =
                        entries.get(number).map_or(Name::EMPTY, |entry| Name::new(entry.name().to_bytes()));
                    return Err(Error::DuplicateExport { name });
                }
                Err(IndexError::Crowded { entry }) => {
                    return Err(Error::BadExports { index: entry as u32, found: 0 });
                }
                Err(_) => return Err(Error::BadExports { index: count as u32, found: 0 }),
            }
        }
        Ok(Some(end).filter(|end| (*end as usize) < count))
    }
}
