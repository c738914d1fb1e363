//! What differs between processors, as data: one file per architecture.
//!
//! A relocation is an expression, a check and a field. The letters are the psABIs' own: `S` the symbol's address, `A`
//! the addend, `P` the place, `G` the symbol's GOT slot, `GOT` the table's address, `B` the image's address, `TP` the
//! distance from the thread pointer to the host's thread-local block; `Page(x)` is `x` with its low 12 bits zero.

use crate::elf::Format;
use crate::elf::attributes::attribute;
use crate::elf::header::Header;
use crate::error::{Error, RelocationType};
use core::fmt;

/// An architecture: its ELF machine number, its relocations and its far-call stub.
pub struct Arch {
    /// The name, as in `llext inspect`.
    pub name: &'static str,
    /// `e_machine`.
    pub machine: u16,
    /// `EI_CLASS` and `EI_DATA`.
    pub format: [u8; 2],
    /// The bits of `e_flags` that must have certain values, and those values.
    pub flags: (u32, u32),
    /// The build attributes that must suit the host.
    pub attributes: &'static [Attribute],
    /// The relocations, ascending by type.
    pub howtos: &'static [Howto],
    /// The stubs for branches that would not reach, one for each instruction set, all of one length.
    pub veneers: &'static [Veneer],
    /// How code of two instruction sets calls one another, where there are two.
    pub interwork: Option<&'static Interwork>,
    /// The stub that gives a function of the run time its extension as third argument.
    pub binder: Option<Binder>,
    /// Turns an access through the GOT into a direct one.
    pub relax: Option<Relax>,
    /// Tells which instructions hold a GOT slot's address itself, for [`Expr::GotAccess`].
    pub absolute_slot: Option<AbsoluteSlot>,
}

/// A build attribute of an object, and the values that suit a host.
pub struct Attribute {
    /// Who defines it.
    pub vendor: &'static [u8],
    /// Its number.
    pub tag: u32,
    /// Its name.
    pub name: &'static str,
    /// A bit for each value that suits.
    pub suits: u32,
    /// It does not matter where this other attribute is 0.
    pub needs: Option<u32>,
}

/// How one relocation type is computed, checked and stored.
#[derive(Clone, Copy)]
pub struct Howto {
    /// The psABI's number.
    pub r_type: u16,
    /// What is computed.
    pub expr: Expr,
    /// The range the value must lie in.
    pub check: Check,
    /// The value must be a multiple of this.
    pub align: u8,
    /// Where the value goes.
    pub field: Field,
}

/// The expression of a relocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expr {
    /// Nothing to do.
    None,
    /// `S + A`
    Abs,
    /// `S + A - P`
    PcRel,
    /// `S + A - P`, where `S` may be replaced by a stub that jumps to it.
    Branch,
    /// `G + A - GOT`: the slot's offset in the table.
    Got,
    /// `G + A - P`
    GotPcRel,
    /// `G + A - P`, which may become `S + A - P` when the instruction allows it.
    GotPcRelRelax,
    /// `S + A - GOT`
    GotOff,
    /// `GOT + A - P`
    GotPc,
    /// `G + A`
    GotAbs,
    /// `G + A - GOT`, or `G + A` where the instruction has no register that holds `GOT`.
    GotAccess,
    /// `Page(S + A) - Page(P)`
    Page,
    /// `Page(G + A) - Page(P)`
    GotPage,
    /// `G + A - Page(GOT)`
    GotPageOff,
    /// `S + A - Pa`, where `Pa` is `P` rounded down to a word.
    PcRelWord,
    /// `S + A + TP`: thread-local storage of the host, at a distance it gives.
    TpRel,
    /// What the upper part at `S` says: the symbol is the place of a [`Field::Upper`].
    Lower,
    /// `V + S + A`, where `V` is what the field holds.
    Add,
    /// `V - S - A`
    Subtract,
    /// `S + A`, kept for the next relocation.
    Minuend,
    /// `V - S - A`, where `V` is what the relocation before kept; a LEB128 number.
    Subtrahend,
    /// `A` bytes of padding, after which the address is a multiple of the next power of two.
    Padding,
    /// `S`: the slot of a shared object's GOT or PLT.
    Slot,
    /// `B + A`
    Relative,
    /// The result of calling `B + A`.
    IRelative,
    /// Known, and refused: thread-local storage, copy relocations.
    Refused,
}

