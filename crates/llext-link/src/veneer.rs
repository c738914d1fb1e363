//! Far-call stubs and GOT slots: counted before memory is reserved, shared by all that need the same one, filled when
//! first used.
//!
//! What is counted is the most that could be needed from anywhere in the [`Window`] of possible addresses; what stays
//! unused is given back.

use crate::addr::{SectionIndex, SymbolIndex, Window, Word};
use crate::arch::{Arch, Check, Expr, Field, Howto, Veneer, WeakBranch};
use crate::elf::relocation::{Relocation, Relocations};
use crate::elf::section::{Role, Section};
use crate::elf::symbol::{SHN_ABS, SHN_COMMON, STT_FUNC, Symbol, Symbols};
use crate::elf::{Format, write_word};
use crate::error::{Error, SymbolRef};
use crate::symbol::Mark;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

mod branch;

/// A symbol's GOT slot and its first stub: 0 when it has none, else one more than their index.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Slot {
    got: u32,
    stub: u32,
}

/// A slot that was counted and has no index yet.
const WANTED: u32 = u32::MAX;

/// A stub that was counted and has no index yet. The low bits say for branches of which instruction sets to the symbol
/// itself.
const COUNTED: u32 = 1 << 31;

/// How much room the linker's own tables need, and where the image may lie.
#[derive(Clone, Copy, Debug)]
pub struct Needs {
    /// GOT slots.
    pub got: u32,
    /// Far-call stubs.
    pub stubs: u32,
    /// How many of those are not the first of their symbol.
    pub spread: u32,
    /// Upper parts of addresses in one section, at most: as many [`Upper`](crate::relocate::Upper) serve all sections.
    pub pairs: u32,
    /// Upper parts in the section whose relocations are being counted.
    pub(crate) section_pairs: u32,
    /// That section.
    pub(crate) section: SectionIndex,
    /// Whether any section is used in place.
    pub(crate) in_place: bool,
    /// The run address of the section whose relocations are being counted, if it is used in place.
    pub place: Option<u64>,
    /// Whether no window is left that what is used in place reaches and is reached from: then it has to be copied.
    pub out_of_reach: bool,
    /// Where the image must lie so that what cannot be helped by a stub reaches its target.
    pub window: Window,
    /// Between which addresses everything lies that is not in the image: [`Tally::others`](crate::symbol::Tally::others), if
    /// that is known.
    pub others: Window,
    /// The size of the file's code at most, bytes: how far its own symbols can be from one another.
    pub code: u64,
}

impl Needs {
    /// Nothing yet, for a file of these sections that may lie in `window`.
    pub fn new(window: Window, sections: &[Section]) -> Self {
        let code = sections.iter().filter(|section| section.role() == Role::Text && !section.is_in_place());
        let code = code.map(|section| u64::from(section.size()) + u64::from(section.align())).sum();
        Self {
            got: 0,
            stubs: 0,
            spread: 0,
            pairs: 0,
            section_pairs: 0,
            section: SectionIndex(0),
            in_place: sections.iter().any(Section::is_in_place),
            place: None,
            out_of_reach: false,
            window,
            others: Window::ALL,
            code,
        }
    }

    /// The next batch is the first of a section's relocations.
    pub fn begin(&mut self, section: SectionIndex) {
        (self.section, self.section_pairs, self.place) = (section, 0, None);
    }

