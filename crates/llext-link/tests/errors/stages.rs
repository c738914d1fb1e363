//! The stages of a link, in their order, over a file in memory: what the run time does, without its memory.

use crate::elf::Class::{self, Narrow, Wide};
use llext_link::Error;
use llext_link::addr::{Part, SectionIndex, Window, Word as _};
use llext_link::arch::{Arch, arm, x86_64};
use llext_link::elf::header::{Header, Kind};
use llext_link::elf::relocation::Relocations;
use llext_link::elf::section::{self, Scan, Section, Tables, relocation_size};
use llext_link::elf::segment::{self, LinkedSegments, Segment, Span};
use llext_link::elf::symbol::Symbols;
use llext_link::elf::{Elf32Le, Elf64Le, Format};
use llext_link::layout::{self, Extra, Layout};
use llext_link::relocate::{Ended, Linker, PairState, Pairs, Target, Upper};
use llext_link::symbol::{Addresses, Assign, BOUND, Query, Resolve, Tally, View};
use llext_link::veneer::{Area, Count, Counted, Needs, Slot};

/// Calls a function that is generic over the format.
macro_rules! by_class {
    ($class:expr, $function:ident($($argument:expr),* $(,)?)) => {
        match $class {
            Narrow => $function::<Elf32Le>($($argument),*),
            Wide => $function::<Elf64Le>($($argument),*),
        }
    };
}

/// What a file is linked against, and where.
#[derive(Clone, Copy)]
pub(crate) struct World {
    /// What the host exports.
    pub(crate) host: &'static [(&'static str, u64)],
    /// The run addresses of the parts.
    pub(crate) parts: [u64; 4],
    /// Another processor than the file's own.
    pub(crate) arch: Option<&'static Arch>,
    /// How many relocations of a table are counted: fewer than there are when the file changes meanwhile.
    pub(crate) counted: usize,
    /// How far behind the thread pointer its thread-local block begins.
    pub(crate) thread: Option<u64>,
}

/// Where the parts lie unless a test says otherwise.
pub(crate) const CODE: u64 = 0x1000_0000;
pub(crate) const WORLD: World = World {
    host: &[],
    parts: [0, CODE, 0x2000_0000, 0x3000_0000],
    arch: None,
    counted: usize::MAX,
    thread: None,
};

pub(crate) fn header(class: Class, bytes: &[u8]) -> Result<Header, Error> {
    by_class!(class, header_of(bytes))
}

/// Everything up to the roles of the sections.
pub(crate) fn scan(class: Class, bytes: &[u8]) -> Result<(Vec<Section>, Tables), Error> {
    by_class!(class, scan_of(bytes))
}

/// Everything up to the resolved symbols.
pub(crate) fn resolve(class: Class, bytes: &[u8]) -> Result<Tally, Error> {
    by_class!(class, resolve_of(bytes))
}

/// Everything up to the layout.
pub(crate) fn plan(class: Class, bytes: &[u8]) -> Result<Layout, Error> {
    by_class!(class, plan_of(bytes))
}

/// The whole link.
pub(crate) fn link(class: Class, bytes: &[u8], world: World) -> Result<(), Error> {
    by_class!(class, link_of(bytes, world))
}

/// The segments of a shared object.
pub(crate) fn segments(class: Class, bytes: &[u8]) -> Result<Span, Error> {
    by_class!(class, segments_of(bytes))
}

/// The segments of a file that was linked for fixed addresses.
pub(crate) fn linked(class: Class, bytes: &[u8]) -> Result<LinkedSegments, Error> {
    by_class!(class, linked_of(bytes))
}

fn header_of<F: Format>(bytes: &[u8]) -> Result<Header, Error> {
    let extent = Header::extent::<F>(bytes.len() as u64)?;
    let mut header = Header::parse::<F>(extent.of(bytes).unwrap_or_default(), bytes.len() as u64)?;
    header.complete::<F>(header.first_section().of(bytes).unwrap_or_default())?;
    Ok(header)
}

fn scan_of<F: Format>(mut bytes: &[u8]) -> Result<(Vec<Section>, Tables), Error> {
    let header = header_of::<F>(bytes)?;
    let (mut scan, mut sections) = (Scan::default(), vec![Section::default(); header.section_count as usize]);
    while !scan.step::<F, _>(&header, &mut bytes, &mut sections, u32::MAX)? {}
    let tables = scan.finish(&sections)?;
    section::connect(&mut sections)?;
    section::apply_names(&mut sections, tables.names.of(bytes).unwrap_or_default())?;
    Ok((sections, tables))
}

fn segments_of<F: Format>(bytes: &[u8]) -> Result<Span, Error> {
    let header = header_of::<F>(bytes)?;
    let mut segments = vec![Segment::default(); header.segment_count as usize];
    segment::scan::<F>(&header, header.segments.of(bytes).unwrap_or_default(), &mut segments)
}

fn linked_of<F: Format>(bytes: &[u8]) -> Result<LinkedSegments, Error> {
    let header = header_of::<F>(bytes)?;
    segment::scan_linked::<F>(&header, header.segments.of(bytes).unwrap_or_default())
}

fn view_of<'a, F: Format>(
    bytes: &'a [u8],
    sections: &'a [Section],
    tables: &Tables,
) -> Result<View<'a, F>, Error> {
    let [entries, strings, extended, names] = [tables.symbols, tables.strings, tables.extended, tables.names]
        .map(|extent| extent.of(bytes).unwrap_or_default());
    Ok(View {
        kind: Kind::Relocatable,
        symbols: Symbols::new(entries, strings, extended)?,
        sections,
        names,
        exports_globals: true,
    })
}

