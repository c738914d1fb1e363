//! A whole link of a file, for any architecture: the linker's stages in their order, over plain bytes. The first byte
//! chooses the architecture, the second where the host's exports lie and how many relocations come at once: that must
//! make no difference.

use llext_link::Error;
use llext_link::addr::{Extent, Part, Window, Word};
use llext_link::arch::{self, Arch};
use llext_link::elf::dynamic::Dynamic;
use llext_link::elf::header::{Header, Kind};
use llext_link::elf::relocation::Relocations;
use llext_link::elf::section::{self, Role, Scan, Section, Tables, relocation_size};
use llext_link::elf::segment::{self, Segment};
use llext_link::elf::symbol::Symbols;
use llext_link::elf::{Elf32Be, Elf32Le, Elf64Be, Elf64Le, Format};
use llext_link::layout::{self, Extra, Layout};
use llext_link::relocate::{Ended, Linker, PairState, Pairs, Target, Upper, apply_relr};
use llext_link::symbol::{Addresses, Assign, BOUND, Query, Resolve, View};
use llext_link::veneer::{Area, Count, Needs, Slot};

/// No image that is this large teaches more than a smaller one.
const LARGEST: u64 = 1 << 20;

/// Where the parts lie.
const PARTS: [u64; 4] = [0x1000_0000, 0x1100_0000, 0x1200_0000, 0x1300_0000];

pub(crate) fn run(bytes: &[u8]) {
    let [arch, world, bytes @ ..] = bytes else { return };
    let arches: Vec<_> = arch::all().collect();
    let arch = arches[usize::from(*arch) % arches.len()];
    match arch.format {
        [1, 1] => same_in_batches::<Elf32Le>(arch, *world, bytes),
        [1, _] => same_in_batches::<Elf32Be>(arch, *world, bytes),
        [_, 1] => same_in_batches::<Elf64Le>(arch, *world, bytes),
        _ => same_in_batches::<Elf64Be>(arch, *world, bytes),
    }
}

fn same_in_batches<F: Format>(arch: &'static Arch, world: u8, bytes: &[u8]) {
    let whole = Link::<F> { arch, world, batch: usize::MAX, bytes, format: Default::default() };
    let batch = 1 + usize::from(world >> 3);
    let linked = whole.link();
    assert_eq!(Link { batch, ..whole }.link(), linked, "in batches of {batch}");
}

struct Link<'a, F> {
    arch: &'static Arch,
    world: u8,
    /// How many relocations come at once.
    batch: usize,
    bytes: &'a [u8],
    format: std::marker::PhantomData<F>,
}

/// The parts, linked.
type Linked = Result<[Vec<u8>; 4], Error>;

