//! Segments: what a shared object asks to have in memory.
//!
//! gABI chapter 5, "Program Header".

use super::header::Header;
use super::{Format, record};
use crate::addr::{Extent, MAX_ALIGN, MAX_IMAGE, Part, align_up};
use crate::error::Error;
use zerocopy::byteorder::{ByteOrder, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// A program header, decoded.
#[derive(Clone, Copy, Debug)]
pub struct SegmentHeader {
    /// `p_type`.
    pub kind: u32,
    /// `p_flags`.
    pub flags: u32,
    /// `p_offset`, bytes into the file.
    pub offset: u64,
    /// `p_vaddr`.
    pub address: u64,
    /// `p_filesz`, bytes.
    pub file_size: u64,
    /// `p_memsz`, bytes.
    pub memory_size: u64,
    /// `p_align`.
    pub align: u64,
}

/// `Elf32_Phdr`.
#[derive(FromBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
pub struct Raw32<O: ByteOrder> {
    kind: U32<O>,
    offset: U32<O>,
    address: U32<O>,
    physical: U32<O>,
    file_size: U32<O>,
    memory_size: U32<O>,
    flags: U32<O>,
    align: U32<O>,
}

/// `Elf64_Phdr`.
#[derive(FromBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
pub struct Raw64<O: ByteOrder> {
    kind: U32<O>,
    flags: U32<O>,
    offset: U64<O>,
    address: U64<O>,
    physical: U64<O>,
    file_size: U64<O>,
    memory_size: U64<O>,
    align: U64<O>,
}
type RawOf<F> = <F as Format>::RawSegment;

macro_rules! decode {
    ($raw:ident) => {
        impl<O: ByteOrder> From<$raw<O>> for SegmentHeader {
            fn from(raw: $raw<O>) -> Self {
                Self {
                    kind: raw.kind.get(),
                    flags: raw.flags.get(),
                    offset: raw.offset.get().into(),
                    address: raw.address.get().into(),
                    file_size: raw.file_size.get().into(),
                    memory_size: raw.memory_size.get().into(),
                    align: raw.align.get().into(),
                }
            }
        }
    };
}
decode!(Raw32);
decode!(Raw64);

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_NOTE: u32 = 4;
const PT_TLS: u32 = 7;
const PT_GNU_RELRO: u32 = 0x6474_e552;
const PF_X: u32 = 1;
const PF_W: u32 = 2;

/// A `PT_LOAD` segment, checked: 24 bytes that a load keeps in its scratch memory.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Segment {
    address: u64,
    offset: u32,
    file_size: u32,
    memory_size: u32,
    flags: u32,
}

impl Segment {
    /// Where its contents lie in the file.
    pub fn extent(&self) -> Extent {
        Extent { offset: self.offset, size: self.file_size }
    }

    /// `p_vaddr`.
    pub fn address(&self) -> u64 {
        self.address
    }

    /// `p_memsz`, bytes.
    pub fn size(&self) -> u32 {
        self.memory_size
    }

    /// Whether it holds code.
    pub fn is_executable(&self) -> bool {
        self.flags & PF_X != 0
    }

    /// Whether it holds variables.
    pub fn is_writable(&self) -> bool {
        self.flags & PF_W != 0
    }
}

/// The most `PT_LOAD` segments a shared object may have.
pub const MAX_LOADS: usize = 16;

/// What the program headers say, all addresses counted from [`Span::base`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Span {
    /// The lowest address of a segment, rounded down to the alignment.
    pub base: u64,
    /// How far the segments reach, bytes.
    pub size: u32,
    /// The largest alignment of a segment.
    pub align: u32,
    /// How many `PT_LOAD` segments there are.
    pub count: u32,
    /// The dynamic section.
    pub dynamic: Option<Extent>,
    /// What becomes read-only after relocation.
    pub relro: Option<Extent>,
    /// The notes.
    pub notes: [Extent; 4],
}

/// Reads the program headers in `bytes`, keeps the `PT_LOAD` ones in `segments`, and measures what they span.
pub fn scan<F: Format>(header: &Header, bytes: &[u8], segments: &mut [Segment]) -> Result<Span, Error> {
    let entry = size_of::<RawOf<F>>();
    let headers = || bytes.chunks_exact(entry).map(decode_one::<F>).enumerate();
    let mut span = Span { base: u64::MAX, align: 1, ..Span::default() };
    let mut end = 0;
    for (index, raw) in headers().filter(|(_, raw)| raw.kind == PT_LOAD && raw.memory_size > 0) {
        let index = index as u32;
        let kept = check(header, index, &raw, end)?;
        end = raw.address + raw.memory_size;
        span.base = span.base.min(raw.address);
        span.align = span.align.max(raw.align.max(1) as u32);
        if span.count as usize == MAX_LOADS {
            return Err(Error::BadSegment {
                segment: index,
                field: "number of PT_LOAD",
                found: MAX_LOADS as u64 + 1,
            });
        }
        if let Some(segment) = segments.get_mut(span.count as usize) {
            *segment = kept;
            span.count += 1;
        }
    }
    if span.count == 0 {
        return Err(Error::NothingToLoad);
    }
    span.base &= !(u64::from(span.align) - 1);
    // Without variables after it, RELRO reaches to the end of the last segment's page: all of that page is then its.
    let page_end = align_up(end, span.align.into()).unwrap_or(end);
    let ends = headers().filter(|(_, raw)| raw.kind == PT_GNU_RELRO);
    let ends = ends.map(|(_, raw)| raw.address.saturating_add(raw.memory_size));
    end = ends.filter(|relro| *relro <= page_end).fold(end, u64::max);
    let wanted = end - span.base;
    if wanted >= MAX_IMAGE {
        return Err(Error::ImageTooLarge { wanted });
    }
    span.size = wanted as u32;
    let loads = segments.get(..span.count as usize).unwrap_or_default();
    for (index, raw) in headers() {
        span.keep(index as u32, &raw, loads)?;
    }
    Ok(span)
}

