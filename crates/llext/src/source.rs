//! Where the bytes of an ELF file come from: memory that lends them, or a medium that is read.
//!
//! A source is read at offsets and never mapped: a file that is mapped can be changed or cut short
//! while it is being linked.

use core::fmt;

mod awaited;
#[cfg(feature = "embedded-io-07")]
mod io;
#[cfg(feature = "embedded-storage-03")]
mod storage;

pub use awaited::Awaited;
#[cfg(feature = "embedded-io-07")]
pub use io::EmbeddedIo;
#[cfg(feature = "embedded-storage-03")]
pub use storage::EmbeddedStorage;

/// An ELF file, as the loader reads it.
///
/// What is lent is not read. Of a file that is only read, each byte of an object is read once, but relocations twice: to
/// count what they need, and to apply them. One read brings those of tables that lie side by side, 64 with their
/// addends (1,024 with the feature `std`); what the last read of the count brought is not read again. All else takes one
/// read for each table and each section that is loaded, and one for every 24 section headers (19 of 32 bits; 16 times
/// as many with `std`). Only where a RISC-V object's lower parts of addresses stand before their upper parts, the
/// relocations of that section are read once more. A shared object is copied in one read a segment and linked from the
/// copy; its headers, read before, are read again as part of it.
///
/// ```
/// use llext::source::{ReadError, Source};
///
/// /// A file that lies in one piece on a card.
/// struct OnCard { first: u64, size: u64 }
/// # fn read_card(_: u64, _: &mut [u8]) -> Result<(), i32> { Ok(()) }
///
/// impl Source for OnCard {
///     fn size(&mut self) -> Result<u64, ReadError> {
///         Ok(self.size)
///     }
///
///     fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
///         let (wanted, size) = (buffer.len() as u64, self.size);
///         if offset.checked_add(wanted).is_none_or(|end| end > size) {
///             return Err(ReadError::PastTheEnd { offset, wanted, size });
///         }
///         // The driver's own number says why it failed.
///         read_card(self.first + offset, buffer).map_err(|os| ReadError::Failed { os })
///     }
/// }
/// ```
pub trait Source {
    /// The size of the file in bytes.
    fn size(&mut self) -> Result<u64, ReadError>;

    /// Fills `buffer` with the bytes at `offset`. A short read is an error, never a success.
    ///
    /// [`ReadError::WouldBlock`] means "ask again later". The next read is then at the same offset again and into the same
    /// buffer, of which it may be less or more: a source may fill it bit by bit.
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError>;

    /// The whole file, when it lies in memory already and stays unchanged while the source lives.
    fn lent(&self) -> Option<&[u8]> {
        None
    }

    /// Whether the file's bytes stay while its extension lives: then [`Source::storage`] gives them.
    fn lasts(&self) -> bool {
        false
    }

    /// What may be done with bytes that last. Asked once, when a load begins to read; what was given then is the
    /// extension's, even if the load fails.
    fn storage(&mut self) -> Storage {
        Storage::Temporary
    }

    /// What tells this file from others, if anything does: two sources with equal identities hold
    /// equal bytes.
    fn identity(&self) -> Option<Identity> {
        None
    }
}

/// How long a file's bytes stay, and who may change them: LLEXT's storage types.
#[derive(Debug, Default)]
pub enum Storage {
    /// No longer than the load: all that the extension needs is copied.
    #[default]
    Temporary,
    /// For ever, and unchanged. Constants without relocations are used where they lie, and so is code without
    /// relocations where the loader is told that it can run there
    /// ([`Loader::code_in_place`](crate::Loader::code_in_place)).
    Persistent(&'static [u8]),
    /// For ever, and the loader's own: constants and variables are relocated and used where they lie, and so is code
    /// where the loader is told that it can run there.
    Writable(&'static mut [u8]),
}

/// Why a source could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadError {
    /// The bytes are not there yet; the same read may succeed later.
    WouldBlock,
    /// The medium failed.
    Failed {
        /// The number the system or the driver gave for the failure, 0 if it gave none.
        os: i32,
    },
    /// The read reaches past the end of the file.
    PastTheEnd {
        /// Where the read began, in bytes from the start of the file.
        offset: u64,
        /// How many bytes it was to fill.
        wanted: u64,
        /// The size of the file in bytes.
        size: u64,
    },
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::WouldBlock => f.write_str("source: not ready to be read"),
            Self::Failed { os } => write!(f, "source: reading failed (system error {os})"),
            Self::PastTheEnd { offset, wanted, size } => {
                write!(f, "source: read past the end ({wanted} bytes at {offset}, the file has {size})")
            }
        }
    }
}

impl core::error::Error for ReadError {}

/// What tells one file from another: see [`Source::identity`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity([u64; 5]);

