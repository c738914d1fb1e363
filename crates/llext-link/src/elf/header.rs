//! The ELF header: what the file is and where its two header tables lie.
//!
//! gABI chapter 2, "ELF Header"; extended numbering in section header 0.

use super::{Format, Half, Quad, RawWord, record, section_header};
use crate::addr::{Extent, Word};
use crate::error::Error;
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

/// What the file is, of the three kinds that can be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `ET_REL`: a compiler's object, or several joined by `ld -r`.
    Relocatable,
    /// `ET_EXEC`: linked for fixed addresses, as `llext link` does.
    Linked,
    /// `ET_DYN`: a shared object.
    Shared,
}

impl Kind {
    /// `e_type`.
    pub fn number(self) -> u16 {
        match self {
            Self::Relocatable => 1,
            Self::Linked => 2,
            Self::Shared => 3,
        }
    }
}

/// The ELF header, checked; both tables lie inside the file.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// Relocatable, linked or shared.
    pub kind: Kind,
    /// `EI_CLASS` and `EI_DATA`.
    pub format: [u8; 2],
    /// `e_machine`.
    pub machine: u16,
    /// `e_flags`.
    pub flags: u32,
    /// The section header table.
    pub sections: Extent,
    /// How many section headers there are.
    pub section_count: u32,
    /// The index of the section names' string table; 0 when there is none.
    pub names: u32,
    /// The program header table.
    pub segments: Extent,
    /// How many program headers there are.
    pub segment_count: u32,
    /// The file's size, bytes.
    pub file_size: u32,
    first_section: Extent,
}

#[derive(FromBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
struct RawHeader<H, Q, X> {
    ident: [u8; 16],
    kind: H,
    machine: H,
    version: Q,
    entry: X,
    phoff: X,
    shoff: X,
    flags: Q,
    ehsize: H,
    phentsize: H,
    phnum: H,
    shentsize: H,
    shnum: H,
    shstrndx: H,
}
type RawHeaderOf<F> = RawHeader<Half<F>, Quad<F>, <F as Format>::RawWord>;

const SHN_XINDEX: u32 = 0xffff;
const PN_XNUM: u32 = 0xffff;
/// The values of `EI_OSABI` whose files mean what they do here: none, GNU, Arm.
const SYSTEMS: [u8; 3] = [0, 3, 97];

impl Header {
    /// How many bytes of a file of `size` bytes hold its header.
    pub fn extent<F: Format>(size: u64) -> Result<Extent, Error> {
        let size = u32::try_from(size).map_err(|_| Error::FileTooLarge { size })?;
        Ok(Extent { offset: 0, size: size.min(size_of::<RawHeaderOf<F>>() as u32) })
    }

    /// Checks the header, the first `bytes` of a file of `size` bytes.
    ///
    /// What did not fit the header is in section header 0: when there is one, [`Header::first_section`] says where, and
    /// [`Header::complete`] must be told.
    pub fn parse<F: Format>(bytes: &[u8], size: u64) -> Result<Self, Error> {
        let file_size = u32::try_from(size).map_err(|_| Error::FileTooLarge { size })?;
        let raw = check_ident::<F>(bytes, size)?;
        let mut header = Self::of_raw::<F>(&raw, file_size)?;
        header.find_sections::<F>(&raw)?;
        header.find_segments::<F>(&raw)?;
        Ok(header)
    }

    /// Where section header 0 lies; empty when there are no sections.
    pub fn first_section(&self) -> Extent {
        self.first_section
    }

    /// Takes what is in section header 0: counts that did not fit the ELF header.
    pub fn complete<F: Format>(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.first_section.size == 0 {
            let found = self.segment_count.into();
            let expected = u64::from(PN_XNUM) - 1;
            let counted = self.segment_count != PN_XNUM;
            return if counted {
                Ok(())
            } else {
                Err(Error::BadHeader { field: "e_phnum", found, expected })
            };
        }
        let first = section_header::decode::<F>(bytes);
        must_be("type of section 0", first.kind.into(), 0)?;
        if self.section_count > 0 {
            must_be("size of section 0", first.size, 0)?;
        } else {
            let size = first.size.saturating_mul(section_header::size::<F>().into());
            self.sections = self.table("section header table", self.first_section.offset.into(), size)?;
            self.section_count = first.size as u32;
        }
        if self.names == SHN_XINDEX {
            self.names = first.link;
        }
        if self.segment_count == PN_XNUM {
            self.segment_count = first.info;
            self.segments = self.segment_table::<F>(self.segments.offset.into(), first.info)?;
        }
        if self.section_count > 0 && self.names >= self.section_count {
            let (found, expected) = (self.names.into(), self.section_count.into());
            return Err(Error::BadHeader { field: "e_shstrndx", found, expected });
        }
        self.keep_apart()
    }