    /// How many entries the index of stubs takes, for [`Linker`](crate::relocate::Linker).
    pub fn index_len(&self) -> u32 {
        self.spread.saturating_add(self.spread.div_ceil(2))
    }
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
        let (mut left, mut counted, mut pairs) = (relocations, Counted::Done, 0);
        while let Some((r_type, run, rest)) = left.split_run() {
            let Some(howto) = self.arch.howto(r_type) else { return Err(unknown(self.arch, r_type, &run)) };
            if matches!(howto.expr, Expr::Slot | Expr::Relative | Expr::IRelative) {
                return Err(dynamic_only(self.arch, r_type, &run));
            }
            if matches!((howto.field, howto.expr), (Field::Upper(_), Expr::PcRel | Expr::GotPcRel)) {
                pairs += run.len() as u32;
            }
            if may_need::<F>(howto) && self.count_run(howto, run)? == Counted::WantsSlots {
                counted = Counted::WantsSlots;
            }
            left = rest;
        }
        // A batch that wants slots is counted again.
        if counted == Counted::Done {
            self.needs.section_pairs = self.needs.section_pairs.saturating_add(pairs);
            self.needs.pairs = self.needs.pairs.max(self.needs.section_pairs);
        }
        Ok(counted)
    }

    /// Counts relocations of one type.
    fn count_run(&mut self, howto: &Howto, run: Relocations<'_, F>) -> Result<Counted, Error> {
        let mut counted = Counted::Done;
        let mut note = |now: Result<Counted, Error>| {
            if now? == Counted::WantsSlots {
                counted = Counted::WantsSlots;
            }
            Ok(())
        };
        match (howto.expr, self.arch.veneer(howto.r_type)) {
            (Expr::Branch, Some(veneer)) => {
                let near = self.near(howto, veneer);
                run.iter().try_for_each(|relocation| {
                    if near.is_some_and(|near| self.is_near(near, relocation)) {
                        return Ok(());
                    }
                    note(self.count_branch(howto, veneer, &relocation))
                })?
            }
            _ => run.iter().try_for_each(|relocation| note(self.count_one(howto, &relocation)))?,
        }
        Ok(counted)
    }

    /// Counts a relocation that is no branch.
    fn count_one(&mut self, howto: &Howto, relocation: &Relocation<F::Word>) -> Result<Counted, Error> {
        match howto.expr {
            Expr::PcRel | Expr::PcRelWord | Expr::Page => self.narrow(howto, relocation)?,
            Expr::Abs if F::Word::SIZE == 8 => self.lower(howto, relocation)?,
            expr if expr.needs_got() => {
                self.stay_near(howto, relocation);
                return self.want_got(relocation.symbol);
            }
            _ => {}
        }
        Ok(Counted::Done)
    }

    /// The symbol's value, if somebody else defines the symbol, or nobody does, or it is a number or in place.
    #[inline]
    fn external(&self, index: u32, symbol: &Symbol<F::Word>) -> Option<F::Word> {
        let value = self.values.get(index as usize).copied()?;
        let is_known = match symbol.section.into() {
            0 | SHN_ABS => !Mark::is_mark(value),
            section => self.needs.in_place && section != SHN_COMMON && value != F::Word::default(),
        };
        is_known.then_some(value)
    }

    /// The symbol that a relocation refers to.
    #[inline]
    fn symbol(&self, relocation: &Relocation<F::Word>) -> Result<Symbol<F::Word>, Error> {
        self.symbols.get(SymbolIndex(relocation.symbol))
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

    /// A reference that no stub can help: the image must lie within its reach, if there is such a place at all.
    fn narrow(&mut self, howto: &Howto, relocation: &Relocation<F::Word>) -> Result<(), Error> {
        let symbol = self.symbol(relocation)?;
        let Some(target) = self.external(relocation.symbol, &symbol) else {
            self.stay_near(howto, relocation);
            return Ok(());
        };
        if target == F::Word::default() && self.starts_from_zero(howto) {
            return Ok(());
        }
        let addend = relocation.addend.unwrap_or_default().signed();
        let Some(near) = near(howto.check, target.get().saturating_add_signed(addend)) else {
            return Ok(());
        };
        match self.place(relocation) {
            None => self.restrict(near),
            Some(place) => self.needs.out_of_reach |= !near.holds(place, 1),
        }
        Ok(())
    }

    /// Where the relocation acts, if that is in place.
    fn place(&self, relocation: &Relocation<F::Word>) -> Option<u64> {
        Some(self.needs.place?.wrapping_add(relocation.offset.get()))
    }

    /// What is in place refers to the image, which must lie within reach.
    fn stay_near(&mut self, howto: &Howto, relocation: &Relocation<F::Word>) {
        let near = self.place(relocation).and_then(|place| near(howto.check, place));
        near.into_iter().for_each(|near| self.restrict(near));
    }

    /// Whether what is not there is reached from anywhere.
    fn starts_from_zero(&self, howto: &Howto) -> bool {
        let weak = self.arch.veneer(howto.r_type).map(|veneer| veneer.weak);
        matches!((howto.field, weak), (Field::Upper(_), Some(WeakBranch::FromZero { .. })))
    }

    /// An address in fewer bits than a word: the file's own symbols must lie that low.
    fn lower(&mut self, howto: &Howto, relocation: &Relocation<F::Word>) -> Result<(), Error> {
        let high = match howto.check {
            Check::Signed(32) | Check::Unsigned(32) | Check::Either(32) => 1 << 31,
            Check::Upper(32) => (1 << 31) - LOWER_HALF,
            _ => return Ok(()),
        };
        let symbol = self.symbol(relocation)?;
        match self.external(relocation.symbol, &symbol) {
            None => self.restrict(Window { low: 0, high }),
            Some(target) => self.needs.out_of_reach |= self.needs.in_place && target.get() >= high,
        }
        Ok(())
    }

    fn restrict(&mut self, window: Window) {
        let narrower = self.needs.window.intersection(&window);
        if narrower.is_empty() {
            self.needs.out_of_reach = self.needs.in_place;
        } else {
            self.needs.window = narrower;
        }
    }
}

