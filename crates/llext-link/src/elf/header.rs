//! The ELF header: what the file is and where its two header tables lie.
//!
//! gABI chapter 2, "ELF Header"; extended numbering in section header 0.

use super::{Bytes, Format, Half, Quad, RawWord, record, section, segment};
use crate::addr::{Extent, Word};
use crate::error::Error;
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

/// What the file is, of the two kinds that can be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `ET_REL`: a compiler's object, or several joined by `ld -r`.
    Relocatable,
    /// `ET_DYN`: a shared object.
    Shared,
}

/// The ELF header, checked; both tables lie inside the file.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// Relocatable or shared.
    pub kind: Kind,
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

impl Header {
    /// Reads and checks the header of a file of `size` bytes.
    pub fn parse<F: Format, B: Bytes>(file: &mut B, size: u64) -> Result<Self, B::Error> {
        let file_size = u32::try_from(size).map_err(|_| Error::FileTooLarge { size })?;
        let len = size_of::<RawHeaderOf<F>>().min(file_size as usize);
        let raw = check_ident::<F>(file.bytes(0, len)?, size)?;
        let mut header = Self::of_raw::<F>(&raw, file_size)?;
        header.find_tables::<F, B>(&raw, file)?;
        Ok(header)
    }

    fn of_raw<F: Format>(raw: &RawHeaderOf<F>, file_size: u32) -> Result<Self, Error> {
        let kind = match raw.kind.get() {
            1 => Kind::Relocatable,
            3 => Kind::Shared,
            found => return Err(Error::WrongKind { found }),
        };
        must_be("e_version", raw.version.get().into(), 1)?;
        must_be("e_ehsize", raw.ehsize.get().into(), size_of::<RawHeaderOf<F>>() as u64)?;
        let nothing = Extent::default();
        Ok(Self {
            kind,
            machine: raw.machine.get(),
            flags: raw.flags.get(),
            sections: nothing,
            section_count: 0,
            names: 0,
            segments: nothing,
            segment_count: 0,
            file_size,
        })
    }

    /// Finds both header tables; counts that do not fit the header are in section header 0.
    fn find_tables<F: Format, B: Bytes>(
        &mut self,
        raw: &RawHeaderOf<F>,
        file: &mut B,
    ) -> Result<(), B::Error> {
        let (shoff, phoff) = (raw.shoff.word().get(), raw.phoff.word().get());
        let mut sections = u64::from(raw.shnum.get());
        let mut segments = u32::from(raw.phnum.get());
        self.names = raw.shstrndx.get().into();
        if shoff != 0 {
            let entry = size_of::<section::RawOf<F>>();
            must_be("e_shentsize", raw.shentsize.get().into(), entry as u64)?;
            let at = self.table("section header 0", shoff, entry as u64)?.offset;
            let first = section::header::<F>(file.bytes(at, entry)?);
            if sections == 0 {
                sections = first.size;
            }
            if self.names == SHN_XINDEX {
                self.names = first.link;
            }
            if segments == PN_XNUM {
                segments = first.info;
            }
            let size = sections.saturating_mul(entry as u64);
            self.sections = self.table("section header table", shoff, size)?;
            self.section_count = sections as u32;
        } else {
            must_be("e_shnum", sections, 0)?;
        }
        if self.section_count > 0 && self.names >= self.section_count {
            let (found, expected) = (self.names.into(), self.section_count.into());
            return Err(Error::BadHeader { field: "e_shstrndx", found, expected }.into());
        }
        if segments != 0 {
            let entry = size_of::<F::RawSegment>() as u64;
            must_be("e_phentsize", raw.phentsize.get().into(), entry)?;
            self.segments = self.table("program header table", phoff, u64::from(segments) * entry)?;
            self.segment_count = segments;
        }
        Ok(())
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

    /// The size of one program header of `F`, bytes.
    pub const fn segment_size<F: Format>() -> usize {
        size_of::<segment::RawOf<F>>()
    }
}

/// Checks the identification and gives the raw header back.
fn check_ident<F: Format>(bytes: &[u8], size: u64) -> Result<RawHeaderOf<F>, Error> {
    let wanted = size_of::<RawHeaderOf<F>>() as u64;
    let truncated = Error::Truncated { what: "ELF header", offset: 0, wanted, size };
    let Some(ident) = bytes.first_chunk::<16>() else { return Err(truncated) };
    let [a, b, c, d, class, data, version, ..] = *ident;
    if [a, b, c, d] != *b"\x7fELF" {
        return Err(Error::NotElf { found: [a, b, c, d] });
    }
    if [class, data] != [F::CLASS, F::DATA] {
        return Err(Error::WrongFormat { found: [class, data], expected: [F::CLASS, F::DATA] });
    }
    must_be("EI_VERSION", version.into(), 1)?;
    record(bytes).ok_or(truncated)
}

fn must_be(field: &'static str, found: u64, expected: u64) -> Result<(), Error> {
    if found == expected { Ok(()) } else { Err(Error::BadHeader { field, found, expected }) }
}
