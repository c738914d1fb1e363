//! Far-call stubs and GOT slots: counted before memory is reserved, shared by all that need the same one, filled when
//! first used.
//!
//! What is counted is the most that could be needed from anywhere in the [`Window`] of possible addresses; what stays
//! unused is given back.

use crate::addr::{SymbolIndex, Window, Word};
use crate::arch::{Arch, Check, Expr, Howto};
use crate::elf::relocation::{Relocation, Relocations};
use crate::elf::symbol::Symbols;
use crate::elf::{Format, write_word};
use crate::error::Error;
use crate::symbol::Mark;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A symbol's GOT slot and stub: 0 when it has none, else one more than their index.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Slot {
    got: u32,
    stub: u32,
}

/// A slot that was counted and has no index yet.
const WANTED: u32 = u32::MAX;

/// How much room the linker's own tables need, and where the image may lie.
#[derive(Clone, Copy, Debug)]
pub struct Needs {
    /// GOT slots.
    pub got: u32,
    /// Far-call stubs.
    pub stubs: u32,
    /// Where the image must lie so that what cannot be helped by a stub reaches its target.
    pub window: Window,
}

/// Whether the symbols' [`Slot`]s are needed to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// The batch is counted.
    Done,
    /// Lend a slot for each symbol, all zero, and count the batch again.
    WantsSlots,
}

/// Counts stubs and slots, batch by batch.
pub struct Count<'a, F: Format> {
    /// The processor.
    pub arch: &'a Arch,
    /// The symbols.
    pub symbols: Symbols<'a, F>,
    /// Their values, as resolved.
    pub values: &'a [F::Word],
    /// A slot for each symbol, or none until they are asked for.
    pub slots: &'a mut [Slot],
    /// What was counted so far.
    pub needs: &'a mut Needs,
}

impl<F: Format> Count<'_, F> {
    /// Counts what `relocations` need.
    pub fn batch(&mut self, relocations: Relocations<'_, F>) -> Result<Counted, Error> {
        let (mut left, mut counted) = (relocations, Counted::Done);
        while let Some((r_type, run, rest)) = left.split_run() {
            let howto = find_howto::<F>(self.arch, r_type, &run)?;
            if may_need::<F>(howto) {
                run.try_for_each(|relocation| {
                    if self.count_one(howto, &relocation)? == Counted::WantsSlots {
                        counted = Counted::WantsSlots;
                    }
                    Ok(())
                })?;
            }
            left = rest;
        }
        Ok(counted)
    }

    #[inline]
    fn count_one(&mut self, howto: &Howto, relocation: &Relocation<F::Word>) -> Result<Counted, Error> {
        match howto.expr {
            Expr::Got | Expr::GotPcRel | Expr::GotPcRelRelax => self.want_got(relocation.symbol),
            Expr::Branch => self.count_branch(howto, relocation),
            Expr::PcRel => self.narrow(howto, relocation),
            Expr::Abs if F::Word::SIZE == 8 => self.lower(howto, relocation),
            _ => Ok(Counted::Done),
        }
    }

    /// The symbol's value, if somebody else defines the symbol, or nobody does.
    fn external(&self, symbol: u32) -> Result<Option<F::Word>, Error> {
        let is_external = self.symbols.get(SymbolIndex(symbol))?.section == 0;
        let value = if is_external { self.values.get(symbol as usize).copied() } else { None };
        Ok(value.filter(|value| !Mark::is_mark(*value)))
    }

    fn want_got(&mut self, symbol: u32) -> Result<Counted, Error> {
        self.symbols.get(SymbolIndex(symbol))?;
        let Some(slot) = self.slots.get_mut(symbol as usize) else { return Ok(Counted::WantsSlots) };
        if slot.got == 0 {
            slot.got = WANTED;
            self.needs.got += 1;
        }
        Ok(Counted::Done)
    }

    fn count_branch(&mut self, howto: &Howto, relocation: &Relocation<F::Word>) -> Result<Counted, Error> {
        let Some(target) = self.external(relocation.symbol)? else { return Ok(Counted::Done) };
        let usual =
            relocation.addend.is_none_or(|addend| addend.signed() == -i64::from(self.arch.veneer.bias));
        if usual && always_reaches(howto.check, self.needs.window, target.get()) {
            return Ok(Counted::Done);
        }
        let Some(slot) = self.slots.get_mut(relocation.symbol as usize) else {
            return Ok(Counted::WantsSlots);
        };
        if slot.stub == 0 || !usual {
            slot.stub = WANTED;
            self.needs.stubs += 1;
        }
        Ok(Counted::Done)
    }

    /// A reference that no stub can help: the image must lie within its reach, if there is such a place at all.
    fn narrow(&mut self, howto: &Howto, relocation: &Relocation<F::Word>) -> Result<Counted, Error> {
        if let Check::Signed(bits) = howto.check
            && let Some(target) = self.external(relocation.symbol)?
        {
            let addend = relocation.addend.unwrap_or_default().signed();
            let target = i128::from(target.get()) + i128::from(addend);
            let reach = 1i128 << (bits - 1);
            let address = |at: i128| at.clamp(0, u64::MAX.into()) as u64;
            let near = Window { low: address(target - reach + 1), high: address(target + reach) };
            self.restrict(near);
        }
        Ok(Counted::Done)
    }

    /// An address in fewer bits than a word: the file's own symbols must lie that low.
    fn lower(&mut self, howto: &Howto, relocation: &Relocation<F::Word>) -> Result<Counted, Error> {
        if matches!(howto.check, Check::Signed(32) | Check::Unsigned(32))
            && self.external(relocation.symbol)?.is_none()
        {
            self.restrict(Window { low: 0, high: 1 << 31 });
        }
        Ok(Counted::Done)
    }

    fn restrict(&mut self, window: Window) {
        let narrower = self.needs.window.intersection(&window);
        if !narrower.is_empty() {
            self.needs.window = narrower;
        }
    }
}

