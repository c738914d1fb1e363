//! The dynamic section of a shared object: where its other tables lie.
//!
//! gABI chapter 5, "Dynamic Section"; `DT_RELR`: gABI, "Relative Relocation Table". It is read from the image, which
//! is our own copy; every table it names is checked to lie inside the image.

use super::hash::HashTable;
use super::relocation::Relocations;
use super::section::{Role, relocation_size};
use super::segment::Span;
use super::symbol::Symbols;
use super::{Format, RawWord, records};
use crate::addr::{Extent, Word, is_whole};
use crate::error::Error;
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

/// `Elf_Dyn`.
#[derive(FromBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
struct Entry<X> {
    tag: X,
    value: X,
}

mod dt {
    pub(super) const NULL: u64 = 0;
    pub(super) const NEEDED: u64 = 1;
    pub(super) const PLTRELSZ: u64 = 2;
    pub(super) const HASH: u64 = 4;
    pub(super) const STRTAB: u64 = 5;
    pub(super) const SYMTAB: u64 = 6;
    pub(super) const RELA: u64 = 7;
    pub(super) const RELASZ: u64 = 8;
    pub(super) const RELAENT: u64 = 9;
    pub(super) const STRSZ: u64 = 10;
    pub(super) const SYMENT: u64 = 11;
    pub(super) const INIT: u64 = 12;
    pub(super) const FINI: u64 = 13;
    pub(super) const SONAME: u64 = 14;
    pub(super) const REL: u64 = 17;
    pub(super) const RELSZ: u64 = 18;
    pub(super) const RELENT: u64 = 19;
    pub(super) const PLTREL: u64 = 20;
    pub(super) const TEXTREL: u64 = 22;
    pub(super) const JMPREL: u64 = 23;
    pub(super) const INIT_ARRAY: u64 = 25;
    pub(super) const FINI_ARRAY: u64 = 26;
    pub(super) const INIT_ARRAYSZ: u64 = 27;
    pub(super) const FINI_ARRAYSZ: u64 = 28;
    pub(super) const FLAGS: u64 = 30;
    pub(super) const RELRSZ: u64 = 35;
    pub(super) const RELR: u64 = 36;
    pub(super) const RELRENT: u64 = 37;
    pub(super) const GNU_HASH: u64 = 0x6fff_fef5;
}
const DF_TEXTREL: u64 = 4;

/// A table of relocations in the image.
#[derive(Clone, Copy, Debug)]
pub struct RelocationTable {
    /// [`Role::Rel`] or [`Role::Rela`].
    pub role: Role,
    /// Where it lies in the image.
    pub extent: Extent,
}

/// Where the tables of a shared object lie, all as extents of its image.
#[derive(Clone, Copy, Debug)]
pub struct Dynamic {
    /// The dynamic section itself.
    pub section: Extent,
    /// The symbols; their number comes from the hash table.
    pub symbols: Extent,
    /// Their names.
    pub strings: Extent,
    /// The relocations: ordinary ones, then those of the procedure linkage table.
    pub relocations: [RelocationTable; 2],
    /// Packed relative relocations.
    pub relr: Extent,
    /// `DT_INIT`: an offset in the image.
    pub init: Option<u32>,
    /// `DT_FINI`.
    pub fini: Option<u32>,
    /// Constructors.
    pub init_array: Extent,
    /// Destructors.
    pub fini_array: Extent,
    /// `DT_SONAME`: offset of the name in the strings.
    pub soname: Option<u32>,
    gnu_hash: Option<u32>,
    sysv_hash: Option<u32>,
}

