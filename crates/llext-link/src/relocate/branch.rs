//! Branches: straight where that works, else through a stub; into the other instruction set where there are two.

use super::{Failed, Fault, Linker, Target, align_down, check, get, put};
use crate::addr::{SymbolIndex, Word};
use crate::arch::{Field, Howto, Range, WeakBranch};
use crate::elf::Format;
use crate::elf::relocation::{Relocation, Relocations};
use crate::symbol::Mark;
use crate::veneer::{Full, Stubs, set_of};

/// Where a branch leads.
struct Way<W> {
    /// Its symbol's address.
    address: W,
    /// What makes an address there a function's: 1 in Thumb code.
    bit: W,
    /// Whether the branch comes from the other instruction set.
    changes: bool,
}

/// What is the same for all branches of a run.
#[derive(Clone, Copy)]
struct Run<'a, F: Format> {
    values: &'a [F::Word],
    howto: &'a Howto,
    /// Its range.
    range: Range,
    /// How many bytes the field spans.
    len: usize,
    /// The bit of a function's address that tells its instruction set: none where there is only one.
    mask: F::Word,
    /// What it is in the branches' own.
    own: F::Word,
    /// Makes a call one within that.
    change: Option<fn(u16, &mut [u8], bool)>,
}

impl<F: Format> Linker<'_, F> {
    /// Links a run of branches. Nearly all are near, and of their symbol's instruction set.
    pub(super) fn branches(
        &mut self,
        target: &mut Target<'_, F::Word>,
        howto: &Howto,
        run: Relocations<'_, F>,
    ) -> Result<(), Failed<F::Word>> {
        let interwork = self.arch.interwork;
        let is_thumb = interwork.is_some_and(|interwork| (interwork.set)(howto.r_type) == 0);
        let can_change = interwork.filter(|interwork| (interwork.can_change)(howto.r_type));
        let near = Run::<F> {
            values: self.values,
            howto,
            range: howto.check.range(),
            len: howto.field.len(),
            mask: F::Word::of(interwork.is_some().into()),
            own: F::Word::of(is_thumb.into()),
            change: can_change.map(|interwork| interwork.change),
        };
        run.iter().try_for_each(|relocation| match near.link(target, relocation) {
            Some(()) => Ok(()),
            None => self.other(target, howto, (relocation.offset, relocation.symbol, relocation.addend)),
        })
    }

    /// Links a branch that may need more than its symbol's address.
    pub(super) fn other_branch(
        &mut self,
        target: &mut Target<'_, F::Word>,
        howto: &Howto,
        relocation: &Relocation<F::Word>,
    ) -> Result<(), Fault> {
        let (p, _, bytes) = target.field(relocation.offset, howto.field.len())?;
        let a = relocation.addend.unwrap_or_else(|| F::Word::of(get::<F>(&howto.field, bytes) as u64));
        let s = self.value(relocation)?;
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
    ) -> Result<(), Fault> {
        let Some(veneer) = self.arch.veneer(howto.r_type) else {
            return self.store(bytes, howto, p, s.plus(a).minus(p));
        };
        let nothing = s == F::Word::default();
        if let (true, WeakBranch::Nop(nop)) = (nothing, veneer.weak) {
            if let Field::Data(_) = howto.field {
                return self.store(bytes, howto, p, a.minus(p));
            }
            bytes.iter_mut().zip(nop).for_each(|(byte, nop)| *byte = *nop);
            return Ok(());
        }
        if nothing && self.count_from_zero(howto, bytes) {
            return self.store(bytes, howto, p, a);
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
                return self.store_branch(bytes, howto, p, direct, way.changes);
            }
        }
        let bias = F::Word::of(i64::from(veneer.bias) as u64);
        let target = way.address.plus(a).plus(bias).plus(way.bit);
        let slot = self.slots.get_mut(relocation.symbol as usize);
        let stub = Stubs { area: &mut self.stubs, index: self.index }.find::<F>(slot, veneer, target);
        let stub = stub.map_err(|Full| Fault::Full("far-call stubs"))?;
        self.store_branch(bytes, howto, p, stub.minus(bias).minus(p), false)
    }

    fn way(
        &self,
        howto: &Howto,
        relocation: &Relocation<F::Word>,
        s: F::Word,
    ) -> Result<Way<F::Word>, Fault> {
        let Some(interwork) = self.arch.interwork else {
            return Ok(Way { address: s, bit: F::Word::default(), changes: false });
        };
        let index = SymbolIndex(relocation.symbol);
        let symbol = self.symbols.and_then(|symbols| symbols.get(index).ok());
        let own = (interwork.set)(howto.r_type);
        // What is no function is of the set it is branched to from.
        let set = set_of(symbol.as_ref(), s).unwrap_or(own);
        if set != own && !interwork.both {
            return Err(Fault::WrongSet);
        }
        let bit = F::Word::of(u64::from(set == 0));
        Ok(Way { address: align_down(s, 2), bit, changes: set != own })
    }

    fn store_branch(
        &self,
        bytes: &mut [u8],
        howto: &Howto,
        place: F::Word,
        value: F::Word,
        changes: bool,
    ) -> Result<(), Fault> {
        check(howto, place, value.signed())?;
        let interwork = self.arch.interwork.filter(|interwork| (interwork.can_change)(howto.r_type));
        if let Some(interwork) = interwork {
            (interwork.change)(howto.r_type, bytes, changes);
        }
        put::<F>(&howto.field, bytes, value.signed());
        Ok(())
    }
}

impl<F: Format> Run<'_, F> {
    /// Links a branch that leads straight to where it shall; `None` if this one does not, or cannot be linked at all.
    #[inline(always)]
    fn link(&self, target: &mut Target<'_, F::Word>, relocation: Relocation<F::Word>) -> Option<()> {
        let s = *self.values.get(relocation.symbol as usize)?;
        let is_own = s.get() & self.mask.get() == self.own.get();
        if !is_own || s == F::Word::default() || s == Mark::unusable() {
            return None;
        }
        let offset = relocation.offset.minus(target.origin);
        let at = usize::try_from(offset.get()).ok()?;
        let bytes = target.bytes.get_mut(at..)?.get_mut(..self.len)?;
        let howto = self.howto;
        let a = relocation.addend.unwrap_or_else(|| F::Word::of(get::<F>(&howto.field, bytes) as u64));
        let value = s.minus(self.own).plus(a).minus(target.address.plus(offset));
        let is_aligned = value.get() & (u64::from(howto.align) - 1) == 0;
        if !is_aligned || !self.range.holds(value.signed()) {
            return None;
        }
        if let Some(change) = self.change {
            change(howto.r_type, bytes, false);
        }
        put::<F>(&howto.field, bytes, value.signed());
        Some(())
    }
}

#[cfg(test)]
mod tests;
