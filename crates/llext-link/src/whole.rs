//! A relocatable file linked as a whole, where there is an allocator: every stage, one after the other, as a load runs
//! them.
//!
//! So a tool links for a firmware and says what a load would take, and a test compares with other linkers.

use crate::addr::{Extent, Part, SymbolIndex, Window, Word};
use crate::arch::Arch;
use crate::elf::Format;
use crate::elf::header::{Header, Kind};
use crate::elf::relocation::Relocations;
use crate::elf::section::{self, Role, Scan, Section, Tables};
use crate::elf::symbol::Symbols;
use crate::error::{Error, Name};
use crate::layout::{self, Extra, Layout};
use crate::relocate::{Ended, Linker, PairState, Pairs, Target, Upper};
use crate::symbol::{Addresses, Assign, BOUND, Lookup, Resolve, Tally, View};
use crate::veneer::{Area, Count, Counted, Needs, Slot};
use alloc::vec;
use alloc::vec::Vec;

/// Reads and completes a file's header.
pub fn read_header<F: Format>(bytes: &[u8]) -> Result<Header, Error> {
    let mut header = Header::parse::<F>(bytes, bytes.len() as u64)?;
    header.complete::<F>(header.first_section().of(bytes).unwrap_or_default())?;
    Ok(header)
}

/// The sections of a relocatable file, with their roles, and where its tables lie.
pub fn read_sections<F: Format>(header: &Header, mut bytes: &[u8]) -> Result<(Vec<Section>, Tables), Error> {
    let mut sections = vec![Section::default(); header.section_count as usize];
    let mut scan = Scan::default();
    while !scan.step::<F, _>(header, &mut bytes, &mut sections, u32::MAX)? {}
    let tables = scan.finish(&sections)?;
    section::connect(&mut sections)?;
    section::apply_names(&mut sections, tables.names.of(bytes).unwrap_or_default())?;
    Ok((sections, tables))
}

/// A relocatable file, checked and read.
pub struct Object<'a, F: Format> {
    bytes: &'a [u8],
    /// The processor it is linked for.
    pub arch: &'a Arch,
    /// The header.
    pub header: Header,
    /// The sections; their places once a link is planned, their names before.
    pub sections: Vec<Section>,
    /// The symbols.
    pub symbols: Symbols<'a, F>,
    names: &'a [u8],
}

/// The outside world, found.
pub struct Resolved<W> {
    /// A value or a mark for each symbol.
    pub values: Vec<W>,
    /// What was counted, and what nobody provides.
    pub tally: Tally,
}

/// What a link takes, before it has addresses.
pub struct Plan {
    /// Where everything goes.
    pub layout: Layout,
    /// Stubs, slots, and where the image may lie.
    pub needs: Needs,
    slots: Vec<Slot>,
}

/// A linked file.
pub struct Linked<W> {
    /// The bytes of each part, without stubs and slots that are not used.
    pub parts: [Vec<u8>; 4],
    /// Where the parts lie.
    pub addresses: Addresses<W>,
    /// The address of each symbol.
    pub values: Vec<W>,
    /// Where everything went; stubs and GOT as far as they are used.
    pub layout: Layout,
}

impl<'a, F: Format> Object<'a, F> {
    /// Reads a file for `arch`; of those that share the file's machine, for the most able if none is given.
    pub fn open(bytes: &'a [u8], arch: Option<&'a Arch>) -> Result<Self, Error> {
        let header = read_header::<F>(bytes)?;
        let wrong = Error::WrongMachine { found: header.machine, expected: 0 };
        let arch = arch.or_else(|| Arch::find(&header)).ok_or(wrong)?;
        arch.check(&header)?;
        if header.kind != Kind::Relocatable {
            return Err(Error::WrongKind { found: header.kind.number() });
        }
        let (sections, tables) = read_sections::<F>(&header, bytes)?;
        let part = |extent: Extent| extent.of(bytes).unwrap_or_default();
        arch.check_attributes::<F>(part(tables.attributes))?;
        let symbols = Symbols::new(part(tables.symbols), part(tables.strings), part(tables.extended))?;
        Ok(Self { bytes, arch, header, sections, symbols, names: part(tables.names) })
    }

