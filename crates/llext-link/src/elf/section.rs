//! Sections: the header as the file holds it, and the 16 bytes of it that a link keeps.
//!
//! gABI chapter 4, "Sections". What is kept is checked: a [`Section`] lies inside the file, its alignment is a power
//! of two, its links lead to sections of the right kind.

use super::header::Header;
use super::section_header::{self, SectionHeader};
use super::symbol::string_at;
use super::{Bytes, Format};
use crate::addr::{Extent, MAX_ALIGN, Part, SectionIndex, Word, is_whole};
use crate::error::Error;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

const SHF_WRITE: u64 = 0x1;
const SHF_ALLOC: u64 = 0x2;
const SHF_EXECINSTR: u64 = 0x4;
const SHF_TLS: u64 = 0x400;
const SHF_COMPRESSED: u64 = 0x800;

mod sht {
    pub(super) const NULL: u32 = 0;
    pub(super) const PROGBITS: u32 = 1;
    pub(super) const SYMTAB: u32 = 2;
    pub(super) const STRTAB: u32 = 3;
    pub(super) const RELA: u32 = 4;
    pub(super) const NOTE: u32 = 7;
    pub(super) const NOBITS: u32 = 8;
    pub(super) const REL: u32 = 9;
    pub(super) const INIT_ARRAY: u32 = 14;
    pub(super) const FINI_ARRAY: u32 = 15;
    pub(super) const PREINIT_ARRAY: u32 = 16;
    pub(super) const SYMTAB_SHNDX: u32 = 18;
    /// First of the types whose meaning the processor's supplement gives (unwind tables, attributes).
    pub(super) const LOPROC: u32 = 0x7000_0000;
    /// Build attributes, where a processor has them.
    pub(super) const ATTRIBUTES: u32 = 0x7000_0003;
    pub(super) const HIPROC: u32 = 0x7fff_ffff;
}

/// What becomes of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Role {
    /// Not loaded, not used.
    Ignored,
    /// Code.
    Text,
    /// Constants.
    Rodata,
    /// ELF notes: read for the ABI version and for what the extension needs, and not loaded.
    Note,
    /// `.exported_sym`: LLEXT's table of exports.
    Exports,
    /// Functions to run before all constructors.
    Preinit,
    /// Constructors.
    Init,
    /// Destructors.
    Fini,
    /// Variables with initial values.
    Data,
    /// Variables that begin as zero.
    Bss,
    /// Relocations with the addend in the field.
    Rel,
    /// Relocations with the addend beside them.
    Rela,
}

impl Role {
    /// The part of the image that sections of this role go to.
    pub fn part(self) -> Part {
        match self {
            Self::Text => Part::Code,
            Self::Data | Self::Bss => Part::Data,
            _ => Part::Constants,
        }
    }
}

const ROLES: [Role; 12] = [
    Role::Ignored,
    Role::Text,
    Role::Rodata,
    Role::Note,
    Role::Exports,
    Role::Preinit,
    Role::Init,
    Role::Fini,
    Role::Data,
    Role::Bss,
    Role::Rel,
    Role::Rela,
];

/// What a link keeps of a section: 16 bytes.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Section {
    offset: u32,
    size: u32,
    /// The name's offset until the layout is planned, the offset in its part afterwards. For relocations: the index of
    /// the section they act on.
    place: u32,
    /// Role, alignment, marks and the constructor priority.
    pub(super) traits: u32,
}

/// The mark of a section that relocations act on.
pub(super) const RELOCATED: u32 = 0x200;
/// The mark of a string table that is not loaded.
const STRINGS: u32 = 0x400;

impl Section {
    /// What becomes of it.
    pub fn role(&self) -> Role {
        ROLES.get((self.traits & 0xf) as usize).copied().unwrap_or(Role::Ignored)
    }

    fn set_role(&mut self, role: Role) {
        self.traits = self.traits & !0xf | role as u32;
    }

    /// Whether it takes room in the image.
    pub fn is_loaded(&self) -> bool {
        !matches!(self.role(), Role::Ignored | Role::Note | Role::Rel | Role::Rela)
    }

    /// Whether it is a table of relocations.
    pub fn is_relocations(&self) -> bool {
        matches!(self.role(), Role::Rel | Role::Rela)
    }

    /// Where its contents lie in the file.
    pub fn extent(&self) -> Extent {
        Extent { offset: self.offset, size: self.size }
    }

    /// The part it belongs to.
    pub fn part(&self) -> Part {
        if self.is_in_place() { Part::Image } else { self.role().part() }
    }

