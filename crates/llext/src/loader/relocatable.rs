//! The stages of a relocatable file: what compilers and `ld -r` write.

use super::file::File;
use super::load::{COPIED, Cursor, Load, Stage as Whole, Word};
use super::resolve::{Others, with_name};
use super::{Options, exports};
use crate::error::Error;
use crate::image::Image;
use crate::lifecycle::{self, Provided};
use crate::lock::RawMutex;
use crate::memory::{Memory, MemoryError};
use crate::native::{ARCH, Native};
use crate::source::Source;
use llext_link::Error as LinkError;
use llext_link::addr::{Extent, Part, Word as _};
use llext_link::elf::note;
use llext_link::elf::relocation::Relocations;
use llext_link::elf::section::{self, Role, Scan, Section, relocation_size};
#[cfg(not(feature = "reset"))]
use llext_link::layout::{self, Layout};
use llext_link::relocate::{Ended, Linker, PairState, Pairs, Target, Upper};
use llext_link::symbol::{Addresses, BOUND, Mark};
use llext_link::veneer::{Area, Count, Counted, Needs};

/// How far a relocatable file has come. In this order:
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    /// Section headers are read and checked.
    Sections,
    /// Build attributes are read and suit the host.
    Attributes,
    /// Symbol tables are lent, or read once into scratch.
    Tables(Cursor),
    /// The notes are read: the ABI version, and what the extension needs.
    Notes(u32),
    /// Every undefined symbol is looked up once; all missing ones are reported together.
    Resolve,
    /// Stubs and GOT slots are counted.
    Count(Cursor),
    /// Sections get their places; then sizes are fixed.
    Plan,
    /// Memory is reserved; then addresses are fixed.
    Reserve,
    /// It is cleared.
    Commit,
    /// Contents are copied.
    Copy(Cursor),
    /// The file's own symbols get their addresses.
    Assign,
    /// Relocations are applied.
    Relocate(Cursor),
}

/// What the stages hand on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    scan: Scan,
    pub(super) needs: Option<Needs>,
    /// Where in the file that lies which is used in place.
    pub(super) in_place: Extent,
    got_used: u32,
    stubs_used: u32,
    pairs: PairState,
}

impl Progress {
    /// What was counted.
    pub(super) fn needs(&self) -> Result<&Needs, Error> {
        self.needs.as_ref().ok_or(Error::Link(LinkError::NothingToLoad))
    }
}

impl<M: Memory, R: RawMutex, const N: usize, S: Source> Load<'_, '_, M, R, N, S> {
    #[inline(never)]
    pub(super) fn advance_relocatable(&mut self, stage: Stage, budget: &mut u32) -> Result<Whole, Error> {
        Ok(Whole::Relocatable(match stage {
            Stage::Sections => self.scan_sections(budget)?,
            Stage::Attributes => self.check_attributes(budget)?,
            Stage::Tables(at) => self.read_tables(at, budget)?,
            Stage::Notes(at) => self.read_notes(at, budget)?,
            Stage::Resolve => self.resolve_symbols(budget)?,
            Stage::Count(at) => self.count_needs(at, budget)?,
            Stage::Plan => self.plan_image(budget)?,
            Stage::Reserve => self.reserve()?,
            Stage::Commit => match self.commit(budget)? {
                true => Stage::Copy(Cursor::default()),
                false => Stage::Commit,
            },
            Stage::Copy(at) => self.copy_sections(at, budget)?,
            Stage::Assign => self.assign_symbols(budget)?,
            Stage::Relocate(at) => match self.relocate(at, budget)? {
                Some(at) => Stage::Relocate(at),
                None => return Ok(Whole::Exports(exports::Stage::BEGIN)),
            },
        }))
    }

    #[inline(never)]
    fn scan_sections(&mut self, budget: &mut u32) -> Result<Stage, Error> {
        let header = self.file.header()?;
        if self.file.sections().len() != header.section_count as usize {
            self.file.sections = self.scratch.table::<Section>(header.section_count)?;
            return Ok(Stage::Sections); // when they are clear
        }
        let file = &mut self.file;
        let mut reader = super::file::Reader { source: &mut file.source, batch: file.batch.bytes_mut() };
        let scan = &mut self.relocatable.scan;
        let done = scan.step::<Native, _>(&header, &mut reader, file.sections.table_mut(), *budget)?;
        *budget = budget.saturating_sub(header.section_count.max(1));
        if !done {
            return Ok(Stage::Sections);
        }
        file.extents = scan.finish(file.sections())?;
        section::connect(file.sections.table_mut())?;
        if file.source.lent().is_none() {
            let extents = file.extents;
            let tables = [extents.names, extents.symbols, extents.strings, extents.extended];
            let size = tables.iter().map(|table| u64::from(table.size)).sum();
            let size = u32::try_from(size).map_err(|_| LinkError::FileTooLarge { size })?;
            file.tables = self.scratch.bytes(size as usize)?;
        }
        Ok(Stage::Attributes)
    }

