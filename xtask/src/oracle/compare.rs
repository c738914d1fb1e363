//! Two linkers' images of one file, byte for byte; and where they differ, by where their instructions lead.

use super::follow::{Leads, Rules, Site};
use super::image::Image;
use super::ours::{Ours, Placed};
use super::view::{Relocation, View};

/// Bytes that came out differently, or a place that leads elsewhere.
pub(super) struct Difference {
    pub(super) linker: &'static str,
    pub(super) section: String,
    pub(super) offset: u64,
    /// The relocation's type and symbol, where one covers the place.
    pub(super) relocation: Option<(String, String)>,
    pub(super) ours: String,
    pub(super) theirs: String,
}

/// The symbols that are branched to: functions, whatever the file calls them.
pub(super) fn branched_to(rules: &Rules, view: &View) -> Vec<usize> {
    let branches = view.relocations.iter().filter(|relocation| rules.branches.contains(&relocation.r_type));
    let undefined =
        branches.map(|relocation| relocation.symbol).filter(|symbol| view.symbols[*symbol].undefined);
    let mut symbols: Vec<usize> = undefined.collect();
    symbols.sort_unstable();
    symbols.dedup();
    symbols
}

/// Every relocation of the file, as it came out in `image`.
pub(super) fn sites<'a>(view: &'a View, ours: &'a Ours, image: &'a Image) -> impl Iterator<Item = Site<'a>> {
    view.relocations.iter().filter_map(move |relocation| {
        let placed = ours.sections.iter().find(|placed| placed.index == relocation.section)?;
        Some(site(view, ours, image, placed, relocation))
    })
}

fn site<'a>(
    view: &'a View,
    ours: &'a Ours,
    image: &'a Image,
    placed: &Placed,
    relocation: &'a Relocation,
) -> Site<'a> {
    let original = view.section(placed.index).map_or(&[][..], |section| &section.bytes);
    let place = placed.address.wrapping_add(relocation.offset);
    Site { image, view, relocation, original, place, ours }
}

/// What the other linker made, and where it was told that symbols lie.
#[derive(Clone, Copy)]
pub(super) struct Theirs<'a> {
    pub(super) linker: &'static str,
    pub(super) image: &'a Image,
    pub(super) told: &'a [(usize, u64)],
}

/// All differences, in the order of the file.
pub(super) fn compare(rules: &Rules, view: &View, ours: &Ours, theirs: Theirs<'_>) -> Vec<Difference> {
    let mut differences = Vec::new();
    for placed in ours.sections.iter().filter(|placed| !placed.zero && placed.size > 0) {
        Comparison { rules, view, ours, theirs, placed }.run(&mut differences);
    }
    differences
}

/// One section.
struct Comparison<'a> {
    rules: &'a Rules,
    view: &'a View,
    ours: &'a Ours,
    theirs: Theirs<'a>,
    placed: &'a Placed,
}

