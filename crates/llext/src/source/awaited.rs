//! A file that an asynchronous driver reads: piece by piece, while others run.

use super::{ReadError, Source};
use core::ops::Range;

/// A file on a medium that is waited for: [`Load::complete`](crate::loader::Load::complete) has it read into `buffer`, a
/// piece at a time, and goes on with the load once a piece is there.
///
/// Pieces are as long as the buffer, and begin at multiples of its length, as a disk's blocks do; the last may be shorter.
/// The piece that was read last is kept, and not read again.
///
/// ```
/// # use llext::{Error, NoopRawMutex, Pool, Registry, source::{Awaited, ReadError}};
/// # fn host_log() {}
/// # extern "C" fn log(level: u32) { let _ = level; }
/// # llext::exports! { static HOST; fn log(level: u32); }
/// # struct Disk;
/// # impl Disk { async fn read(&mut self, _: u64, _: &mut [u8]) -> Result<(), i32> { Err(5) } }
/// # async fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, disk: &mut Disk, size: u64) -> Result<(), Error> {
/// let mut block = [0; 512];
/// // SAFETY: we trust the extension.
/// let mut load = unsafe { apps.loader(&HOST).start("app", Awaited::new(size, &mut block))? };
/// let read = async |offset, piece: &mut [u8]| {
///     disk.read(offset, piece).await.map_err(|os| ReadError::Failed { os })
/// };
/// let app = load.complete(64, read).await?;
/// # drop(app);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Awaited<'b> {
    size: u64,
    buffer: &'b mut [u8],
    /// Where the piece begins that lies in the buffer, or is to.
    piece: u64,
    state: State,
    /// The read that waits for pieces, and how much of what it is to fill is filled.
    read: u64,
    filled: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Empty,
    Wanted,
    Held,
}

impl<'b> Awaited<'b> {
    /// A file of `size` bytes, read into `buffer`, which must not be empty. It serves one load.
    pub const fn new(size: u64, buffer: &'b mut [u8]) -> Self {
        Self { size, buffer, piece: 0, state: State::Empty, read: 0, filled: 0 }
    }

    /// The piece that a read waits for: where it begins in the file, and where it goes.
    pub(crate) fn wanted(&mut self) -> Option<(u64, &mut [u8])> {
        let len = self.piece_len();
        let piece = self.buffer.get_mut(..len).filter(|_| self.state == State::Wanted)?;
        Some((self.piece, piece))
    }

    /// The piece is there.
    pub(crate) fn arrived(&mut self) {
        self.state = State::Held;
    }

    fn piece_len(&self) -> usize {
        let left = self.size.saturating_sub(self.piece);
        usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len())
    }

    /// What the buffer holds of the file.
    fn held(&self) -> Range<u64> {
        let len = if self.state == State::Held { self.piece_len() } else { 0 };
        self.piece..self.piece + len as u64
    }
}

impl Source for Awaited<'_> {
    fn size(&mut self) -> Result<u64, ReadError> {
        Ok(self.size)
    }

    /// A read that would block is asked again with the same buffer, or more of it: what is filled stays filled.
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let (wanted, size, len) = (buffer.len() as u64, self.size, self.buffer.len() as u64);
        if offset.checked_add(wanted).is_none_or(|end| end > size) {
            return Err(ReadError::PastTheEnd { offset, wanted, size });
        }
        if self.read != offset {
            (self.read, self.filled) = (offset, 0);
        }
        while let Some(rest @ [_, ..]) = buffer.get_mut(self.filled..) {
            let at = offset + self.filled as u64;
            if !self.held().contains(&at) {
                let piece = at.checked_div(len).ok_or(ReadError::Failed { os: 0 })? * len;
                (self.piece, self.state) = (piece, State::Wanted);
                return Err(ReadError::WouldBlock);
            }
            let held = self.buffer.get((at - self.piece) as usize..self.piece_len()).unwrap_or_default();
            rest.iter_mut().zip(held).for_each(|(to, from)| *to = *from);
            self.filled += rest.len().min(held.len());
        }
        self.filled = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    const FILE: &[u8] = b"0123456789";

    /// The pieces that a read of `len` bytes at `offset` waits for, and what it gives.
    fn read<const N: usize>(file: &mut Awaited<'_>, offset: u64) -> (Vec<u64>, [u8; N]) {
        let (mut pieces, mut to) = (Vec::new(), [b'.'; N]);
        while file.read_at(offset, &mut to) == Err(ReadError::WouldBlock) {
            let (at, piece) = file.wanted().unwrap();
            piece.copy_from_slice(&FILE[at as usize..][..piece.len()]);
            pieces.push(at);
            file.arrived();
        }
        assert_eq!(file.wanted(), None);
        (pieces, to)
    }

    #[test]
    fn pieces_are_whole_and_read_once() {
        let mut buffer = [0; 4];
        let mut file = Awaited::new(10, &mut buffer);
        assert_eq!(file.size(), Ok(10));
        assert_eq!(read(&mut file, 1), (vec![0], *b"12"));
        assert_eq!(read(&mut file, 1), (vec![], *b"123"));
        assert_eq!(read(&mut file, 2), (vec![4, 8], *b"23456789"));
        assert_eq!(read(&mut file, 9), (vec![], *b"9"));
        assert_eq!(read(&mut file, 10), (vec![], *b""));
    }

    #[test]
    fn a_read_may_be_asked_again_for_more() {
        let (mut buffer, mut to) = ([0; 4], [b'.'; 6]);
        let mut file = Awaited::new(10, &mut buffer);
        assert_eq!(file.read_at(2, &mut to[..3]), Err(ReadError::WouldBlock));
        file.wanted().unwrap().1.copy_from_slice(b"0123");
        file.arrived();
        assert_eq!(file.read_at(2, &mut to[..3]), Err(ReadError::WouldBlock));
        let (at, piece) = file.wanted().unwrap();
        piece.copy_from_slice(b"4567");
        assert_eq!(at, 4);
        file.arrived();
        assert_eq!(file.read_at(2, &mut to), Ok(()));
        assert_eq!(&to, b"234567");
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let mut file = Awaited::new(10, &mut []);
        assert_eq!(file.read_at(0, &mut [0]), Err(ReadError::Failed { os: 0 }));
        for offset in [9, u64::MAX] {
            let past = ReadError::PastTheEnd { offset, wanted: 2, size: 10 };
            assert_eq!(file.read_at(offset, &mut [0; 2]), Err(past));
        }
    }
}
