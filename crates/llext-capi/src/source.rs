//! A loader of C's as a source: nothing that its operations say is believed without a look.

use crate::buffer::{llext_buf_peek, llext_buf_read};
use crate::errno::{EINVAL, ENOEXEC, ENOTSUP};
use crate::regions::{DYNSYM, NOBITS, STRTAB, SYMTAB};
use crate::types::{BufLoader, ElfHeader, Loader, PERSISTENT, TEMPORARY, WRITABLE};
use core::ffi::c_int;
use core::ptr::{NonNull, null_mut};
use llext::native::Native;
use llext::source::{ReadError, Source, Storage};
use llext_link::elf::header::Header;
use llext_link::elf::section_header::{SectionHeader, decode, size};

/// What is said of a file whose size nobody knows: every read finds out for itself.
const UNKNOWN: u64 = u32::MAX as u64;

/// What an inspection keeps of a file besides headers.
const KEPT: [u32; 3] = [SYMTAB, STRTAB, DYNSYM];

/// What a file says about itself.
#[derive(Clone, Copy, Default)]
pub(crate) struct Survey {
    /// Where its section headers lie, bytes from the start.
    pub(crate) headers: u64,
    /// How many there are.
    pub(crate) count: u32,
    /// Which of them has the names.
    pub(crate) names: u32,
    /// Where the last of its contents ends.
    pub(crate) end: u64,
    /// At most so much is kept of it by an inspection, tables apart.
    pub(crate) kept: u64,
}

/// A loader whose file is being read. Dropping it finalises the loader, if it was prepared.
pub(crate) struct LoaderSource {
    loader: NonNull<Loader>,
    begun: bool,
    finalize: bool,
    failed: Option<ReadError>,
    /// The file, if it lies in memory.
    bytes: Option<(NonNull<u8>, usize)>,
}

fn failed(number: c_int) -> ReadError {
    ReadError::Failed { os: number }
}

impl LoaderSource {
    /// # Safety
    /// The loader is one, and nobody else's while this exists. Its operations do what `loader.h` says, and what is in memory
    /// stays there for as long as its storage type says.
    pub(crate) unsafe fn new(loader: NonNull<Loader>) -> Self {
        Self { loader, begun: false, finalize: false, failed: None, bytes: None }
    }

    /// A loader after its load: it is not prepared, nor finalised.
    ///
    /// # Safety
    /// As for [`LoaderSource::new`].
    pub(crate) unsafe fn loaded(loader: NonNull<Loader>) -> Self {
        // SAFETY: the caller vouches for it.
        let mut source = unsafe { Self::new(loader) };
        source.begun = true;
        source.bytes = source.known().or_else(|| source.measured());
        source
    }

    fn ops(&self) -> &Loader {
        // SAFETY: the loader is there, by the promise of `new`; no operation runs while this is borrowed.
        unsafe { self.loader.as_ref() }
    }

    /// Prepares the loader when it is first asked for anything.
    pub(crate) fn ready(&mut self) -> Result<(), ReadError> {
        if !core::mem::replace(&mut self.begun, true) {
            self.failed = self.prepare().err();
        }
        self.failed.map_or(Ok(()), Err)
    }

    fn prepare(&mut self) -> Result<(), ReadError> {
        if self.ops().read.is_none() || self.ops().seek.is_none() {
            return Err(failed(-EINVAL));
        }
        if let Some(prepare) = self.ops().prepare {
            // SAFETY: the operation is one of this loader's.
            let said = unsafe { prepare(self.loader.as_ptr()) };
            if said < 0 {
                return Err(failed(said));
            }
        }
        self.finalize = true;
        self.bytes = self.known();
        if self.bytes.is_none() && self.ops().storage != TEMPORARY {
            self.bytes = self.measured();
        }
        Ok(())
    }

    /// The bytes of a buffer loader, which says how many they are.
    fn known(&self) -> Option<(NonNull<u8>, usize)> {
        let ops = self.ops();
        let is_ours = ops.read.is_some_and(|read| core::ptr::fn_addr_eq(read, llext_buf_read as Read))
            && ops.peek.is_some_and(|peek| core::ptr::fn_addr_eq(peek, llext_buf_peek as Peek));
        if !is_ours {
            return None;
        }
        // SAFETY: only loaders that begin a `struct llext_buf_loader` have these operations.
        let BufLoader { buf, len, .. } = unsafe { self.loader.cast::<BufLoader>().as_ref() };
        // Nothing is larger than half of all memory, or goes past its end.
        let fits = isize::try_from(*len).is_ok() && buf.addr().checked_add(*len).is_some();
        Some((NonNull::new(buf.cast_mut()).filter(|_| fits)?, *len))
    }

    /// The bytes that `peek` shows: as many as the file says it has, if both ends lie where they should, and if the last byte
    /// can be read as well. A peek has no length of its own.
    fn measured(&mut self) -> Option<(NonNull<u8>, usize)> {
        self.ops().peek?;
        let end = usize::try_from(self.survey(|_| ()).ok()?.end).ok()?;
        let start = self.shown(0, end)?;
        self.read(end.checked_sub(1)?, &mut [0]).ok()?;
        Some((start, end))
    }

    /// Where `len` bytes at `offset` lie in memory, in one piece.
    fn shown(&mut self, offset: usize, len: usize) -> Option<NonNull<u8>> {
        let first = NonNull::new(self.peek(offset)?)?;
        let last = self.peek(offset.checked_add(len)?.checked_sub(1)?)?;
        (last.addr() == first.addr().get().checked_add(len - 1)?).then_some(first)
    }

    fn peek(&mut self, offset: usize) -> Option<*mut u8> {
        let peek = self.ops().peek?;
        // SAFETY: the operation is one of this loader's.
        let found = unsafe { peek(self.loader.as_ptr(), offset) };
        Some(found.cast())
    }

