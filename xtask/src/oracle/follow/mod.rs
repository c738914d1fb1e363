//! Where an instruction leads: what is compared where linkers may write different instructions by design.
//!
//! A branch may go straight or through a stub, an access through a GOT slot or straight: the place it ends at counts.

pub(super) mod aarch64;
pub(super) mod arm;
pub(super) mod riscv;
pub(super) mod x86;

use super::image::Image;
use super::ours::Ours;
use super::view::{Relocation, View};

/// A relocated place in a linked image.
#[derive(Clone, Copy)]
pub(super) struct Site<'a> {
    pub(super) image: &'a Image,
    pub(super) view: &'a View,
    pub(super) relocation: &'a Relocation,
    /// The section as the file has it.
    pub(super) original: &'a [u8],
    /// `P`
    pub(super) place: u64,
    /// What both linkers were given: addresses of sections and symbols, the GOT's base.
    pub(super) ours: &'a Ours,
}

/// Where control or a pointer arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leads {
    To(u64),
    /// Nothing happens, or a trap.
    Nowhere,
}

/// A branch, decoded: its kind in the processor's own encoding, and its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Branch {
    pub(super) kind: u64,
    pub(super) to: Leads,
}

/// How an architecture's instructions are followed.
pub(super) struct Rules {
    /// Relocations of branches.
    pub(super) branches: &'static [u32],
    pub(super) branch: fn(&Site<'_>) -> Option<Branch>,
    /// One jump: where the code at this address leads.
    pub(super) walk: fn(&Image, u64) -> Option<Leads>,
    /// Relocations of accesses through the GOT.
    pub(super) accesses: &'static [u32],
    /// The address that such an access arrives at, through its slot or without.
    pub(super) access: fn(&Site<'_>) -> Option<u64>,
    /// The bits of a function's address that are no address.
    pub(super) mode: u64,
    /// How many bytes before and from the offset of a relocation of this type linkers may change.
    pub(super) span: fn(u32) -> (u64, u64),
}

impl Site<'_> {
    /// Whether an instruction lies there.
    pub(super) fn in_code(&self) -> bool {
        self.view.section(self.relocation.section).is_some_and(|section| section.code)
    }

    /// The bytes of the file around the relocation, from `back` before it.
    pub(super) fn original(&self, back: u64, len: usize) -> Option<&[u8]> {
        let at = usize::try_from(self.relocation.offset.checked_sub(back)?).ok()?;
        self.original.get(at..at.checked_add(len)?)
    }

    /// The addend in the file's four bytes.
    pub(super) fn implicit(&self) -> Option<u64> {
        Some(self.original(0, 4)?.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    /// The bits of an address.
    pub(super) fn mask(&self) -> u64 {
        if self.view.wide { u64::MAX } else { 0xffff_ffff }
    }

    /// The place of a relocation of another type against the same symbol.
    pub(super) fn partner(&self, r_type: u32) -> Option<u64> {
        let Relocation { symbol, addend, .. } = *self.relocation;
        let is_partner =
            |other: &&Relocation| other.r_type == r_type && other.symbol == symbol && other.addend == addend;
        self.place_of(self.view.relocations.iter().find(is_partner)?)
    }

    /// Where the relocation's symbol lies, if it is one of the file's.
    pub(super) fn symbol_place(&self) -> Option<u64> {
        let (section, value) = self.view.symbols.get(self.relocation.symbol)?.place?;
        Some(self.address_of(section)?.wrapping_add(value))
    }

    /// The place and type of the first relocation of these types whose symbol lies at this place.
    pub(super) fn low_of(&self, types: &[u32]) -> Option<(u64, u32)> {
        let here = Some((self.relocation.section, self.relocation.offset));
        let names_this = |other: &&Relocation| {
            let symbol = self.view.symbols.get(other.symbol);
            types.contains(&other.r_type) && symbol.is_some_and(|symbol| symbol.place == here)
        };
        let other = self.view.relocations.iter().find(names_this)?;
        Some((self.place_of(other)?, other.r_type))
    }

    /// Whether a relocation of this type lies at `place`.
    pub(super) fn type_at(&self, place: u64, r_type: u32) -> bool {
        let mut of_type = self.view.relocations.iter().filter(|other| other.r_type == r_type);
        of_type.any(|other| self.place_of(other) == Some(place))
    }

    fn place_of(&self, relocation: &Relocation) -> Option<u64> {
        Some(self.address_of(relocation.section)?.wrapping_add(relocation.offset))
    }

    fn address_of(&self, section: usize) -> Option<u64> {
        let placed = self.ours.sections.iter().find(|placed| placed.index == section)?;
        Some(placed.address)
    }
}