impl<F: Format> Link<'_, F> {
    fn link(&self) -> Linked {
        let extent = Header::extent::<F>(self.bytes.len() as u64)?;
        let mut header = Header::parse::<F>(self.part(extent), self.bytes.len() as u64)?;
        header.complete::<F>(self.part(header.first_section()))?;
        match header.kind {
            Kind::Relocatable => self.relocatable(&header),
            Kind::Shared => self.shared(&header),
            // Nothing is left to link.
            Kind::Linked => Ok(Default::default()),
        }
    }

    fn part(&self, extent: Extent) -> &[u8] {
        extent.of(self.bytes).unwrap_or_default()
    }

    /// Relocations in batches.
    fn batches<'t>(&self, role: Role, table: &'t [u8]) -> impl Iterator<Item = Relocations<'t, F>> + 't {
        let size = relocation_size::<F>(role) as usize;
        table.chunks(self.batch.saturating_mul(size)).map(move |records| Relocations::new(role, records))
    }

    /// An address for every name, for some, or for none.
    fn lookup(&self, queries: &[Query<'_>], found: &mut [Option<u64>]) {
        let address = |hash: u32| match self.world & 7 {
            0 => None,
            1 => Some(PARTS[1] + u64::from(hash & 0xffff)),
            2 => Some(u64::from(hash)),
            3 => Some(u64::MAX - u64::from(hash)),
            4 => Some(0x7000_0000_0000 + u64::from(hash)),
            5 => Some(0),
            _ if hash & 1 == 0 => None,
            _ => Some(PARTS[1] + u64::from(hash & 0x0fff_ffff)),
        };
        for (query, found) in queries.iter().zip(found) {
            *found = address(query.hash);
        }
    }

    fn resolve(&self, view: &View<'_, F>) -> Result<(Resolve, Vec<F::Word>), Error> {
        let mut values = vec![F::Word::default(); view.symbols.len() as usize];
        let mut resolve = Resolve::default();
        let lookup = &mut |queries: &[Query<'_>], found: &mut [Option<u64>]| self.lookup(queries, found);
        while !resolve.step(view, &mut values, 7, lookup, &mut |_| {})? {}
        resolve.finish(&view.symbols)?;
        Ok((resolve, values))
    }

    fn scan(&self, header: &Header) -> Result<(Vec<Section>, Tables), Error> {
        let mut sections = vec![Section::default(); header.section_count as usize];
        let (mut scan, mut bytes) = (Scan::default(), self.bytes);
        while !scan.step::<F, _>(header, &mut bytes, &mut sections, u32::MAX)? {}
        let tables = scan.finish(&sections)?;
        section::connect(&mut sections)?;
        section::apply_names(&mut sections, self.part(tables.names))?;
        Ok((sections, tables))
    }

    fn relocatable(&self, header: &Header) -> Linked {
        let (mut sections, tables) = self.scan(header)?;
        let names = self.part(tables.names);
        let symbols =
            Symbols::new(self.part(tables.symbols), self.part(tables.strings), self.part(tables.extended))?;
        let exports_globals = self.world & 1 == 0;
        let view = View { kind: header.kind, symbols, sections: &sections, names, exports_globals };
        let (resolve, mut values) = self.resolve(&view)?;

        let mut needs = Needs::new(Window::ALL, &sections);
        needs.others = resolve.tally.others;
        let mut slots = vec![Slot::default(); values.len()];
        for table in relocation_tables(&sections) {
            needs.begin(table.target());
            for records in self.batches(table.role(), self.part(table.extent())) {
                let (values, slots) = (&values, &mut slots);
                Count { arch: self.arch, symbols, values, slots, needs: &mut needs }.batch(records)?;
            }
        }
        let extra = Extra { constants: 48, data: 64 };
        let layout = layout::plan::<F>(&mut sections, self.arch, &resolve.tally, &needs, extra)?;
        let mut work = Work::<F>::new(&layout)?;
        for section in sections.iter().filter(|section| section.is_loaded() && section.role() != Role::Bss) {
            let contents = section.extent().of(self.bytes).expect("a checked section lies in the file");
            work.bytes_of(section).copy_from_slice(contents);
        }
        let view = View { kind: header.kind, symbols, sections: &sections, names, exports_globals };
        Assign::default().step(&view, &mut values, &work.addresses, u32::MAX)?;
        let mut uppers = vec![Upper::default(); needs.pairs as usize];
        let mut index = vec![0; needs.index_len() as usize];
        for table in relocation_tables(&sections) {
            let lent = Lent {
                symbols: Some(symbols),
                values: &values,
                slots: &mut slots,
                index: &mut index,
                uppers: &mut uppers,
            };
            self.relocate(&mut work, &layout, lent, &sections[table.target().0 as usize], table)?;
        }
        Ok(work.parts)
    }

    fn relocate(
        &self,
        work: &mut Work<F>,
        layout: &Layout,
        lent: Lent<'_, F>,
        section: &Section,
        table: &Section,
    ) -> Result<(), Error> {
        // The section's own bytes, apart: nothing that is linked can reach another's.
        let mut bytes = work.bytes_of(section).to_vec();
        let address = work.addresses.of(section);
        let mut target = Target { bytes: &mut bytes, address, origin: F::Word::default() };
        let stubs_at = work.addresses.part(Part::Code).plus(F::Word::of(layout.stubs.offset.into()));
        let [_, code, constants, _] = &mut work.parts;
        let mut linker = Linker::<F> {
            arch: self.arch,
            values: lent.values,
            symbols: lent.symbols,
            slots: lent.slots,
            got: Area {
                bytes: &mut constants[layout.got.offset as usize..],
                address: work.addresses.got,
                used: work.got_used,
            },
            stubs: Area {
                bytes: &mut code[layout.stubs.offset as usize..],
                address: stubs_at,
                used: work.stubs_used,
            },
            index: lent.index,
            pairs: Pairs { uppers: lent.uppers, state: PairState::default() },
            thread: (self.world & 4 != 0).then(|| F::Word::of(64)),
            bias: F::Word::default(),
            deferred: 0,
        };
        let mut rounds = 0;
        loop {
            for records in self.batches(table.role(), self.part(table.extent())) {
                linker.apply(&mut target, records)?;
            }
            rounds += 1;
            if linker.end(&mut target)? == Ended::Done {
                break;
            }
            assert!(rounds < 2, "a section's relocations are read twice at most");
        }
        (work.got_used, work.stubs_used) = (linker.got.used, linker.stubs.used);
        work.bytes_of(section).copy_from_slice(&bytes);
        Ok(())
    }

    fn shared(&self, header: &Header) -> Linked {
        let mut segments = vec![Segment::default(); header.segment_count as usize];
        let span = segment::scan::<F>(header, self.part(header.segments), &mut segments)?;
        let layout = layout::plan_shared(self.arch, span.size, span.align, Extra::default())?;
        let mut work = Work::<F>::new(&layout)?;
        let image = &mut work.parts[Part::Image as usize];
        for segment in &segments[..span.count as usize] {
            let contents = segment.extent().of(self.bytes).expect("a checked segment lies in the file");
            let start = (segment.address() - span.base) as usize;
            image[start..start + contents.len()].copy_from_slice(contents);
        }
        let dynamic = Dynamic::parse::<F>(image, &span)?;
        // What is lent for relocating: the image that it lies in changes meanwhile.
        let before = image.clone();
        let symbols = dynamic.symbols::<F>(&before)?;
        let view = View { kind: header.kind, symbols, sections: &[], names: &[], exports_globals: false };
        let (_, mut values) = self.resolve(&view)?;
        let (address, origin) = (work.addresses.part(Part::Image), F::Word::of(span.base));
        let bias = address.minus(origin);
        let base = (origin, span.size, bias);
        Assign::default().step_shared(&view, &mut values, &work.addresses, base, u32::MAX)?;
        let mut target = Target { bytes: image, address, origin };
        apply_relr::<F>(&mut target, dynamic.relr, bias)?;
        let mut linker = Linker::<F> {
            arch: self.arch,
            values: &values,
            symbols: None,
            slots: &mut [],
            got: Area { bytes: &mut [], address, used: 0 },
            stubs: Area { bytes: &mut [], address, used: 0 },
            index: &mut [],
            pairs: Pairs::default(),
            thread: (self.world & 4 != 0).then(|| F::Word::of(64)),
            bias,
            deferred: 0,
        };
        for table in dynamic.relocations {
            for records in self.batches(table.role, table.extent.of(&before).unwrap_or_default()) {
                linker.apply(&mut target, records)?;
            }
        }
        Ok(work.parts)
    }
}

/// What is lent for relocating.
struct Lent<'a, F: Format> {
    symbols: Option<Symbols<'a, F>>,
    values: &'a [F::Word],
    slots: &'a mut [Slot],
    index: &'a mut [u32],
    uppers: &'a mut [Upper],
}