    /// Its size, bytes.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Its alignment, bytes: a power of two.
    pub fn align(&self) -> u32 {
        1 << (self.traits >> 4 & 0x1f)
    }

    /// The order among constructors: lower runs earlier; 65535 when none was given.
    pub fn priority(&self) -> u16 {
        (self.traits >> 16) as u16
    }

    /// The offset of its name. Only until the layout is planned.
    pub fn name(&self) -> u32 {
        self.place
    }

    /// Its offset in its part. Only after the layout is planned.
    pub fn place(&self) -> u32 {
        self.place
    }

    pub(crate) fn set_place(&mut self, place: u32) {
        self.place = place;
    }

    /// The section that these relocations act on.
    pub fn target(&self) -> SectionIndex {
        SectionIndex(self.place)
    }
}

/// Where the tables of a relocatable file lie.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tables {
    /// The symbols.
    pub symbols: Extent,
    /// Their names.
    pub strings: Extent,
    /// The section indexes that do not fit a symbol; empty when there are none.
    pub extended: Extent,
    /// The sections' names; empty when there are none.
    pub names: Extent,
    /// The build attributes; empty when there are none.
    pub attributes: Extent,
}

/// Reads the section header table, batch by batch, into [`Section`]s.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scan {
    next: u32,
    symbols: u32,
    strings: u32,
    /// The first relocation section that stood before the symbol table, and the symbol table it names.
    early: Option<(u32, u32)>,
    /// The contents that were claimed so far, bytes: what bounds the work on all of them.
    contents: u64,
    /// What was found so far.
    pub tables: Tables,
}

impl Scan {
    /// Reads up to `budget` headers; true when all have been read.
    pub fn step<F: Format, B: Bytes>(
        &mut self,
        header: &Header,
        file: &mut B,
        sections: &mut [Section],
        budget: u32,
    ) -> Result<bool, B::Error> {
        let entry = section_header::size::<F>() as usize;
        let batch = (file.batch() / entry).min((header.section_count - self.next).min(budget) as usize);
        // Header 0 was read with the ELF header, and no byte is read twice.
        if self.next == 0 && header.section_count > 0 {
            self.next = 1;
            return Ok(header.section_count == 1);
        }
        let at = header.sections.offset + self.next * entry as u32;
        for bytes in file.bytes(at, batch * entry)?.chunks_exact(entry) {
            let raw = section_header::decode::<F>(bytes);
            let kept = self.check::<F>(header, self.next, &raw)?;
            if let Some(section) = sections.get_mut(self.next as usize) {
                *section = kept;
            }
            self.next += 1;
        }
        Ok(self.next >= header.section_count)
    }

    /// Checks one header and keeps what the link needs of it.
    fn check<F: Format>(&mut self, file: &Header, index: u32, raw: &SectionHeader) -> Result<Section, Error> {
        self.note_table::<F>(file, index, raw)?;
        let Some(role) = role(index, raw)? else { return unused(file, raw) };
        let align = raw.align.max(1);
        if !align.is_power_of_two() || align > MAX_ALIGN {
            return Err(Error::BadAlignment { section: index, found: raw.align });
        }
        let extent = match role {
            Role::Bss => Extent {
                offset: 0,
                size: u32::try_from(raw.size).map_err(|_| Error::ImageTooLarge { wanted: raw.size })?,
            },
            _ => file.table("section", raw.offset, raw.size)?,
        };
        if role != Role::Bss {
            self.contents += u64::from(extent.size);
            let (found, expected) = (self.contents, file.file_size.into());
            if found > expected {
                return Err(Error::OverlappingSections { section: index, found, expected });
            }
        }
        let mut place = raw.name;
        if matches!(role, Role::Rel | Role::Rela) {
            let entry = relocation_size::<F>(role);
            must_divide(index, raw, entry)?;
            self.check_link(index, raw.link)?;
            place = raw.info;
            if place == 0 || place >= file.section_count || place == index {
                return Err(Error::BadLink {
                    section: index,
                    found: place,
                    expected: "the section to relocate",
                });
            }
        }
        let mut section = Section { offset: extent.offset, size: extent.size, place, traits: 0xffff_0000 };
        section.traits |= align.trailing_zeros() << 4;
        section.set_role(role);
        Ok(section)
    }

