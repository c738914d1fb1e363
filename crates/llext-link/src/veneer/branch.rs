//! Which branches may need a stub.

use super::{COUNTED, Count, Counted, reach, set_of};
use crate::addr::{SymbolIndex, Window, Word};
use crate::arch::{Howto, Veneer, WeakBranch};
use crate::elf::Format;
use crate::elf::relocation::Relocation;
use crate::elf::symbol::{Place, Symbol};
use crate::error::Error;
use crate::symbol::Mark;

/// Which branches of a run need nothing, wherever the image may lie: nearly all.
#[derive(Clone, Copy)]
pub(super) struct Near<W> {
    /// The addend that leads to the symbol itself.
    addend: W,
    /// The addresses that are reached from anywhere.
    reached: Window,
    /// Whether all of the image reaches all of it.
    own: bool,
    /// Whether it reaches everything, so that no symbol has to be looked at.
    all: bool,
}

impl<F: Format> Count<'_, F> {
    /// What is near for branches of this kind, unless each has to be looked at.
    pub(super) fn near(&self, howto: &Howto, veneer: &Veneer) -> Option<Near<F::Word>> {
        let can_change = self.arch.interwork.is_none_or(|interwork| (interwork.can_change)(howto.r_type));
        if !can_change || self.needs.place.is_some() {
            return None;
        }
        let Window { low, high } = self.needs.window;
        let distance = reach(howto.check).checked_sub(1)?;
        let reached = Window {
            low: low.max(high).saturating_sub(distance).max(1),
            high: low.min(high).saturating_add(distance).saturating_add(1),
        };
        let (own, others) = (self.needs.code <= distance, self.needs.others);
        let others = others.is_empty() || reached.holds(others.low, others.high - others.low);
        let addend = F::Word::of(-i64::from(veneer.bias) as u64);
        Some(Near { addend, reached, own, all: own && others })
    }

    /// Whether the branch is one of those that need nothing.
    #[inline]
    pub(super) fn is_near(&self, near: Near<F::Word>, relocation: Relocation<F::Word>) -> bool {
        let leads_to_symbol = relocation.addend.is_none_or(|addend| addend == near.addend);
        if near.all && leads_to_symbol {
            // The null symbol is nowhere.
            return (1..self.symbols.len()).contains(&relocation.symbol);
        }
        let Ok(symbol) = self.symbol(&relocation) else { return false };
        match self.external(relocation.symbol, &symbol) {
            None => near.own,
            Some(target) => leads_to_symbol && near.reached.holds(target.get(), 1),
        }
    }

    /// Counts the stub that the branch may need.
    pub(super) fn count_branch(
        &mut self,
        howto: &Howto,
        veneer: &Veneer,
        relocation: &Relocation<F::Word>,
    ) -> Result<Counted, Error> {
        let usual = relocation.addend.is_none_or(|addend| addend.signed() == -i64::from(veneer.bias));
        let symbol = &self.symbol(relocation)?;
        let target = self.external(relocation.symbol, symbol);
        let reaches = match target {
            Some(target) if target == F::Word::default() && matches!(veneer.weak, WeakBranch::Nop(_)) => {
                return Ok(Counted::Done);
            }
            Some(target) => usual && self.always_reaches(howto, relocation, target),
            None if self.needs.place.is_some() => false,
            None => self.needs.code < reach(howto.check) || self.reaches_beside(howto, relocation, symbol)?,
        };
        if reaches && !self.must_change(howto, relocation.symbol, (symbol, target)) {
            return Ok(Counted::Done);
        }
        self.stay_near(howto, relocation);
        let Some(slot) = self.slots.get_mut(relocation.symbol as usize) else {
            return Ok(Counted::WantsSlots);
        };
        let set = self.arch.interwork.map_or(0, |interwork| (interwork.set)(howto.r_type));
        let wanted = if usual { COUNTED | 1 << set } else { COUNTED };
        if !usual || slot.stub & wanted != wanted {
            self.needs.spread += u32::from(slot.stub != 0);
            self.needs.stubs += 1;
            slot.stub |= wanted;
        }
        Ok(Counted::Done)
    }

    /// Whether the branch reaches a place in its own section: that lies where it lies.
    fn reaches_beside(
        &self,
        howto: &Howto,
        relocation: &Relocation<F::Word>,
        symbol: &Symbol<F::Word>,
    ) -> Result<bool, Error> {
        if self.symbols.section(SymbolIndex(relocation.symbol), symbol)?
            != Place::Section(self.needs.section.0)
        {
            return Ok(false);
        }
        let target = symbol.value.plus(relocation.addend.unwrap_or_default());
        Ok(target.minus(relocation.offset).signed().unsigned_abs() < reach(howto.check))
    }

    /// Whether the branch leads to the other instruction set, and only a stub can change to that.
    fn must_change(
        &self,
        howto: &Howto,
        index: u32,
        (symbol, target): (&Symbol<F::Word>, Option<F::Word>),
    ) -> bool {
        let Some(interwork) = self.arch.interwork.filter(|interwork| !(interwork.can_change)(howto.r_type))
        else {
            return false;
        };
        let value = target.or_else(|| self.binding_stub(index)).unwrap_or(symbol.value);
        set_of(Some(symbol), value).is_some_and(|set| set != (interwork.set)(howto.r_type))
    }

    /// What tells the instruction set of the binding stub that a symbol is reached through: it has no address yet.
    fn binding_stub(&self, symbol: u32) -> Option<F::Word> {
        let value = self.values.get(symbol as usize)?;
        let binder = self.arch.binder.as_ref().filter(|_| Mark::is_bound(*value))?;
        Some(F::Word::of(u64::from(binder.entry)))
    }

    /// Whether a branch reaches `target` from wherever it may lie: not if that is not there.
    fn always_reaches(&self, howto: &Howto, relocation: &Relocation<F::Word>, target: F::Word) -> bool {
        let Window { low, high } = self.needs.window;
        let (low, high) = self.place(relocation).map_or((low, high), |place| (place, place));
        let (reach, target) = (reach(howto.check), target.get());
        target != 0 && high.abs_diff(target) < reach && low.abs_diff(target) < reach
    }
}
