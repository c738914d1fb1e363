//! Scratch memory: what a load needs and the extension does not.

use crate::error::Error;
use crate::lock::{Locked, RawMutex};
use crate::memory::Memory;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Bytes for the time of a load: reserved from the memory, or a piece of what the caller lent. They are zero at first.
pub(super) enum Buffer<'l, T> {
    Nothing,
    /// How many of them have been cleared.
    Lent(&'l mut [u8], usize),
    Owned(T, usize),
}

impl<T: AsMut<[u8]> + AsRef<[u8]>> Buffer<'_, T> {
    /// None before all are clear: see [`Scratch::clear`].
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Nothing => &[],
            Self::Lent(bytes, cleared) => bytes.get(..*cleared).unwrap_or_default(),
            Self::Owned(bytes, len) => bytes.as_ref().get(..*len).unwrap_or_default(),
        }
    }

    /// What is not clear yet is cleared.
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Nothing => &mut [],
            Self::Lent(bytes, cleared) => {
                bytes.get_mut(*cleared..).unwrap_or_default().fill(0);
                *cleared = bytes.len();
                bytes
            }
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
    /// Whether something was taken that [`Scratch::clear`] has not been asked for.
    pub(super) is_dirty: bool,
}

impl<'r, 'l, M: Memory, R: RawMutex> Scratch<'r, 'l, M, R> {
    pub(super) fn new(memory: &'r Locked<R, M>, lent: Option<&'l mut [u8]>) -> Self {
        Self { memory, lent, taken: 0, is_dirty: false }
    }

    /// A table of `count` entries.
    pub(super) fn table<E>(&mut self, count: u32) -> Result<Buffer<'l, M::Scratch>, Error> {
        self.bytes((count as usize).saturating_mul(size_of::<E>()))
    }

    /// Bytes, aligned for any table, which are cleared in steps before they are used, or when they first are.
    pub(super) fn bytes(&mut self, size: usize) -> Result<Buffer<'l, M::Scratch>, Error> {
        if size == 0 {
            return Ok(Buffer::Nothing);
        }
        self.taken += size.next_multiple_of(16);
        self.is_dirty = true;
        let Some(lent) = self.lent.take() else {
            return Ok(Buffer::Owned(self.memory.with(|memory| memory.scratch(size))?, size));
        };
        let skip = lent.as_ptr().align_offset(16).min(lent.len());
        let (_, aligned) = lent.split_at_mut(skip);
        let (wanted, available) = (size as u32, aligned.len() as u32);
        match aligned.split_at_mut_checked(size) {
            Some((bytes, rest)) => {
                self.lent = Some(rest);
                Ok(Buffer::Lent(bytes, 0))
            }
            None => Err(Error::ScratchTooSmall { wanted, available }),
        }
    }

    /// How much scratch memory the load has taken, bytes.
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    /// Clears up to `size` more bytes of a buffer, which may be slow, outside the lock; how many it were. They are fewer
    /// once all are clear.
    pub(super) fn clear(buffer: &mut Buffer<'l, M::Scratch>, size: usize) -> usize {
        let cleared = match buffer {
            Buffer::Nothing => 0,
            Buffer::Lent(bytes, cleared) => {
                let end = bytes.len().min(cleared.saturating_add(size));
                let some = bytes.get_mut(*cleared..end).unwrap_or_default();
                some.fill(0);
                *cleared = end;
                some.len()
            }
            Buffer::Owned(bytes, _) => M::clear(bytes, size),
        };
        if cleared < size {
            buffer.bytes_mut(); // now all are clear, of memory too that has no steps
        }
        cleared
    }

    pub(super) fn memory(&self) -> &'r Locked<R, M> {
        self.memory
    }

    pub(super) fn give_back(&self, buffer: &mut Buffer<'l, M::Scratch>) {
        Self::give_back_to(self.memory, buffer);
    }

    pub(super) fn give_back_to(memory: &Locked<R, M>, buffer: &mut Buffer<'l, M::Scratch>) {
        if let Buffer::Owned(bytes, _) = core::mem::replace(buffer, Buffer::Nothing) {
            memory.with(|memory| memory.give_back(bytes));
        }
    }
}
