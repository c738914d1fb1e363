//! Flash and other media behind a driver that speaks `embedded-storage`: <https://docs.rs/embedded-storage/0.3>

use super::{ReadError, Source};
use embedded_storage::ReadStorage;

/// A file that lies in one piece on a medium of `embedded-storage` 0.3.
///
/// Flash that is seen in memory lends its bytes better as a slice: [`Static`](super::Static).
///
/// ```
/// use llext::source::{EmbeddedStorage, Source};
///
/// fn second_slot(flash: impl embedded_storage::ReadStorage) -> impl Source {
///     EmbeddedStorage::new(flash, 0x1_0000, 0x8000)
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct EmbeddedStorage<T> {
    medium: T,
    offset: u32,
    size: u32,
}

impl<T: ReadStorage> EmbeddedStorage<T> {
    /// The `size` bytes at `offset` of `medium`.
    pub const fn new(medium: T, offset: u32, size: u32) -> Self {
        Self { medium, offset, size }
    }

    /// Where on the medium a read begins, if it lies in the file.
    fn place(&self, offset: u64, wanted: u64) -> Option<u32> {
        let end = offset.checked_add(wanted).filter(|end| *end <= self.size.into());
        end.and_then(|_| self.offset.checked_add(u32::try_from(offset).ok()?))
    }
}

impl<T: ReadStorage> Source for EmbeddedStorage<T> {
    fn size(&mut self) -> Result<u64, ReadError> {
        Ok(self.size.into())
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let wanted = buffer.len() as u64;
        let past = ReadError::PastTheEnd { offset, wanted, size: self.size.into() };
        let place = self.place(offset, wanted).ok_or(past)?;
        self.medium.read(place, buffer).map_err(|_| ReadError::Failed { os: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Flash(&'static [u8]);

    impl ReadStorage for Flash {
        type Error = ();

        fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), ()> {
            let found = self.0.get(offset as usize..).and_then(|tail| tail.get(..bytes.len())).ok_or(())?;
            bytes.copy_from_slice(found);
            Ok(())
        }

        fn capacity(&self) -> usize {
            self.0.len()
        }
    }

    #[test]
    fn a_file_is_a_piece_of_the_medium() {
        let mut source = EmbeddedStorage::new(Flash(b"0123456789"), 2, 6);
        let mut four = [0; 4];
        source.read_at(1, &mut four).unwrap();
        assert_eq!((&four, source.size(), source.lent()), (b"3456", Ok(6), None));
        source.read_at(2, &mut four).unwrap();
        assert_eq!(&four, b"4567");
    }

    #[test]
    fn nothing_beside_the_file_is_read() {
        let mut source = EmbeddedStorage::new(Flash(b"0123456789"), 2, 6);
        for offset in [3, 6, 7, u64::MAX] {
            let past = ReadError::PastTheEnd { offset, wanted: 4, size: 6 };
            assert_eq!(source.read_at(offset, &mut [0; 4]), Err(past));
        }
        let mut last = EmbeddedStorage::new(Flash(b""), u32::MAX, 8);
        assert!(matches!(last.read_at(2, &mut [0; 4]), Err(ReadError::PastTheEnd { .. })));
    }

    #[test]
    fn what_the_driver_cannot_read_is_told() {
        let mut source = EmbeddedStorage::new(Flash(b"0123456789"), 8, 6);
        assert_eq!(source.read_at(0, &mut [0; 4]), Err(ReadError::Failed { os: 0 }));
    }
}