    /// The two tables are made of different bytes.
    fn keep_apart(&self) -> Result<(), Error> {
        let ends = [self.sections, self.segments].map(|table| (table.offset, table.offset + table.size));
        let [(section, section_end), (segment, segment_end)] = ends;
        if section.max(segment) < section_end.min(segment_end) {
            let (found, expected) = (segment.into(), section_end.into());
            return Err(Error::BadHeader { field: "e_phoff", found, expected });
        }
        Ok(())
    }

    fn of_raw<F: Format>(raw: &RawHeaderOf<F>, file_size: u32) -> Result<Self, Error> {
        let kind = match raw.kind.get() {
            1 => Kind::Relocatable,
            2 => Kind::Linked,
            3 => Kind::Shared,
            found => return Err(Error::WrongKind { found }),
        };
        must_be("e_version", raw.version.get().into(), 1)?;
        must_be("e_ehsize", raw.ehsize.get().into(), size_of::<RawHeaderOf<F>>() as u64)?;
        let nothing = Extent::default();
        Ok(Self {
            kind,
            format: [F::CLASS, F::DATA],
            machine: raw.machine.get(),
            flags: raw.flags.get(),
            sections: nothing,
            section_count: 0,
            names: 0,
            segments: nothing,
            segment_count: 0,
            file_size,
            first_section: nothing,
        })
    }

    fn find_sections<F: Format>(&mut self, raw: &RawHeaderOf<F>) -> Result<(), Error> {
        let (offset, count) = (raw.shoff.word().get(), u32::from(raw.shnum.get()));
        self.names = raw.shstrndx.get().into();
        if offset == 0 {
            return must_be("e_shnum", count.into(), 0);
        }
        let entry = u64::from(section_header::size::<F>());
        must_follow::<F>("e_shoff", offset)?;
        must_be("e_shentsize", raw.shentsize.get().into(), entry)?;
        self.first_section = self.table("section header 0", offset, entry)?;
        self.sections = self.table("section header table", offset, u64::from(count) * entry)?;
        self.section_count = count;
        Ok(())
    }

    fn find_segments<F: Format>(&mut self, raw: &RawHeaderOf<F>) -> Result<(), Error> {
        self.segment_count = raw.phnum.get().into();
        if self.segment_count == 0 {
            return Ok(());
        }
        must_be("e_phentsize", raw.phentsize.get().into(), size_of::<F::RawSegment>() as u64)?;
        let offset = raw.phoff.word().get();
        must_follow::<F>("e_phoff", offset)?;
        // A count that did not fit is not the count: until section header 0 is read, only the place is checked.
        let count = if self.segment_count == PN_XNUM { 0 } else { self.segment_count };
        self.segments = self.segment_table::<F>(offset, count)?;
        Ok(())
    }

    fn segment_table<F: Format>(&self, offset: u64, count: u32) -> Result<Extent, Error> {
        self.table("program header table", offset, u64::from(count) * size_of::<F::RawSegment>() as u64)
    }

    /// Checks that a table lies inside the file.
    pub(crate) fn table(&self, what: &'static str, offset: u64, size: u64) -> Result<Extent, Error> {
        let limit = u64::from(self.file_size);
        Extent::within(offset, size, limit).ok_or(Error::Truncated {
            what,
            offset,
            wanted: size,
            size: limit,
        })
    }
}

/// Checks the identification and gives the raw header back.
fn check_ident<F: Format>(bytes: &[u8], size: u64) -> Result<RawHeaderOf<F>, Error> {
    let wanted = size_of::<RawHeaderOf<F>>() as u64;
    let truncated = Error::Truncated { what: "ELF header", offset: 0, wanted, size };
    let mut begin = [0; 4];
    begin.iter_mut().zip(bytes).for_each(|(kept, byte)| *kept = *byte);
    if !begin.iter().zip(b"\x7fELF").take(bytes.len()).all(|(found, wanted)| found == wanted) {
        return Err(Error::NotElf { found: begin });
    }
    let Some(ident) = bytes.first_chunk::<16>() else { return Err(truncated) };
    let [_, _, _, _, class, data, version, system, ..] = *ident;
    if [class, data] != [F::CLASS, F::DATA] {
        return Err(Error::WrongFormat { found: [class, data], expected: [F::CLASS, F::DATA] });
    }
    must_be("EI_VERSION", version.into(), 1)?;
    if !SYSTEMS.contains(&system) {
        must_be("EI_OSABI", system.into(), 0)?;
    }
    record(bytes).ok_or(truncated)
}

/// Tables lie behind the header.
fn must_follow<F: Format>(field: &'static str, found: u64) -> Result<(), Error> {
    let expected = size_of::<RawHeaderOf<F>>() as u64;
    if found >= expected { Ok(()) } else { Err(Error::BadHeader { field, found, expected }) }
}

fn must_be(field: &'static str, found: u64, expected: u64) -> Result<(), Error> {
    if found == expected { Ok(()) } else { Err(Error::BadHeader { field, found, expected }) }
}