/// Which instruction set a symbol's code is of, by its value; `None` where only functions say so and it is none.
pub(crate) fn set_of<W: Word>(symbol: Option<&Symbol<W>>, value: W) -> Option<usize> {
    let is_function = symbol.is_none_or(|symbol| symbol.section == 0 || symbol.kind() == STT_FUNC);
    if value.get() & 1 != 0 { Some(0) } else { is_function.then_some(1) }
}

/// Whether a row can ask for a stub, a slot or a place: most cannot, and their runs are passed over.
fn may_need<F: Format>(howto: &Howto) -> bool {
    match howto.expr {
        expr if expr.needs_got() => true,
        Expr::Branch => true,
        Expr::PcRel | Expr::PcRelWord | Expr::Page => howto.check != Check::None,
        Expr::Abs => F::Word::SIZE == 8 && howto.check != Check::None,
        _ => false,
    }
}

/// A relocation that speaks of an image as a whole, in a file of sections.
#[cold]
fn dynamic_only<F: Format>(arch: &Arch, r_type: u32, run: &Relocations<'_, F>) -> Error {
    let (symbol, offset) =
        run.first().map_or((0, 0), |relocation| (relocation.symbol, relocation.offset.get()));
    let relocation = arch.relocation(r_type);
    Error::UnsupportedRelocation { relocation, symbol: SymbolRef::new(symbol), offset }
}

/// Relocations of a type that no row is about.
#[cold]
#[inline(never)]
pub(crate) fn unknown<F: Format>(arch: &Arch, r_type: u32, run: &Relocations<'_, F>) -> Error {
    let offset = run.first().map_or(0, |relocation| relocation.offset.get());
    Error::UnknownRelocation { relocation: arch.relocation(r_type), offset }
}

/// What rounds an upper part.
const LOWER_HALF: u64 = Field::LOWER_HALF as u64;

/// How far a branch reaches in both directions, from any of its bytes.
fn reach(check: Check) -> u64 {
    // Sixteen bytes: the longest instruction and the distance from its field to its end.
    match check {
        Check::None => u64::MAX,
        Check::Signed(bits) => (1 << (bits - 1)) - 16,
        Check::Upper(bits) => (1 << (bits - 1)) - LOWER_HALF - 16,
        Check::Unsigned(_) | Check::Either(_) | Check::Magnitude(_) => 0,
    }
}

