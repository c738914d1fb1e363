//! Applies relocations: `S`, `A`, `P` -> expression -> check -> field. Knows no processor.
//!
//! A record is used from the copy that was decoded and checked; nothing is written before every check on it has passed.

use crate::addr::{Extent, Word};
use crate::arch::{Arch, Check, Expr, Field, HAS_GOT_FORMS, HAS_PAIRS, Howto};
use crate::elf::relocation::{Relocation, Relocations};
use crate::elf::symbol::Symbols;
use crate::elf::{Format, read_int, read_word, write_int, write_word};
use crate::error::Error;
use crate::symbol::Mark;
use crate::veneer::{Area, Slot, unknown};

mod branch;
mod fault;
mod label;
mod pair;
#[cfg(test)]
mod tests;

use fault::{Failed, Fault};
pub use pair::{Ended, PairState, Pairs, Upper};

/// What the relocations act on.
pub struct Target<'a, W> {
    /// Its working bytes.
    pub bytes: &'a mut [u8],
    /// Its run address.
    pub address: W,
    /// The offset that its first byte has in the relocations: 0 for a section, the lowest address for a shared object.
    pub origin: W,
}

impl<W: Word> Target<'_, W> {
    /// The run address of a field, where in the target it lies, and its bytes.
    fn field(&mut self, offset: W, len: usize) -> Result<(W, usize, &mut [u8]), Fault> {
        let outside = Fault::Outside(len as u32);
        let offset = offset.minus(self.origin);
        let at = usize::try_from(offset.get()).map_err(|_| outside)?;
        let bytes = at.checked_add(len).and_then(|end| self.bytes.get_mut(at..end)).ok_or(outside)?;
        Ok((self.address.plus(offset), at, bytes))
    }
}

/// Everything a relocation can refer to.
pub struct Linker<'a, F: Format> {
    /// The processor.
    pub arch: &'a Arch,
    /// Every symbol's address.
    pub values: &'a [F::Word],
    /// The symbols, where branches may have to know which of them are functions: not in a shared object.
    pub symbols: Option<Symbols<'a, F>>,
    /// Every symbol's slots; empty when none were counted.
    pub slots: &'a mut [Slot],
    /// The GOT.
    pub got: Area<'a, F::Word>,
    /// The far-call stubs.
    pub stubs: Area<'a, F::Word>,
    /// Where stubs are looked up: as many zeros as [`Needs::index_len`](crate::veneer::Needs::index_len) says.
    pub index: &'a mut [u32],
    /// The parts of addresses that wait for one another.
    pub pairs: Pairs<'a>,
    /// `TP`: how far behind the thread pointer the host's thread-local block begins; without it, using that is refused.
    pub thread: Option<F::Word>,
    /// `B`: how far a shared object lies from where it was linked.
    pub bias: F::Word,
    /// How many relocations wait until the image can run.
    pub deferred: u32,
}