    /// Reads by the loader's operations.
    fn read(&mut self, offset: usize, buffer: &mut [u8]) -> Result<(), ReadError> {
        let (Some(seek), Some(read)) = (self.ops().seek, self.ops().read) else {
            return Err(failed(-EINVAL));
        };
        if buffer.is_empty() {
            return Ok(());
        }
        // A loader that reads short and calls that a success is found out by its size or its peek, if it has one.
        let last = offset.checked_add(buffer.len() - 1).ok_or(failed(-EINVAL))?;
        // SAFETY: the operation is one of this loader's.
        let size = self.ops().get_size.map(|get_size| unsafe { get_size(self.loader.as_ptr()) });
        if size.is_some_and(|size| last >= size) {
            return Err(failed(-EINVAL));
        }
        let is_shown = self.peek(offset).is_some_and(|first| !first.is_null());
        if is_shown && self.peek(last).is_some_and(|last| last.is_null()) {
            return Err(failed(-EINVAL));
        }
        // SAFETY: the operations are this loader's, and the buffer has that many bytes.
        let said = unsafe {
            match seek(self.loader.as_ptr(), offset) {
                said @ ..0 => said,
                _ => read(self.loader.as_ptr(), buffer.as_mut_ptr().cast(), buffer.len()),
            }
        };
        if said < 0 { Err(failed(said)) } else { Ok(()) }
    }

    /// The file's bytes, if they lie in memory.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        // SAFETY: whoever gave the buffer vouched for it, or both ends of what a peek shows were looked at.
        self.bytes.map(|(start, len)| unsafe { core::slice::from_raw_parts(start.as_ptr(), len) })
    }

    /// The file's bytes after a load; what C is told where that cannot be.
    pub(crate) fn shown_bytes(&self) -> Result<&[u8], c_int> {
        let no_peek = if self.ops().peek.is_none() { -ENOTSUP } else { -ENOEXEC };
        self.bytes().ok_or(no_peek)
    }

    /// Looks at the headers; `visit` sees every section's.
    pub(crate) fn survey(&mut self, mut visit: impl FnMut(&SectionHeader)) -> Result<Survey, llext::Error> {
        let mut raw = [0; size_of::<ElfHeader>()];
        self.read_at(0, &mut raw)?;
        let mut header = Header::parse::<Native>(&raw, UNKNOWN)?;
        let mut one = [0; 64];
        let one = one.get_mut(..size::<Native>() as usize).unwrap_or_default();
        let first = header.first_section();
        if first.size > 0 {
            self.read_at(first.offset.into(), one)?;
        }
        header.complete::<Native>(one)?;
        let headers = u64::from(header.sections.offset);
        let (count, names) = (header.section_count, header.names);
        let mut survey = Survey { headers, count, names, end: header.sections.end(), kept: 0 };
        for index in 0..count {
            self.read_at(headers + u64::from(index) * u64::from(size::<Native>()), one)?;
            let section = decode::<Native>(one);
            visit(&section);
            survey.add(&section);
        }
        Ok(survey)
    }

    /// The header as it is, for `struct llext_loader`.
    pub(crate) fn elf_header(&mut self) -> Result<ElfHeader, ReadError> {
        let mut raw = [0; size_of::<ElfHeader>()];
        self.read_at(0, &mut raw)?;
        // SAFETY: the type is numbers alone, and has that many bytes.
        Ok(unsafe { raw.as_ptr().cast::<ElfHeader>().read_unaligned() })
    }
}

type Read = unsafe extern "C" fn(*mut Loader, *mut core::ffi::c_void, usize) -> c_int;
type Peek = unsafe extern "C" fn(*mut Loader, usize) -> *mut core::ffi::c_void;

impl Survey {
    fn add(&mut self, section: &SectionHeader) {
        if section.kind != NOBITS {
            self.end = self.end.max(section.offset.saturating_add(section.size));
        }
        if KEPT.contains(&section.kind) {
            self.kept = self.kept.saturating_add(section.size);
        }
    }
}

impl Source for LoaderSource {
    fn size(&mut self) -> Result<u64, ReadError> {
        self.ready()?;
        Ok(self.bytes.map_or(UNKNOWN, |(_, len)| len as u64))
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        self.ready()?;
        if let Some(mut bytes) = self.bytes() {
            return bytes.read_at(offset, buffer);
        }
        let offset = usize::try_from(offset).map_err(|_| failed(-EINVAL))?;
        self.read(offset, buffer)
    }

    fn lent(&self) -> Option<&[u8]> {
        self.bytes()
    }

    fn lasts(&self) -> bool {
        self.ops().storage != TEMPORARY
    }

    fn storage(&mut self) -> Storage {
        let storage = self.ops().storage;
        let (Ok(()), Some((start, len))) = (self.ready(), self.bytes) else { return Storage::Temporary };
        // SAFETY: whoever said that the bytes stay vouched for it; those that may be written are the load's alone.
        unsafe {
            match storage {
                PERSISTENT => Storage::Persistent(core::slice::from_raw_parts(start.as_ptr(), len)),
                WRITABLE => {
                    self.bytes = None;
                    Storage::Writable(core::slice::from_raw_parts_mut(start.as_ptr(), len))
                }
                _ => Storage::Temporary,
            }
        }
    }
}

impl Drop for LoaderSource {
    fn drop(&mut self) {
        // SAFETY: the loader is there, by the promise of `new`.
        unsafe {
            (*self.loader.as_ptr()).sect_map = null_mut();
            if let (true, Some(finalize)) = (self.finalize, self.ops().finalize) {
                finalize(self.loader.as_ptr());
            }
        }
    }
}
