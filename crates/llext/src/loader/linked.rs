//! The stages of a file that `llext link` linked for fixed addresses: nothing is placed and nothing relocated. What its
//! code uses of others must be where it was.

use super::load::{COPIED, Cursor, Load, Stage as Whole, Word};
use super::resolve::{Others, find_one};
use super::{Options, exports};
use crate::error::{Error, Name};
use crate::export::SymbolName;
use crate::image::Image;
use crate::lock::RawMutex;
use crate::memory::{Memory, Window, synchronize};
use crate::native::Native;
use crate::source::Source;
use core::ops::Range;
use llext_link::Error as LinkError;
use llext_link::addr::{Extent, Part, Word as _};
use llext_link::elf::note::{self, LinkedTables};
use llext_link::elf::segment::{LinkedSegments, Segment, scan_linked};
use llext_link::layout::Layout;
use llext_link::symbol::{Addresses, BOUND};

/// The memory that files linked for fixed addresses may lie in: see [`Loader::pre_located`](super::Loader::pre_located).
///
/// Each of a file's parts (code, constants, data) lies in one of the ranges, whole.
#[derive(Clone, Copy, Debug, Default)]
pub struct Places<'l> {
    /// What lies here is there already, as flash memory holds what was programmed. It is compared with the file.
    pub in_place: &'l [Range<usize>],
    /// What lies here is copied from the file, and what has no contents is zeroed.
    pub copied: &'l [Range<usize>],
}

/// Whether such files are taken at all: without the feature, nothing of this is linked into a firmware.
pub(super) const PRE_LOCATED: bool = cfg!(feature = "pre-located");

/// How far a linked file has come. In this order:
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    /// Program headers are read and checked; every part lies where the caller lends memory.
    Segments,
    /// The notes are read: the ABI version, the tables, and what the extension needs.
    Notes,
    /// What the code uses of others is where it was.
    Imports,
    /// Memory for the extension's record is reserved.
    Reserve,
    /// Contents are copied, or compared.
    Fill(Cursor),
}

/// What the stages hand on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    segments: LinkedSegments,
    tables: LinkedTables,
}

/// Whether one of the ranges holds all of a segment. Nothing lies at address 0.
fn hold(ranges: &[Range<usize>], segment: &Segment) -> bool {
    let (start, size) = (segment.address(), u64::from(segment.size()));
    let holds =
        |range: &Range<usize>| Window { low: range.start as u64, high: range.end as u64 }.holds(start, size);
    start != 0 && ranges.iter().any(holds)
}

impl<M: Memory, R: RawMutex, const N: usize, S: Source> Load<'_, '_, M, R, N, S> {
    #[inline(never)]
    pub(super) fn advance_linked(&mut self, stage: Stage, budget: &mut u32) -> Result<Whole, Error> {
        Ok(Whole::Linked(match stage {
            Stage::Segments => self.read_linked(budget)?,
            Stage::Notes => self.read_linked_notes(budget)?,
            Stage::Imports => self.check_imports(budget)?,
            Stage::Reserve => self.reserve_record(budget)?,
            Stage::Fill(at) => match self.fill(at, budget)? {
                Some(at) => Stage::Fill(at),
                None => return Ok(Whole::Exports(exports::Stage::BEGIN)),
            },
        }))
    }