impl<F: Format> Linker<'_, F> {
    /// Applies all of `relocations` to `target`, in order; on an error the rest is left as it was. After a section's
    /// last ones comes [`Linker::end`].
    pub fn apply(
        &mut self,
        target: &mut Target<'_, F::Word>,
        relocations: Relocations<'_, F>,
    ) -> Result<(), Error> {
        if HAS_PAIRS && self.pairs.state.again {
            return self.apply_lower(target, relocations);
        }
        let mut left = relocations;
        while let Some((r_type, run, rest)) = left.split_run() {
            let Some(howto) = self.arch.howto(r_type) else { return Err(unknown(self.arch, r_type, &run)) };
            if HAS_PAIRS {
                self.expect_subtrahend(howto)?;
            }
            if let Err(failed) = self.apply_run(target, howto, run) {
                return Err(self.error(target, howto, failed));
            }
            left = rest;
        }
        Ok(())
    }

    /// Applies relocations of one type.
    fn apply_run(
        &mut self,
        target: &mut Target<'_, F::Word>,
        howto: &Howto,
        run: Relocations<'_, F>,
    ) -> Result<(), Failed<F::Word>> {
        match (howto.expr, howto.check, howto.field, run) {
            (Expr::None, ..) => Ok(()),
            (Expr::Abs, Check::None, Field::Data(8), Relocations::Rela(_))
                if F::Word::SIZE == 8 || HAS_PAIRS =>
            {
                self.words::<8>(target, howto, run)
            }
            (Expr::Abs, Check::None, Field::Data(4), _) => self.words::<4>(target, howto, run),
            (Expr::Branch, ..) => self.branches(target, howto, run),
            _ => each(run, |relocation| match (howto.expr, howto.field) {
                (Expr::Lower, _) if HAS_PAIRS => self.lower(target, howto, relocation),
                (Expr::PcRel | Expr::GotPcRel, Field::Upper(_)) if HAS_PAIRS => {
                    self.upper(target, howto, relocation)
                }
                (Expr::Add | Expr::Subtract | Expr::Minuend | Expr::Subtrahend | Expr::Padding, _)
                    if HAS_PAIRS =>
                {
                    self.label(target, howto, relocation)
                }
                _ => self.apply_one(target, howto, relocation),
            }),
        }
    }

    /// Applies the lower parts of addresses, whose upper parts stood behind them.
    fn apply_lower(
        &mut self,
        target: &mut Target<'_, F::Word>,
        relocations: Relocations<'_, F>,
    ) -> Result<(), Error> {
        let mut left = relocations;
        while let Some((r_type, run, rest)) = left.split_run() {
            let Some(howto) = self.arch.howto(r_type) else { return Err(unknown(self.arch, r_type, &run)) };
            let applied = match howto.expr {
                Expr::Lower => each(run, |relocation| self.lower(target, howto, relocation)),
                _ => Ok(()),
            };
            if let Err(failed) = applied {
                return Err(self.error(target, howto, failed));
            }
            left = rest;
        }
        Ok(())
    }

    /// A run of the commonest relocations of all: words of `N` bytes that hold `S + A`, whatever it is.
    fn words<const N: usize>(
        &mut self,
        target: &mut Target<'_, F::Word>,
        howto: &Howto,
        run: Relocations<'_, F>,
    ) -> Result<(), Failed<F::Word>> {
        let values = self.values;
        run.try_for_each(|relocation| match word::<F, N>(values, target, relocation) {
            Some(()) => Ok(()),
            None => self.other(target, howto, (relocation.offset, relocation.symbol, relocation.addend)),
        })
    }

    /// Applies what the short ways leave. It takes the parts of a relocation: those ways then keep theirs in registers.
    #[cold]
    #[inline(never)]
    fn other(
        &mut self,
        target: &mut Target<'_, F::Word>,
        howto: &Howto,
        (offset, symbol, addend): (F::Word, u32, Option<F::Word>),
    ) -> Result<(), Failed<F::Word>> {
        let relocation = Relocation { offset, r_type: howto.r_type.into(), symbol, addend };
        let applied = match howto.expr {
            Expr::Branch => self.other_branch(target, howto, &relocation),
            _ => self.apply_one(target, howto, &relocation),
        };
        applied.map_err(|fault| Failed { offset, symbol, fault })
    }

    fn apply_one(
        &mut self,
        target: &mut Target<'_, F::Word>,
        howto: &Howto,
        relocation: &Relocation<F::Word>,
    ) -> Result<(), Fault> {
        let (place, at, bytes) = target.field(relocation.offset, howto.field.len())?;
        let addend = relocation.addend.unwrap_or_else(|| F::Word::of(get::<F>(&howto.field, bytes) as u64));
        match howto.expr {
            Expr::GotPcRelRelax if HAS_GOT_FORMS => {
                self.relax(target.bytes, at, howto, relocation, place, addend)
            }
            Expr::GotAccess if HAS_GOT_FORMS => {
                self.got_access(target.bytes, at, howto, relocation, place, addend)
            }
            _ => match self.evaluate(howto, relocation, place, addend)? {
                Some(value) => self.store(bytes, howto, place, value),
                None => Ok(()),
            },
        }
    }

    /// The value of the relocation's symbol.
    #[inline(always)]
    fn value(&self, relocation: &Relocation<F::Word>) -> Result<F::Word, Fault> {
        match self.values.get(relocation.symbol as usize).copied() {
            Some(value) if value != Mark::unusable() => Ok(value),
            _ => Err(Fault::NoValue),
        }
    }

    /// The value of the expression; `None` when it waits until the image can run.
    #[inline]
    fn evaluate(
        &mut self,
        howto: &Howto,
        relocation: &Relocation<F::Word>,
        p: F::Word,
        a: F::Word,
    ) -> Result<Option<F::Word>, Fault> {
        if howto.expr == Expr::Refused {
            return Err(Fault::Unsupported);
        }
        let s = self.value(relocation)?;
        if howto.expr == Expr::IRelative || s == Mark::deferred() {
            self.deferred += 1;
            return Ok(None);
        }
        let got = self.got.address;
        Ok(Some(match howto.expr {
            Expr::Abs => s.plus(a),
            Expr::PcRel => s.plus(a).minus(p),
            Expr::PcRelWord => s.plus(a).minus(align_down(p, 4)),
            Expr::Page => page(s.plus(a)).minus(page(p)),
            Expr::Got => self.got_slot(relocation, s)?.plus(a).minus(got),
            Expr::GotAbs => self.got_slot(relocation, s)?.plus(a),
            Expr::GotPcRel => self.got_slot(relocation, s)?.plus(a).minus(p),
            Expr::GotPage => page(self.got_slot(relocation, s)?.plus(a)).minus(page(p)),
            Expr::GotPageOff => self.got_slot(relocation, s)?.plus(a).minus(page(got)),
            Expr::GotOff => s.plus(a).minus(got),
            Expr::GotPc => got.plus(a).minus(p),
            Expr::Slot => s,
            Expr::Relative => self.bias.plus(a),
            Expr::TpRel => s.plus(a).plus(self.thread.ok_or(Fault::Unsupported)?),
            // All others are done elsewhere, or no row of the processor has them.
            _ => return Err(Fault::Unsupported),
        }))
    }

    fn got_slot(&mut self, relocation: &Relocation<F::Word>, s: F::Word) -> Result<F::Word, Fault> {
        let slot = self.slots.get_mut(relocation.symbol as usize);
        slot.and_then(|slot| slot.got::<F>(&mut self.got, s)).ok_or(Fault::Full("GOT"))
    }

    fn store(&self, bytes: &mut [u8], howto: &Howto, place: F::Word, value: F::Word) -> Result<(), Fault> {
        let value = value.signed();
        check(howto, place, value)?;
        put::<F>(&howto.field, bytes, value);
        Ok(())
    }

    /// An access through the GOT whose instruction says whether a register holds the table's address.
    fn got_access(
        &mut self,
        section: &mut [u8],
        at: usize,
        howto: &Howto,
        relocation: &Relocation<F::Word>,
        p: F::Word,
        a: F::Word,
    ) -> Result<(), Fault> {
        let s = self.value(relocation)?;
        let slot = self.got_slot(relocation, s)?.plus(a);
        let is_absolute = self.arch.absolute_slot.is_some_and(|is_absolute| is_absolute(section, at));
        let value = if is_absolute { slot } else { slot.minus(self.got.address) };
        match section.get_mut(at..).and_then(|rest| rest.get_mut(..howto.field.len())) {
            Some(bytes) => self.store(bytes, howto, p, value),
            None => Ok(()),
        }
    }

    /// An access through the GOT: straight where the instruction and the distance allow it.
    fn relax(
        &mut self,
        section: &mut [u8],
        at: usize,
        howto: &Howto,
        relocation: &Relocation<F::Word>,
        p: F::Word,
        a: F::Word,
    ) -> Result<(), Fault> {
        let s = self.value(relocation)?;
        let direct = s.plus(a).minus(p);
        // One more than the value must fit too: a jump's field moves back by one byte.
        let bias = self.arch.veneer(howto.r_type).map_or(0, |veneer| veneer.bias);
        let reaches = s != F::Word::default()
            && howto.check.holds(direct.signed())
            && howto.check.holds(direct.plus(F::Word::of(1)).signed())
            && a.signed() == -i64::from(bias);
        let relaxed = if reaches { self.arch.relax.and_then(|relax| relax(section, at)) } else { None };
        let (at, value) = match relaxed {
            Some(moved) => (moved, direct.plus(F::Word::of((at - moved) as u64))),
            None => (at, self.got_slot(relocation, s)?.plus(a).minus(p)),
        };
        match section.get_mut(at..).and_then(|rest| rest.get_mut(..howto.field.len())) {
            Some(bytes) => self.store(bytes, howto, p, value),
            None => Ok(()),
        }
    }
}