    /// All relocations are of one symbol table, which may stand after them.
    fn check_link(&mut self, section: u32, found: u32) -> Result<(), Error> {
        let symbols = match (self.symbols, self.early) {
            (0, None) => {
                self.early = Some((section, found));
                found
            }
            (0, Some((_, symbols))) | (symbols, _) => symbols,
        };
        if found == symbols {
            Ok(())
        } else {
            Err(Error::BadLink { section, found, expected: "the symbol table" })
        }
    }

    /// Remembers the symbol table, its strings, its extended indexes and the section names.
    fn note_table<F: Format>(&mut self, file: &Header, index: u32, raw: &SectionHeader) -> Result<(), Error> {
        let all = |what| file.table(what, raw.offset, raw.size);
        must_hold_names(file, index, raw)?;
        match raw.kind {
            sht::SYMTAB => {
                if self.symbols != 0 {
                    return Err(Error::DuplicateTable { what: "symbol table", section: index });
                }
                must_divide(index, raw, size_of::<F::RawSymbol>() as u64)?;
                (self.symbols, self.strings) = (index, raw.link);
                if raw.link == 0 || raw.link >= file.section_count {
                    return Err(Error::BadLink {
                        section: index,
                        found: raw.link,
                        expected: "its string table",
                    });
                }
                self.tables.symbols = all("symbol table")?;
            }
            sht::SYMTAB_SHNDX => {
                must_divide(index, raw, 4)?;
                if self.tables.extended.size != 0 {
                    let what = "table of extended section indexes";
                    return Err(Error::DuplicateTable { what, section: index });
                }
                self.tables.extended = all("extended section indexes")?;
            }
            sht::STRTAB if index == file.names => self.tables.names = all("section names")?,
            sht::ATTRIBUTES if raw.flags & SHF_ALLOC == 0 => self.tables.attributes = all("attributes")?,
            _ => {}
        }
        Ok(())
    }

    /// After the scan: the tables of a relocatable file, which cannot do without symbols.
    pub fn finish(mut self, sections: &[Section]) -> Result<Tables, Error> {
        if self.symbols == 0 {
            return Err(Error::MissingTable { what: "symbol table" });
        }
        if let Some((section, found)) = self.early.filter(|(_, found)| *found != self.symbols) {
            return Err(Error::BadLink { section, found, expected: "the symbol table" });
        }
        let strings = sections.get(self.strings as usize).filter(|section| section.traits & STRINGS != 0);
        let bad = Error::BadLink { section: self.symbols, found: self.strings, expected: "a string table" };
        self.tables.strings = strings.ok_or(bad)?.extent();
        Ok(self.tables)
    }
}

/// What the header calls the section names must be strings.
pub(super) fn must_hold_names(file: &Header, index: u32, raw: &SectionHeader) -> Result<(), Error> {
    if index == file.names && raw.kind != sht::STRTAB {
        return Err(Error::BadLink { section: 0, found: index, expected: "the section names" });
    }
    Ok(())
}

/// Of a section without a role only string tables are remembered: the symbols' may stand before or after them.
fn unused(file: &Header, raw: &SectionHeader) -> Result<Section, Error> {
    if raw.kind != sht::STRTAB {
        return Ok(Section::default());
    }
    let extent = file.table("string table", raw.offset, raw.size)?;
    Ok(Section { offset: extent.offset, size: extent.size, place: 0, traits: STRINGS })
}

fn must_divide(section: u32, raw: &SectionHeader, expected: u64) -> Result<(), Error> {
    for found in [raw.entry_size, raw.size] {
        if !is_whole(found, expected) || (raw.entry_size == 0 && raw.size != 0) {
            return Err(Error::BadEntrySize { section, found, expected });
        }
    }
    if raw.entry_size > expected {
        return Err(Error::BadEntrySize { section, found: raw.entry_size, expected });
    }
    Ok(())
}

/// The size of one relocation of this kind, bytes.
pub const fn relocation_size<F: Format>(role: Role) -> u64 {
    let words = if matches!(role, Role::Rel) { 2 } else { 3 };
    words * F::Word::SIZE as u64
}

