//! Addresses, indexes and ranges: numbers that must not be mistaken for one another.

use core::fmt::{self, Debug, LowerHex};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The largest alignment of a section, segment or common symbol, bytes.
pub const MAX_ALIGN: u64 = 1 << 16;

/// Every run-time image is smaller than this, so that any two of its bytes reach each other with 32 signed bits.
pub const MAX_IMAGE: u64 = 1 << 31;

/// The parts of an image, each with bytes, a run address and a protection of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What lies as in its file: the whole span of a shared object, protected segment by segment; of another file, the
    /// sections that are used in place, which take no memory.
    Image,
    /// Code, and the stubs for far branches: read and execute.
    Code,
    /// Constants, the arrays of constructors, the host's tables about the extension, the GOT: read.
    Constants,
    /// Variables: read and write.
    Data,
}

impl Part {
    /// All parts, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Image, Self::Code, Self::Constants, Self::Data];
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Image => "image",
            Self::Code => "code",
            Self::Constants => "constants",
            Self::Data => "data",
        })
    }
}

/// An index into the section header table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SectionIndex(pub u32);

/// An index into the symbol table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SymbolIndex(pub u32);

/// A run of bytes in a file, checked to lie inside it.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Extent {
    /// Where it begins, bytes.
    pub offset: u32,
    /// How long it is, bytes.
    pub size: u32,
}

impl Extent {
    /// Takes `offset` and `size` if they lie in a file of `limit` bytes.
    pub fn within(offset: u64, size: u64, limit: u64) -> Option<Self> {
        let end = offset.checked_add(size)?;
        if end > limit {
            return None;
        }
        Some(Self { offset: u32::try_from(offset).ok()?, size: u32::try_from(size).ok()? })
    }

    /// One past its last byte.
    pub fn end(&self) -> u64 {
        u64::from(self.offset) + u64::from(self.size)
    }

    /// The bytes of `all` this extent names.
    #[inline(never)]
    pub fn of<'a>(&self, all: &'a [u8]) -> Option<&'a [u8]> {
        all.get(self.offset as usize..)?.get(..self.size as usize)
    }
}

/// A range of run addresses: those an image may have, say, whose bytes then all lie in `low..high`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The lowest address allowed.
    pub low: u64,
    /// One past the highest address allowed.
    pub high: u64,
}

impl Window {
    /// No restriction.
    pub const ALL: Self = Self { low: 0, high: u64::MAX };

    /// No address at all, until some are taken in.
    pub const NONE: Self = Self { low: u64::MAX, high: 0 };

    /// Becomes as wide as `address` needs.
    pub fn take_in(&mut self, address: u64) {
        self.low = self.low.min(address);
        self.high = self.high.max(address.saturating_add(1));
    }

    /// Whether all of `address..address + size` lies in the window.
    pub fn holds(&self, address: u64, size: u64) -> bool {
        address >= self.low && address.checked_add(size).is_some_and(|end| end <= self.high)
    }

    /// What both allow; empty when nothing is.
    pub fn intersection(&self, other: &Self) -> Self {
        let low = self.low.max(other.low);
        Self { low, high: self.high.min(other.high).max(low) }
    }

    /// Whether no address is allowed.
    pub fn is_empty(&self) -> bool {
        self.low >= self.high
    }
}

/// The unsigned integer as wide as an address of the format: ELF32 arithmetic wraps by its type.
pub trait Word:
    Copy + Ord + Default + Debug + LowerHex + FromBytes + IntoBytes + Immutable + KnownLayout + 'static
{
    /// Its width, bytes.
    const SIZE: usize;
    /// The low bits of `value`.
    fn of(value: u64) -> Self;
    /// The value, zero-extended.
    fn get(self) -> u64;
    /// The value, sign-extended.
    fn signed(self) -> i64;
    /// The sum, wrapped to the width.
    fn plus(self, other: Self) -> Self;
    /// The difference, wrapped to the width.
    fn minus(self, other: Self) -> Self;
}

macro_rules! word {
    ($unsigned:ty, $signed:ty) => {
        impl Word for $unsigned {
            const SIZE: usize = size_of::<$unsigned>();
            #[inline(always)]
            fn of(value: u64) -> Self {
                value as Self
            }
            #[inline(always)]
            fn get(self) -> u64 {
                u64::from(self)
            }
            #[inline(always)]
            fn signed(self) -> i64 {
                i64::from(self as $signed)
            }
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
            #[inline(always)]
            fn minus(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }
        }
    };
}
word!(u32, i32);
word!(u64, i64);

/// Whether `value` bytes are a whole number of records of `unit` bytes. More than memory holds are not: so processors of
/// 32 bits, which cannot divide larger numbers, need not.
pub(crate) fn is_whole(value: u64, unit: u64) -> bool {
    usize::try_from(value).is_ok_and(|value| value.checked_rem(unit as usize) == Some(0))
}

/// `value` rounded up to `align`, a power of two; `None` when that wraps.
pub fn align_up(value: u64, align: u64) -> Option<u64> {
    Some(value.checked_add(align - 1)? & !(align - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extent_ends_inside_its_file() {
        assert_eq!(Extent::within(4, 4, 8), Some(Extent { offset: 4, size: 4 }));
        assert_eq!(Extent::within(5, 4, 8), None);
        assert_eq!(Extent::within(u64::MAX, 2, u64::MAX), None);
        assert_eq!(Extent::within(1 << 32, 0, u64::MAX), None);
    }

    #[test]
    fn words_wrap_by_their_type() {
        assert_eq!(0xffff_ffffu32.plus(2), 1);
        assert_eq!(0u32.minus(1).signed(), -1);
        assert_eq!(0xffff_ffffu64.plus(2), 0x1_0000_0001);
    }

    #[test]
    fn windows_meet() {
        let low = Window { low: 0, high: 10 };
        assert!(low.intersection(&Window { low: 10, high: 20 }).is_empty());
        assert_eq!(low.intersection(&Window::ALL), low);
    }

    #[test]
    fn windows_hold_whole_ranges_only() {
        let window = Window { low: 0x1000, high: 0x3000 };
        assert!(window.holds(0x1000, 0x2000));
        assert!(!window.holds(0xfff, 1));
        assert!(!window.holds(0x2fff, 2));
        assert!(!window.holds(u64::MAX, 2));
    }
}