/// Applies a word that holds `S + A`; `None` if it waits, or cannot be applied.
#[inline(always)]
fn word<F: Format, const N: usize>(
    values: &[F::Word],
    target: &mut Target<'_, F::Word>,
    relocation: Relocation<F::Word>,
) -> Option<()> {
    let value = *values.get(relocation.symbol as usize)?;
    if value == Mark::deferred() || value == Mark::unusable() {
        return None;
    }
    let at = usize::try_from(relocation.offset.minus(target.origin).get()).ok()?;
    let bytes = target.bytes.get_mut(at..)?.get_mut(..N)?;
    let addend = relocation.addend.unwrap_or_else(|| F::Word::of(read_int::<F>(bytes) as u64));
    write_int::<F, N>(bytes, value.plus(addend).get());
    Some(())
}

/// `value` rounded down to a multiple of `align`, a power of two.
fn align_down<W: Word>(value: W, align: u64) -> W {
    W::of(value.get() & !(align - 1))
}

/// The page of an address, as the psABI of arm64 counts: 4 KiB, whatever the memory's are.
fn page<W: Word>(address: W) -> W {
    align_down(address, 4096)
}

#[inline(always)]
fn check<W: Word>(howto: &Howto, place: W, value: i64) -> Result<(), Fault> {
    let (place, align) = (place.get(), howto.align);
    if !howto.check.holds(value) {
        return Err(Fault::Overflow { place, value });
    }
    if value & (i64::from(align) - 1) != 0 {
        return Err(Fault::Misaligned { place, value, align });
    }
    Ok(())
}