fn resolve_of<F: Format>(bytes: &[u8]) -> Result<Tally, Error> {
    let (sections, tables) = scan_of::<F>(bytes)?;
    resolve_in::<F>(&view_of(bytes, &sections, &tables)?, &WORLD).map(|(tally, _)| tally)
}

fn resolve_in<F: Format>(view: &View<'_, F>, world: &World) -> Result<(Tally, Vec<F::Word>), Error> {
    let mut values = vec![F::Word::default(); view.symbols.len() as usize];
    let address_of = |query: &Query<'_>| {
        world.host.iter().find(|(name, _)| name.as_bytes() == query.name).map(|(_, address)| *address)
    };
    let mut lookup = |queries: &[Query<'_>], answers: &mut [Option<u64>]| {
        answers.iter_mut().zip(queries).for_each(|(answer, query)| *answer = address_of(query));
    };
    let mut resolve = Resolve::default();
    resolve.thread_local = world.thread.is_some();
    resolve.step(view, &mut values, u32::MAX, &mut lookup, &mut |_| {})?;
    resolve.finish(&view.symbols)?;
    Ok((resolve.tally, values))
}

fn plan_of<F: Format>(bytes: &[u8]) -> Result<Layout, Error> {
    let (mut sections, tables) = scan_of::<F>(bytes)?;
    let (tally, _) = resolve_in::<F>(&view_of(bytes, &sections, &tables)?, &WORLD)?;
    let needs = Needs::new(Window::ALL, &sections);
    layout::plan::<F>(&mut sections, arch_of::<F>(), &tally, &needs, Extra::default())
}

fn arch_of<F: Format>() -> &'static Arch {
    if F::CLASS == 1 { &arm::ARCH } else { &x86_64::ARCH }
}

fn link_of<F: Format>(bytes: &[u8], world: World) -> Result<(), Error> {
    let (mut sections, tables) = scan_of::<F>(bytes)?;
    let arch = world.arch.unwrap_or(arch_of::<F>());
    arch.check_attributes::<F>(tables.attributes.of(bytes).unwrap_or_default())?;
    let (tally, mut values) = resolve_in::<F>(&view_of(bytes, &sections, &tables)?, &world)?;
    let mut needs = Needs::new(Window::ALL, &sections);
    let mut slots = vec![Slot::default(); values.len()];
    for table in relocation_tables(&sections) {
        let symbols = view_of::<F>(bytes, &sections, &tables)?.symbols;
        needs.begin(table.target());
        let counted = world.counted.saturating_mul(relocation_size::<F>(table.role()) as usize);
        let records = table.extent().of(bytes).unwrap_or_default();
        let records = Relocations::new(table.role(), &records[..records.len().min(counted)]);
        let mut count = Count::<F> { arch, symbols, values: &values, slots: &mut slots, needs: &mut needs };
        assert_eq!(count.batch(records)?, Counted::Done);
    }
    let layout = layout::plan::<F>(&mut sections, arch, &tally, &needs, Extra::default())?;
    let parts = world.parts.map(F::Word::of);
    let [_, code, constants, data] = parts;
    let got = constants.plus(F::Word::of(layout.got.offset.into()));
    let addresses = Addresses { parts, commons: layout.commons, got, dso_handle: data, bound: [data; BOUND] };
    let view = view_of::<F>(bytes, &sections, &tables)?;
    assert!(Assign::default().step(&view, &mut values, &addresses, u32::MAX)?);
    let room = |extent: llext_link::addr::Extent| vec![0; extent.size as usize];
    let (mut got_bytes, mut stub_bytes) = (room(layout.got), room(layout.stubs));
    let mut index = vec![0; needs.index_len() as usize];
    let mut uppers = vec![Upper::default(); needs.pairs as usize];
    let mut linker = Linker::<F> {
        arch,
        values: &values,
        symbols: Some(view.symbols),
        slots: &mut slots,
        got: Area { bytes: &mut got_bytes, address: got, used: 0 },
        stubs: Area {
            bytes: &mut stub_bytes,
            address: code.plus(F::Word::of(layout.stubs.offset.into())),
            used: 0,
        },
        index: &mut index,
        pairs: Pairs { uppers: &mut uppers, state: PairState::default() },
        thread: world.thread.map(F::Word::of),
        bias: F::Word::default(),
        deferred: 0,
    };
    for table in relocation_tables(&sections) {
        let SectionIndex(target) = table.target();
        let target = sections[target as usize];
        let mut contents = target.extent().of(bytes).unwrap_or_default().to_vec();
        let mut target =
            Target { bytes: &mut contents, address: addresses.of(&target), origin: F::Word::default() };
        let records = table.extent().of(bytes).unwrap_or_default();
        linker.apply(&mut target, Relocations::new(table.role(), records))?;
        if linker.end(&mut target)? == Ended::Again {
            linker.apply(&mut target, Relocations::new(table.role(), records))?;
            assert_eq!(linker.end(&mut target)?, Ended::Done);
        }
    }
    assert!(layout.size(Part::Code) > 0);
    Ok(())
}

fn relocation_tables(sections: &[Section]) -> impl Iterator<Item = Section> {
    sections.iter().copied().filter(Section::is_relocations)
}
