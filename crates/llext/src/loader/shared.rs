//! The stages of a shared object: one reservation of its whole span, planned from the program headers.

use super::load::{COPIED, Cursor, Load, Stage as Whole, Word};
use super::resolve::{Others, with_name};
use super::{Options, exports};
use crate::error::Error;
use crate::image::Image;
use crate::lifecycle::{self, Provided};
use crate::lock::RawMutex;
use crate::memory::{Memory, Protection, Segment as Protected};
use crate::native::{ARCH, Native};
use crate::source::Source;
use llext_link::Error as LinkError;
use llext_link::addr::{Extent, Part, Word as _};
use llext_link::elf::dynamic::Dynamic;
use llext_link::elf::exported::ExportScan;
use llext_link::elf::header::Kind;
use llext_link::elf::note;
use llext_link::elf::relocation::Relocations;
use llext_link::elf::section::{Role, relocation_size};
use llext_link::elf::segment::{self, MAX_LOADS, Segment, Span};
use llext_link::elf::symbol::string_at;
use llext_link::layout;
use llext_link::relocate::{Linker, Pairs, Target, apply_relr};
use llext_link::symbol::{Addresses, BOUND, Mark, View};
use llext_link::veneer::Area;

#[cfg(feature = "reset")]
mod instance;

/// The bytes of the relocations that are applied at once: as many as an address has bits, so fewer where the stack is small.
const BATCH: usize = Word::BITS as usize * relocation_size::<Native>(Role::Rela) as usize;

/// Whether such files are taken at all: without the feature, nothing of this is linked into a firmware.
pub(super) const SHARED: bool = cfg!(feature = "shared");

/// How far a shared object has come. In this order:
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    /// Program headers are read and checked.
    Segments,
    /// Where the section names lie.
    NamesHeader,
    /// The section names are lent, or read into scratch.
    Names,
    /// Section headers, if there are any, are searched for `.exported_sym`.
    Exports,
    /// Memory is reserved; then addresses are fixed.
    Reserve,
    /// It is cleared.
    Commit,
    /// Contents are copied.
    Copy(Cursor),
    /// The dynamic section is read from the copy, and what it needs is found.
    Dynamic,
    /// Every undefined symbol is looked up once; all missing ones are reported together.
    Resolve,
    /// The file's own symbols get their addresses.
    Assign,
    /// Relocations are applied.
    Relocate(Cursor),
}

/// What the stages hand on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    pub(super) span: Span,
    names: Extent,
    scan: ExportScan,
    pub(super) dynamic: Option<Dynamic>,
    /// How far the image lies from where it was linked.
    pub(super) bias: Word,
    /// How many relocations wait until the image can run.
    pub(super) deferred: u32,
}

impl Progress {
    /// The tables of a shared object, from where its dynamic section was read on.
    pub(super) fn dynamic(&self) -> Option<Dynamic> {
        self.dynamic.filter(|_| SHARED)
    }
}

impl<M: Memory, R: RawMutex, const N: usize, S: Source> Load<'_, '_, M, R, N, S> {
    #[inline(never)]
    pub(super) fn advance_shared(&mut self, stage: Stage, budget: &mut u32) -> Result<Whole, Error> {
        Ok(Whole::Shared(match stage {
            Stage::Segments => self.read_segments(budget)?,
            Stage::NamesHeader => self.find_names(budget)?,
            Stage::Names => self.read_names(budget)?,
            Stage::Exports => self.find_exports(budget)?,
            Stage::Reserve => self.reserve_span(budget)?,
            Stage::Commit => match self.commit(budget)? {
                true => Stage::Copy(Cursor::default()),
                false => Stage::Commit,
            },
            Stage::Copy(at) => self.copy_segments(at, budget)?,
            Stage::Dynamic => self.read_dynamic(budget)?,
            Stage::Resolve => self.resolve_dynamic(budget)?,
            Stage::Assign => self.assign_dynamic(budget)?,
            Stage::Relocate(at) => match self.relocate_image(at, budget)? {
                Some(at) => Stage::Relocate(at),
                None => return Ok(Whole::Exports(exports::Stage::BEGIN)),
            },
        }))
    }