impl Comparison<'_> {
    fn run(&self, differences: &mut Vec<Difference>) {
        let Placed { address, size, .. } = *self.placed;
        let ours = self.ours.image.read(address, size as usize);
        let (Some(ours), Some(theirs)) = (ours, self.theirs.image.read(address, size as usize)) else {
            return differences.push(self.difference(0, None, "placed", "missing"));
        };
        let mut differs: Vec<bool> = ours.iter().zip(theirs).map(|(ours, theirs)| ours != theirs).collect();
        let own = |relocation: &&Relocation| relocation.section == self.placed.index;
        let relocations: Vec<&Relocation> = self.view.relocations.iter().filter(own).collect();
        for relocation in &relocations {
            let span = self.span(relocation);
            let covered = differs.get_mut(span).unwrap_or_default();
            if self.is_followed(relocation) && self.follow(relocation, differences) {
                covered.fill(false);
            }
        }
        self.report(&differs, &relocations, (ours, theirs), differences);
    }

    fn is_followed(&self, relocation: &Relocation) -> bool {
        let kinds = [self.rules.branches, self.rules.accesses];
        kinds.iter().any(|kinds| kinds.contains(&relocation.r_type))
    }

    /// The bytes that a followed instruction may take.
    fn span(&self, relocation: &Relocation) -> std::ops::Range<usize> {
        let (before, after) = (self.rules.span)(relocation.r_type);
        let end = relocation.offset.saturating_add(after).min(self.placed.size);
        relocation.offset.saturating_sub(before).min(end) as usize..end as usize
    }

    /// Compares where both lead; false where that cannot be told.
    fn follow(&self, relocation: &Relocation, differences: &mut Vec<Difference>) -> bool {
        let of = |image| self.leads(&site(self.view, self.ours, image, self.placed, relocation));
        let (ours, theirs) = (of(&self.ours.image), of(self.theirs.image));
        let theirs = theirs.map(|theirs| self.as_told(relocation.symbol, theirs));
        if ours.is_some() && ours == theirs {
            return true;
        }
        let text = |lead: Option<(u64, Leads)>| lead.map_or("unknown code".to_owned(), describe);
        differences.push(self.difference(relocation.offset, Some(relocation), text(ours), text(theirs)));
        true
    }

    /// A linker that was told that a symbol lies at our stub means the symbol.
    fn as_told(&self, symbol: usize, (kind, leads): (u64, Leads)) -> (u64, Leads) {
        let told =
            self.theirs.told.iter().find(|(told, _)| *told == symbol).map(|(_, value)| Leads::To(*value));
        match self.ours.values.get(symbol) {
            Some(value) if told == Some(leads) => (kind, Leads::To(*value)),
            _ => (kind, leads),
        }
    }

    fn leads(&self, site: &Site<'_>) -> Option<(u64, Leads)> {
        if self.rules.accesses.contains(&site.relocation.r_type) {
            return (self.rules.access)(site).map(|address| (0, Leads::To(address)));
        }
        let branch = (self.rules.branch)(site)?;
        let mut leads = branch.to;
        for _ in 0..4 {
            let Leads::To(at) = leads else { break };
            if self.is_told(site, at) || !self.is_stub(site.image, at) {
                break;
            }
            leads = (self.rules.walk)(site.image, at)?;
        }
        let is_missing = self.ours.values.get(site.relocation.symbol) == Some(&0);
        // LLD lets such a branch go on behind itself, or to itself.
        let is_here = |at: u64| [0, 4].contains(&(at & !self.rules.mode).wrapping_sub(site.place));
        let is_nowhere = match leads {
            Leads::Nowhere | Leads::To(0) => true,
            Leads::To(at) => is_here(at),
        };
        if is_missing && is_nowhere {
            return Some((0, Leads::Nowhere));
        }
        Some((branch.kind, leads))
    }

    /// Whether the other linker was told that the symbol lies there.
    fn is_told(&self, site: &Site<'_>, at: u64) -> bool {
        std::ptr::eq(site.image, self.theirs.image)
            && self.theirs.told.contains(&(site.relocation.symbol, at))
    }

    /// Whether a linker added the code at this address.
    fn is_stub(&self, image: &Image, at: u64) -> bool {
        let within = |placed: &Placed| at.wrapping_sub(placed.address) < placed.size;
        let at = at & !self.rules.mode;
        image.read(at, 2).is_some() && !self.ours.sections.iter().any(within)
    }

    /// What remains, one difference for each relocation it belongs to.
    fn report(
        &self,
        differs: &[bool],
        relocations: &[&Relocation],
        (ours, theirs): (&[u8], &[u8]),
        differences: &mut Vec<Difference>,
    ) {
        let mut at = 0;
        while let Some(next) = differs.iter().skip(at).position(|differs| *differs) {
            let start = at + next;
            let covers = |relocation: &&&Relocation| (start as u64).wrapping_sub(relocation.offset) < 8;
            let relocation = relocations.iter().filter(covers).max_by_key(|relocation| relocation.offset);
            let from = relocation.map_or(start, |relocation| relocation.offset as usize);
            let end = (from + 8).min(ours.len()).max(start + 1);
            let text =
                |bytes: &[u8]| bytes[from..end].iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            differences.push(self.difference(from as u64, relocation.copied(), text(ours), text(theirs)));
            at = end;
        }
    }

    fn difference(
        &self,
        offset: u64,
        relocation: Option<&Relocation>,
        ours: impl Into<String>,
        theirs: impl Into<String>,
    ) -> Difference {
        let section =
            self.view.section(self.placed.index).map_or_else(String::new, |found| found.name.clone());
        let relocation = relocation.map(|relocation| {
            let symbol = self.view.symbols.get(relocation.symbol).map_or("", |symbol| &symbol.name);
            let value = self.ours.values.get(relocation.symbol).copied().unwrap_or_default();
            (self.view.type_name(relocation.r_type), format!("{symbol}={value:#x}"))
        });
        let (linker, ours, theirs) = (self.theirs.linker, ours.into(), theirs.into());
        Difference { linker, section, offset, relocation, ours, theirs }
    }
}