impl Identity {
    /// The identity of bytes in memory: where they lie and how many they are.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        // No file has this count of nanoseconds, so bytes are never taken for a file.
        Self([bytes.as_ptr().addr() as u64, bytes.len() as u64, 0, 0, u64::MAX])
    }

    /// What it is made of.
    #[cfg(feature = "save")]
    pub(crate) const fn numbers(self) -> [u64; 5] {
        self.0
    }

    /// The identity that is made of these.
    #[cfg(feature = "save")]
    pub(crate) const fn of_numbers(numbers: [u64; 5]) -> Self {
        Self(numbers)
    }

    /// The identity of a file: where it is kept, its size, and when it was last changed (in seconds,
    /// and the nanoseconds beyond them).
    pub const fn of_file(device: u64, inode: u64, size: u64, seconds: u64, nanoseconds: u32) -> Self {
        Self([device, inode, size, seconds, nanoseconds as u64])
    }
}

impl Source for &[u8] {
    fn size(&mut self) -> Result<u64, ReadError> {
        Ok(self.len() as u64)
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        copy_at(self, offset, buffer)
    }

    fn lent(&self) -> Option<&[u8]> {
        Some(self)
    }
}

/// Bytes that stay what they are for ever, as those in flash do: their place tells them from others, and what needs no
/// change is used where it lies ([`Storage::Persistent`]).
///
/// A plain slice has no identity: its memory may hold another file by the next load. All of it that an extension needs is
/// copied.
#[derive(Clone, Copy, Debug)]
pub struct Static(pub &'static [u8]);

impl Source for Static {
    fn size(&mut self) -> Result<u64, ReadError> {
        Ok(self.0.len() as u64)
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        copy_at(self.0, offset, buffer)
    }

    fn lent(&self) -> Option<&[u8]> {
        Some(self.0)
    }

    fn lasts(&self) -> bool {
        true
    }

    fn storage(&mut self) -> Storage {
        Storage::Persistent(self.0)
    }

    fn identity(&self) -> Option<Identity> {
        Some(Identity::of_bytes(self.0))
    }
}

/// Bytes in RAM that become the extension: they are linked and used where they lie ([`Storage::Writable`]).
///
/// They belong to the first load that reads them, which changes them: whoever wants their room again, for another file
/// once that extension is gone, has to vouch for that and make the slice anew from its address.
///
/// ```
/// # use llext::{Error, NoopRawMutex, Pool, Registry, source::Writable};
/// # fn host_log() {}
/// # extern "C" fn log(level: u32) { let _ = level; }
/// # llext::exports! { static HOST; fn log(level: u32); }
/// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, received: &'static mut [u8]) -> Result<(), Error> {
/// // SAFETY: we trust the extension.
/// let app = unsafe { apps.loader(&HOST).load("app", Writable::new(received))? };
/// # drop(app);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Writable(&'static mut [u8]);

impl Writable {
    /// The file that `bytes` hold.
    pub fn new(bytes: &'static mut [u8]) -> Self {
        Self(bytes)
    }
}

impl Source for Writable {
    fn size(&mut self) -> Result<u64, ReadError> {
        Ok(self.0.len() as u64)
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        copy_at(self.0, offset, buffer)
    }

    fn lent(&self) -> Option<&[u8]> {
        Some(self.0)
    }

    fn lasts(&self) -> bool {
        true
    }

    fn storage(&mut self) -> Storage {
        Storage::Writable(core::mem::take(&mut self.0))
    }
}

/// Bytes in memory that are read into buffers and never lent, as if they lay on a slow medium.
#[derive(Clone, Copy, Debug)]
pub struct ReadOnly<'a>(pub &'a [u8]);

impl Source for ReadOnly<'_> {
    fn size(&mut self) -> Result<u64, ReadError> {
        Ok(self.0.len() as u64)
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        copy_at(self.0, offset, buffer)
    }
}

impl<S: Source + ?Sized> Source for &mut S {
    fn size(&mut self) -> Result<u64, ReadError> {
        (**self).size()
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        (**self).read_at(offset, buffer)
    }

    fn lent(&self) -> Option<&[u8]> {
        (**self).lent()
    }

    fn lasts(&self) -> bool {
        (**self).lasts()
    }

    fn storage(&mut self) -> Storage {
        (**self).storage()
    }

    fn identity(&self) -> Option<Identity> {
        (**self).identity()
    }
}

fn copy_at(bytes: &[u8], offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
    let from = usize::try_from(offset).ok().and_then(|start| bytes.get(start..));
    match from.and_then(|tail| tail.get(..buffer.len())) {
        Some(found) => {
            buffer.copy_from_slice(found);
            Ok(())
        }
        None => Err(ReadError::PastTheEnd { offset, wanted: buffer.len() as u64, size: bytes.len() as u64 }),
    }
}

#[cfg(all(feature = "std", unix))]
mod file {
    use super::{Identity, ReadError, Source};
    use std::io;
    use std::os::unix::fs::{FileExt, MetadataExt};
    use std::path::Path;

    /// A file of the operating system, read with `pread`: its own position stays where it is.
    #[derive(Debug)]
    pub struct File(std::fs::File);