    #[inline(never)]
    fn read_segments(&mut self, budget: &mut u32) -> Result<Stage, Error> {
        *budget -= 1;
        let header = self.file.header()?;
        if self.headers.bytes().len() != header.segments.size as usize {
            self.headers = self.scratch.bytes(header.segments.size as usize)?;
            self.segments = self.scratch.table::<Segment>(header.segment_count.min(MAX_LOADS as u32))?;
            return Ok(Stage::Segments); // when they are clear
        }
        self.file.copy(header.segments, self.headers.bytes_mut())?;
        self.shared.span = segment::scan::<Native>(&header, self.headers.bytes(), self.segments.table_mut())?;
        Ok(Stage::NamesHeader)
    }

    #[inline(never)]
    fn find_names(&mut self, budget: &mut u32) -> Result<Stage, Error> {
        *budget = budget.saturating_sub(1);
        let header = self.file.header()?;
        self.shared.names = ExportScan::names::<Native, _>(&header, &mut self.reader())?;
        if self.file.source.lent().is_none() {
            self.file.tables = self.scratch.bytes(self.shared.names.size as usize)?;
        }
        Ok(Stage::Names)
    }

    #[inline(never)]
    fn read_names(&mut self, budget: &mut u32) -> Result<Stage, Error> {
        *budget = budget.saturating_sub(1);
        let (file, names) = (&mut self.file, self.shared.names);
        file.extents.names = names;
        if file.source.lent().is_none() && names.size > 0 {
            file.source.read_at(names.offset.into(), file.tables.bytes_mut())?;
            file.extents.names.offset = 0;
        }
        Ok(Stage::Exports)
    }

    #[inline(never)]
    fn find_exports(&mut self, budget: &mut u32) -> Result<Stage, Error> {
        let header = self.file.header()?;
        let file = &mut self.file;
        let scan = &mut self.shared.scan;
        let limit = *budget;
        *budget = budget.saturating_sub(header.section_count.max(1));
        let done = match file.source.lent() {
            Some(mut all) => {
                let names = file.extents.names.of(all).unwrap_or_default();
                scan.step::<Native, _>(&header, &mut all, names, limit)?
            }
            None => {
                let mut reader =
                    super::file::Reader { source: &mut file.source, batch: file.batch.bytes_mut() };
                scan.step::<Native, _>(&header, &mut reader, file.tables.bytes(), limit)?
            }
        };
        Ok(if done { Stage::Reserve } else { Stage::Exports })
    }

    #[inline(never)]
    fn reserve_span(&mut self, budget: &mut u32) -> Result<Stage, Error> {
        *budget -= 1;
        let span = self.shared.span;
        let exported = self.shared.scan.found.filter(|_| !self.options.export_globals);
        self.tables = self.plan_shared_tables(span, exported)?;
        self.layout = layout::plan_shared(ARCH, span.size, span.align, self.tables.extra())?;
        let reach = self.registry.memory.with(|memory| memory.reach());
        let image = Image::reserve(&self.registry.memory, &self.layout, reach)?;
        let parts = image.addresses().map(|address| address as Word);
        let [start, _, _, data] = parts;
        self.shared.bias = start.wrapping_sub(span.base as Word);
        let dso_handle = data.wrapping_add(self.layout.extra_data.offset as Word);
        self.addresses = Addresses { parts, commons: 0, got: start, dso_handle, bound: [0; BOUND] };
        self.image = Some(image);
        Ok(Stage::Commit)
    }

