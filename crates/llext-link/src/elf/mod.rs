//! The ELF file, checked: after this room its shape cannot surprise.
//!
//! The four formats are four zero-sized types. A file is seen through [`Bytes`], which lends what it has or reads it
//! in batches; every offset, size, index and alignment is checked once, here.
//!
//! <https://gabi.xinuos.com/>

pub mod attributes;
pub mod dynamic;
pub mod exported;
pub mod hash;
pub mod header;
pub mod in_place;
pub mod note;
pub mod relocation;
pub mod section;
pub mod section_header;
pub mod segment;
pub mod symbol;

use crate::addr::Word;
use crate::error::Error;
use core::marker::PhantomData;
use zerocopy::byteorder::{BigEndian, ByteOrder, LittleEndian, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// A source of bytes: the file, lent whole or read in pieces.
pub trait Bytes {
    /// How reading fails; a failed check is one of the ways.
    type Error: From<Error>;

    /// The most bytes one call can give.
    fn batch(&self) -> usize;

    /// The `len` bytes at `offset`. The caller has checked that they lie in the file and fit one batch.
    fn bytes(&mut self, offset: u32, len: usize) -> Result<&[u8], Self::Error>;
}

impl Bytes for &[u8] {
    type Error = Error;

    fn batch(&self) -> usize {
        usize::MAX
    }

    fn bytes(&mut self, offset: u32, len: usize) -> Result<&[u8], Error> {
        let truncated = Error::Truncated {
            what: "bytes",
            offset: offset.into(),
            wanted: len as u64,
            size: self.len() as u64,
        };
        self.get(offset as usize..).and_then(|rest| rest.get(..len)).ok_or(truncated)
    }
}

/// A record as it lies in the file.
pub trait Raw: FromBytes + Immutable + KnownLayout + Unaligned + Copy {}
impl<T: FromBytes + Immutable + KnownLayout + Unaligned + Copy> Raw for T {}

/// An address or size as it lies in the file.
pub trait RawWord<W>: Raw {
    /// Its value.
    fn word(self) -> W;

    /// The values of words side by side.
    #[inline(always)]
    fn words<const N: usize>(raw: &[Self; N]) -> [W; N] {
        Self::read(raw, LOADS_ALIGNED)
    }

    /// The values of words side by side, for a processor that loads a word `whole` only where it is aligned, or for one
    /// that takes it from anywhere.
    fn read<const N: usize>(raw: &[Self; N], whole: bool) -> [W; N];
}

/// One of the four ELF formats: word size and byte order.
pub trait Format: Copy + 'static {
    /// `EI_CLASS` of the format.
    const CLASS: u8;
    /// `EI_DATA` of the format.
    const DATA: u8;
    /// The byte order of headers, tables and data.
    type Order: ByteOrder + Copy;
    /// An address of the format.
    type Word: Word;
    /// An address as it lies in the file.
    type RawWord: RawWord<Self::Word>;
    /// A symbol as it lies in the file; fields stand in another order in each class.
    type RawSymbol: Raw + Into<symbol::Symbol<Self::Word>>;
    /// A program header as it lies in the file; fields stand in another order in each class.
    type RawSegment: Raw + Into<segment::SegmentHeader>;

    /// Splits `r_info` into symbol index and relocation type.
    fn split_info(info: Self::Word) -> (u32, u32);
}

/// 32-bit ELF in byte order `O`.
#[derive(Clone, Copy, Debug)]
pub struct Elf32<O>(PhantomData<O>);
/// 64-bit ELF in byte order `O`.
#[derive(Clone, Copy, Debug)]
pub struct Elf64<O>(PhantomData<O>);

/// 32-bit, little-endian.
pub type Elf32Le = Elf32<LittleEndian>;
/// 32-bit, big-endian.
pub type Elf32Be = Elf32<BigEndian>;
/// 64-bit, little-endian.
pub type Elf64Le = Elf64<LittleEndian>;
/// 64-bit, big-endian.
pub type Elf64Be = Elf64<BigEndian>;

/// Whether this build's processor loads a word in one instruction only where it is aligned. Nearly all are, and whether
/// they are is looked at once for a record.
const LOADS_ALIGNED: bool = !env!("LOADS_ALIGNED").is_empty();

/// The values of words that are not aligned.
#[cold]
#[inline(never)]
fn by_bytes<W: Copy, X: RawWord<W>, const N: usize>(raw: &[X; N]) -> [W; N] {
    raw.map(X::word)
}

macro_rules! raw_words {
    ($($raw:ident $word:ty),*) => { $(
        impl<O: ByteOrder + Copy + 'static> RawWord<$word> for $raw<O> {
            fn word(self) -> $word {
                self.get()
            }

            #[inline(always)]
            fn read<const N: usize>(raw: &[Self; N], whole: bool) -> [$word; N] {
                if !whole {
                    return raw.map(Self::get);
                }
                match <[$word; N]>::ref_from_bytes(raw.as_bytes()) {
                    Ok(aligned) => aligned.map(|word| Self::from_bytes(word.to_ne_bytes()).get()),
                    Err(_) => by_bytes(raw),
                }
            }
        }
    )* };
}
raw_words!(U32 u32, U64 u64);

