//! A relocation as its table holds it.
//!
//! gABI chapter 4, "Relocation".

use super::section::Role;
use super::{Format, RawWord, records};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

/// A relocation, decoded: a copy, checked when it was read.
#[derive(Clone, Copy, Debug)]
pub struct Relocation<W> {
    /// `r_offset`: bytes into its section, or an address of the shared object.
    pub offset: W,
    /// Its type, as the psABI numbers it.
    pub r_type: u32,
    /// The index of its symbol.
    pub symbol: u32,
    /// The addend beside it; `None` when it is in the field.
    pub addend: Option<W>,
}

/// `Elf_Rel`.
#[derive(FromBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
pub struct Rel<X> {
    offset: X,
    info: X,
}

/// `Elf_Rela`.
#[derive(FromBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
pub struct Rela<X> {
    offset: X,
    info: X,
    addend: X,
}

/// A run of relocations of one kind.
#[derive(Clone, Copy)]
pub enum Relocations<'a, F: Format> {
    /// Addends in the fields.
    Rel(&'a [Rel<F::RawWord>]),
    /// Addends beside.
    Rela(&'a [Rela<F::RawWord>]),
}

impl<'a, F: Format> Relocations<'a, F> {
    /// A view of `bytes`, which hold whole records.
    pub fn new(role: Role, bytes: &'a [u8]) -> Self {
        if role == Role::Rel { Self::Rel(records(bytes)) } else { Self::Rela(records(bytes)) }
    }

    /// Calls `each` with every relocation in turn, until it fails.
    #[inline]
    pub fn try_for_each<E>(
        self,
        mut each: impl FnMut(Relocation<F::Word>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::Rel(all) => all.iter().try_for_each(|raw| {
                let (symbol, r_type) = F::split_info(raw.info.word());
                each(Relocation { offset: raw.offset.word(), r_type, symbol, addend: None })
            }),
            Self::Rela(all) => all.iter().try_for_each(|raw| {
                let (symbol, r_type) = F::split_info(raw.info.word());
                each(Relocation {
                    offset: raw.offset.word(),
                    r_type,
                    symbol,
                    addend: Some(raw.addend.word()),
                })
            }),
        }
    }
}