    #[inline(never)]
    fn copy_segments(&mut self, mut at: Cursor, budget: &mut u32) -> Result<Stage, Error> {
        let Progress { span, .. } = self.shared;
        while let Some(segment) = self.segments.table::<Segment>().get(at.table as usize).copied() {
            let extent = segment.extent();
            if at.table < span.count && at.record < extent.size {
                let size = (extent.size - at.record).min(budget.saturating_mul(COPIED));
                let to = (segment.address() - span.base) as usize + at.record as usize;
                let image = self.image.as_mut().map(|image| image.part(Part::Image));
                let to = image.and_then(|part| part.get_mut(to..)?.get_mut(..size as usize));
                self.file.copy(Extent { offset: extent.offset + at.record, size }, to.unwrap_or_default())?;
                *budget = budget.saturating_sub(size.div_ceil(COPIED));
                at.record += size;
                return Ok(Stage::Copy(at));
            }
            at = Cursor { table: at.table + 1, record: 0 };
        }
        Ok(Stage::Dynamic)
    }

    #[inline(never)]
    fn read_dynamic(&mut self, budget: &mut u32) -> Result<Stage, Error> {
        *budget -= 1;
        let span = self.shared.span;
        let image: &[u8] = self.image.as_mut().map_or(&[], |image| image.part(Part::Image));
        let dynamic = Dynamic::parse::<Native>(image, &span)?;
        let symbols = dynamic.symbols::<Native>(image)?;
        for note in span.notes {
            note::check_abi::<Native>(note.of(image).unwrap_or_default())?;
        }
        for offset in dynamic.needed::<Native>(image) {
            let bad = LinkError::BadDynamic { tag: "DT_NEEDED", found: offset };
            let name = u32::try_from(offset).ok().and_then(|offset| string_at(symbols.strings(), offset));
            self.options.need(self.registry, self.name, name.ok_or(bad)?)?;
        }
        for note in span.notes {
            for name in note::needed::<Native>(note.of(image).unwrap_or_default()) {
                self.options.need(self.registry, self.name, name?)?;
            }
        }
        if self.options.search_live {
            self.options.providers.search_live();
        }
        self.values = self.scratch.table::<Word>(symbols.len())?;
        self.shared.dynamic = Some(dynamic);
        Ok(Stage::Resolve)
    }

    fn dynamic(&self) -> Result<Dynamic, Error> {
        self.shared.dynamic.ok_or_else(no_dynamic)
    }

    #[inline(never)]
    fn resolve_dynamic(&mut self, budget: &mut u32) -> Result<Stage, Error> {
        let dynamic = self.dynamic()?;
        let image: &[u8] = self.image.as_mut().map_or(&[], |image| image.part(Part::Image));
        let symbols = dynamic.symbols::<Native>(image)?;
        let view = View { kind: Kind::Shared, symbols, sections: &[], names: &[], exports_globals: false };
        let Options { host, allowed, providers, missing, .. } = &mut self.options;
        let own = |name: &[u8]| match lifecycle::provided::<R>(name)? {
            Provided::Plain(address) => Some(Some(address as u64)),
            // A shared object passes a `__dso_handle` of its own: the stub replaces it by ours. Without a stub the host's
            // function must not serve: it would keep what outlives the extension.
            Provided::Bound(stub, _) => Some(ARCH.binder.as_ref().map(|_| Mark::bound::<Word>(stub).get())),
        };
        let others = Others { host: *host, allowed: *allowed, providers, missing };
        let done = others.resolve(&mut self.resolve, &view, self.values.table_mut(), budget, &own)?;
        if !done {
            return Ok(Stage::Resolve);
        }
        self.resolve.finish(&symbols)?;
        self.options.providers.settle();
        #[cfg(feature = "reset")]
        self.keep_template(budget)?;
        Ok(Stage::Assign)
    }

