//! A file linked by llext-link at fixed addresses: its own stages, one after the other, as a load runs them.

use std::ops::Range;

use llext_link::Error;
use llext_link::addr::{Extent, Part, Window, Word};
use llext_link::arch::Arch;
use llext_link::elf::header::Header;
use llext_link::elf::relocation::Relocations;
use llext_link::elf::section::{self, Role, Scan, Section};
use llext_link::elf::symbol::Symbols;
use llext_link::elf::{Elf32Le, Elf64Le, Format};
use llext_link::layout::{self, Extra, Layout};
use llext_link::relocate::{Ended, Linker, PairState, Pairs, Target, Upper};
use llext_link::symbol::{Addresses, Assign, BOUND, Resolve, View};
use llext_link::veneer::{Area, Count, Counted, Needs, Slot};

use super::externals::Externals;
use super::image::Image;

/// Where a loaded section went.
pub(super) struct Placed {
    pub(super) index: usize,
    pub(super) address: u64,
    pub(super) size: u64,
    pub(super) code: bool,
    pub(super) zero: bool,
}

/// What llext-link made of a file.
pub(super) struct Ours {
    pub(super) image: Image,
    pub(super) sections: Vec<Placed>,
    /// By index of symbol.
    pub(super) values: Vec<u64>,
    pub(super) got: u64,
    /// The end of each part, with room for another linker's tables after it.
    pub(super) ends: [u64; 3],
}

/// Between the parts: room for what another linker adds.
const GAP: u64 = 0x1_0000;

/// Links `bytes`, whose outside world is `externals`.
pub(super) fn link(bytes: &[u8], wide: bool, arch: &Arch, externals: &Externals) -> Result<Ours, Error> {
    if wide { link_as::<Elf64Le>(bytes, arch, externals) } else { link_as::<Elf32Le>(bytes, arch, externals) }
}

/// The header, whole.
pub(super) fn header_of<F: Format>(bytes: &[u8]) -> Result<Header, Error> {
    let mut header = Header::parse::<F>(bytes, bytes.len() as u64)?;
    header.complete::<F>(header.first_section().of(bytes).unwrap_or_default())?;
    Ok(header)
}

fn link_as<F: Format>(mut bytes: &[u8], arch: &Arch, externals: &Externals) -> Result<Ours, Error> {
    let header = header_of::<F>(bytes)?;
    let mut sections = vec![Section::default(); header.section_count as usize];
    let mut scan = Scan::default();
    while !scan.step::<F, _>(&header, &mut bytes, &mut sections, u32::MAX)? {}
    let tables = scan.finish(&sections)?;
    arch.check(&header)?;
    arch.check_attributes::<F>(tables.attributes.of(bytes).unwrap_or_default())?;
    section::connect(&mut sections)?;
    let part = |extent: Extent| extent.of(bytes).unwrap_or_default();
    section::apply_names(&mut sections, part(tables.names))?;
    let symbols = Symbols::<F>::new(part(tables.symbols), part(tables.strings), part(tables.extended))?;

    let mut values = vec![F::Word::default(); symbols.len() as usize];
    let view = View {
        kind: header.kind,
        symbols,
        sections: &sections,
        names: part(tables.names),
        exports_globals: true,
    };
    let mut resolve = Resolve::default();
    let mut lookup = |queries: &[llext_link::symbol::Query<'_>], found: &mut [Option<u64>]| {
        for (query, found) in queries.iter().zip(found) {
            *found = externals.find(&String::from_utf8_lossy(query.name));
        }
    };
    resolve.step(&view, &mut values, u32::MAX, &mut lookup, &mut |_| {})?;
    let tally = resolve.finish()?;

    let window = Window { low: externals.base, high: externals.base + (1 << 24) };
    let mut needs = Needs::new(window, &sections);
    let mut slots = vec![Slot::default(); values.len()];
    let is_table = |section: &&Section| matches!(section.role(), Role::Rel | Role::Rela);
    for table in sections.iter().filter(is_table) {
        needs.begin(table.target());
        let mut count = Count { arch, symbols, values: &values, slots: &mut slots, needs: &mut needs };
        // A slot for each symbol is lent from the start.
        let (Counted::Done | Counted::WantsSlots) =
            count.batch(Relocations::new(table.role(), part(table.extent())))?;
    }
    let layout = layout::plan::<F>(&mut sections, arch, &tally, &needs, EXTRA)?;

    let mut index = vec![0; needs.index_len() as usize];
    let mut uppers = vec![Upper::default(); needs.pairs as usize];
    let mut work = Work::<F>::new(&layout, externals.base);
    work.copy(&sections, bytes);
    let view = View {
        kind: header.kind,
        symbols,
        sections: &sections,
        names: part(tables.names),
        exports_globals: true,
    };
    Assign::default().step(&view, &mut values, &work.addresses, u32::MAX)?;
    for table in sections.iter().filter(is_table) {
        let records = Relocations::<F>::new(table.role(), part(table.extent()));
        let target = sections.get(table.target().0 as usize).copied().unwrap_or_default();
        let mut tables =
            Tables { symbols, values: &values, slots: &mut slots, index: &mut index, uppers: &mut uppers };
        work.relocate(arch, &layout, &mut tables, &target, records)?;
    }
    Ok(work.finish(&layout, &sections, &values))
}