/// What becomes of a section, by its type and flags; `None` when nothing does.
fn role(section: u32, raw: &SectionHeader) -> Result<Option<Role>, Error> {
    let has = |flag| raw.flags & flag != 0;
    match raw.kind {
        sht::NULL => return Ok(None),
        sht::REL => return Ok(Some(Role::Rel)),
        sht::RELA => return Ok(Some(Role::Rela)),
        _ if !has(SHF_ALLOC) => return Ok(None),
        _ => {}
    }
    if has(SHF_TLS) {
        return Err(Error::ThreadLocal { what: "section", index: section });
    }
    if has(SHF_COMPRESSED) {
        return Err(Error::Compressed { section });
    }
    if has(SHF_WRITE) && has(SHF_EXECINSTR) {
        return Err(Error::WritableAndExecutable { section });
    }
    Ok(Some(match raw.kind {
        sht::NOBITS if has(SHF_EXECINSTR) => {
            return Err(Error::UnsupportedSection { section, kind: raw.kind });
        }
        sht::NOBITS => Role::Bss,
        sht::PREINIT_ARRAY => Role::Preinit,
        sht::INIT_ARRAY => Role::Init,
        sht::FINI_ARRAY => Role::Fini,
        sht::NOTE => Role::Note,
        sht::PROGBITS | sht::LOPROC..=sht::HIPROC if has(SHF_EXECINSTR) => Role::Text,
        sht::PROGBITS | sht::LOPROC..=sht::HIPROC if has(SHF_WRITE) => Role::Data,
        sht::PROGBITS | sht::LOPROC..=sht::HIPROC => Role::Rodata,
        kind => return Err(Error::UnsupportedSection { section, kind }),
    }))
}

/// After the scan: links every relocation section with what it acts on, and drops those that act on nothing loaded.
pub fn connect(sections: &mut [Section]) -> Result<(), Error> {
    for index in 0..sections.len() {
        let Some(table) = sections.get(index).copied() else { continue };
        if !table.is_relocations() {
            continue;
        }
        let target = sections.get_mut(table.target().0 as usize).filter(|target| target.is_loaded());
        let (section, found) = (index as u32, table.target().0);
        match target {
            Some(target) if target.role() == Role::Bss && table.size > 0 => {
                return Err(Error::BadLink { section, found, expected: "a section with contents" });
            }
            Some(target) if table.size > 0 => target.traits |= RELOCATED,
            Some(_) => {}
            None => {
                if let Some(unused) = sections.get_mut(index) {
                    unused.set_role(Role::Ignored);
                }
            }
        }
    }
    Ok(())
}

/// After the scan, and [`connect`]: gives the roles that a section has by its name.
pub fn apply_names(sections: &mut [Section], names: &[u8]) -> Result<(), Error> {
    if names.is_empty() {
        return Ok(());
    }
    for (index, section) in sections.iter_mut().enumerate().filter(|(_, section)| section.is_loaded()) {
        let (index, size) = (index as u32, names.len() as u32);
        let bad = Error::BadName { what: "section", index, offset: section.place, size };
        match section.role() {
            Role::Rodata | Role::Data => {
                let name = names.get(section.place as usize..).filter(|name| !name.is_empty()).ok_or(bad)?;
                if name.starts_with(b".exported_sym\0") {
                    section.set_role(Role::Exports);
                }
                if name.starts_with(b".llext.rodata.noreloc\0") && section.traits & RELOCATED != 0 {
                    return Err(Error::RelocatedConstants { section: index });
                }
            }
            Role::Preinit | Role::Init | Role::Fini => {
                let name = names.get(section.place as usize..).filter(|name| !name.is_empty()).ok_or(bad)?;
                let name = string_at(name.get(..64).unwrap_or(name), 0).unwrap_or_default();
                section.traits = section.traits & 0xffff | u32::from(priority(name)) << 16;
            }
            _ => {}
        }
    }
    Ok(())
}

/// `.init_array.00101` is 101; without a number, last.
fn priority(name: &[u8]) -> u16 {
    let digits = name.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let number = digits.iter().try_fold(0u16, |number, digit| {
        let digit = digit.wrapping_sub(b'0');
        number.checked_mul(10)?.checked_add((digit < 10).then_some(digit)?.into())
    });
    number.filter(|_| !digits.is_empty()).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities_are_read_from_names() {
        assert_eq!(priority(b".init_array.00101"), 101);
        assert_eq!(priority(b".init_array"), 65535);
        assert_eq!(priority(b".fini_array.65534"), 65534);
        assert_eq!(priority(b".fini_array.70000"), 65535);
        assert_eq!(priority(b".fini_array."), 65535);
        assert_eq!(priority(b".fini_array.1x"), 65535);
    }

    #[test]
    fn a_section_keeps_sixteen_bytes() {
        assert_eq!(size_of::<Section>(), 16);
        let mut section = Section { traits: 0xffff_0000 | 12 << 4, ..Section::default() };
        section.set_role(Role::Fini);
        assert_eq!((section.role(), section.align(), section.priority()), (Role::Fini, 4096, 65535));
    }
}