    /// What does not fit one batch is not looked at: compilers need some fifty bytes.
    #[inline(never)]
    fn check_attributes(&mut self, budget: &mut u32) -> Result<Stage, Error> {
        *budget -= 1;
        if !ARCH.attributes.is_empty() {
            let extent = self.file.extents.attributes;
            let size = self.file.batch(1, extent.size);
            let extent = Extent { size, ..extent };
            self.file.fetch(extent)?;
            ARCH.check_attributes::<Native>(self.file.fetched(extent))?;
        }
        Ok(Stage::Tables(Cursor::default()))
    }

    /// Reads one table after the other, then gives the sections the roles they have by name.
    #[inline(never)]
    fn read_tables(&mut self, at: Cursor, budget: &mut u32) -> Result<Stage, Error> {
        if self.file.source.lent().is_none() {
            if let Some(next) = self.read_table(at, budget)? {
                return Ok(Stage::Tables(next));
            }
        }
        *budget -= 1;
        let file = &mut self.file;
        let names = match file.source.lent() {
            Some(all) => file.extents.names.of(all),
            None => file.extents.names.of(file.tables.bytes()),
        };
        section::apply_names(file.sections.table_mut(), names.unwrap_or_default())?;
        self.choose_in_place()?;
        let file = &mut self.file;
        file.exports_globals = self.options.export_globals
            || !file.sections().iter().any(|section| section.role() == Role::Exports);
        let count = file.view()?.symbols.len();
        self.values = self.scratch.table::<Word>(count)?;
        Ok(Stage::Notes(0))
    }

    /// Reads more of the tables into the scratch, where one follows the other up to `at.record`; where to go on, or `None`
    /// when all are read.
    #[inline(never)]
    fn read_table(&mut self, at: Cursor, budget: &mut u32) -> Result<Option<Cursor>, Error> {
        let File { source, extents, tables, .. } = &mut self.file;
        let mut all = [&mut extents.names, &mut extents.symbols, &mut extents.strings, &mut extents.extended];
        let start: u32 = all.iter().take(at.table as usize).map(|table| table.size).sum();
        let Some(table) = all.get_mut(at.table as usize) else { return Ok(None) };
        let done = at.record - start;
        let size = (table.size - done).min(budget.saturating_mul(COPIED));
        let record = at.record + size;
        let to = tables.bytes_mut().get_mut(at.record as usize..record as usize).unwrap_or_default();
        if size > 0 {
            source.read_at((table.offset + done).into(), to)?;
        }
        *budget = budget.saturating_sub(size.div_ceil(COPIED).max(1));
        if done + size < table.size {
            return Ok(Some(Cursor { record, ..at }));
        }
        table.offset = start;
        Ok(Some(Cursor { table: at.table + 1, record }))
    }

    /// Reads the next section of notes. Nothing else of it is used, so it is not loaded.
    #[inline(never)]
    fn read_notes(&mut self, from: u32, budget: &mut u32) -> Result<Stage, Error> {
        let mut sections = (from..).zip(self.file.sections().iter().skip(from as usize));
        let found = sections.find(|(_, section)| section.role() == Role::Note);
        let Some((index, extent)) = found.map(|(index, section)| (index, section.extent())) else {
            if self.options.search_live {
                self.options.providers.search_live();
            }
            return Ok(Stage::Resolve);
        };
        let file = &mut self.file;
        if file.source.lent().is_none() {
            // Kept over a read that would block: what is lent is not lent twice.
            if self.notes.bytes().len() != extent.size as usize {
                self.scratch.give_back(&mut self.notes);
                self.notes = self.scratch.bytes(extent.size as usize)?;
                return Ok(Stage::Notes(index)); // when it is clear
            }
            file.copy(extent, self.notes.bytes_mut())?;
        }
        *budget = budget.saturating_sub(1 + extent.size / COPIED);
        let notes = file.source.lent().map_or(self.notes.bytes(), |all| extent.of(all).unwrap_or_default());
        note::check_abi::<Native>(notes)?;
        for name in note::needed::<Native>(notes) {
            self.options.need(self.registry, self.name, name?)?;
        }
        self.scratch.give_back(&mut self.notes);
        Ok(Stage::Notes(index + 1))
    }