macro_rules! formats {
    ($($order:ident $data:literal),*) => { $(
        impl Format for Elf32<$order> {
            const CLASS: u8 = 1;
            const DATA: u8 = $data;
            type Order = $order;
            type Word = u32;
            type RawWord = U32<$order>;
            type RawSymbol = symbol::Raw32<$order>;
            type RawSegment = segment::Raw32<$order>;
            fn split_info(info: u32) -> (u32, u32) {
                (info >> 8, info & 0xff)
            }
        }
        impl Format for Elf64<$order> {
            const CLASS: u8 = 2;
            const DATA: u8 = $data;
            type Order = $order;
            type Word = u64;
            type RawWord = U64<$order>;
            type RawSymbol = symbol::Raw64<$order>;
            type RawSegment = segment::Raw64<$order>;
            fn split_info(info: u64) -> (u32, u32) {
                ((info >> 32) as u32, info as u32)
            }
        }
    )* };
}
formats!(LittleEndian 1, BigEndian 2);

/// The half-word and word of format `F`, and a typed view of bytes that have the right length.
pub(crate) type Half<F> = U16<<F as Format>::Order>;
pub(crate) type Quad<F> = U32<<F as Format>::Order>;

/// One record at the start of `bytes`.
pub(crate) fn record<T: Raw>(bytes: &[u8]) -> Option<T> {
    T::read_from_prefix(bytes).ok().map(|(record, _)| record)
}

/// A table of records; a tail shorter than a record is left out.
pub(crate) fn records<T: Raw>(bytes: &[u8]) -> &[T] {
    let whole = bytes.len() - bytes.len() % size_of::<T>();
    bytes.get(..whole).and_then(|whole| <[T]>::ref_from_bytes(whole).ok()).unwrap_or_default()
}

/// Reads the word of format `F` at `at`.
pub fn read_word<F: Format>(bytes: &[u8], at: usize) -> Option<F::Word> {
    record::<F::RawWord>(bytes.get(at..)?).map(RawWord::word)
}

/// Reads the number that `bytes`, at most eight of them, hold in the format's byte order, sign-extended.
#[inline(always)]
pub(crate) fn read_int<F: Format>(bytes: &[u8]) -> i64 {
    // The commonest by far.
    if let Ok(word) = bytes.try_into() {
        return if F::DATA == 1 { i32::from_le_bytes(word) } else { i32::from_be_bytes(word) }.into();
    }
    read_any::<F>(bytes)
}

#[inline(never)]
fn read_any<F: Format>(bytes: &[u8]) -> i64 {
    let join = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    let value = if F::DATA == 1 { bytes.iter().rev().fold(0, join) } else { bytes.iter().fold(0, join) };
    let unused = 64 - 8 * bytes.len().clamp(1, 8) as u32;
    (value << unused) as i64 >> unused
}

/// Stores the low `N` bytes of `value` at the start of `bytes`, in the format's byte order.
#[inline(always)]
pub(crate) fn write_int<F: Format, const N: usize>(bytes: &mut [u8], value: u64) {
    if let (Some(field), Some(low)) = (bytes.first_chunk_mut::<N>(), value.to_le_bytes().first_chunk::<N>()) {
        *field = *low;
        if F::DATA != 1 {
            field.reverse();
        }
    }
}

/// Stores a word of format `F` at the start of `bytes`.
pub fn write_word<F: Format>(bytes: &mut [u8], value: F::Word) {
    match F::Word::SIZE {
        4 => write_int::<F, 4>(bytes, value.get()),
        _ => write_int::<F, 8>(bytes, value.get()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trips<F: Format, const N: usize>(value: u64) {
        let mut bytes = [0xa5; 10];
        write_int::<F, N>(&mut bytes[1..], value);
        let unused = 64 - 8 * N as u32;
        assert_eq!(read_int::<F>(&bytes[1..=N]), (value << unused) as i64 >> unused);
        assert!(bytes[0] == 0xa5 && bytes[1 + N..].iter().all(|byte| *byte == 0xa5));
        let first = if F::DATA == 1 { value } else { value >> (8 * (N - 1)) };
        assert_eq!(bytes[1], first as u8);
    }

    fn in_every_width<F: Format>(value: u64) {
        round_trips::<F, 1>(value);
        round_trips::<F, 2>(value);
        round_trips::<F, 4>(value);
        round_trips::<F, 8>(value);
    }

    #[test]
    fn numbers_lie_in_the_order_of_their_format() {
        for low in 0..1 << 16 {
            for value in [low, low << 16, low << 31, low << 48] {
                in_every_width::<Elf64Le>(value);
                in_every_width::<Elf64Be>(value);
            }
        }
    }

    /// Eight words at every place of a buffer of whole words, so some of them lie aligned and some do not.
    fn words_are_read_alike<W, X>(bytes: &[u8])
    where
        W: Word + core::fmt::Debug + PartialEq,
        X: RawWord<W>,
    {
        for offset in 0..8 {
            let (raw, _) = <[X; 8]>::ref_from_prefix(&bytes[offset..]).expect("72 bytes hold eight words");
            let expected = raw.map(X::word);
            assert_eq!(X::read(raw, true), expected, "loaded whole, at {offset}");
            assert_eq!(X::read(raw, false), expected, "loaded anyhow, at {offset}");
            assert_eq!(X::words(raw), expected, "loaded as here, at {offset}");
        }
    }

    #[test]
    fn words_are_read_alike_aligned_or_not() {
        let words: [u64; 9] =
            core::array::from_fn(|at| 0x0102_0304_0506_0708_u64.wrapping_mul(at as u64 + 3));
        let bytes = words.as_bytes();
        words_are_read_alike::<u32, U32<LittleEndian>>(bytes);
        words_are_read_alike::<u32, U32<BigEndian>>(bytes);
        words_are_read_alike::<u64, U64<LittleEndian>>(bytes);
        words_are_read_alike::<u64, U64<BigEndian>>(bytes);
    }
}
