//! Why a relocation cannot be applied: a few bytes on the way up, and an error once it has arrived.

use super::label::padded_to;
use super::{Linker, Target};
use crate::addr::Word;
use crate::arch::Howto;
use crate::elf::Format;
use crate::elf::relocation::Relocation;
use crate::error::{Error, SymbolRef};

/// What is wrong with a relocation. It is handed up through every loop, on a small stack: so it says nothing that
/// whoever makes the error of it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// So many bytes do not lie in the target.
    Outside(u32),
    /// Its symbol has no value.
    NoValue,
    /// It cannot be done.
    Unsupported,
    /// The value does not fit the field.
    Overflow { place: u64, value: i64 },
    /// The value is no multiple of what the field can hold.
    Misaligned { place: u64, value: i64, align: u8 },
    /// The branch leads to the other instruction set, which this core does not run.
    WrongSet,
    /// An area ran out.
    Full(&'static str),
    /// What it needs is not there.
    Unpaired(&'static str),
    /// The first label of a difference is not followed by the second one.
    LoneMinuend,
    /// The number in its field does not end.
    Unended,
    /// The padding does not end where it should.
    Loose { place: u64, size: u32 },
}

/// The relocation that could not be applied, and why; its type is that of its run.
pub(super) struct Failed<W> {
    pub(super) offset: W,
    pub(super) symbol: u32,
    pub(super) fault: Fault,
}

impl<W: Word> Failed<W> {
    pub(super) fn at(relocation: &Relocation<W>, fault: Fault) -> Self {
        Self { offset: relocation.offset, symbol: relocation.symbol, fault }
    }
}

impl<F: Format> Linker<'_, F> {
    /// The error that says it all.
    #[cold]
    #[inline(never)]
    pub(super) fn error(
        &self,
        target: &Target<'_, F::Word>,
        howto: &Howto,
        failed: Failed<F::Word>,
    ) -> Error {
        let relocation = self.arch.relocation(howto.r_type.into());
        let (offset, symbol) = (failed.offset.get(), SymbolRef::new(failed.symbol));
        match failed.fault {
            Fault::Outside(len) => Error::RelocationOutside { offset, len, size: target.bytes.len() as u64 },
            Fault::NoValue if failed.symbol as usize >= self.values.len() => {
                Error::BadRelocationSymbol { found: failed.symbol, count: self.values.len() as u32 }
            }
            Fault::NoValue => Error::SymbolNotLoaded { symbol, offset },
            Fault::Unsupported => Error::UnsupportedRelocation { relocation, symbol, offset },
            Fault::Overflow { place, value } => {
                Error::RelocationOverflow { relocation, place, value, symbol }
            }
            Fault::Misaligned { place, value, align } => {
                Error::RelocationMisaligned { relocation, place, value, align, symbol }
            }
            Fault::WrongSet => Error::WrongInstructionSet { relocation, symbol, offset },
            Fault::Full(what) => Error::TableChanged { what },
            Fault::Unpaired(expected) => Error::Unpaired { relocation, offset, expected },
            Fault::LoneMinuend => self.lone_minuend(),
            Fault::Unended => Error::UnendedNumber { offset },
            Fault::Loose { place, size } => {
                let size = u64::from(size);
                Error::LoosePadding { place, size, align: padded_to(size) }
            }
        }
    }
}