impl Dynamic {
    /// Reads the dynamic section of `image` and checks all it names.
    pub fn parse<F: Format>(image: &[u8], span: &Span) -> Result<Self, Error> {
        let section = span.dynamic.ok_or(Error::MissingTable { what: "dynamic section" })?;
        let bytes = section.of(image).unwrap_or_default();
        let find = |wanted: u64| entries::<F>(bytes).find(|(tag, _)| *tag == wanted).map(|(_, value)| value);
        let reader = Reader { image, span, find };
        if find(dt::TEXTREL).is_some() || find(dt::FLAGS).is_some_and(|flags| flags & DF_TEXTREL != 0) {
            return Err(Error::TextRelocations);
        }
        reader.must_be("DT_SYMENT", dt::SYMENT, size_of::<F::RawSymbol>() as u64)?;
        reader.must_be("DT_RELAENT", dt::RELAENT, relocation_size::<F>(Role::Rela))?;
        reader.must_be("DT_RELENT", dt::RELENT, relocation_size::<F>(Role::Rel))?;
        reader.must_be("DT_RELRENT", dt::RELRENT, F::Word::SIZE as u64)?;
        let word = F::Word::SIZE as u64;
        let mut dynamic = Self {
            section,
            symbols: Extent::default(),
            strings: reader.table("DT_STRTAB", dt::STRTAB, dt::STRSZ, 1)?,
            relocations: reader.relocations::<F>()?,
            relr: reader.table("DT_RELR", dt::RELR, dt::RELRSZ, word)?,
            init: reader.offset("DT_INIT", dt::INIT)?,
            fini: reader.offset("DT_FINI", dt::FINI)?,
            init_array: reader.table("DT_INIT_ARRAY", dt::INIT_ARRAY, dt::INIT_ARRAYSZ, word)?,
            fini_array: reader.table("DT_FINI_ARRAY", dt::FINI_ARRAY, dt::FINI_ARRAYSZ, word)?,
            soname: find(dt::SONAME).and_then(|name| u32::try_from(name).ok()),
            gnu_hash: reader.offset("DT_GNU_HASH", dt::GNU_HASH)?,
            sysv_hash: reader.offset("DT_HASH", dt::HASH)?,
        };
        dynamic.symbols = reader.symbols::<F>(&dynamic)?;
        Ok(dynamic)
    }

    /// The hash table of the symbols, if there is one.
    pub fn hash_table<'a, F: Format>(&self, image: &'a [u8]) -> Result<Option<HashTable<'a, F>>, Error> {
        let at = |offset: u32| image.get(offset as usize..).unwrap_or_default();
        if let Some(offset) = self.gnu_hash {
            let bad = Error::BadDynamic { tag: "DT_GNU_HASH", found: offset.into() };
            return HashTable::gnu(at(offset)).ok_or(bad).map(Some);
        }
        if let Some(offset) = self.sysv_hash {
            let bad = Error::BadDynamic { tag: "DT_HASH", found: offset.into() };
            return HashTable::sysv(at(offset)).ok_or(bad).map(Some);
        }
        Ok(None)
    }

    /// The symbols, as a view of `image`.
    pub fn symbols<'a, F: Format>(&self, image: &'a [u8]) -> Result<Symbols<'a, F>, Error> {
        let of = |extent: Extent| extent.of(image).unwrap_or_default();
        Symbols::new(of(self.symbols), of(self.strings), &[])
    }

    /// The offsets, in the strings, of the names of the libraries this one needs.
    pub fn needed<'a, F: Format>(&self, image: &'a [u8]) -> impl Iterator<Item = u64> + 'a {
        let bytes = self.section.of(image).unwrap_or_default();
        entries::<F>(bytes).filter(|(tag, _)| *tag == dt::NEEDED).map(|(_, name)| name)
    }
}

fn entries<F: Format>(bytes: &[u8]) -> impl Iterator<Item = (u64, u64)> + '_ {
    let raw: &[Entry<F::RawWord>] = records(bytes);
    let decoded = raw.iter().map(|entry| (entry.tag.word().get(), entry.value.word().get()));
    decoded.take_while(|(tag, _)| *tag != dt::NULL)
}

struct Reader<'a, Find> {
    image: &'a [u8],
    span: &'a Span,
    find: Find,
}

