//! What a file said about its sections and symbols, kept for whoever looks into the extension: in memory the caller lends, so
//! that it is given back by dropping it.
//!
//! The section headers and symbols are kept as they lie in the file, but for one field each, which holds the run address:
//! `sh_addr`, `st_value`. Of a shared object these are the dynamic symbols.

use super::load::{Load, Word};
use crate::error::Error;
use crate::lock::RawMutex;
use crate::memory::{Memory, Part};
use crate::native::Native;
use crate::source::Source;
use llext_link::addr::{Extent, SymbolIndex, Word as _};
use llext_link::elf::header::Kind;
use llext_link::elf::section_header::{SectionHeader, decode, size};
use llext_link::elf::symbol::{STB_LOCAL, STT_FILE, STT_SECTION, STT_TLS, Symbol, Symbols, string_at};
use llext_link::elf::{Format, write_word};
use llext_link::symbol::Mark;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `SHF_ALLOC`.
const ALLOC: u64 = 2;
/// Where a section header holds `sh_addr`, and a symbol `st_value`, bytes.
const PLACES: (usize, usize) = if <Word as llext_link::addr::Word>::SIZE == 8 { (16, 8) } else { (12, 4) };

/// What the lent memory begins with.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Clone, Copy, Default)]
#[repr(C)]
struct Head {
    /// The size of each table, bytes, in this order: section headers, their names, symbols, their names.
    tables: [u32; 4],
    sizes: [u32; 4],
    addresses: [u64; 4],
}

const HEAD: usize = size_of::<Head>();

/// The sections and symbols of an extension: what [`Loader::inspection`](super::Loader::inspection) left in the memory it was lent.
///
/// ```
/// # use llext::{Error, NoopRawMutex, Pool, Registry};
/// # extern "C" fn log(level: u32) { let _ = level; }
/// # llext::exports! { static HOST; fn log(level: u32); }
/// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
/// use llext::loader::Inspection;
/// let mut memory = [0; 4096];
/// // SAFETY: we trust the extension.
/// let app = unsafe { apps.loader(&HOST).inspection(&mut memory).load("app", bytes)? };
/// let inspection = Inspection::new(&memory).unwrap();
/// for section in inspection.sections().filter(|section| section.place.is_some()) {
///     let _ = (section.name, section.header.address, section.header.size); // add-symbol-file -s NAME ADDRESS
/// }
/// # drop(app);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy)]
pub struct Inspection<'a> {
    head: Head,
    sections: &'a [u8],
    names: &'a [u8],
    symbols: Symbols<'a, Native>,
}

/// A section of a loaded file.
#[derive(Clone, Copy, Debug)]
pub struct InspectedSection<'a> {
    /// Its index, as symbols name it.
    pub index: u32,
    /// Its name.
    pub name: &'a [u8],
    /// Its header as in the file, but for the address: that is where it lies, and 0 where it is not loaded.
    pub header: SectionHeader,
    /// The part it lies in, and where there, bytes; `None` if nothing of it is loaded.
    pub place: Option<(Part, usize)>,
}

/// A symbol of a loaded file.
#[derive(Clone, Copy, Debug)]
pub struct InspectedSymbol<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// Where it lies: 0 where that is nowhere. Of a symbol that the file does not define, where it was found.
    pub address: usize,
    /// Its entry as in the file, but for the value: that is the address.
    pub symbol: Symbol<Word>,
}

impl<'a> Inspection<'a> {
    /// What a load left in `memory`; `None` unless one has ended well since it was lent.
    pub fn new(memory: &'a [u8]) -> Option<Self> {
        let (head, rest) = Head::read_from_prefix(memory).ok()?;
        let [sections, names, symbols, strings] = head.tables;
        let (sections, rest) = rest.split_at_checked(sections as usize)?;
        let (names, rest) = rest.split_at_checked(names as usize)?;
        let (symbols, rest) = rest.split_at_checked(symbols as usize)?;
        let strings = rest.get(..strings as usize)?;
        let symbols = Symbols::new(symbols, strings, &[]).ok()?;
        (head.addresses != [0; 4]).then_some(Self { head, sections, names, symbols })
    }

    /// The sections, the null section included, in the order of their indexes.
    pub fn sections(&self) -> impl Iterator<Item = InspectedSection<'a>> {
        let inspection = *self;
        let headers = self.sections.chunks_exact(size::<Native>() as usize).map(decode::<Native>);
        (0..).zip(headers).map(move |(index, header)| InspectedSection {
            index,
            name: string_at(inspection.names, header.name).unwrap_or_default(),
            header,
            place: inspection.place(&header),
        })
    }

    /// The section headers as they lie in the file, but for the addresses, one after the other from 16 bytes' alignment on if
    /// the memory was so aligned.
    pub fn headers(&self) -> &'a [u8] {
        self.sections
    }

    /// The first section of this name.
    pub fn section(&self, name: &str) -> Option<InspectedSection<'a>> {
        self.sections().find(|section| section.name == name.as_bytes())
    }

    fn place(&self, header: &SectionHeader) -> Option<(Part, usize)> {
        if header.flags & ALLOC == 0 || header.size == 0 || header.address == 0 {
            return None;
        }
        let parts = Part::ALL.into_iter().zip(self.head.addresses.into_iter().zip(self.head.sizes));
        let offset = |(part, (start, size)): (Part, (u64, u32))| {
            let offset = header.address.wrapping_sub(start);
            (offset < u64::from(size)).then_some((part, offset as usize))
        };
        parts.filter_map(offset).next()
    }

    /// The symbols, local ones included, in the order of the file.
    pub fn symbols(&self) -> impl Iterator<Item = InspectedSymbol<'a>> {
        let symbols = self.symbols;
        (1..symbols.len()).filter_map(move |index| {
            let symbol = symbols.get(SymbolIndex(index)).ok()?;
            let name = symbols.name(SymbolIndex(index), &symbol).ok()?;
            Some(InspectedSymbol { name, address: symbol.value as usize, symbol })
        })
    }

    /// The symbols that LLEXT's `sym_tab` has: what the file defines for others, whatever it exports.
    pub fn globals(&self) -> impl Iterator<Item = InspectedSymbol<'a>> {
        let is_thing = |symbol: &Symbol<Word>| !matches!(symbol.kind(), STT_FILE | STT_SECTION | STT_TLS);
        let is_global = move |found: &InspectedSymbol<'a>| {
            let symbol = &found.symbol;
            symbol.section != 0 && symbol.binding() != STB_LOCAL && is_thing(symbol) && found.address != 0
        };
        self.symbols().filter(is_global)
    }
}

