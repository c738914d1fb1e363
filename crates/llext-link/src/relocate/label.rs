//! What an assembler leaves open where linking may move labels: their differences, and padding.

use super::{Fault, Linker, Target, get, put};
use crate::addr::Word;
use crate::arch::{Expr, Howto};
use crate::elf::Format;
use crate::elf::relocation::Relocation;
use crate::error::Error;

/// The most bytes that a LEB128 number of 64 bits takes.
const LONGEST: usize = 10;

/// The first label of a difference, until the second one comes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Minuend {
    r_type: u16,
    offset: u64,
    value: i64,
}

impl<F: Format> Linker<'_, F> {
    /// A relocation about a label, or about padding.
    pub(super) fn label(
        &mut self,
        target: &mut Target<'_, F::Word>,
        howto: &Howto,
        relocation: &Relocation<F::Word>,
    ) -> Result<(), Fault> {
        match howto.expr {
            Expr::Padding => padding(target, relocation),
            Expr::Minuend => self.minuend(howto, relocation),
            Expr::Subtrahend => self.subtrahend(target, relocation),
            _ => self.accumulate(target, howto, relocation),
        }
    }

    /// Refuses what stands between the labels of a difference.
    #[inline]
    pub(super) fn expect_subtrahend(&self, howto: &Howto) -> Result<(), Error> {
        match self.pairs.state.minuend {
            Some(_) if howto.expr != Expr::Subtrahend => Err(self.lone_minuend()),
            _ => Ok(()),
        }
    }

    #[cold]
    pub(super) fn lone_minuend(&self) -> Error {
        let Minuend { r_type, offset, .. } = self.pairs.state.minuend.unwrap_or_default();
        let relocation = self.arch.relocation(r_type.into());
        Error::Unpaired { relocation, offset, expected: "the label to subtract just behind it" }
    }

    /// `S + A`, wider than an address may be: the difference of two is exact.
    fn address(&self, relocation: &Relocation<F::Word>) -> Result<i64, Fault> {
        let addend = relocation.addend.unwrap_or_default().signed();
        Ok((self.value(relocation)?.get() as i64).wrapping_add(addend))
    }

    /// Adds a label to what the field holds, or subtracts it.
    fn accumulate(
        &mut self,
        target: &mut Target<'_, F::Word>,
        howto: &Howto,
        relocation: &Relocation<F::Word>,
    ) -> Result<(), Fault> {
        let label = self.address(relocation)?;
        let (_, _, bytes) = target.field(relocation.offset, howto.field.len())?;
        let value = get::<F>(&howto.field, bytes);
        let value =
            if howto.expr == Expr::Add { value.wrapping_add(label) } else { value.wrapping_sub(label) };
        put::<F>(&howto.field, bytes, value);
        Ok(())
    }

    /// The first label of a difference.
    fn minuend(&mut self, howto: &Howto, relocation: &Relocation<F::Word>) -> Result<(), Fault> {
        if self.pairs.state.minuend.is_some() {
            return Err(Fault::LoneMinuend);
        }
        let (offset, value) = (relocation.offset.get(), self.address(relocation)?);
        self.pairs.state.minuend = Some(Minuend { r_type: howto.r_type, offset, value });
        Ok(())
    }

    /// The second label of a difference, which is stored as an unsigned LEB128 number of the length it has.
    fn subtrahend(
        &mut self,
        target: &mut Target<'_, F::Word>,
        relocation: &Relocation<F::Word>,
    ) -> Result<(), Fault> {
        let offset = relocation.offset.get();
        let minuend = self.pairs.state.minuend.take().filter(|minuend| minuend.offset == offset);
        let minuend = minuend.ok_or(Fault::Unpaired("the label to subtract from just before it"))?;
        let value = minuend.value.wrapping_sub(self.address(relocation)?);
        let (place, at, _) = target.field(relocation.offset, 1)?;
        let bytes = target.bytes.get_mut(at..).unwrap_or_default();
        let last = bytes.iter().take(LONGEST).position(|byte| byte & 0x80 == 0);
        let last = last.ok_or(Fault::Unended)?;
        let bits = 7 * (last as u32 + 1);
        if bits < u64::BITS && value as u64 >> bits != 0 {
            return Err(Fault::Overflow { place: place.get(), value });
        }
        for (index, byte) in bytes.iter_mut().take(last + 1).enumerate() {
            let more = if index < last { 0x80 } else { 0 };
            *byte = (value as u64 >> (7 * index)) as u8 & 0x7f | more;
        }
        Ok(())
    }
}

/// Padding that a linker may shorten, and we do not: what follows it must be aligned as it is.
fn padding<W: Word>(target: &mut Target<'_, W>, relocation: &Relocation<W>) -> Result<(), Fault> {
    let size = relocation.addend.unwrap_or_default().get();
    let (place, _, _) = target.field(relocation.offset, usize::try_from(size).unwrap_or(usize::MAX))?;
    if place.get().wrapping_add(size) & (padded_to(size) - 1) != 0 {
        return Err(Fault::Loose { place: place.get(), size: size as u32 });
    }
    Ok(())
}

/// What the address behind `size` bytes of padding is a multiple of. They lie in the section, so that the sum does not wrap.
pub(super) fn padded_to(size: u64) -> u64 {
    (size + 1).next_power_of_two()
}
