//! Branches: straight where that works, else through a stub; into the other instruction set where there are two.

use super::{Linker, align_down, check, put};
use crate::addr::{SymbolIndex, Word};
use crate::arch::{Field, Howto, WeakBranch};
use crate::elf::Format;
use crate::elf::relocation::Relocation;
use crate::error::{Error, SymbolRef};
use crate::veneer::{Stubs, set_of};

/// Where a branch leads.
struct Way<W> {
    /// Its symbol's address.
    address: W,
    /// What makes an address there a function's: 1 in Thumb code.
    bit: W,
    /// Whether the branch comes from the other instruction set.
    changes: bool,
}

impl<F: Format> Linker<'_, F> {
    /// Links a branch at `p` with addend `a`. Nearly all are near, and of the only instruction set there is.
    #[inline]
    pub(super) fn branch(
        &mut self,
        bytes: &mut [u8],
        howto: &Howto,
        relocation: &Relocation<F::Word>,
        p: F::Word,
        a: F::Word,
    ) -> Result<(), Error> {
        let s = self.value(relocation)?;
        let direct = s.plus(a).minus(p);
        let is_plain = self.arch.interwork.is_none() && s != F::Word::default();
        if is_plain && howto.check.holds(direct.signed()) {
            return self.store(bytes, howto, relocation, p, direct);
        }
        self.any_branch(bytes, howto, relocation, p, a, s)
    }

    fn any_branch(
        &mut self,
        bytes: &mut [u8],
        howto: &Howto,
        relocation: &Relocation<F::Word>,
        p: F::Word,
        a: F::Word,
        s: F::Word,
    ) -> Result<(), Error> {
        let Some(veneer) = self.arch.veneer(howto.r_type) else {
            return self.store(bytes, howto, relocation, p, s.plus(a).minus(p));
        };
        let nothing = s == F::Word::default();
        if let (true, WeakBranch::Nop(nop)) = (nothing, veneer.weak) {
            if let Field::Data(_) = howto.field {
                return self.store(bytes, howto, relocation, p, a.minus(p));
            }
            bytes.iter_mut().zip(nop).for_each(|(byte, nop)| *byte = *nop);
            return Ok(());
        }
        if nothing && self.count_from_zero(howto, bytes) {
            return self.store(bytes, howto, relocation, p, a);
        }
        let way = self.way(howto, relocation, s)?;
        let can_change = self.arch.interwork.is_some_and(|interwork| (interwork.can_change)(howto.r_type));
        if !nothing && (can_change || !way.changes) {
            // A call from Thumb code to A32 code counts from the word that holds it.
            let from_thumb = way.changes && way.bit == F::Word::default();
            let direct = way.address.plus(a).minus(if from_thumb { align_down(p, 4) } else { p });
            if howto.check.holds(direct.signed()) || self.stubs.bytes.is_empty() {
                // Thumb code lies at multiples of two, A32 code at multiples of four: what changes goes by the other.
                let align = if way.changes { 6 - howto.align } else { howto.align };
                let howto = &Howto { align, ..*howto };
                return self.store_branch(bytes, howto, relocation, p, direct, way.changes);
            }
        }
        let bias = F::Word::of(i64::from(veneer.bias) as u64);
        let target = way.address.plus(a).plus(bias).plus(way.bit);
        let slot = self.slots.get_mut(relocation.symbol as usize);
        let stub = Stubs { area: &mut self.stubs, index: self.index }.find::<F>(slot, veneer, target)?;
        self.store_branch(bytes, howto, relocation, p, stub.minus(bias).minus(p), false)
    }

    fn way(
        &self,
        howto: &Howto,
        relocation: &Relocation<F::Word>,
        s: F::Word,
    ) -> Result<Way<F::Word>, Error> {
        let Some(interwork) = self.arch.interwork else {
            return Ok(Way { address: s, bit: F::Word::default(), changes: false });
        };
        let index = SymbolIndex(relocation.symbol);
        let symbol = self.symbols.and_then(|symbols| symbols.get(index).ok());
        let own = (interwork.set)(howto.r_type);
        // What is no function is of the set it is branched to from.
        let set = set_of(symbol.as_ref(), s).unwrap_or(own);
        if set != own && !interwork.both {
            let relocation_type = self.arch.relocation(howto.r_type.into());
            let (symbol, offset) = (SymbolRef::new(relocation.symbol), relocation.offset.get());
            return Err(Error::WrongInstructionSet { relocation: relocation_type, symbol, offset });
        }
        let bit = F::Word::of(u64::from(set == 0));
        Ok(Way { address: align_down(s, 2), bit, changes: set != own })
    }

    fn store_branch(
        &self,
        bytes: &mut [u8],
        howto: &Howto,
        relocation: &Relocation<F::Word>,
        place: F::Word,
        value: F::Word,
        changes: bool,
    ) -> Result<(), Error> {
        check(self.arch, howto, relocation.symbol, place, value.signed())?;
        if let Some(interwork) = self.arch.interwork.filter(|interwork| (interwork.can_change)(howto.r_type))
        {
            (interwork.change)(howto.r_type, bytes, changes);
        }
        put::<F>(&howto.field, bytes, value.signed());
        Ok(())
    }
}

#[cfg(test)]
mod tests;