impl Expr {
    /// Whether it uses the symbol's GOT slot.
    #[inline]
    pub fn needs_got(self) -> bool {
        use Expr::*;
        matches!(self, Got | GotPcRel | GotPcRelRelax | GotAbs | GotAccess | GotPage | GotPageOff)
    }
}

/// The range a value must lie in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Any value: the field takes what fits.
    None,
    /// `-2^(n-1) ..= 2^(n-1) - 1`
    Signed(u8),
    /// `0 ..= 2^n - 1`
    Unsigned(u8),
    /// Either of the two: `-2^(n-1) ..= 2^n - 1`
    Either(u8),
    /// `-(2^n - 1) ..= 2^n - 1`: a magnitude, and a bit that says which way.
    Magnitude(u8),
    /// What an upper part reaches with a signed lower part of 12 bits: `-2^(n-1) - 2^11 ..= 2^(n-1) - 2^11 - 1`
    Upper(u8),
}

/// The values that a [`Check`] lets pass.
#[derive(Clone, Copy)]
pub(crate) struct Range {
    /// How far the first lies below 0.
    below: u64,
    /// How many follow the first.
    others: u64,
}

impl Range {
    /// Whether `value` lies in the range.
    #[inline(always)]
    pub(crate) fn holds(self, value: i64) -> bool {
        (value as u64).wrapping_add(self.below) <= self.others
    }
}

impl Check {
    /// Whether `value` lies in the range.
    #[inline(never)]
    pub fn holds(self, value: i64) -> bool {
        self.range().holds(value)
    }

    /// The range: found once for many values.
    #[inline(never)]
    pub(crate) fn range(self) -> Range {
        let (Check::Signed(n)
        | Check::Unsigned(n)
        | Check::Either(n)
        | Check::Magnitude(n)
        | Check::Upper(n)) = self
        else {
            return Range { below: 0, others: u64::MAX };
        };
        let half = 1 << (n - 1);
        let (below, count) = match self {
            Check::Either(_) => (half, 3 * half),
            Check::Magnitude(_) => (2 * half - 1, 4 * half - 1),
            Check::Unsigned(_) => (0, 2 * half),
            Check::Upper(_) => (half + Field::LOWER_HALF as u64, 2 * half),
            Check::None | Check::Signed(_) => (half, 2 * half),
        };
        Range { below, others: count - 1 }
    }
}