    #[inline(never)]
    fn assign_dynamic(&mut self, budget: &mut u32) -> Result<Stage, Error> {
        let dynamic = self.dynamic()?;
        let Progress { span, bias, .. } = self.shared;
        let image = self.image.as_mut().map_or(&mut [][..], |image| image.part(Part::Image));
        let symbols = dynamic.symbols::<Native>(image)?;
        let view = View { kind: Kind::Shared, symbols, sections: &[], names: &[], exports_globals: false };
        let base = (span.base as Word, span.size, bias);
        let done = self.assign.step_shared(&view, self.values.table_mut(), &self.addresses, base, *budget)?;
        *budget = budget.saturating_sub(symbols.len().max(1));
        Ok(if done { Stage::Relocate(Cursor::default()) } else { Stage::Assign })
    }

    /// Applies the next batch; where to go on, or `None` when all are applied.
    #[inline(never)]
    fn relocate_image(&mut self, at: Cursor, budget: &mut u32) -> Result<Option<Cursor>, Error> {
        let Progress { span, dynamic, bias, .. } = &self.shared;
        let (dynamic, bias) = (dynamic.as_ref().ok_or_else(no_dynamic)?, *bias);
        let Some(image) = &mut self.image else { return Ok(None) };
        let bytes = image.part(Part::Image);
        let (address, origin) = (self.addresses.part(Part::Image), span.base as Word);
        if at.table == 0 && at.record == 0 {
            apply_relr::<Native>(&mut Target { bytes, address, origin }, dynamic.relr, bias)?;
        }
        let Some(table) = dynamic.relocations.get(at.table as usize) else { return Ok(None) };
        let entry = relocation_size::<Native>(table.role) as u32;
        let left = table.extent.size / entry - at.record;
        if left == 0 {
            return Ok(Some(Cursor { table: at.table + 1, record: 0 }));
        }
        // The table lies in the image that is being changed: each record is used from a copy of its batch.
        let mut copy = [0; BATCH];
        let count = left.min(*budget).min(copy.len() as u32 / entry);
        let extent = Extent { offset: table.extent.offset + at.record * entry, size: count * entry };
        let records = extent.of(bytes).unwrap_or_default();
        copy.iter_mut().zip(records).for_each(|(to, from)| *to = *from);
        let copy = copy.get(..records.len()).unwrap_or_default();
        let nothing = || Area { bytes: &mut [], address, used: 0 };
        let mut linker = Linker::<Native> {
            arch: ARCH,
            values: self.values.table(),
            symbols: None,
            slots: &mut [],
            got: nothing(),
            stubs: nothing(),
            index: &mut [],
            pairs: Pairs::default(),
            thread: self.options.thread_local.map(|offset| offset as Word),
            bias,
            deferred: 0,
        };
        let applied =
            linker.apply(&mut Target { bytes, address, origin }, Relocations::new(table.role, copy));
        let deferred = linker.deferred;
        if let Err(error) = &applied {
            return Err(with_name(error, &dynamic.symbols::<Native>(bytes)?));
        }
        self.shared.deferred += deferred;
        *budget -= count;
        Ok(Some(Cursor { record: at.record + count, ..at }))
    }

    /// The segments of the image.
    pub(super) fn loads(&self) -> &[Segment] {
        self.segments.table().get(..self.shared.span.count as usize).unwrap_or_default()
    }

    /// The segments as the memory is to protect them.
    pub(super) fn protections(&self) -> impl Iterator<Item = Protected> {
        let base = self.shared.span.base;
        self.loads().iter().map(move |segment| {
            let protection = match (segment.is_writable(), segment.is_executable()) {
                (true, _) => Protection::ReadWrite,
                (false, true) => Protection::ReadExecute,
                (false, false) => Protection::Read,
            };
            Protected {
                offset: (segment.address() - base) as usize,
                size: segment.size() as usize,
                protection,
            }
        })
    }
}

#[cold]
fn no_dynamic() -> Error {
    LinkError::MissingTable { what: "dynamic section" }.into()
}