impl<Find: Fn(u64) -> Option<u64>> Reader<'_, Find> {
    fn must_be(&self, tag: &'static str, wanted: u64, expected: u64) -> Result<(), Error> {
        match (self.find)(wanted) {
            Some(found) if found != expected => Err(Error::BadDynamic { tag, found }),
            _ => Ok(()),
        }
    }

    /// An address of the shared object as an offset in its image.
    fn offset(&self, tag: &'static str, wanted: u64) -> Result<Option<u32>, Error> {
        let Some(found) = (self.find)(wanted) else { return Ok(None) };
        let bad = Error::BadDynamic { tag, found };
        let offset =
            found.checked_sub(self.span.base).and_then(|offset| u32::try_from(offset).ok()).ok_or(bad)?;
        if offset as usize >= self.image.len() { Err(bad) } else { Ok(Some(offset)) }
    }

    fn table(&self, tag: &'static str, at: u64, size: u64, unit: u64) -> Result<Extent, Error> {
        let size = (self.find)(size).unwrap_or(0);
        if size == 0 {
            return Ok(Extent::default());
        }
        let offset = self.offset(tag, at)?.ok_or(Error::MissingTable { what: tag })?;
        if !is_whole(size, unit) {
            return Err(Error::BadDynamic { tag, found: size });
        }
        let limit = self.image.len() as u64;
        Extent::within(offset.into(), size, limit).ok_or(Error::BadDynamic { tag, found: size })
    }

    fn relocations<F: Format>(&self) -> Result<[RelocationTable; 2], Error> {
        let rela = self.table("DT_RELA", dt::RELA, dt::RELASZ, relocation_size::<F>(Role::Rela))?;
        let rel = self.table("DT_REL", dt::REL, dt::RELSZ, relocation_size::<F>(Role::Rel))?;
        let plt_role = match (self.find)(dt::PLTREL) {
            Some(dt::REL) => Role::Rel,
            Some(dt::RELA) | None => Role::Rela,
            Some(found) => return Err(Error::BadDynamic { tag: "DT_PLTREL", found }),
        };
        let plt = self.table("DT_JMPREL", dt::JMPREL, dt::PLTRELSZ, relocation_size::<F>(plt_role))?;
        if rel.size != 0 && rela.size != 0 {
            return Err(Error::BadDynamic { tag: "DT_REL", found: rel.size.into() });
        }
        let ordinary = if rel.size != 0 {
            RelocationTable { role: Role::Rel, extent: rel }
        } else {
            RelocationTable { role: Role::Rela, extent: rela }
        };
        Ok([ordinary, RelocationTable { role: plt_role, extent: plt }])
    }

    fn symbols<F: Format>(&self, dynamic: &Dynamic) -> Result<Extent, Error> {
        let Some(offset) = self.offset("DT_SYMTAB", dt::SYMTAB)? else { return Ok(Extent::default()) };
        let bad = |count: u64| Error::BadDynamic { tag: "DT_SYMTAB", found: count };
        let hashed = match dynamic.hash_table::<F>(self.image)? {
            Some(table) => table.symbol_count().ok_or(bad(0))?.into(),
            None => 0,
        };
        // Where nothing is hashed, nothing is exported, and only relocations tell which symbols there are.
        let count = if hashed == 0 { self.highest_symbol::<F>(dynamic) + 1 } else { hashed };
        let size = count.checked_mul(size_of::<F::RawSymbol>() as u64).ok_or(bad(count))?;
        Extent::within(offset.into(), size, self.image.len() as u64).ok_or(bad(count))
    }

    fn highest_symbol<F: Format>(&self, dynamic: &Dynamic) -> u64 {
        let mut highest = 0;
        for table in dynamic.relocations {
            let records = Relocations::<F>::new(table.role, table.extent.of(self.image).unwrap_or_default());
            let seen = records.try_for_each(|relocation| {
                highest = highest.max(relocation.symbol.into());
                Ok::<(), core::convert::Infallible>(())
            });
            let Ok(()) = seen;
        }
        highest
    }
}
