//! littlefs, by <https://docs.rs/littlefs2/0.8>: a file as a source, and a disk in RAM.

use littlefs2::consts::{U2, U64};
use littlefs2::driver::Storage;
use littlefs2::fs;
use littlefs2::io::{self, Error, Read, SeekFrom};
use llext::source::{ReadError, Source};

/// An open file.
pub struct File<'f, 'a, 'b, S: Storage>(pub &'f fs::File<'a, 'b, S>);

impl<S: Storage> Source for File<'_, '_, '_, S> {
    fn size(&mut self) -> Result<u64, ReadError> {
        self.0.len().map(|size| size as u64).map_err(failed)
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let (size, wanted) = (self.size()?, buffer.len() as u64);
        match u32::try_from(offset) {
            Ok(start) if u64::from(start) + wanted <= size => {
                self.0.seek(SeekFrom::Start(start)).map_err(failed)?;
                self.0.read_exact(buffer).map_err(failed)
            }
            _ => Err(ReadError::PastTheEnd { offset, wanted, size }),
        }
    }
}

/// What littlefs says of a failure.
pub fn failed(error: Error) -> ReadError {
    ReadError::Failed { os: error.code() }
}

/// The size of a [`Disk`], bytes.
pub const SIZE: usize = Disk::BLOCK_SIZE * Disk::BLOCK_COUNT;

/// A disk in RAM. Where there is flash, its driver does what these functions do.
pub struct Disk<'d>(pub &'d mut [u8; SIZE]);

impl Storage for Disk<'_> {
    const READ_SIZE: usize = 16;
    const WRITE_SIZE: usize = 16;
    const BLOCK_SIZE: usize = 512;
    const BLOCK_COUNT: usize = 128;
    type CACHE_SIZE = U64;
    type LOOKAHEAD_SIZE = U2;

    fn read(&mut self, at: usize, to: &mut [u8]) -> io::Result<usize> {
        let bytes = self.0.get(at..).and_then(|rest| rest.get(..to.len()));
        to.copy_from_slice(bytes.ok_or(Error::IO)?);
        Ok(to.len())
    }

    fn write(&mut self, at: usize, bytes: &[u8]) -> io::Result<usize> {
        let to = self.0.get_mut(at..).and_then(|rest| rest.get_mut(..bytes.len()));
        to.ok_or(Error::IO)?.copy_from_slice(bytes);
        Ok(bytes.len())
    }

    fn erase(&mut self, at: usize, len: usize) -> io::Result<usize> {
        let bytes = self.0.get_mut(at..).and_then(|rest| rest.get_mut(..len));
        bytes.ok_or(Error::IO)?.fill(0xff);
        Ok(len)
    }
}