fn describe((kind, leads): (u64, Leads)) -> String {
    match leads {
        Leads::To(address) => format!("{kind:#x} to {address:#x}"),
        Leads::Nowhere => "nowhere".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::follow::x86::X86_64;
    use crate::oracle::view::{Section, Symbol};

    const CODE: u64 = 0x1000;
    /// Two instructions: `call`, then `ret`.
    const FILE: &[u8] = b"\xe8\0\0\0\0\xc3";

    fn view() -> View {
        let symbol = |index, name: &str| Symbol {
            index,
            name: name.to_owned(),
            undefined: index > 0,
            weak: false,
            place: None,
        };
        View {
            machine: object::elf::EM_X86_64.0,
            wide: true,
            sections: vec![Section { index: 1, name: ".text".into(), code: true, bytes: FILE.to_vec() }],
            symbols: vec![symbol(0, ""), symbol(1, "outside")],
            relocations: vec![Relocation { section: 1, offset: 1, r_type: 4, symbol: 1, addend: Some(-4) }],
        }
    }

    /// An image whose call goes `distance` bytes on, and a stub at 0x2000 that jumps to `target`.
    fn image(distance: u8, target: u8, last: u8) -> Image {
        let mut image = Image::default();
        image.add(CODE, vec![0xe8, distance, 0x0f, 0, 0, last]);
        image.add(0x2000, [b"\xff\x25\0\0\0\0".as_slice(), &[target, 0x77, 0, 0, 0, 0, 0, 0]].concat());
        image
    }

    fn differences(ours: Image, theirs: Image) -> Vec<(u64, String, String)> {
        let placed = Placed { index: 1, address: CODE, size: 6, code: true, zero: false };
        let values = vec![0, 0x7740];
        let ours = Ours { image: ours, sections: vec![placed], values, got: 0, ends: [0; 3] };
        let theirs = Theirs { linker: "ld", image: &theirs, told: &[] };
        let found = compare(&X86_64, &view(), &ours, theirs);
        found.into_iter().map(|found| (found.offset, found.ours, found.theirs)).collect()
    }

    #[test]
    fn what_is_alike_is_no_difference() {
        assert_eq!(differences(image(0xfb, 0x40, 0xc3), image(0xfb, 0x40, 0xc3)), []);
    }

    #[test]
    fn a_byte_beside_relocations_is_a_difference() {
        let found = differences(image(0xfb, 0x40, 0xc3), image(0xfb, 0x40, 0xcb));
        assert_eq!(found.len(), 1);
        assert!(found[0].1.ends_with("c3") && found[0].2.ends_with("cb"), "{found:?}");
    }

    #[test]
    fn branches_through_stubs_must_arrive_at_the_same_place() {
        // 0x1005 + 0xffb is the stub.
        let to = |address: &str| format!("0xe8 to {address}");
        let found = differences(image(0xfb, 0x40, 0xc3), image(0xfb, 0x41, 0xc3));
        assert_eq!(found, [(1, to("0x7740"), to("0x7741"))]);
        let found = differences(image(0xfb, 0x40, 0xc3), image(0xfc, 0x40, 0xc3));
        assert_eq!(found, [(1, to("0x7740"), "unknown code".to_owned())]);
    }
}