/// Room for the host's record, so that `__dso_handle` lies in the image as it does in a load.
const EXTRA: Extra = Extra { constants: 0, data: 64 };

/// What is lent for relocating.
struct Tables<'a, F: Format> {
    symbols: Symbols<'a, F>,
    values: &'a [F::Word],
    slots: &'a mut [Slot],
    index: &'a mut [u32],
    uppers: &'a mut [Upper],
}

/// The parts of an image in the making.
struct Work<F: Format> {
    parts: [Vec<u8>; 4],
    addresses: Addresses<F::Word>,
    got_used: u32,
    stubs_used: u32,
}

impl<F: Format> Work<F> {
    fn new(layout: &Layout, base: u64) -> Self {
        let mut at = base;
        let starts = Part::ALL.map(|part| {
            let start = at.next_multiple_of(GAP);
            at = start + u64::from(layout.size(part)) + if part == Part::Image { 0 } else { GAP };
            start
        });
        let parts = starts.map(F::Word::of);
        let [_, _, constants, data] = parts;
        let addresses = Addresses {
            parts,
            commons: layout.commons,
            got: constants.plus(F::Word::of(layout.got.offset.into())),
            dso_handle: data.plus(F::Word::of(layout.extra_data.offset.into())),
            bound: [F::Word::default(); BOUND],
        };
        Self {
            parts: Part::ALL.map(|part| vec![0; layout.size(part) as usize]),
            addresses,
            got_used: 0,
            stubs_used: 0,
        }
    }

    fn copy(&mut self, sections: &[Section], bytes: &[u8]) {
        for section in sections.iter().filter(|section| section.is_loaded() && section.role() != Role::Bss) {
            let part = &mut self.parts[section.role().part() as usize];
            part[range(section)].copy_from_slice(section.extent().of(bytes).unwrap_or_default());
        }
    }

    fn relocate(
        &mut self,
        arch: &Arch,
        layout: &Layout,
        tables: &mut Tables<'_, F>,
        target: &Section,
        records: Relocations<'_, F>,
    ) -> Result<(), Error> {
        let code_address = self.addresses.part(Part::Code);
        let [_, code, constants, data] = &mut self.parts;
        let (code, stubs) = code.split_at_mut(layout.stubs.offset as usize);
        let (constants, got) = constants.split_at_mut(layout.got.offset as usize);
        let mut linker = Linker::<F> {
            arch,
            values: tables.values,
            symbols: Some(tables.symbols),
            slots: tables.slots,
            got: Area { bytes: got, address: self.addresses.got, used: self.got_used },
            stubs: Area {
                bytes: stubs,
                address: code_address.plus(F::Word::of(layout.stubs.offset.into())),
                used: self.stubs_used,
            },
            index: tables.index,
            pairs: Pairs { uppers: tables.uppers, state: PairState::default() },
            thread: None,
            bias: F::Word::default(),
            deferred: 0,
        };
        let part = match target.role().part() {
            Part::Code => code,
            Part::Data => data,
            _ => constants,
        };
        let bytes = &mut part[range(target)];
        let mut target = Target { bytes, address: self.addresses.of(target), origin: F::Word::default() };
        linker.apply(&mut target, records)?;
        if linker.end(&mut target)? == Ended::Again {
            linker.apply(&mut target, records)?;
            linker.end(&mut target)?;
        }
        (self.got_used, self.stubs_used) = (linker.got.used, linker.stubs.used);
        Ok(())
    }

    fn finish(self, layout: &Layout, sections: &[Section], values: &[F::Word]) -> Ours {
        let placed = |(index, section): (usize, &Section)| Placed {
            index,
            address: self.addresses.of(section).get(),
            size: section.size().into(),
            code: section.role() == Role::Text,
            zero: section.role() == Role::Bss,
        };
        let loaded = sections.iter().enumerate().filter(|(_, section)| section.is_loaded());
        let sections = loaded.map(placed).collect();
        let end = |part: Part| self.addresses.part(part).get() + u64::from(layout.size(part));
        let ends = [end(Part::Code), end(Part::Constants), end(Part::Data)];
        let mut image = Image::default();
        for (part, bytes) in Part::ALL.into_iter().zip(self.parts) {
            image.add(self.addresses.part(part).get(), bytes);
        }
        let values = values.iter().map(|value| value.get()).collect();
        Ours { image, sections, values, got: self.addresses.got.get(), ends }
    }
}

fn range(section: &Section) -> Range<usize> {
    section.place() as usize..section.place() as usize + section.size() as usize
}
