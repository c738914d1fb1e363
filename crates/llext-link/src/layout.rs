//! The layout: which section goes where in which part, and what memory that takes.
//!
//! Sections of one role stand together, in file order; constructors by priority. After planning, sizes are fixed.

use crate::addr::{Extent, MAX_IMAGE, Part, Word};
use crate::arch::Arch;
use crate::elf::Format;
use crate::elf::section::{Role, Section};
use crate::error::Error;
use crate::symbol::{BOUND, Tally};
use crate::veneer::Needs;

/// Room for the host's own tables about the extension.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extra {
    /// What is read-only once the image is sealed, bytes.
    pub constants: u32,
    /// What stays writable, bytes.
    pub data: u32,
}

/// The alignment of the host's tables, bytes.
const EXTRA_ALIGN: u32 = 16;

/// Where everything goes. Offsets are into the part named beside them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Layout {
    /// The size of each part, bytes.
    pub sizes: [u32; 4],
    /// The alignment of each part, bytes.
    pub aligns: [u32; 4],
    /// The binding stubs, after the file's own code.
    pub bound: Extent,
    /// The far-call stubs, at the end of the code.
    pub stubs: Extent,
    /// The GOT, at the end of the constants.
    pub got: Extent,
    /// The common symbols, in the data.
    pub commons: u32,
    /// The exports (`.exported_sym`), in the constants.
    pub exports: Extent,
    /// Functions to run first, in the constants.
    pub preinit: Extent,
    /// Constructors, in the constants.
    pub init: Extent,
    /// Destructors, in the constants.
    pub fini: Extent,
    /// The host's read-only tables, in the constants.
    pub extra_constants: Extent,
    /// The host's writable tables, in the data.
    pub extra_data: Extent,
}

/// One part while it fills. Its size saturates: what is too large is so at the end, where that is looked at once.
#[derive(Clone, Copy)]
struct Filling {
    size: u32,
    align: u32,
}

impl Filling {
    #[inline(never)]
    fn take(&mut self, size: u32, align: u32) -> u32 {
        let offset = self.size.saturating_add(align - 1) & !(align - 1);
        self.size = offset.saturating_add(size);
        self.align = self.align.max(align);
        offset
    }

    fn extent(&mut self, size: u32, align: u32) -> Extent {
        Extent { offset: self.take(size, align), size }
    }

    /// What was filled from `offset` on.
    fn since(&self, offset: u32) -> Extent {
        Extent { offset, size: self.size.saturating_sub(offset) }
    }
}

/// Plans a relocatable file and writes each section's place into it.
pub fn plan<F: Format>(
    sections: &mut [Section],
    arch: &Arch,
    tally: &Tally,
    needs: &Needs,
    extra: Extra,
) -> Result<Layout, Error> {
    let mut layout = Layout::default();
    let mut parts = [Filling { size: 0, align: 1 }; 4];
    let [_, code, constants, data] = &mut parts;
    let word = F::Word::SIZE as u32;

    for section in sections.iter_mut().filter(|section| section.is_in_place()) {
        section.set_place(section.extent().offset);
    }
    place_role(sections, Role::Text, code);
    layout.bound = bound(arch, code, tally.bound);
    let align = arch.veneers.iter().map(|veneer| veneer.align).max().unwrap_or(1);
    layout.stubs = code.extent(needs.stubs.saturating_mul(arch.stub_len() as u32), align.into());

    layout.exports = place_role(sections, Role::Exports, constants);
    layout.preinit = place_array(sections, Role::Preinit, constants);
    layout.init = place_array(sections, Role::Init, constants);
    layout.fini = place_array(sections, Role::Fini, constants);
    place_role(sections, Role::Rodata, constants);
    layout.extra_constants = constants.extent(extra.constants, EXTRA_ALIGN);
    layout.got = constants.extent(needs.got.saturating_mul(word), word);

    layout.extra_data = data.extent(extra.data, EXTRA_ALIGN);
    place_role(sections, Role::Data, data);
    place_role(sections, Role::Bss, data);
    layout.commons = data.take(tally.common_size, tally.common_align.max(1));

    layout.finish(&parts)
}

/// Plans a shared object: its span as it is, and the host's tables.
pub fn plan_shared(arch: &Arch, span: u32, align: u32, extra: Extra) -> Result<Layout, Error> {
    let mut layout = Layout::default();
    let mut parts = [Filling { size: 0, align: 1 }; 4];
    let [image, code, constants, data] = &mut parts;
    image.take(span, align.max(1));
    layout.bound = bound(arch, code, true);
    layout.extra_constants = constants.extent(extra.constants, EXTRA_ALIGN);
    layout.extra_data = data.extent(extra.data, EXTRA_ALIGN);
    layout.finish(&parts)
}