/// Takes what an earlier load may have left.
pub(super) fn clear(memory: &mut [u8]) {
    memory.iter_mut().take(HEAD).for_each(|byte| *byte = 0);
}

/// The first bytes and the others; there are so many.
fn split(bytes: &mut [u8], at: usize) -> (&mut [u8], &mut [u8]) {
    bytes.split_at_mut_checked(at).unwrap_or_default()
}

/// Copies as much as there is room for, which is all.
fn copy(from: &[u8], to: &mut [u8]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
}

impl<M: Memory, R: RawMutex, const N: usize, S: Source> Load<'_, '_, M, R, N, S> {
    /// Leaves what the caller wants to look at in the memory lent for it. It counts once the load has ended well.
    #[inline(never)]
    pub(super) fn keep_inspection(&mut self) -> Result<(), Error> {
        if self.file.header()?.kind == Kind::Linked {
            return Ok(());
        }
        let Some(memory) = self.options.inspection.take() else { return Ok(()) };
        let kept = self.write_inspection(memory);
        self.options.inspection = Some(memory);
        kept
    }

    fn write_inspection(&mut self, memory: &mut [u8]) -> Result<(), Error> {
        let header = self.file.header()?;
        let headers = Extent { size: header.section_count * size::<Native>(), ..header.sections };
        let [symbols, strings] = self.kept_symbols().map(<[u8]>::len);
        let tables = [headers.size as usize, self.file.names().len(), symbols, strings];
        let wanted = tables.iter().fold(HEAD, |sum, table| sum.saturating_add(*table));
        let available = memory.len() as u32;
        let too_small = Error::InspectionTooSmall { wanted: wanted as u32, available };
        let memory = memory.get_mut(..wanted).ok_or(too_small)?;
        let (head, rest) = split(memory, HEAD);
        let (to_headers, rest) = split(rest, headers.size as usize);
        let (to_names, rest) = split(rest, self.file.names().len());
        let (to_symbols, to_strings) = split(rest, symbols);
        self.file.copy(headers, to_headers)?;
        copy(self.file.names(), to_names);
        let [symbols, strings] = self.kept_symbols();
        copy(symbols, to_symbols);
        copy(strings, to_strings);
        self.place_sections(to_headers);
        self.place_symbols(to_symbols);
        let (mut addresses, mut sizes) = (self.addresses.parts.map(|part| part.get()), self.layout.sizes);
        let in_place = self.relocatable.in_place;
        if let ([file, ..], [size, ..], 1..) = (&mut addresses, &mut sizes, in_place.size) {
            (*file, *size) = (file.wrapping_add(in_place.offset.into()), in_place.size);
        }
        copy(Head { tables: tables.map(|table| table as u32), sizes, addresses }.as_bytes(), head);
        Ok(())
    }

    /// The symbols that were linked with, and their names.
    fn kept_symbols(&mut self) -> [&[u8]; 2] {
        match (self.shared.dynamic, &mut self.image) {
            (Some(dynamic), Some(image)) => {
                let image: &[u8] = image.part(Part::Image);
                [dynamic.symbols, dynamic.strings].map(|table| table.of(image).unwrap_or_default())
            }
            _ => self.file.symbols(),
        }
    }

    fn place_sections(&self, headers: &mut [u8]) {
        let entry = size::<Native>() as usize;
        for (index, raw) in headers.chunks_exact_mut(entry).enumerate() {
            let header = decode::<Native>(raw);
            let own = self.file.sections().get(index).filter(|section| section.is_loaded());
            let address = match own {
                Some(section) => self.addresses.of(section),
                None if self.shared.dynamic.is_some() && header.flags & ALLOC != 0 => {
                    Word::of(header.address).wrapping_add(self.shared.bias)
                }
                None => 0,
            };
            write_word::<Native>(raw.get_mut(PLACES.0..).unwrap_or_default(), address);
        }
    }

    fn place_symbols(&self, symbols: &mut [u8]) {
        let entry = size_of::<<Native as Format>::RawSymbol>();
        for (raw, value) in symbols.chunks_exact_mut(entry).zip(self.values.table::<Word>()) {
            let nowhere = [Mark::unusable(), Mark::deferred()].contains(value);
            let address = if nowhere { 0 } else { *value };
            write_word::<Native>(raw.get_mut(PLACES.1..).unwrap_or_default(), address);
        }
    }
}
