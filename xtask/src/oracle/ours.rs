//! A file linked by llext-link at fixed addresses.

use llext_link::Error;
use llext_link::addr::{Part, Window, Word};
use llext_link::arch::Arch;
use llext_link::elf::section::{Role, Section};
use llext_link::elf::{Elf32Le, Elf64Le, Format};
use llext_link::layout::{Extra, Layout};
use llext_link::symbol::Query;
use llext_link::whole::{Linked, Object};

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

fn link_as<F: Format>(bytes: &[u8], arch: &Arch, externals: &Externals) -> Result<Ours, Error> {
    let mut object = Object::<F>::open(bytes, Some(arch))?;
    let mut lookup = |queries: &[Query<'_>], found: &mut [Option<u64>]| {
        for (query, found) in queries.iter().zip(found) {
            *found = externals.find(&String::from_utf8_lossy(query.name));
        }
    };
    let resolved = object.resolve(&mut lookup, &mut |_| {})?;
    resolved.tally.complete(&object.symbols)?;
    let window = Window { low: externals.base, high: externals.base + (1 << 24) };
    let plan = object.plan(&resolved, window, EXTRA)?;
    let parts = addresses(&plan.layout, externals.base);
    let reserved = plan.layout;
    Ok(Ours::new(object.link(resolved, plan, parts)?, &reserved, &object.sections))
}

/// Room for the host's record, so that `__dso_handle` lies in the image as it does in a load.
const EXTRA: Extra = Extra { constants: 0, data: 64 };

/// One part after the other, far enough apart.
fn addresses(layout: &Layout, base: u64) -> [u64; 4] {
    let mut at = base;
    Part::ALL.map(|part| {
        let start = at.next_multiple_of(GAP);
        at = start + u64::from(layout.size(part)) + if part == Part::Image { 0 } else { GAP };
        start
    })
}

impl Ours {
    /// `reserved` still has the stubs and slots that are not used.
    fn new<W: Word>(linked: Linked<W>, reserved: &Layout, sections: &[Section]) -> Self {
        let address = |part: Part| linked.addresses.part(part).get();
        let placed = |(index, section): (usize, &Section)| Placed {
            index,
            address: linked.addresses.of(section).get(),
            size: section.size().into(),
            code: section.role() == Role::Text,
            zero: section.role() == Role::Bss,
        };
        let loaded = sections.iter().enumerate().filter(|(_, section)| section.is_loaded());
        let sections = loaded.map(placed).collect();
        let ends = [Part::Code, Part::Constants, Part::Data];
        let ends = ends.map(|part| address(part) + u64::from(reserved.size(part)));
        let values = linked.values.iter().map(|value| value.get()).collect();
        let got = linked.addresses.got.get();
        let mut image = Image::default();
        for (start, bytes) in Part::ALL.map(address).into_iter().zip(linked.parts) {
            image.add(start, bytes);
        }
        Self { image, sections, values, got, ends }
    }
}
