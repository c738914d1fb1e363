//! A source and what it gave away for good.

use crate::source::{ReadError, Source, Storage};
use llext_link::addr::Extent;

/// A source, and its bytes if they stay.
pub(super) struct Stored<S> {
    source: S,
    storage: Storage,
}

impl<S: Source> Stored<S> {
    pub(super) fn new(source: S) -> Self {
        Self { source, storage: Storage::Temporary }
    }

    /// The source itself.
    pub(super) fn given(&mut self) -> &mut S {
        &mut self.source
    }

    /// Asks the source what may be done with its bytes, when a load begins to read.
    pub(super) fn settle(&mut self) {
        if self.source.lasts() && matches!(self.storage, Storage::Temporary) {
            self.storage = self.source.storage();
        }
    }

    /// The bytes that stay. Most kinds of sources have none, which is then known where this is compiled.
    #[inline(always)]
    pub(super) fn stays(&self) -> Option<&[u8]> {
        match &self.storage {
            _ if !self.source.lasts() => None,
            Storage::Temporary => None,
            Storage::Persistent(bytes) => Some(bytes),
            Storage::Writable(bytes) => Some(bytes),
        }
    }

    pub(super) fn is_writable(&self) -> bool {
        matches!(self.storage, Storage::Writable(_))
    }

    /// The bytes of `extent`, to be changed, and those around them.
    pub(super) fn around(&mut self, extent: Extent) -> Option<(Around<'_>, &mut [u8])> {
        let Storage::Writable(bytes) = &mut self.storage else { return None };
        let (before, rest) = bytes.split_at_mut_checked(extent.offset as usize)?;
        let (bytes, after) = rest.split_at_mut_checked(extent.size as usize)?;
        Some((Around { before, after, end: extent.end() as u32 }, bytes))
    }
}

impl<S: Source> Source for Stored<S> {
    fn size(&mut self) -> Result<u64, ReadError> {
        let size = self.stays().map(|bytes| bytes.len() as u64);
        size.map_or_else(|| self.source.size(), Ok)
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        self.source.read_at(offset, buffer)
    }

    #[inline(always)]
    fn lent(&self) -> Option<&[u8]> {
        self.stays().or_else(|| self.source.lent())
    }
}

/// A file but for a piece of it that is being changed.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    before: &'a [u8],
    after: &'a [u8],
    /// The offset in the file of what is `after`.
    end: u32,
}

impl<'a> Around<'a> {
    /// The bytes of `extent`, unless some of them are being changed.
    pub(super) fn of(&self, extent: Extent) -> Option<&'a [u8]> {
        extent.of(self.before).or_else(|| {
            let offset = extent.offset.checked_sub(self.end)?;
            Extent { offset, ..extent }.of(self.after)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Writable;
    use std::vec::Vec;

    #[test]
    fn what_is_changed_is_not_read() {
        let mut stored = Stored::new(Writable::new(Vec::from(*b"0123456789").leak()));
        stored.settle();
        let (around, bytes) = stored.around(Extent { offset: 3, size: 4 }).unwrap();
        bytes.fill(b'x');
        let of = |offset, size| around.of(Extent { offset, size });
        assert_eq!((of(0, 3), of(7, 3), of(0, 0)), (Some(&b"012"[..]), Some(&b"789"[..]), Some(&b""[..])));
        assert_eq!((of(0, 4), of(6, 2), of(4, 1), of(8, 3)), (None, None, None, None));
        assert_eq!(stored.lent(), Some(&b"012xxxx789"[..]));
        assert!(stored.around(Extent { offset: 3, size: 8 }).is_none());
    }
}