/// Where a value goes.
#[derive(Clone, Copy)]
pub enum Field {
    /// A number of 1, 2, 4 or 8 bytes in the file's byte order.
    Data(u8),
    /// The immediate of an instruction.
    Code(&'static Code),
    /// The upper part of an address, rounded because the lower part of 12 bits is signed. A PC-relative one is kept for
    /// the lower parts ([`Expr::Lower`]) that refer to its place.
    Upper(&'static Code),
}

impl Field {
    /// Half of what a signed lower part of 12 bits spans.
    pub const LOWER_HALF: i64 = 1 << 11;

    /// How many bytes the field spans.
    pub fn len(&self) -> usize {
        match self {
            Field::Data(len) => usize::from(*len),
            Field::Code(code) | Field::Upper(code) => usize::from(code.len),
        }
    }

    /// Whether it spans none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// An immediate scattered over an instruction: how to read the addend in it, how to write the result.
pub struct Code {
    /// How many bytes the instruction spans.
    pub len: u8,
    /// The immediate, sign-extended.
    pub get: fn(&[u8]) -> i64,
    /// Stores the immediate and leaves the other bits.
    pub put: fn(&mut [u8], i64),
}

/// A stub that jumps to any address from branches of one instruction set: fixed code and one word that holds the address.
pub struct Veneer {
    /// The code with the word still zero.
    pub code: &'static [u8],
    /// Its alignment, bytes.
    pub align: u8,
    /// Where in the code the word lies.
    pub literal: u8,
    /// A branch with value `V` at place `P` arrives at `P + V + bias`.
    pub bias: i8,
    /// What a branch to an undefined weak symbol becomes.
    pub weak: WeakBranch,
}

/// How code of two instruction sets calls one another. Bit 0 of a function's address says which one it is of: 1 the
/// first, 0 the second.
pub struct Interwork {
    /// The instruction set of a relocation type's branches, by its number: that of its [`Veneer`].
    pub set: fn(u16) -> usize,
    /// Whether a type's branches can change to the other set. Others need a stub for that.
    pub can_change: fn(u16) -> bool,
    /// Makes such a branch's instruction one that changes sets, or one that does not.
    pub change: fn(u16, &mut [u8], bool),
    /// Whether this core runs both.
    pub both: bool,
}

/// What a branch to an undefined weak symbol becomes.
#[derive(Clone, Copy)]
pub enum WeakBranch {
    /// This instruction, in the branch's place.
    Nop(&'static [u8]),
    /// A branch to a shared stub with this code, which traps.
    Trap(&'static [u8]),
    /// An instruction that counts from 0, not from its place, so that the branch leads to `A`.
    FromZero {
        /// Changes the instruction, if it has such a form.
        change: fn(&mut [u8]) -> bool,
        /// The shared stub for those that have none.
        trap: &'static [u8],
    },
}

/// A stub that puts a word into the third argument and jumps.
pub struct Binder {
    /// The code with both words still zero.
    pub code: &'static [u8],
    /// Where the argument lies.
    pub context: u8,
    /// Where the target lies.
    pub target: u8,
    /// What is added to the stub's address to make it a function's.
    pub entry: u8,
}

/// Rewrites the instruction whose 4-byte field begins at the given offset so that it uses the symbol's address itself;
/// the new offset of the field, or `None` when the instruction has no such form.
pub type Relax = fn(&mut [u8], usize) -> Option<usize>;

/// Whether the instruction with a field at the given offset has no register beside it.
pub type AbsoluteSlot = fn(&[u8], usize) -> bool;

impl Arch {
    /// The architecture of a file: its machine, and its class where both classes share one machine.
    pub fn find(file: &Header) -> Option<&'static Self> {
        all().find(|arch| arch.machine == file.machine && arch.format[0] == file.format[0])
    }

    /// The stub for branches of a relocation type.
    #[inline]
    pub fn veneer(&self, r_type: u16) -> Option<&'static Veneer> {
        match self.interwork {
            None => self.veneers.first(),
            Some(interwork) => self.veneers.get((interwork.set)(r_type)),
        }
    }

    /// The length of a stub, bytes.
    pub fn stub_len(&self) -> usize {
        self.veneers.first().map_or(0, |veneer| veneer.code.len())
    }

    /// The row of a relocation type.
    pub fn howto(&self, r_type: u32) -> Option<&'static Howto> {
        let index = self.howtos.binary_search_by_key(&r_type, |howto| howto.r_type.into()).ok()?;
        self.howtos.get(index)
    }

    /// Refuses a file for another processor, or for another ABI of this one.
    pub fn check(&self, file: &Header) -> Result<(), Error> {
        if file.machine != self.machine {
            return Err(Error::WrongMachine { found: file.machine, expected: self.machine });
        }
        if file.format != self.format {
            return Err(Error::WrongFormat { found: file.format, expected: self.format });
        }
        let (mask, expected) = self.flags;
        if file.flags & mask != expected {
            return Err(Error::WrongFlags { found: file.flags, mask, expected });
        }
        Ok(())
    }

    /// Refuses an object whose build attributes do not suit the host.
    pub fn check_attributes<F: Format>(&self, section: &[u8]) -> Result<(), Error> {
        for rule in self.attributes {
            let value = |tag| attribute::<F>(section, rule.vendor, tag);
            let found = value(rule.tag);
            let suits = rule.suits.checked_shr(found).is_some_and(|suits| suits & 1 != 0);
            if !suits && rule.needs.is_none_or(|needs| value(needs) != 0) {
                let expected = rule.suits.trailing_zeros();
                return Err(Error::WrongAttribute { name: rule.name, found, expected });
            }
        }
        Ok(())
    }

    /// A relocation type of this architecture, for an error.
    pub fn relocation(&self, number: u32) -> RelocationType {
        RelocationType { machine: self.machine, number }
    }
}

/// Declares the rows of an architecture, and their names beside them: names are linked only where they are printed.
macro_rules! howtos {
    ($($r_type:literal $name:ident $expr:ident, $check:expr, $align:literal, $field:expr;)*) => {
        static HOWTOS: &[$crate::arch::Howto] = ROWS;
        const ROWS: &[$crate::arch::Howto; [$($r_type),*].len()] = &[$($crate::arch::Howto {
            r_type: $r_type,
            expr: $crate::arch::Expr::$expr,
            check: $check,
            align: $align,
            field: $field,
        }),*];
        /// The psABI's names of the rows, in their order.
        pub static NAMES: &[(u16, &str)] = &[$(($r_type, stringify!($name))),*];
    };
}

macro_rules! architectures {
    ($($name:ident)*) => {
        $(pub mod $name;)*

        /// Every architecture of this crate. Of those that differ only in what a host can run, the most able comes first.
        pub fn all() -> impl Iterator<Item = &'static Arch> {
            [$($name::ARCHES),*].into_iter().flatten().copied()
        }

        /// A machine's file of rows, and the names in it.
        fn names(machine: u16) -> Option<(&'static str, &'static [(u16, &'static str)])> {
            match machine {
                $($name::MACHINE if const { is_linked(stringify!($name)) } => {
                    Some((stringify!($name), $name::NAMES))
                })*
                _ => None,
            }
        }
    };
}
architectures! { aarch64 arm riscv x86 x86_64 }

/// Whether addresses in pairs and distances between labels occur: RISC-V alone has them, and the firmware of another
/// processor has no code for them.
pub(crate) const HAS_PAIRS: bool = is_linked("riscv");

/// Whether accesses through the GOT occur whose instruction says what becomes of them: x86's alone do.
pub(crate) const HAS_GOT_FORMS: bool = is_linked("x86");

/// Whether names of a file of rows are worth their room: not in the firmware of another processor, which never sees such a
/// relocation.
const fn is_linked(file: &str) -> bool {
    let (here, file) = (env!("BARE_PROCESSOR").as_bytes(), file.as_bytes());
    let mut at = 0;
    while at < file.len() && at < here.len() {
        if here[at] != file[at] {
            return false;
        }
        at += 1;
    }
    at == file.len() || here.is_empty()
}

impl fmt::Display for RelocationType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((arch, names)) = names(self.machine) else {
            return write!(f, "relocation type {} of machine {}", self.number, self.machine);
        };
        match names.iter().find(|(number, _)| u32::from(*number) == self.number) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "relocation type {} of {arch}", self.number),
        }
    }
}

/// The little-endian half-word at the start of an instruction's bytes.
fn half(bytes: &[u8]) -> u16 {
    bytes.first_chunk().map_or(0, |chunk| u16::from_le_bytes(*chunk))
}

/// Stores the little-endian half-word at the start of an instruction's bytes.
fn set_half(bytes: &mut [u8], half: u16) {
    if let Some(chunk) = bytes.first_chunk_mut() {
        *chunk = half.to_le_bytes();
    }
}

/// The little-endian word at the start of an instruction's bytes.
fn word(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |chunk| u32::from_le_bytes(*chunk))
}

/// Stores the little-endian word at the start of an instruction's bytes.
fn set_word(bytes: &mut [u8], word: u32) {
    if let Some(chunk) = bytes.first_chunk_mut() {
        *chunk = word.to_le_bytes();
    }
}

#[cfg(test)]
mod tests;