/// Does `apply` with every relocation, until one fails.
fn each<F: Format>(
    run: Relocations<'_, F>,
    mut apply: impl FnMut(&Relocation<F::Word>) -> Result<(), Fault>,
) -> Result<(), Failed<F::Word>> {
    run.iter().try_for_each(|relocation| apply(&relocation).map_err(|fault| Failed::at(&relocation, fault)))
}

/// The addend in a field.
fn get<F: Format>(field: &Field, bytes: &[u8]) -> i64 {
    match field {
        Field::Data(_) => read_int::<F>(bytes),
        Field::Code(code) | Field::Upper(code) => (code.get)(bytes),
    }
}

#[inline(always)]
fn put<F: Format>(field: &Field, bytes: &mut [u8], value: i64) {
    match field {
        Field::Data(8) => write_int::<F, 8>(bytes, value as u64),
        Field::Data(4) => write_int::<F, 4>(bytes, value as u64),
        Field::Data(2) => write_int::<F, 2>(bytes, value as u64),
        Field::Data(_) => bytes.iter_mut().for_each(|byte| *byte = value as u8),
        Field::Code(code) => (code.put)(bytes, value),
        Field::Upper(code) => (code.put)(bytes, value.wrapping_add(Field::LOWER_HALF)),
    }
}

/// Applies a table of packed relative relocations (`DT_RELR`) that lies in the image itself.
pub fn apply_relr<F: Format>(
    target: &mut Target<'_, F::Word>,
    table: Extent,
    bias: F::Word,
) -> Result<(), Error> {
    let word = F::Word::SIZE;
    let step = F::Word::of(word as u64);
    let mut next = F::Word::default();
    for index in 0..table.size as usize / word {
        let at = table.offset as usize + index * word;
        let Some(entry) = read_word::<F>(target.bytes, at) else { break };
        if entry.get() & 1 == 0 {
            add_bias::<F>(target, entry, bias)?;
            next = entry.plus(step);
            continue;
        }
        for bit in 1..word as u64 * 8 {
            if entry.get() >> bit & 1 != 0 {
                add_bias::<F>(target, next.plus(F::Word::of((bit - 1) * word as u64)), bias)?;
            }
        }
        next = next.plus(F::Word::of((word as u64 * 8 - 1) * word as u64));
    }
    Ok(())
}

fn add_bias<F: Format>(
    target: &mut Target<'_, F::Word>,
    address: F::Word,
    bias: F::Word,
) -> Result<(), Error> {
    let len = F::Word::SIZE;
    let size = target.bytes.len() as u64;
    let outside = Error::RelocationOutside { offset: address.get(), len: len as u32, size };
    let at = usize::try_from(address.minus(target.origin).get()).map_err(|_| outside)?;
    let value = read_word::<F>(target.bytes, at).ok_or(outside)?.plus(bias);
    target.bytes.get_mut(at..).map(|bytes| write_word::<F>(bytes, value)).ok_or(outside)
}