    #[inline(never)]
    fn resolve_symbols(&mut self, budget: &mut u32) -> Result<Stage, Error> {
        let view = self.file.view()?;
        let Options { host, allowed, providers, missing, .. } = &mut self.options;
        let own = |name: &[u8]| match lifecycle::provided::<R>(name)? {
            // An object's `__dso_handle` is ours: what it is passed to needs no stub.
            Provided::Plain(address) | Provided::Bound(0 | 2, address) => Some(Some(address as u64)),
            Provided::Bound(stub, _) => Some(ARCH.binder.as_ref().map(|_| Mark::bound::<Word>(stub).get())),
        };
        let others = Others { host: *host, allowed: *allowed, providers, missing };
        let done = others.resolve(&mut self.resolve, &view, self.values.table_mut(), budget, &own)?;
        if !done {
            return Ok(Stage::Resolve);
        }
        self.resolve.finish(&view.symbols)?;
        self.options.providers.settle();
        self.relocatable.needs = Some(self.no_needs());
        Ok(Stage::Count(Cursor::default()))
    }

    /// What counting begins with.
    pub(super) fn no_needs(&self) -> Needs {
        let reach = self.registry.memory.with(|memory| memory.reach());
        let mut needs = Needs::new(reach, self.file.sections());
        needs.others = self.resolve.tally.others;
        needs
    }

    /// The next batch of relocations at or after `at`, fetched: the table's section, its records, where to go on.
    fn next_batch(
        &mut self,
        mut at: Cursor,
        budget: &mut u32,
    ) -> Result<Option<(Section, Extent, Cursor)>, Error> {
        while let Some(table) = self.file.sections().get(at.table as usize).copied() {
            let entry = relocation_size::<Native>(table.role()) as u32;
            let left = table.size() / entry - at.record.min(table.size() / entry);
            if !table.is_relocations() || left == 0 {
                at = Cursor { table: at.table + 1, record: 0 };
                continue;
            }
            let rest = Extent { offset: table.extent().offset + at.record * entry, size: left * entry };
            let ready = self.file.fetch_table(at.table, entry, rest)?;
            let count = (ready / entry).min(*budget);
            let extent = Extent { size: count * entry, ..rest };
            *budget -= count;
            return Ok(Some((table, extent, Cursor { record: at.record + count, ..at })));
        }
        Ok(None)
    }

    #[inline(never)]
    fn count_needs(&mut self, at: Cursor, budget: &mut u32) -> Result<Stage, Error> {
        let Some((table, extent, next)) = self.next_batch(at, budget)? else { return Ok(self.counted()) };
        let Some(needs) = &mut self.relocatable.needs else { return Ok(Stage::Plan) };
        let symbols = self.file.view()?.symbols;
        if extent.offset == table.extent().offset {
            needs.begin(table.target());
            needs.place = self.file.run_address(table.target());
        }
        let records = Relocations::new(table.role(), self.file.fetched(extent));
        let (values, slots) = (self.values.table(), self.slots.table_mut());
        let mut count = Count::<Native> { arch: ARCH, symbols, values, slots, needs };
        if count.batch(records)? == Counted::WantsSlots {
            self.slots = self.scratch.table::<llext_link::veneer::Slot>(symbols.len())?;
            return Ok(Stage::Count(at)); // when they are clear
        }
        Ok(Stage::Count(next))
    }

    /// Plans the file, as it is.
    #[cfg(not(feature = "reset"))]
    fn plan(&mut self) -> Result<Layout, Error> {
        let needs = self.relocatable.needs()?;
        let sections = self.file.sections.table_mut();
        Ok(layout::plan::<Native>(sections, ARCH, &self.resolve.tally, needs, self.tables.extra())?)
    }

    #[inline(never)]
    fn plan_image(&mut self, budget: &mut u32) -> Result<Stage, Error> {
        *budget -= 1;
        let needs = self.relocatable.needs()?;
        self.index = self.scratch.table::<u32>(needs.index_len())?;
        self.uppers = self.scratch.table::<Upper>(needs.pairs)?;
        self.list_text_in_place()?;
        self.tables = self.plan_tables();
        self.layout = self.plan()?;
        Ok(Stage::Reserve)
    }

    #[inline(never)]
    fn reserve(&mut self) -> Result<Stage, Error> {
        let window = self.relocatable.needs()?.window;
        let image = match Image::reserve(&self.registry.memory, &self.layout, window) {
            Err(Error::Memory { error: MemoryError::OutOfReach { .. } }) if self.may_copy_all() => {
                return Ok(self.copy_all());
            }
            image => image?,
        };
        let mut parts = image.addresses().map(|address| address as Word);
        let [file, _, constants, data] = &mut parts;
        *file = self.resolve.file.unwrap_or_default() as Word;
        let got = constants.wrapping_add(self.layout.got.offset as Word);
        let dso_handle = data.wrapping_add(self.layout.extra_data.offset as Word);
        let commons = self.layout.commons;
        self.addresses = Addresses { parts, commons, got, dso_handle, bound: [0; BOUND] };
        self.relocatable.in_place = self.in_place();
        self.image = Some(image);
        Ok(Stage::Commit)
    }

