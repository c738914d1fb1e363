//! A symbol as its table holds it, and the table with its strings.
//!
//! gABI chapter 4, "Symbol Table".

use super::hash::measure_and_hash;
use super::{Format, records};
use crate::addr::SymbolIndex;
use crate::error::Error;
use zerocopy::byteorder::{ByteOrder, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

/// `SHN_UNDEF`: somebody else defines the symbol.
pub const SHN_UNDEF: u32 = 0;
/// First of the reserved section indexes.
pub const SHN_LORESERVE: u32 = 0xff00;
/// `SHN_ABS`: the value is an absolute number.
pub const SHN_ABS: u32 = 0xfff1;
/// `SHN_COMMON`: the linker makes room; the value is an alignment.
pub const SHN_COMMON: u32 = 0xfff2;
/// `SHN_XINDEX`: the index is in the `SHT_SYMTAB_SHNDX` table.
pub const SHN_XINDEX: u32 = 0xffff;

/// `STB_LOCAL`.
pub const STB_LOCAL: u8 = 0;
/// `STB_WEAK`.
pub const STB_WEAK: u8 = 2;
/// `STT_FUNC`.
pub const STT_FUNC: u8 = 2;
/// `STT_NOTYPE`.
pub const STT_NOTYPE: u8 = 0;
/// `STT_FILE`.
pub const STT_FILE: u8 = 4;
/// `STT_SECTION`.
pub const STT_SECTION: u8 = 3;
/// `STT_TLS`.
pub const STT_TLS: u8 = 6;
/// `STT_GNU_IFUNC`.
pub const STT_GNU_IFUNC: u8 = 10;

/// A symbol, decoded.
#[derive(Clone, Copy, Debug)]
pub struct Symbol<W> {
    /// Offset of its name, bytes into the string table.
    pub name: u32,
    /// `st_info`: binding and type.
    pub info: u8,
    /// `st_other`: visibility.
    pub other: u8,
    /// `st_shndx`, the extended index not yet looked up.
    pub section: u16,
    /// `st_value`.
    pub value: W,
    /// `st_size`, bytes.
    pub size: W,
}

impl<W> Symbol<W> {
    /// `STB_LOCAL`, `STB_GLOBAL`, `STB_WEAK`...
    pub fn binding(&self) -> u8 {
        self.info >> 4
    }

    /// `STT_FUNC`, `STT_OBJECT`...
    pub fn kind(&self) -> u8 {
        self.info & 0xf
    }

    /// Whether others may use it: global or weak, with default or protected visibility, and a thing rather than a file.
    pub fn is_exported(&self) -> bool {
        let visible = matches!(self.other & 3, 0 | 3);
        self.binding() != STB_LOCAL && visible && !matches!(self.kind(), STT_FILE | STT_SECTION | STT_TLS)
    }
}

/// `Elf32_Sym`.
#[derive(FromBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
pub struct Raw32<O: ByteOrder> {
    name: U32<O>,
    value: U32<O>,
    size: U32<O>,
    info: u8,
    other: u8,
    section: U16<O>,
}

/// `Elf64_Sym`.
#[derive(FromBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
pub struct Raw64<O: ByteOrder> {
    name: U32<O>,
    info: u8,
    other: u8,
    section: U16<O>,
    value: U64<O>,
    size: U64<O>,
}

macro_rules! decode {
    ($raw:ident, $word:ty) => {
        impl<O: ByteOrder> From<$raw<O>> for Symbol<$word> {
            fn from(raw: $raw<O>) -> Self {
                Self {
                    name: raw.name.get(),
                    info: raw.info,
                    other: raw.other,
                    section: raw.section.get(),
                    value: raw.value.get(),
                    size: raw.size.get(),
                }
            }
        }
    };
}
decode!(Raw32, u32);
decode!(Raw64, u64);

/// A symbol table with its strings, and the extended section indexes if there are any.
#[derive(Clone, Copy)]
pub struct Symbols<'a, F: Format> {
    entries: &'a [F::RawSymbol],
    strings: &'a [u8],
    extended: &'a [U32<F::Order>],
}

impl<'a, F: Format> Symbols<'a, F> {
    /// A view of three tables. The strings must end with NUL.
    pub fn new(entries: &'a [u8], strings: &'a [u8], extended: &'a [u8]) -> Result<Self, Error> {
        if strings.last().is_some_and(|last| *last != 0) {
            return Err(Error::UnterminatedStrings { what: "symbol names" });
        }
        Ok(Self { entries: records(entries), strings, extended: records(extended) })
    }

