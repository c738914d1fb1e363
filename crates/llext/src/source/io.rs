//! Files of file systems that speak `embedded-io`: <https://docs.rs/embedded-io/0.7>

use super::{ReadError, Source};
use embedded_io::{Error, ErrorKind, Read, ReadExactError, Seek, SeekFrom};

/// A stream of `embedded-io` 0.7 that can be read and moved in: the file is what lies between its start and its end.
///
/// It is moved only where a read does not go on where the last one ended. What was interrupted is asked for again.
///
/// ```
/// use llext::source::{EmbeddedIo, Source};
///
/// fn size_of(file: impl embedded_io::Read + embedded_io::Seek) -> Result<u64, llext::source::ReadError> {
///     EmbeddedIo::new(file).size()
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct EmbeddedIo<T> {
    stream: T,
    /// Where the stream stands, if that is known.
    at: Option<u64>,
}

impl<T: Read + Seek> EmbeddedIo<T> {
    /// A source over `stream`, wherever that stands.
    pub const fn new(stream: T) -> Self {
        Self { stream, at: None }
    }

    fn go_to(&mut self, offset: u64) -> Result<(), ReadError> {
        if self.at != Some(offset) {
            self.stream.seek(SeekFrom::Start(offset)).map_err(failed)?;
        }
        Ok(())
    }
}

impl<T: Read + Seek> Source for EmbeddedIo<T> {
    fn size(&mut self) -> Result<u64, ReadError> {
        self.at = None;
        self.stream.seek(SeekFrom::End(0)).map_err(failed)
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        self.go_to(offset)?;
        self.at = None;
        let wanted = buffer.len() as u64;
        match self.stream.read_exact(buffer) {
            Ok(()) => {
                self.at = offset.checked_add(wanted);
                Ok(())
            }
            Err(ReadExactError::UnexpectedEof) => {
                Err(ReadError::PastTheEnd { offset, wanted, size: self.size()? })
            }
            Err(ReadExactError::Other(error)) => Err(failed(error)),
        }
    }
}

fn failed(error: impl Error) -> ReadError {
    match error.kind() {
        ErrorKind::Interrupted => ReadError::WouldBlock,
        _ => ReadError::Failed { os: 0 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that counts how often it is moved, and fails once if it is told to.
    struct Stream {
        bytes: &'static [u8],
        at: usize,
        seeks: usize,
        fails: Option<ErrorKind>,
    }

    fn stream() -> EmbeddedIo<Stream> {
        EmbeddedIo::new(Stream { bytes: b"0123456789", at: 7, seeks: 0, fails: None })
    }

    impl embedded_io::ErrorType for Stream {
        type Error = ErrorKind;
    }

    impl Read for Stream {
        /// Three bytes at a time: short reads are no end.
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorKind> {
            if let Some(kind) = self.fails.take() {
                return Err(kind);
            }
            let left = self.bytes.get(self.at..).unwrap_or_default();
            let len = left.len().min(buffer.len()).min(3);
            buffer[..len].copy_from_slice(&left[..len]);
            self.at += len;
            Ok(len)
        }
    }

    impl Seek for Stream {
        fn seek(&mut self, to: SeekFrom) -> Result<u64, ErrorKind> {
            self.seeks += 1;
            self.at = match to {
                SeekFrom::Start(offset) => usize::try_from(offset).map_err(|_| ErrorKind::InvalidInput)?,
                SeekFrom::End(offset) => self.bytes.len().saturating_add_signed(offset as isize),
                SeekFrom::Current(offset) => self.at.saturating_add_signed(offset as isize),
            };
            Ok(self.at as u64)
        }
    }

    #[test]
    fn a_stream_is_read_at_offsets() {
        let mut source = stream();
        let mut four = [0; 4];
        assert_eq!((source.size(), source.lent()), (Ok(10), None));
        source.read_at(3, &mut four).unwrap();
        assert_eq!(&four, b"3456");
        source.read_at(0, &mut four).unwrap();
        assert_eq!(&four, b"0123");
    }

    #[test]
    fn what_goes_on_is_not_moved() {
        let mut source = stream();
        let mut two = [0; 2];
        for offset in [2, 4, 6] {
            source.read_at(offset, &mut two).unwrap();
        }
        assert_eq!((&two, source.stream.seeks), (b"67", 1));
    }

    #[test]
    fn a_short_read_is_an_error() {
        for offset in [7, 10, 11] {
            let past = ReadError::PastTheEnd { offset, wanted: 4, size: 10 };
            assert_eq!(stream().read_at(offset, &mut [0; 4]), Err(past));
        }
    }

    #[test]
    fn what_fails_is_told_and_what_is_interrupted_goes_on() {
        let mut source = stream();
        let mut two = [0; 2];
        source.stream.fails = Some(ErrorKind::Other);
        assert_eq!(source.read_at(2, &mut two), Err(ReadError::Failed { os: 0 }));
        source.stream.fails = Some(ErrorKind::Interrupted);
        assert_eq!(source.read_at(2, &mut two), Err(ReadError::WouldBlock));
        source.read_at(2, &mut two).unwrap();
        assert_eq!(&two, b"23");
    }
}