    /// The contents of a section.
    pub fn contents(&self, section: &Section) -> &'a [u8] {
        section.extent().of(self.bytes).unwrap_or_default()
    }

    /// Whether its global symbols are its exports: it has no `.exported_sym`.
    pub fn exports_globals(&self) -> bool {
        !self.sections.iter().any(|section| section.role() == Role::Exports)
    }

    fn view(&self) -> View<'_, F> {
        View {
            kind: Kind::Relocatable,
            symbols: self.symbols,
            sections: &self.sections,
            names: self.names,
            exports_globals: self.exports_globals(),
        }
    }

    /// Asks for what the file does not define. What is missing is counted, and no error here.
    pub fn resolve(
        &self,
        lookup: Lookup<'_>,
        missing: &mut dyn FnMut(&[u8]),
    ) -> Result<Resolved<F::Word>, Error> {
        let mut values = vec![F::Word::default(); self.symbols.len() as usize];
        let mut resolve = Resolve::default();
        resolve.step(&self.view(), &mut values, u32::MAX, lookup, missing)?;
        Ok(Resolved { values, tally: resolve.tally })
    }

    /// Counts what relocations need of an image in `window`, and places the sections.
    pub fn plan(
        &mut self,
        resolved: &Resolved<F::Word>,
        window: Window,
        extra: Extra,
    ) -> Result<Plan, Error> {
        let mut needs = Needs { others: resolved.tally.others, ..Needs::new(window, &self.sections) };
        let mut slots = vec![Slot::default(); resolved.values.len()];
        for table in self.sections.iter().filter(|section| section.is_relocations()) {
            needs.begin(table.target());
            let (arch, symbols, values) = (self.arch, self.symbols, &resolved.values);
            let mut count = Count { arch, symbols, values, slots: &mut slots, needs: &mut needs };
            let records = Relocations::new(table.role(), self.contents(table));
            // A slot for each symbol is lent from the start.
            let (Counted::Done | Counted::WantsSlots) =
                count.batch(records).map_err(|error| self.with_name(error))?;
        }
        let layout = layout::plan::<F>(&mut self.sections, self.arch, &resolved.tally, &needs, extra)?;
        Ok(Plan { layout, needs, slots })
    }

    /// Links at the addresses of the parts.
    pub fn link(
        &self,
        resolved: Resolved<F::Word>,
        plan: Plan,
        parts: [u64; 4],
    ) -> Result<Linked<F::Word>, Error> {
        let Plan { layout, needs, slots } = plan;
        let mut work = Work {
            parts: Part::ALL.map(|part| vec![0; layout.size(part) as usize]),
            addresses: addresses::<F>(&layout, parts),
            layout,
            values: resolved.values,
            slots,
            index: vec![0; needs.index_len() as usize],
            uppers: vec![Upper::default(); needs.pairs as usize],
            used: [0; 2],
        };
        self.copy(&mut work)?;
        Assign::default().step(&self.view(), &mut work.values, &work.addresses, u32::MAX)?;
        for table in self.sections.iter().filter(|section| section.is_relocations()) {
            self.relocate(&mut work, table).map_err(|error| self.with_name(error))?;
        }
        Ok(work.trim())
    }

    fn copy(&self, work: &mut Work<F>) -> Result<(), Error> {
        let contents = |section: &&Section| section.is_loaded() && section.role() != Role::Bss;
        for section in self.sections.iter().filter(contents) {
            let to = work.parts.get_mut(section.role().part() as usize);
            let to = to.and_then(|part| part.get_mut(section.place() as usize..));
            let to = to.and_then(|part| part.get_mut(..section.size() as usize));
            to.ok_or(CHANGED)?.copy_from_slice(self.contents(section));
        }
        Ok(())
    }

    /// Applies one table of relocations.
    fn relocate(&self, work: &mut Work<F>, table: &Section) -> Result<(), Error> {
        let target = self.sections.get(table.target().0 as usize).copied().unwrap_or_default();
        let records = Relocations::<F>::new(table.role(), self.contents(table));
        let Work { addresses, layout, used: [got_used, stubs_used], .. } = work;
        let [_, code, constants, data] = &mut work.parts;
        let (code, stubs) = code.split_at_mut_checked(layout.stubs.offset as usize).ok_or(CHANGED)?;
        let (constants, got) = constants.split_at_mut_checked(layout.got.offset as usize).ok_or(CHANGED)?;
        let at = addresses.part(Part::Code).plus(F::Word::of(layout.stubs.offset.into()));
        let mut linker = Linker::<F> {
            arch: self.arch,
            values: &work.values,
            symbols: Some(self.symbols),
            slots: &mut work.slots,
            got: Area { bytes: got, address: addresses.got, used: *got_used },
            stubs: Area { bytes: stubs, address: at, used: *stubs_used },
            index: &mut work.index,
            pairs: Pairs { uppers: &mut work.uppers, state: PairState::default() },
            thread: None,
            bias: F::Word::default(),
            deferred: 0,
        };
        let part = match target.role().part() {
            Part::Code => code,
            Part::Data => data,
            _ => constants,
        };
        let bytes = part.get_mut(target.place() as usize..);
        let bytes = bytes.and_then(|part| part.get_mut(..target.size() as usize)).ok_or(CHANGED)?;
        let mut target = Target { bytes, address: addresses.of(&target), origin: F::Word::default() };
        linker.apply(&mut target, records)?;
        if linker.end(&mut target)? == Ended::Again {
            linker.apply(&mut target, records)?;
            linker.end(&mut target)?;
        }
        (*got_used, *stubs_used) = (linker.got.used, linker.stubs.used);
        Ok(())
    }

    /// The error with the name of the symbol it is about.
    fn with_name(&self, mut error: Error) -> Error {
        if let Some(about) = error.symbol_mut() {
            let index = SymbolIndex(about.index);
            let name = self.symbols.get(index).and_then(|symbol| self.symbols.name(index, &symbol));
            about.name = name.map_or(Name::EMPTY, Name::new);
        }
        error
    }
}

