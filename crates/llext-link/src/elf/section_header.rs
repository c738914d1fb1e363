//! A section header as the file holds it.
//!
//! gABI chapter 4, "Section Header Table".

use super::{Format, Quad, RawWord, record};
use crate::addr::Word;
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

/// A section header, decoded.
#[derive(Clone, Copy, Debug)]
pub struct SectionHeader {
    /// `sh_name`: offset into the section names.
    pub name: u32,
    /// `sh_type`.
    pub kind: u32,
    /// `sh_flags`.
    pub flags: u64,
    /// `sh_addr`.
    pub address: u64,
    /// `sh_offset`, bytes into the file.
    pub offset: u64,
    /// `sh_size`, bytes.
    pub size: u64,
    /// `sh_link`.
    pub link: u32,
    /// `sh_info`.
    pub info: u32,
    /// `sh_addralign`.
    pub align: u64,
    /// `sh_entsize`, bytes.
    pub entry_size: u64,
}

#[derive(FromBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
struct Raw<Q, X> {
    name: Q,
    kind: Q,
    flags: X,
    address: X,
    offset: X,
    size: X,
    link: Q,
    info: Q,
    align: X,
    entry_size: X,
}
type RawOf<F> = Raw<Quad<F>, <F as Format>::RawWord>;

/// The size of a section header, bytes.
pub fn size<F: Format>() -> u32 {
    size_of::<RawOf<F>>() as u32
}

/// Decodes the section header at the start of `bytes`; too few bytes read as a null section.
pub fn decode<F: Format>(bytes: &[u8]) -> SectionHeader {
    let word = |raw: F::RawWord| raw.word().get();
    let raw: RawOf<F> = record(bytes).unwrap_or_else(zerocopy::FromZeros::new_zeroed);
    SectionHeader {
        name: raw.name.get(),
        kind: raw.kind.get(),
        flags: word(raw.flags),
        address: word(raw.address),
        offset: word(raw.offset),
        size: word(raw.size),
        link: raw.link.get(),
        info: raw.info.get(),
        align: word(raw.align),
        entry_size: word(raw.entry_size),
    }
}