/// Whether a row can ask for a stub, a slot or a place: most cannot, and their runs are passed over.
fn may_need<F: Format>(howto: &Howto) -> bool {
    match howto.expr {
        Expr::Got | Expr::GotPcRel | Expr::GotPcRelRelax | Expr::Branch => true,
        Expr::PcRel => howto.check != Check::None,
        Expr::Abs => F::Word::SIZE == 8 && howto.check != Check::None,
        _ => false,
    }
}

/// The row for a run of relocations.
pub(crate) fn find_howto<F: Format>(
    arch: &Arch,
    r_type: u32,
    run: &Relocations<'_, F>,
) -> Result<&'static Howto, Error> {
    let offset = || run.first().map_or(0, |relocation| relocation.offset.get());
    arch.howto(r_type)
        .ok_or_else(|| Error::UnknownRelocation { relocation: arch.relocation(r_type), offset: offset() })
}

/// Whether a branch from anywhere in `window` reaches `target`.
fn always_reaches(check: Check, window: Window, target: u64) -> bool {
    let Check::Signed(bits) = check else { return check == Check::None };
    // Sixteen bytes: the longest instruction and the distance from its field to its end.
    let reach = (1u64 << (bits - 1)) - 16;
    target != 0 && window.high.abs_diff(target) < reach && window.low.abs_diff(target) < reach
}

/// One of the linker's own tables in the image.
pub struct Area<'a, W> {
    /// Its working bytes.
    pub bytes: &'a mut [u8],
    /// Its run address.
    pub address: W,
    /// How much of it is filled, bytes.
    pub used: u32,
}

impl<W: Word> Area<'_, W> {
    /// Appends `entry`; the index of the copy and its bytes, or `None` when the area is full.
    fn push(&mut self, entry: &[u8], size: usize) -> Option<(u32, &mut [u8])> {
        let index = self.used / size as u32;
        let bytes = self.bytes.get_mut(self.used as usize..)?.get_mut(..size)?;
        bytes.get_mut(..entry.len())?.copy_from_slice(entry);
        self.used += size as u32;
        Some((index, bytes))
    }

    fn address_of(&self, index: u32, size: usize) -> W {
        self.address.plus(W::of(u64::from(index) * size as u64))
    }
}

impl Slot {
    /// The run address of the symbol's GOT slot, made now if it was not yet.
    pub fn got<F: Format>(&mut self, got: &mut Area<'_, F::Word>, value: F::Word) -> Result<F::Word, Error> {
        let size = F::Word::SIZE;
        if matches!(self.got, 0 | WANTED) {
            let (index, bytes) = got.push(&[], size).ok_or(Error::TableChanged { what: "GOT" })?;
            write_word::<F>(bytes, value);
            self.got = index + 1;
        }
        Ok(got.address_of(self.got - 1, size))
    }

    /// The run address of the stub that jumps to the symbol, made now if it was not yet.
    pub fn stub<F: Format>(
        &mut self,
        stubs: &mut Area<'_, F::Word>,
        arch: &Arch,
        target: F::Word,
    ) -> Result<F::Word, Error> {
        if matches!(self.stub, 0 | WANTED) {
            self.stub = push_stub::<F>(stubs, arch, target)? + 1;
        }
        Ok(stubs.address_of(self.stub - 1, arch.veneer.code.len()))
    }
}

/// The run address of a new stub that jumps to `target`.
pub(crate) fn stub_for<F: Format>(
    stubs: &mut Area<'_, F::Word>,
    arch: &Arch,
    target: F::Word,
) -> Result<F::Word, Error> {
    let index = push_stub::<F>(stubs, arch, target)?;
    Ok(stubs.address_of(index, arch.veneer.code.len()))
}

fn push_stub<F: Format>(stubs: &mut Area<'_, F::Word>, arch: &Arch, target: F::Word) -> Result<u32, Error> {
    let veneer = &arch.veneer;
    let full = Error::TableChanged { what: "far-call stubs" };
    let trap = match arch.weak_branch {
        crate::arch::WeakBranch::Trap(code) if target == F::Word::default() => Some(code),
        _ => None,
    };
    let (index, bytes) = stubs.push(trap.unwrap_or(veneer.code), veneer.code.len()).ok_or(full)?;
    if trap.is_none()
        && let Some(literal) = bytes.get_mut(usize::from(veneer.literal)..)
    {
        write_word::<F>(literal, target);
    }
    Ok(index)
}
