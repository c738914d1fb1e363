//! Scratch memory: what a load needs and the extension does not.

use crate::error::Error;
use crate::lock::{Locked, RawMutex};
use crate::memory::Memory;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Bytes for the time of a load: reserved from the memory, or a piece of what the caller lent.
pub(super) enum Buffer<'l, T> {
    Nothing,
    Lent(&'l mut [u8]),
    Owned(T, usize),
}

impl<T: AsMut<[u8]> + AsRef<[u8]>> Buffer<'_, T> {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Nothing => &[],
            Self::Lent(bytes) => bytes,
            Self::Owned(bytes, len) => bytes.as_ref().get(..*len).unwrap_or_default(),
        }
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Nothing => &mut [],
            Self::Lent(bytes) => bytes,
            Self::Owned(bytes, len) => bytes.as_mut().get_mut(..*len).unwrap_or_default(),
        }
    }

    /// The bytes as a table.
    #[inline(never)]
    pub(super) fn table<E: FromBytes + Immutable>(&self) -> &[E] {
        <[E]>::ref_from_bytes(self.bytes()).unwrap_or_default()
    }

    /// The bytes as a table to be written.
    #[inline(never)]
    pub(super) fn table_mut<E: FromBytes + IntoBytes + Immutable + KnownLayout>(&mut self) -> &mut [E] {
        <[E]>::mut_from_bytes(self.bytes_mut()).unwrap_or_default()
    }
}

/// Where buffers come from.
pub(super) struct Scratch<'r, 'l, M, R> {
    memory: &'r Locked<R, M>,
    /// What the caller lent and is still free; `None` when the memory provides.
    lent: Option<&'l mut [u8]>,
    /// How much was taken so far, bytes.
    taken: usize,
}

impl<'r, 'l, M: Memory, R: RawMutex> Scratch<'r, 'l, M, R> {
    pub(super) fn new(memory: &'r Locked<R, M>, lent: Option<&'l mut [u8]>) -> Self {
        Self { memory, lent, taken: 0 }
    }

    /// A zeroed table of `count` entries.
    pub(super) fn table<E>(&mut self, count: u32) -> Result<Buffer<'l, M::Scratch>, Error> {
        self.bytes((count as usize).saturating_mul(size_of::<E>()))
    }

    /// Zeroed bytes, aligned for any table.
    pub(super) fn bytes(&mut self, size: usize) -> Result<Buffer<'l, M::Scratch>, Error> {
        if size == 0 {
            return Ok(Buffer::Nothing);
        }
        self.taken += size.next_multiple_of(16);
        let Some(lent) = self.lent.take() else {
            let mut scratch = self.memory.with(|memory| memory.scratch(size))?;
            scratch.as_mut(); // zeroes it, which may be slow, outside the lock
            return Ok(Buffer::Owned(scratch, size));
        };
        let skip = lent.as_ptr().align_offset(16).min(lent.len());
        let (_, aligned) = lent.split_at_mut(skip);
        let (wanted, available) = (size as u32, aligned.len() as u32);
        match aligned.split_at_mut_checked(size) {
            Some((bytes, rest)) => {
                bytes.fill(0);
                self.lent = Some(rest);
                Ok(Buffer::Lent(bytes))
            }
            None => Err(Error::ScratchTooSmall { wanted, available }),
        }
    }

    /// How much scratch memory the load has taken, bytes.
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    pub(super) fn give_back(&self, buffer: &mut Buffer<'l, M::Scratch>) {
        if let Buffer::Owned(bytes, _) = core::mem::replace(buffer, Buffer::Nothing) {
            self.memory.with(|memory| memory.give_back(bytes));
        }
    }
}
