//! The two parts of an address, where the lower one names not the symbol but the place of the upper one.
//!
//! While a section is linked, the place of an upper part holds the number of an [`Upper`], which knows the place: so
//! an upper part is found in one step, whatever a file claims. A lower part that comes first waits until all
//! relocations of the section were seen; then they are gone through once more.

use super::label::Minuend;
use super::{Fault, Linker, Target, check, get, put};
use crate::addr::Word;
use crate::arch::{Expr, Field, HAS_PAIRS, Howto, WeakBranch};
use crate::elf::Format;
use crate::elf::relocation::Relocation;
use crate::error::Error;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// An upper part of the section that is being linked.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Upper {
    /// Where in the section it lies.
    offset: u32,
    /// The low word of the value that the pair builds.
    value: u32,
    /// What its place holds in the end.
    instruction: [u8; 4],
}

/// The pairs of one section after another.
#[derive(Default)]
pub struct Pairs<'a> {
    /// Room for every upper part of a section, as counted.
    pub uppers: &'a mut [Upper],
    /// What is known between two batches.
    pub state: PairState,
}

/// What is known of a section's pairs between two batches of its relocations.
#[derive(Clone, Copy, Debug, Default)]
pub struct PairState {
    /// How many upper parts were met.
    used: u32,
    /// Whether a lower part came before its upper part.
    late: bool,
    /// Whether the relocations are gone through once more, for the lower parts.
    pub(super) again: bool,
    /// The first label of a difference whose second one is the next relocation.
    pub(super) minuend: Option<Minuend>,
}

/// Whether a section is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It is.
    Done,
    /// Apply all its relocations once more.
    Again,
}

impl Pairs<'_> {
    /// The value of the pair whose upper part lies at `offset`.
    fn find(&self, section: &[u8], offset: usize) -> Option<u32> {
        let number = section.get(offset..)?.first_chunk()?;
        let number = u32::from_le_bytes(*number);
        let upper = self.uppers.get(number as usize)?;
        (number < self.state.used && upper.offset as usize == offset).then_some(upper.value)
    }

    /// Keeps the instruction at `offset` and leaves its number there.
    fn keep(&mut self, section: &mut [u8], offset: usize, value: u32) -> Result<(), Fault> {
        let number = self.state.used;
        let upper = self.uppers.get_mut(number as usize).ok_or(Fault::Full("pairs"))?;
        let place = section.get_mut(offset..).and_then(|section| section.first_chunk_mut());
        if let Some(place) = place {
            *upper = Upper { offset: offset as u32, value, instruction: *place };
            *place = number.to_le_bytes();
            self.state.used += 1;
        }
        Ok(())
    }
}

impl<F: Format> Linker<'_, F> {
    /// An upper part: stored, and kept for the lower ones.
    pub(super) fn upper(
        &mut self,
        target: &mut Target<'_, F::Word>,
        howto: &Howto,
        relocation: &Relocation<F::Word>,
    ) -> Result<(), Fault> {
        let (place, offset, bytes) = target.field(relocation.offset, howto.field.len())?;
        let addend = relocation.addend.unwrap_or_else(|| F::Word::of(get::<F>(&howto.field, bytes) as u64));
        let s = self.value(relocation)?;
        let to = if howto.expr == Expr::GotPcRel { self.got_slot(relocation, s)? } else { s };
        let mut value = to.plus(addend).minus(place);
        // What is not there is 0, and 0 may be far away.
        if howto.expr == Expr::PcRel
            && !howto.check.holds(value.signed())
            && s == F::Word::default()
            && self.count_from_zero(howto, bytes)
        {
            value = addend;
        }
        check(howto, place, value.signed())?;
        if self.pairs.find(target.bytes, offset).is_some() {
            return Err(Fault::Unpaired("one upper part at one place"));
        }
        if let Some(bytes) = target.bytes.get_mut(offset..) {
            put::<F>(&howto.field, bytes, value.signed());
        }
        self.pairs.keep(target.bytes, offset, value.get() as u32)
    }

    /// Makes the instruction take its value from 0, not from its place, if it has such a form.
    pub(super) fn count_from_zero(&self, howto: &Howto, bytes: &mut [u8]) -> bool {
        let weak = self.arch.veneer(howto.r_type).map(|veneer| &veneer.weak);
        let is_code = !matches!(howto.field, Field::Data(_));
        is_code && matches!(weak, Some(WeakBranch::FromZero { change, .. }) if change(bytes))
    }

    /// A lower part, whose symbol is the place of the upper one.
    pub(super) fn lower(
        &mut self,
        target: &mut Target<'_, F::Word>,
        howto: &Howto,
        relocation: &Relocation<F::Word>,
    ) -> Result<(), Fault> {
        let label = self.value(relocation)?.minus(target.address).get();
        let label = usize::try_from(label).ok().filter(|label| *label < target.bytes.len());
        let label = label.ok_or(Fault::Unpaired("its upper part in the same section"))?;
        if relocation.addend.unwrap_or_default() != F::Word::default() {
            return Err(Fault::Unpaired("the place of its upper part without an addend"));
        }
        let found = self.pairs.find(target.bytes, label);
        let (_, _, bytes) = target.field(relocation.offset, howto.field.len())?;
        match found {
            Some(value) => put::<F>(&howto.field, bytes, i64::from(value as i32)),
            None if self.pairs.state.again => {
                return Err(Fault::Unpaired("an upper part at that place"));
            }
            None => self.pairs.state.late = true,
        }
        Ok(())
    }

    /// Ends a section, all of whose relocations were applied. No other section may come before this said `Done`.
    pub fn end(&mut self, target: &mut Target<'_, F::Word>) -> Result<Ended, Error> {
        if !HAS_PAIRS {
            return Ok(Ended::Done);
        }
        if self.pairs.state.minuend.is_some() {
            return Err(self.lone_minuend());
        }
        let state = &mut self.pairs.state;
        if state.late && !state.again {
            state.again = true;
            return Ok(Ended::Again);
        }
        for upper in self.pairs.uppers.iter().take(state.used as usize) {
            let place =
                target.bytes.get_mut(upper.offset as usize..).and_then(|bytes| bytes.first_chunk_mut());
            if let Some(place) = place {
                *place = upper.instruction;
            }
        }
        *state = PairState::default();
        Ok(Ended::Done)
    }
}