/// Room for the binding stubs, if they may be needed.
fn bound(arch: &Arch, code: &mut Filling, needed: bool) -> Extent {
    let size = arch.binder.as_ref().filter(|_| needed).map_or(0, |binder| (binder.code.len() * BOUND) as u32);
    code.extent(size, 8)
}

impl Layout {
    fn finish(mut self, parts: &[Filling; 4]) -> Result<Self, Error> {
        let wanted = parts.iter().map(|part| u64::from(part.size) + u64::from(part.align)).sum();
        if wanted >= MAX_IMAGE {
            return Err(Error::ImageTooLarge { wanted });
        }
        for ((part, size), align) in parts.iter().zip(&mut self.sizes).zip(&mut self.aligns) {
            (*size, *align) = (part.size, part.align);
        }
        Ok(self)
    }

    /// The size of a part, bytes.
    pub fn size(&self, part: Part) -> u32 {
        self.sizes.get(part as usize).copied().unwrap_or_default()
    }
}

fn place(section: &mut Section, part: &mut Filling) {
    section.set_place(part.take(section.size(), section.align()));
}

/// Places the sections of one role that are not in place, in file order; the extent of them all.
fn place_role(sections: &mut [Section], role: Role, part: &mut Filling) -> Extent {
    let is_copied = |section: &Section| section.role() == role && !section.is_in_place();
    let align = sections.iter().filter(|section| is_copied(section)).map(|section| section.align()).max();
    let start = part.take(0, align.unwrap_or(1));
    for section in sections.iter_mut().filter(|section| is_copied(section)) {
        place(section, part);
    }
    part.since(start)
}

/// Places the sections of an array of functions: lower priorities first, file order among equals.
fn place_array(sections: &mut [Section], role: Role, part: &mut Filling) -> Extent {
    let align = sections.iter().filter(|section| section.role() == role).map(|section| section.align()).max();
    let start = part.take(0, align.unwrap_or(1));
    let mut next = sort(sections, role);
    while let Some(section) = sections.get_mut(next as usize) {
        next = section.place();
        place(section, part);
    }
    part.since(start)
}

/// Behind the last section of a list. A list goes from one section to the next by their places, which are not taken yet.
const END: u32 = u32::MAX;

/// Sorts the sections of an array by priority, and those of one priority by their order in the file; the first.
fn sort(sections: &mut [Section], role: Role) -> u32 {
    // List `n` is empty or holds 2^n sections, which stand before those of every list with a lower number.
    let mut lists = [END; 32];
    for index in 0..sections.len() as u32 {
        let Some(section) = sections.get_mut(index as usize).filter(|section| section.role() == role) else {
            continue;
        };
        section.set_place(END);
        let mut newest = index;
        for list in &mut lists {
            let older = core::mem::replace(list, END);
            if older == END {
                *list = newest;
                break;
            }
            newest = merge(sections, older, newest);
        }
    }
    lists.iter().filter(|list| **list != END).fold(END, |newer, older| merge(sections, *older, newer))
}

/// One list of two that are sorted; among equals those of `older` come first.
fn merge(sections: &mut [Section], mut older: u32, mut newer: u32) -> u32 {
    let (mut first, mut last) = (END, END);
    loop {
        let [old, new] = [older, newer].map(|index| sections.get(index as usize).copied());
        let next = match (old, new) {
            (Some(old), Some(new)) if new.priority() < old.priority() => {
                core::mem::replace(&mut newer, new.place())
            }
            (Some(old), Some(_)) => core::mem::replace(&mut older, old.place()),
            (Some(_), None) => older,
            (None, _) => newer,
        };
        match sections.get_mut(last as usize) {
            Some(section) => section.set_place(next),
            None => first = next,
        }
        if old.is_none() || new.is_none() {
            return first;
        }
        last = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    extern crate std;
    use std::vec::Vec;

    /// An array of one function.
    fn array(priority: u32) -> Section {
        zerocopy::transmute!([0, 8, 0, priority << 16 | 3 << 4 | Role::Init as u32])
    }

    #[test]
    fn constructors_stand_by_priority_then_in_file_order() {
        for count in [0, 1, 2, 3, 7, 8, 1000] {
            let mut sections: Vec<Section> = (0..count).map(|number| array((number * 7 + 3) % 5)).collect();
            let mut part = Filling { size: 0, align: 1 };
            let all = place_array(&mut sections, Role::Init, &mut part);
            assert_eq!(all, Extent { offset: 0, size: 8 * count });
            sections.sort_by_key(|section| section.priority());
            let places = sections.iter().map(|section| section.place());
            assert!(places.eq((0..count).map(|number| 8 * number)), "{count}");
        }
    }
}