fn relocation_tables(sections: &[Section]) -> impl Iterator<Item = &Section> {
    sections.iter().filter(|section| matches!(section.role(), Role::Rel | Role::Rela))
}

/// The parts of an image in the making.
struct Work<F: Format> {
    parts: [Vec<u8>; 4],
    addresses: Addresses<F::Word>,
    got_used: u32,
    stubs_used: u32,
}

impl<F: Format> Work<F> {
    fn new(layout: &Layout) -> Result<Self, Error> {
        let wanted = layout.sizes.iter().map(|size| u64::from(*size)).sum();
        if wanted > LARGEST {
            return Err(Error::ImageTooLarge { wanted });
        }
        let parts = PARTS.map(F::Word::of);
        let [_, _, constants, data] = parts;
        let addresses = Addresses {
            parts,
            commons: layout.commons,
            got: constants.plus(F::Word::of(layout.got.offset.into())),
            dso_handle: data.plus(F::Word::of(layout.extra_data.offset.into())),
            bound: [F::Word::default(); BOUND],
        };
        let parts = Part::ALL.map(|part| vec![0; layout.size(part) as usize]);
        Ok(Self { parts, addresses, got_used: 0, stubs_used: 0 })
    }

    fn bytes_of(&mut self, section: &Section) -> &mut [u8] {
        let part = &mut self.parts[section.role().part() as usize];
        &mut part[section.place() as usize..][..section.size() as usize]
    }
}
