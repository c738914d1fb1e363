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
    /// `r_offset`, `r_info`.
    words: [X; 2],
}

/// `Elf_Rela`.
#[derive(FromBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
pub struct Rela<X> {
    /// `r_offset`, `r_info`, `r_addend`.
    words: [X; 3],
}

/// A run of relocations of one kind.
#[derive(Clone, Copy)]
pub enum Relocations<'a, F: Format> {
    /// Addends in the fields.
    Rel(&'a [Rel<F::RawWord>]),
    /// Addends beside.
    Rela(&'a [Rela<F::RawWord>]),
}

impl<X: Copy> Rel<X> {
    #[inline(always)]
    fn decode<F: Format<RawWord = X>>(&self) -> Relocation<F::Word>
    where
        X: RawWord<F::Word>,
    {
        let [offset, info] = RawWord::<F::Word>::words(&self.words);
        let (symbol, r_type) = F::split_info(info);
        Relocation { offset, r_type, symbol, addend: None }
    }

    fn r_type<F: Format<RawWord = X>>(&self) -> u32
    where
        X: RawWord<F::Word>,
    {
        let [_, info] = self.words;
        F::split_info(RawWord::<F::Word>::word(info)).1
    }
}

impl<X: Copy> Rela<X> {
    #[inline(always)]
    fn decode<F: Format<RawWord = X>>(&self) -> Relocation<F::Word>
    where
        X: RawWord<F::Word>,
    {
        let [offset, info, addend] = RawWord::<F::Word>::words(&self.words);
        let (symbol, r_type) = F::split_info(info);
        Relocation { offset, r_type, symbol, addend: Some(addend) }
    }

    fn r_type<F: Format<RawWord = X>>(&self) -> u32
    where
        X: RawWord<F::Word>,
    {
        let [_, info, _] = self.words;
        F::split_info(RawWord::<F::Word>::word(info)).1
    }
}

impl<'a, F: Format> Relocations<'a, F> {
    /// A view of `bytes`, which hold whole records.
    pub fn new(role: Role, bytes: &'a [u8]) -> Self {
        if role == Role::Rel { Self::Rel(records(bytes)) } else { Self::Rela(records(bytes)) }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Rel(all) => all.len(),
            Self::Rela(all) => all.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first one.
    pub fn first(&self) -> Option<Relocation<F::Word>> {
        match self {
            Self::Rel(all) => all.first().map(|raw| raw.decode::<F>()),
            Self::Rela(all) => all.first().map(|raw| raw.decode::<F>()),
        }
    }

    /// Splits off the first `count`.
    fn split(self, count: usize) -> (Self, Self) {
        match self {
            Self::Rel(all) => {
                let (run, rest) = all.split_at_checked(count).unwrap_or((all, &[]));
                (Self::Rel(run), Self::Rel(rest))
            }
            Self::Rela(all) => {
                let (run, rest) = all.split_at_checked(count).unwrap_or((all, &[]));
                (Self::Rela(run), Self::Rela(rest))
            }
        }
    }

    fn r_type(&self, index: usize) -> Option<u32> {
        match self {
            Self::Rel(all) => all.get(index).map(Rel::r_type::<F>),
            Self::Rela(all) => all.get(index).map(Rela::r_type::<F>),
        }
    }

    /// Splits off the first run of one type: compilers write long ones, and what the type asks for is found out once.
    pub fn split_run(self) -> Option<(u32, Self, Self)> {
        let r_type = self.r_type(0)?;
        let fours = match &self {
            Self::Rel(all) => fours_alike(all, |raw| raw.r_type::<F>() == r_type),
            Self::Rela(all) => fours_alike(all, |raw| raw.r_type::<F>() == r_type),
        };
        let more = (fours..).take_while(|index| self.r_type(*index) == Some(r_type)).count();
        let (run, rest) = self.split(fours + more);
        Some((r_type, run, rest))
    }

    /// Every relocation in turn: one loop for both kinds, so that what is done with each can be a part of it.
    #[inline(always)]
    pub fn iter(self) -> impl Iterator<Item = Relocation<F::Word>> {
        (0..).map_while(move |index| match self {
            Self::Rel(all) => all.get(index).map(|raw| raw.decode::<F>()),
            Self::Rela(all) => all.get(index).map(|raw| raw.decode::<F>()),
        })
    }

    /// Calls `each` with every relocation in turn, until it fails: a loop for each kind, for what is small and common.
    #[inline(always)]
    pub fn try_for_each<E>(
        self,
        mut each: impl FnMut(Relocation<F::Word>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::Rel(all) => all.iter().try_for_each(|raw| each(raw.decode::<F>())),
            Self::Rela(all) => all.iter().try_for_each(|raw| each(raw.decode::<F>())),
        }
    }
}

/// How many of the first ones are alike, in fours: counting rounds costs as much as a look does.
#[inline(always)]
fn fours_alike<T>(all: &[T], is_alike: impl Fn(&T) -> bool) -> usize {
    let mut rest = all;
    while let [a, b, c, d, tail @ ..] = rest {
        if !(is_alike(a) && is_alike(b) && is_alike(c) && is_alike(d)) {
            break;
        }
        rest = tail;
    }
    all.len() - rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elf::Elf32Le;

    extern crate std;
    use std::vec::Vec;

    /// Records of `words` words, of type 2 up to `run` and again behind one of type 3.
    fn records_of(words: usize, run: usize, after: usize) -> Vec<u8> {
        let types = (0..run + after).map(|at| if at == run { 3 } else { 2_u32 });
        types.flat_map(|r_type| [8, r_type, 0].into_iter().take(words).flat_map(u32::to_le_bytes)).collect()
    }

    #[test]
    fn a_run_ends_where_the_type_changes() {
        for (role, words) in [(Role::Rel, 2), (Role::Rela, 3)] {
            for (run, after) in (1..=13).flat_map(|run| (0..=6).map(move |after| (run, after))) {
                let bytes = records_of(words, run, after);
                let (r_type, first, rest) = Relocations::<Elf32Le>::new(role, &bytes).split_run().unwrap();
                assert_eq!((r_type, first.len(), rest.len()), (2, run, after), "{role:?}");
                assert!(first.iter().all(|one| one.r_type == 2));
                assert_eq!(rest.first().map(|one| one.r_type), (after > 0).then_some(3));
            }
            assert!(Relocations::<Elf32Le>::new(role, &[]).split_run().is_none());
        }
    }
}