/// Where the image must lie to reach `target`, or to be reached from there.
fn near(check: Check, target: u64) -> Option<Window> {
    let (bits, rounding) = match check {
        Check::Signed(bits) => (bits, 0),
        Check::Upper(bits) => (bits, LOWER_HALF),
        _ => return None,
    };
    let (target, reach) = (target.saturating_add(rounding), 1u64 << (bits - 1));
    Some(Window { low: target.saturating_sub(reach - 1), high: target.saturating_add(reach) })
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
    /// Appends `entry`; the index of the copy and its bytes, or `None` when the area is full, or the entry nothing.
    fn push(&mut self, entry: &[u8], size: usize) -> Option<(u32, &mut [u8])> {
        let index = self.used.checked_div(size as u32)?;
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
    /// The run address of the symbol's GOT slot, made now if it was not yet; `None` if the GOT is full.
    pub fn got<F: Format>(&mut self, got: &mut Area<'_, F::Word>, value: F::Word) -> Option<F::Word> {
        let size = F::Word::SIZE;
        if matches!(self.got, 0 | WANTED) {
            let (index, bytes) = got.push(&[], size)?;
            write_word::<F>(bytes, value);
            self.got = index + 1;
        }
        Some(got.address_of(self.got - 1, size))
    }
}

/// The longest stub there is, bytes.
pub(crate) const MAX_STUB: usize = 32;

/// The stubs while they are filled.
pub(crate) struct Stubs<'s, 'a, W> {
    pub(crate) area: &'s mut Area<'a, W>,
    /// Those that are not the first of their symbol, by their target: one more than their index, or 0.
    pub(crate) index: &'s mut [u32],
}

impl<W: Word> Stubs<'_, '_, W> {
    /// The run address of the stub that jumps to `target`, made now if there is none yet.
    pub(crate) fn find<F: Format<Word = W>>(
        &mut self,
        slot: Option<&mut Slot>,
        veneer: &Veneer,
        target: W,
    ) -> Result<W, Full> {
        let mut room = [0; MAX_STUB];
        let stub = fill::<F>(&mut room, veneer, target);
        // The symbol's first stub is found through the symbol.
        if let Some(slot) = slot {
            slot.stub = if slot.stub & COUNTED != 0 { 0 } else { slot.stub };
            if let Some(address) = self.area.stub_at(&mut slot.stub, stub)? {
                return Ok(address);
            }
        }
        let spread = target.get().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let start = ((spread * self.index.len() as u64) >> 32) as usize;
        let (before, after) = self.index.split_at_mut_checked(start).unwrap_or_default();
        for entry in after.iter_mut().chain(before).take(REACH) {
            if let Some(address) = self.area.stub_at(entry, stub)? {
                return Ok(address);
            }
        }
        // Crowded out: it is not shared. A branch beside its symbol was counted for itself, so there is room.
        self.area.stub_at(&mut 0, stub)?.ok_or(Full)
    }
}

/// There is no room for another stub.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// How far from its place in the index a stub is looked for. At three entries for two stubs only targets that were made to
/// collide lie farther; so a file cannot make finding a stub take longer the more stubs there are.
const REACH: usize = 256;

impl<W: Word> Area<'_, W> {
    /// The run address of `stub` if `entry` is its index, or none, which then becomes it.
    fn stub_at(&mut self, entry: &mut u32, stub: &[u8]) -> Result<Option<W>, Full> {
        if *entry == 0 {
            let (index, _) = self.push(stub, stub.len()).ok_or(Full)?;
            *entry = index + 1;
        }
        let at = (*entry - 1) as usize * stub.len();
        let same = self.bytes.get(at..).is_some_and(|bytes| bytes.starts_with(stub));
        Ok(same.then(|| self.address_of(*entry - 1, stub.len())))
    }
}

/// The bytes of the stub that jumps to `target`.
fn fill<'s, F: Format>(room: &'s mut [u8; MAX_STUB], veneer: &Veneer, target: F::Word) -> &'s [u8] {
    let stub = room.get_mut(..veneer.code.len()).unwrap_or_default();
    let trap = match veneer.weak {
        WeakBranch::Trap(trap) | WeakBranch::FromZero { trap, .. } if target == F::Word::default() => {
            Some(trap)
        }
        _ => None,
    };
    for (byte, code) in stub.iter_mut().zip(trap.unwrap_or(veneer.code)) {
        *byte = *code;
    }
    if let (None, Some(literal)) = (trap, stub.get_mut(usize::from(veneer.literal)..)) {
        write_word::<F>(literal, target);
    }
    stub
}

#[cfg(test)]
mod tests;