    fn places(&self) -> Result<super::Places<'_>, Error> {
        self.options.places.ok_or(Error::NotPreLocated)
    }

    fn read_linked(&mut self, budget: &mut u32) -> Result<Stage, Error> {
        *budget -= 1;
        let header = self.file.header()?;
        if self.headers.bytes().len() != header.segments.size as usize {
            self.headers = self.scratch.bytes(header.segments.size as usize)?;
            return Ok(Stage::Segments); // when it is clear
        }
        self.file.copy(header.segments, self.headers.bytes_mut())?;
        let segments = scan_linked::<Native>(&header, self.headers.bytes())?;
        let Places { in_place, copied } = self.places()?;
        for (part, segment) in Part::ALL.into_iter().zip(segments.parts) {
            if segment.size() > 0 && !hold(in_place, &segment) && !hold(copied, &segment) {
                let (address, size) = (segment.address(), segment.size());
                return Err(Error::PlaceNotLent { part, address, size });
            }
        }
        self.linked.segments = segments;
        if self.file.source.lent().is_none() {
            self.notes = self.scratch.bytes(segments.notes.size as usize)?;
        }
        Ok(Stage::Notes)
    }

    fn read_linked_notes(&mut self, budget: &mut u32) -> Result<Stage, Error> {
        let extent = self.linked.segments.notes;
        *budget = budget.saturating_sub(1 + extent.size / COPIED);
        let file = &mut self.file;
        if file.source.lent().is_none() {
            file.copy(extent, self.notes.bytes_mut())?;
        }
        let notes = file.source.lent().map_or(self.notes.bytes(), |all| extent.of(all).unwrap_or_default());
        note::check_abi::<Native>(notes)?;
        for name in note::needed::<Native>(notes) {
            self.options.need(self.registry, self.name, name?)?;
        }
        self.linked.tables = note::linked::<Native>(notes)?;
        if self.options.search_live {
            self.options.providers.search_live();
        }
        Ok(Stage::Imports)
    }

    fn check_imports(&mut self, budget: &mut u32) -> Result<Stage, Error> {
        let extent = self.linked.segments.notes;
        let (file, notes) = (&self.file, &self.notes);
        let notes = file.source.lent().map_or(notes.bytes(), |all| extent.of(all).unwrap_or_default());
        let Options { host, allowed, providers, missing, .. } = &mut self.options;
        let (mut count, mut first) = (0, None);
        for import in note::imports::<Native>(notes) {
            *budget = budget.saturating_sub(1);
            let (bytes, linked) = import?;
            let name = SymbolName::new(bytes);
            let others = Others { host: *host, allowed: *allowed, providers, missing };
            match find_one(others, &name)? {
                Some(found) if found == linked.get() => {}
                Some(found) => {
                    let name = Name::new(bytes);
                    return Err(Error::OtherHost { name, found, expected: linked.get() });
                }
                None => {
                    count += 1;
                    first.get_or_insert(Name::new(bytes));
                }
            }
        }
        if let Some(first) = first {
            return Err(LinkError::UndefinedSymbols { count, first }.into());
        }
        self.options.providers.settle();
        self.scratch.give_back(&mut self.notes);
        Ok(Stage::Reserve)
    }

    /// The extension's record lies apart from its parts, whose memory is the caller's.
    fn reserve_record(&mut self, budget: &mut u32) -> Result<Stage, Error> {
        *budget -= 1;
        let Progress { segments, tables } = self.linked;
        self.tables = self.plan_linked_tables(&tables)?;
        let record =
            Layout { sizes: [0, 0, 0, self.tables.extra().data], aligns: [16; 4], ..Layout::default() };
        let mut image = Image::reserve(&self.registry.memory, &record, Window::ALL)?;
        image.commit()?;
        let [_, _, _, record] = image.addresses().map(|address| address as Word);
        self.image = Some(image);
        let sizes = segments.parts.map(|segment| segment.size());
        let LinkedTables { exports, preinit, init, fini, .. } = tables;
        let [_, code, ..] = sizes;
        let bound = Extent { offset: code, size: 0 };
        self.layout = Layout { sizes, bound, exports, preinit, init, fini, ..Layout::default() };
        let parts = segments.parts.map(|segment| segment.address() as Word);
        self.addresses = Addresses { parts, commons: 0, got: 0, dso_handle: record, bound: [0; BOUND] };
        Ok(Stage::Fill(Cursor::default()))
    }

    /// Copies or compares the next piece; where to go on, or `None` when all is done.
    fn fill(&mut self, mut at: Cursor, budget: &mut u32) -> Result<Option<Cursor>, Error> {
        let Some(part) = Part::ALL.get(at.table as usize).copied() else { return Ok(None) };
        let segment = self.linked.segments.parts.get(part as usize).copied().unwrap_or_default();
        let is_copied = hold(self.places()?.copied, &segment);
        let (address, extent) = (segment.address() as usize, segment.extent());
        let left = segment.size() - at.record;
        if left == 0 {
            if is_copied && part == Part::Code {
                // SAFETY: the caller lends this memory, and it can be read.
                unsafe { synchronize(address, segment.size() as usize) };
            }
            return Ok(Some(Cursor { table: at.table + 1, record: 0 }));
        }
        // Pieces of the file's contents first, then the zeros after them.
        let in_file = extent.size.saturating_sub(at.record);
        let size = left.min(if in_file > 0 { in_file } else { left }).min(budget.saturating_mul(COPIED));
        let from = (in_file > 0).then_some(Extent { offset: extent.offset.wrapping_add(at.record), size });
        let start = address + at.record as usize;
        let done =
            if is_copied { self.put(start, size, from)? } else { self.compare(start, size, from, part)? };
        *budget = budget.saturating_sub(done.div_ceil(COPIED));
        at.record += done;
        Ok(Some(at))
    }

    /// Copies from the file, or zeroes.
    fn put(&mut self, address: usize, size: u32, from: Option<Extent>) -> Result<u32, Error> {
        // SAFETY: the caller lends this memory to the extension, for which nothing runs yet; any bytes are numbers.
        let to = unsafe { core::slice::from_raw_parts_mut(address as *mut u8, size as usize) };
        match from {
            Some(extent) => self.file.copy(extent, to)?,
            None => to.fill(0),
        }
        Ok(size)
    }

    /// Compares with the file, or with zeros.
    fn compare(&mut self, at: usize, size: u32, from: Option<Extent>, part: Part) -> Result<u32, Error> {
        let size = self.file.batch(1, size);
        // SAFETY: the caller says that this memory can be read, and that nothing writes it meanwhile.
        let found = unsafe { core::slice::from_raw_parts(at as *const u8, size as usize) };
        let is_same = match from {
            Some(extent) => {
                let extent = Extent { size, ..extent };
                self.file.fetch(extent)?;
                found == self.file.fetched(extent)
            }
            None => found.iter().all(|byte| *byte == 0),
        };
        if is_same { Ok(size) } else { Err(Error::PlaceDiffers { part, address: at as u64 }) }
    }

    /// The bytes of a linked file's parts, where they lie.
    pub(super) fn located(&self) -> [&[u8]; 4] {
        let mut all = [&[][..]; 4];
        if !PRE_LOCATED {
            return all;
        }
        let parts = self.addresses.parts.map(|address| address as *const u8);
        for ((bytes, start), size) in all.iter_mut().zip(parts).zip(self.layout.sizes) {
            if size > 0 {
                // SAFETY: it lies in memory that the caller lends and that can be read; it was filled or compared, and no
                // code of the extension runs yet.
                *bytes = unsafe { core::slice::from_raw_parts(start, size as usize) };
            }
        }
        all
    }
}
