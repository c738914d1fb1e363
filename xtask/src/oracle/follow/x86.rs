//! x86-64: `call`, `jmp`, and what becomes of an access through the GOT.

use object::elf;

use super::{Branch, Leads, Rules, Site};
use crate::oracle::image::Image;

pub(in crate::oracle) static X86_64: Rules = Rules {
    branches: &[elf::R_X86_64_PLT32.0],
    branch,
    walk,
    accesses: &[
        elf::R_X86_64_GOTPCREL.0,
        elf::R_X86_64_GOTPCRELX.0,
        elf::R_X86_64_REX_GOTPCRELX.0,
        elf::R_X86_64_GOT32.0,
        elf::R_X86_64_GOT64.0,
        elf::R_X86_64_GOTPCREL64.0,
    ],
    access,
    mode: 0,
    span,
};

fn span(r_type: u32) -> (u64, u64) {
    match elf::RelocationType(r_type) {
        elf::R_X86_64_PLT32 | elf::R_X86_64_GOT32 => (0, 4),
        elf::R_X86_64_GOT64 | elf::R_X86_64_GOTPCREL64 => (0, 8),
        // A prefix, the operation and its operands.
        _ => (3, 4),
    }
}

/// The target counts from the end of the field, which ends the instruction.
fn branch(site: &Site<'_>) -> Option<Branch> {
    let distance = site.image.signed(site.place, 4)?;
    let to = site.place.wrapping_add(4).wrapping_add_signed(distance) & site.mask();
    let kind = site.place.checked_sub(1).and_then(|at| site.image.number(at, 1)).unwrap_or(0);
    Some(Branch { kind, to: if to == 0 { Leads::Nowhere } else { Leads::To(to) } })
}

fn walk(image: &Image, at: u64) -> Option<Leads> {
    match image.read(at, 2)? {
        [0x0f, 0x0b] => Some(Leads::Nowhere),
        [0xff, 0x25] => {
            let slot = at.wrapping_add(6).wrapping_add_signed(image.signed(at + 2, 4)?);
            image.number(slot, 8).map(Leads::To)
        }
        _ => None,
    }
}

fn access(site: &Site<'_>) -> Option<u64> {
    let addend = site.relocation.addend?;
    let slot = |distance: i64, from: u64| from.wrapping_add_signed(distance.wrapping_sub(addend));
    match elf::RelocationType(site.relocation.r_type) {
        elf::R_X86_64_GOT32 => site.image.number(slot(site.image.signed(site.place, 4)?, site.ours.got), 8),
        elf::R_X86_64_GOT64 => site.image.number(slot(site.image.signed(site.place, 8)?, site.ours.got), 8),
        elf::R_X86_64_GOTPCREL64 => site.image.number(slot(site.image.signed(site.place, 8)?, site.place), 8),
        _ => instruction(site, addend),
    }
}

/// An instruction with a 32-bit field; which of its forms it has shows against what the compiler wrote.
fn instruction(site: &Site<'_>, addend: i64) -> Option<u64> {
    let (image, place) = (site.image, site.place);
    let distance = |at: u64| image.signed(at, 4);
    let beyond = |at: u64| Some(at.wrapping_add(4).wrapping_add_signed(distance(at)?));
    let through_slot = || image.number(place.wrapping_add_signed(distance(place)?.wrapping_sub(addend)), 8);
    if !site.in_code() {
        return through_slot();
    }
    let (before, now) = (site.original(2, 2)?, image.read(place.wrapping_sub(2), 2)?);
    match (before, now) {
        (before, now) if before == now => through_slot(),
        ([0x8b, _], [0x8d, _]) | ([0xff, 0x15], [0x67, 0xe8]) => beyond(place),
        ([0xff, 0x25], [0xe9, _]) => beyond(place - 1),
        ([_, _], [0xc7 | 0x81 | 0xf7, _]) => Some(distance(place)? as u64),
        _ => None,
    }
}

/// x86-32. Every branch reaches everything; one to a missing symbol traps.
pub(in crate::oracle) static X86: Rules = Rules {
    branches: &[elf::R_386_PLT32.0],
    branch,
    walk,
    accesses: &[elf::R_386_GOT32.0, elf::R_386_GOT32X.0],
    access: access32,
    mode: 0,
    span: |r_type| if r_type == elf::R_386_PLT32.0 { (0, 4) } else { (2, 4) },
};

/// Without a base register the field is the slot's address, else its distance from the GOT.
fn access32(site: &Site<'_>) -> Option<u64> {
    const WORD: u64 = 0xffff_ffff;
    let (image, place, got) = (site.image, site.place, site.ours.got);
    let field = image.number(place, 4)?;
    let distance = field.wrapping_sub(site.implicit()?);
    if !site.in_code() {
        return image.number(got.wrapping_add(distance) & WORD, 4);
    }
    let (before, now) = (site.original(2, 2)?, image.read(place.wrapping_sub(2), 2)?);
    let base = if before[1] & 0xc7 == 0x05 { 0 } else { got };
    let beyond = |at: u64| Some(at.wrapping_add(4).wrapping_add(image.number(at, 4)?) & WORD);
    match (before, now) {
        (before, now) if before == now => image.number(base.wrapping_add(distance) & WORD, 4),
        ([0x8b, _], [0x8d, _]) => Some(base.wrapping_add(field) & WORD),
        ([0xff, _], [0x67, 0xe8]) => beyond(place),
        ([0xff, _], [0xe9, _]) => beyond(place - 1),
        ([_, _], [0xc7 | 0x81 | 0xf7, _]) => Some(field),
        _ => None,
    }
}