    #[inline(never)]
    fn copy_sections(&mut self, mut at: Cursor, budget: &mut u32) -> Result<Stage, Error> {
        while let Some(section) = self.file.sections().get(at.table as usize).copied() {
            let is_copied = section.is_loaded() && section.role() != Role::Bss && !section.is_in_place();
            if is_copied && at.record < section.size() {
                let size = (section.size() - at.record).min(budget.saturating_mul(COPIED));
                let extent = Extent { offset: section.extent().offset + at.record, size };
                let to = section.place() as usize + at.record as usize;
                let image = self.image.as_mut().map(|image| image.part(section.part()));
                let to = image.and_then(|part| part.get_mut(to..)?.get_mut(..size as usize));
                self.file.copy(extent, to.unwrap_or_default())?;
                *budget = budget.saturating_sub(size.div_ceil(COPIED));
                at.record += size;
                return Ok(Stage::Copy(at));
            }
            at = Cursor { table: at.table + 1, record: 0 };
        }
        Ok(Stage::Assign)
    }

    #[inline(never)]
    fn assign_symbols(&mut self, budget: &mut u32) -> Result<Stage, Error> {
        let view = self.file.view()?;
        let done = self.assign.step(&view, self.values.table_mut(), &self.addresses, *budget)?;
        *budget = budget.saturating_sub(view.symbols.len().max(1));
        Ok(if done { Stage::Relocate(Cursor::default()) } else { Stage::Assign })
    }

    /// Applies the next batch; where to go on, or `None` when all are applied.
    #[inline(never)]
    fn relocate(&mut self, at: Cursor, budget: &mut u32) -> Result<Option<Cursor>, Error> {
        let Some((table, extent, next)) = self.next_batch(at, budget)? else {
            self.trim()?;
            return Ok(None);
        };
        let Some(image) = &mut self.image else { return Ok(None) };
        let target = self.file.sections().get(table.target().0 as usize).copied().unwrap_or_default();
        let in_place = target.is_in_place().then_some(target.extent());
        let (symbols, records, file) = self.file.split(extent, (table.target(), in_place))?;
        let [_, code, constants, data] = image.working();
        let (code, stubs) = code.split_at_mut_checked(self.layout.stubs.offset as usize).unwrap_or_default();
        let (constants, got) =
            constants.split_at_mut_checked(self.layout.got.offset as usize).unwrap_or_default();
        let (place, size) = (target.place() as usize, target.size() as usize);
        let (part, place) = match target.part() {
            Part::Image => (file, 0),
            Part::Code => (code, place),
            Part::Constants => (constants, place),
            Part::Data => (data, place),
        };
        let bytes = part.get_mut(place..).and_then(|part| part.get_mut(..size)).unwrap_or_default();
        let mut target = Target { bytes, address: self.addresses.of(&target), origin: 0 };
        let progress = &mut self.relocatable;
        let mut linker = Linker::<Native> {
            arch: ARCH,
            values: self.values.table(),
            symbols: Some(symbols),
            slots: self.slots.table_mut(),
            got: Area { bytes: got, address: self.addresses.got, used: progress.got_used },
            stubs: Area {
                bytes: stubs,
                address: self.addresses.part(Part::Code).wrapping_add(self.layout.stubs.offset as Word),
                used: progress.stubs_used,
            },
            index: self.index.table_mut(),
            pairs: Pairs { uppers: self.uppers.table_mut(), state: progress.pairs },
            thread: self.options.thread_local.map(|offset| offset as Word),
            bias: 0,
            deferred: 0,
        };
        if let Err(error) = &linker.apply(&mut target, Relocations::new(table.role(), records)) {
            return Err(with_name(error, &symbols));
        }
        let is_last = extent.end() == table.extent().end();
        let ended = if is_last { linker.end(&mut target)? } else { Ended::Done };
        (progress.got_used, progress.stubs_used) = (linker.got.used, linker.stubs.used);
        progress.pairs = linker.pairs.state;
        Ok(Some(if ended == Ended::Again { Cursor { record: 0, ..next } } else { next }))
    }

    /// Gives back the stubs and slots that are not used.
    fn trim(&mut self) -> Result<(), Error> {
        let (code, constants) = (self.layout.stubs, self.layout.got);
        let used = [
            0,
            (code.offset + self.relocatable.stubs_used) as usize,
            (constants.offset + self.relocatable.got_used) as usize,
            self.layout.size(Part::Data) as usize,
        ];
        self.image()?.trim(used);
        self.layout.sizes = used.map(|size| size as u32);
        Ok(())
    }
}