impl Span {
    /// Keeps where a segment lies that is a part of those that are loaded.
    fn keep(&mut self, segment: u32, raw: &SegmentHeader, loads: &[Segment]) -> Result<(), Error> {
        let bad = |field, found| Error::BadSegment { segment, field, found };
        let mut note = None;
        let field = match raw.kind {
            PT_DYNAMIC => &mut self.dynamic,
            PT_GNU_RELRO => &mut self.relro,
            PT_NOTE => &mut note,
            PT_TLS => return Err(Error::ThreadLocal { what: "segment", index: segment }),
            _ => return Ok(()),
        };
        let outside = bad("p_vaddr", raw.address);
        let offset = raw.address.checked_sub(self.base).ok_or(outside)?;
        let extent = Extent::within(offset, raw.memory_size, self.size.into());
        let suits = |extent: &Extent| raw.kind != PT_GNU_RELRO || is_of_variables(*extent, loads, self.base);
        *field = Some(extent.filter(suits).ok_or(outside)?);
        if let Some(note) = note {
            let free = self.notes.iter_mut().find(|known| known.size == 0);
            *free.ok_or(bad("number of PT_NOTE", 5))? = note;
        }
        Ok(())
    }
}

/// Whether what becomes read-only begins in a segment of variables and holds no code, which could not run any more. The
/// segments ascend from `base` on.
fn is_of_variables(relro: Extent, loads: &[Segment], base: u64) -> bool {
    let mut begins = relro.size == 0;
    for load in loads {
        let at = load.address.wrapping_sub(base) as u32;
        begins |= load.is_writable() && relro.offset.wrapping_sub(at) < load.memory_size;
        if load.is_executable() && at.wrapping_sub(relro.offset) < relro.size {
            return false;
        }
    }
    begins
}

/// The segments of a file that was linked for fixed addresses.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinkedSegments {
    /// The code, the constants and the data, by the number of their [`Part`]; empty ones have no size.
    pub parts: [Segment; 4],
    /// The notes, in the file.
    pub notes: Extent,
}

/// Reads the program headers in `bytes` of a file that was linked for fixed addresses: at most one segment each of code, of
/// constants and of data, ascending, and one of notes, which need not lie in memory.
pub fn scan_linked<F: Format>(header: &Header, bytes: &[u8]) -> Result<LinkedSegments, Error> {
    let mut found = LinkedSegments::default();
    let mut end = 0;
    let entries = bytes.chunks_exact(size_of::<RawOf<F>>()).map(decode_one::<F>);
    for (index, raw) in (0..).zip(entries) {
        match raw.kind {
            PT_LOAD if raw.memory_size > 0 => {
                let segment = check(header, index, &raw, end)?;
                end = raw.address + raw.memory_size;
                let part = match (segment.is_executable(), segment.is_writable()) {
                    (true, _) => Part::Code,
                    (_, true) => Part::Data,
                    _ => Part::Constants,
                };
                let twice = Error::BadSegment { segment: index, field: "p_flags", found: raw.flags.into() };
                let free = found.parts.get_mut(part as usize).filter(|part| part.memory_size == 0);
                *free.ok_or(twice)? = segment;
            }
            PT_NOTE if found.notes.size > 0 => {
                return Err(Error::BadSegment { segment: index, field: "number of PT_NOTE", found: 2 });
            }
            PT_NOTE => found.notes = header.table("notes", raw.offset, raw.file_size)?,
            PT_TLS => return Err(Error::ThreadLocal { what: "segment", index }),
            _ => {}
        }
    }
    Ok(found)
}

fn decode_one<F: Format>(bytes: &[u8]) -> SegmentHeader {
    let raw: RawOf<F> = record(bytes).unwrap_or_else(zerocopy::FromZeros::new_zeroed);
    raw.into()
}

/// Checks one `PT_LOAD` that should begin at `previous_end` or later.
fn check(header: &Header, segment: u32, raw: &SegmentHeader, previous_end: u64) -> Result<Segment, Error> {
    let bad = |field, found| Error::BadSegment { segment, field, found };
    let align = raw.align.max(1);
    if !align.is_power_of_two() || align > MAX_ALIGN {
        return Err(bad("p_align", raw.align));
    }
    if (raw.address ^ raw.offset) & (align - 1) != 0 {
        return Err(bad("p_vaddr", raw.address));
    }
    if raw.file_size > raw.memory_size {
        return Err(bad("p_filesz", raw.file_size));
    }
    if raw.flags & PF_X != 0 && raw.flags & PF_W != 0 {
        return Err(Error::WritableAndExecutable { section: segment });
    }
    let end = raw.address.checked_add(raw.memory_size).ok_or(bad("p_memsz", raw.memory_size))?;
    if raw.address < previous_end || end > u64::from(u32::MAX) << 16 {
        return Err(bad("p_vaddr", raw.address));
    }
    let extent = header.table("segment", raw.offset, raw.file_size)?;
    let memory_size = u32::try_from(raw.memory_size).map_err(|_| bad("p_memsz", raw.memory_size))?;
    Ok(Segment {
        address: raw.address,
        offset: extent.offset,
        file_size: extent.size,
        memory_size,
        flags: raw.flags,
    })
}