/// What was planned does not fit: the plan is of another file.
const CHANGED: Error = Error::TableChanged { what: "layout" };

fn addresses<F: Format>(layout: &Layout, parts: [u64; 4]) -> Addresses<F::Word> {
    let parts = parts.map(F::Word::of);
    let [_, _, constants, data] = parts;
    Addresses {
        parts,
        commons: layout.commons,
        got: constants.plus(F::Word::of(layout.got.offset.into())),
        dso_handle: data.plus(F::Word::of(layout.extra_data.offset.into())),
        bound: [F::Word::default(); BOUND],
    }
}

/// An image in the making, and what is lent for relocating.
struct Work<F: Format> {
    parts: [Vec<u8>; 4],
    addresses: Addresses<F::Word>,
    layout: Layout,
    values: Vec<F::Word>,
    slots: Vec<Slot>,
    index: Vec<u32>,
    uppers: Vec<Upper>,
    /// Bytes of the GOT and of the stubs that are used.
    used: [u32; 2],
}

impl<F: Format> Work<F> {
    /// Gives back the stubs and slots that are not used.
    fn trim(mut self) -> Linked<F::Word> {
        [self.layout.got.size, self.layout.stubs.size] = self.used;
        let ends = [(Part::Code, self.layout.stubs), (Part::Constants, self.layout.got)];
        for (part, last) in ends {
            let bytes = self.parts.get_mut(part as usize).zip(self.layout.sizes.get_mut(part as usize));
            if let Some((bytes, size)) = bytes {
                bytes.truncate((last.offset + last.size) as usize);
                *size = bytes.len() as u32;
            }
        }
        let Self { parts, addresses, values, layout, .. } = self;
        Linked { parts, addresses, values, layout }
    }
}