    impl File {
        /// Opens the file at `path` for reading.
        pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
            std::fs::File::open(path).map(Self)
        }
    }

    impl From<std::fs::File> for File {
        fn from(file: std::fs::File) -> Self {
            Self(file)
        }
    }

    impl Source for File {
        fn size(&mut self) -> Result<u64, ReadError> {
            Ok(self.0.metadata()?.len())
        }

        fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
            self.0.read_exact_at(buffer, offset).map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => {
                    let size = self.0.metadata().map_or(0, |facts| facts.len());
                    ReadError::PastTheEnd { offset, wanted: buffer.len() as u64, size }
                }
                _ => error.into(),
            })
        }

        fn identity(&self) -> Option<Identity> {
            let facts = self.0.metadata().ok()?;
            let nanoseconds = u32::try_from(facts.mtime_nsec()).ok()?;
            Some(Identity::of_file(facts.dev(), facts.ino(), facts.len(), facts.mtime() as u64, nanoseconds))
        }
    }

    impl From<io::Error> for ReadError {
        fn from(error: io::Error) -> Self {
            match error.kind() {
                io::ErrorKind::WouldBlock => Self::WouldBlock,
                _ => Self::Failed { os: error.raw_os_error().unwrap_or(0) },
            }
        }
    }
}

#[cfg(all(feature = "std", unix))]
pub use file::File;

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn a_slice_is_read_and_lent() {
        let mut slice: &[u8] = b"0123456789";
        let mut four = [0; 4];
        slice.read_at(3, &mut four).unwrap();
        assert_eq!(&four, b"3456");
        assert_eq!(slice.size(), Ok(10));
        assert_eq!(slice.lent(), Some(&b"0123456789"[..]));
        slice.read_at(10, &mut []).unwrap();
    }

    #[test]
    fn a_short_read_is_an_error() {
        let mut slice: &[u8] = b"0123456789";
        for offset in [7, 10, 11, u64::MAX] {
            let past = ReadError::PastTheEnd { offset, wanted: 4, size: 10 };
            assert_eq!(slice.read_at(offset, &mut [0; 4]), Err(past));
            assert_eq!(ReadOnly(slice).read_at(offset, &mut [0; 4]), Err(past));
        }
    }

    #[test]
    fn a_slice_to_read_is_never_lent() {
        let mut source = ReadOnly(b"0123456789");
        assert_eq!(source.lent(), None);
        let mut two = [0; 2];
        Source::read_at(&mut &mut source, 8, &mut two).unwrap();
        assert_eq!(&two, b"89");
    }

    #[test]
    fn identities_tell_bytes_apart() {
        let bytes: &'static [u8] = b"0123456789";
        let identity = |bytes| Static(bytes).identity();
        assert_eq!(identity(bytes), identity(bytes));
        assert_ne!(identity(bytes), identity(&bytes[1..]));
        assert_ne!(identity(bytes), identity(&bytes[..9]));
        let at = bytes.as_ptr().addr() as u64;
        assert_ne!(identity(bytes), Some(Identity::of_file(at, 10, 0, 0, 0)));
    }

    #[test]
    fn a_slice_has_no_identity() {
        assert_eq!(b"0123456789".as_slice().identity(), None);
        assert_eq!(ReadOnly(b"0123456789").identity(), None);
    }

    #[test]
    fn errors_say_what_was_found() {
        let past = ReadError::PastTheEnd { offset: 7, wanted: 4, size: 10 };
        assert_eq!(past.to_string(), "source: read past the end (4 bytes at 7, the file has 10)");
        assert_eq!(ReadError::WouldBlock.to_string(), "source: not ready to be read");
        assert_eq!(ReadError::Failed { os: 5 }.to_string(), "source: reading failed (system error 5)");
    }

    #[cfg(all(feature = "std", unix))]
    #[test]
    fn a_file_is_read_at_offsets() {
        let path = std::env::temp_dir().join(std::format!("llext-source-{}", std::process::id()));
        std::fs::write(&path, b"0123456789").unwrap();
        let mut file = File::open(&path).unwrap();
        let before = file.identity();
        let mut four = [0; 4];
        file.read_at(3, &mut four).unwrap();
        assert_eq!((&four, file.size(), file.lent()), (b"3456", Ok(10), None));
        let past = ReadError::PastTheEnd { offset: 8, wanted: 4, size: 10 };
        assert_eq!(file.read_at(8, &mut four), Err(past));
        assert_eq!(before, File::open(&path).unwrap().identity());
        std::fs::write(&path, b"0123456789ab").unwrap();
        assert_ne!(before, file.identity());
        std::fs::remove_file(&path).unwrap();
    }

    #[cfg(all(feature = "std", unix))]
    #[test]
    fn what_the_system_says_is_kept() {
        let mut folder = File::open(std::env::temp_dir()).unwrap();
        assert!(matches!(folder.read_at(0, &mut [0; 4]), Err(ReadError::Failed { os }) if os != 0));
        assert!(File::open("/no/such/file").is_err());
    }
}