    /// How many symbols there are, the null symbol included.
    pub fn len(&self) -> u32 {
        self.entries.len() as u32
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The symbol at `index`.
    #[inline]
    pub fn get(&self, index: SymbolIndex) -> Result<Symbol<F::Word>, Error> {
        let raw = self.entries.get(index.0 as usize);
        raw.map(|raw| (*raw).into()).ok_or(Error::BadRelocationSymbol { found: index.0, count: self.len() })
    }

    /// Gives the symbols from `from` on their values, as long as they are defined in `section` and have one; how many.
    /// Most symbols lie where the one before them does.
    #[inline]
    pub(crate) fn each_in(
        &self,
        section: u32,
        from: u32,
        values: &mut [F::Word],
        value: impl Fn(&Symbol<F::Word>) -> Option<F::Word>,
    ) -> u32 {
        // What a symbol says itself of a higher section is SHN_XINDEX, and of others too.
        let entries =
            self.entries.get(from as usize..).filter(|_| section < SHN_LORESERVE).unwrap_or_default();
        let mut given = 0;
        for (raw, slot) in entries.iter().zip(values) {
            let symbol = (*raw).into();
            if u32::from(symbol.section) != section {
                break;
            }
            let Some(value) = value(&symbol) else { break };
            (*slot, given) = (value, given + 1);
        }
        given
    }

    /// The symbol's name, without its NUL.
    pub fn name(&self, index: SymbolIndex, symbol: &Symbol<F::Word>) -> Result<&'a [u8], Error> {
        let bad = Error::BadName {
            what: "symbol",
            index: index.0,
            offset: symbol.name,
            size: self.strings.len() as u32,
        };
        if symbol.name == 0 {
            return Ok(&[]);
        }
        string_at(self.strings, symbol.name).ok_or(bad)
    }

    /// The symbol's name, without its NUL, and the name's GNU hash.
    pub fn hashed_name(
        &self,
        index: SymbolIndex,
        symbol: &Symbol<F::Word>,
    ) -> Result<(&'a [u8], u32), Error> {
        let bad = Error::BadName {
            what: "symbol",
            index: index.0,
            offset: symbol.name,
            size: self.strings.len() as u32,
        };
        let rest = self.strings.get(symbol.name as usize..).unwrap_or_default();
        let (len, hash) = measure_and_hash(rest.get(..MAX_NAME).unwrap_or(rest)).ok_or(bad)?;
        Ok((rest.get(..len).ok_or(bad)?, hash))
    }

    /// Where the symbol is defined, extended numbering looked up: so a high index never looks like a reserved one.
    #[inline]
    pub fn section(&self, index: SymbolIndex, symbol: &Symbol<F::Word>) -> Result<Place, Error> {
        let section = u32::from(symbol.section);
        if (SHN_UNDEF + 1..SHN_LORESERVE).contains(&section) {
            return Ok(Place::Section(section));
        }
        Ok(match section {
            SHN_UNDEF => Place::Undefined,
            SHN_ABS => Place::Absolute,
            SHN_COMMON => Place::Common,
            SHN_XINDEX => match self.extended.get(index.0 as usize) {
                Some(extended) => Place::Section(extended.get()),
                None => return Err(Error::MissingTable { what: "extended section indexes" }),
            },
            found => return Err(Error::BadSymbolSection { symbol: index.0, found, count: SHN_LORESERVE }),
        })
    }

    /// The strings of the table.
    pub fn strings(&self) -> &'a [u8] {
        self.strings
    }
}

/// The longest name of a symbol, bytes: what ends later is damaged, or made to keep a linker busy.
pub const MAX_NAME: usize = 1 << 16;

/// Where a symbol is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Elsewhere.
    Undefined,
    /// Nowhere: its value is a number.
    Absolute,
    /// In room the linker makes.
    Common,
    /// In a section of the file.
    Section(u32),
}

/// The bytes from `offset` up to the next NUL, which is at most [`MAX_NAME`] bytes away.
#[inline(never)]
pub fn string_at(strings: &[u8], offset: u32) -> Option<&[u8]> {
    let rest = strings.get(offset as usize..)?;
    let len = rest.get(..MAX_NAME).unwrap_or(rest).iter().position(|byte| *byte == 0)?;
    rest.get(..len)
}
