//! The computer that the emulator runs on, asked by semihosting: its files, and its output.

use core::ffi::CStr;
use llext::source::{ReadError, Source};
use semihosting::fs;
use semihosting::io::{self, Read, Seek, SeekFrom};

#[cfg(feature = "suite")]
pub(crate) use semihosting::{println, process::exit};

/// A file there.
pub(crate) struct File(fs::File);

impl File {
    /// The file of this name in the folder that the emulator runs in, if there is one.
    pub(crate) fn open(name: &CStr) -> Option<Self> {
        fs::File::open(name).ok().map(Self)
    }
}

impl Source for File {
    fn size(&mut self) -> Result<u64, ReadError> {
        Ok(self.0.metadata().map_err(failed)?.len())
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        self.0.seek(SeekFrom::Start(offset)).map_err(failed)?;
        self.0.read_exact(buffer).map_err(failed)
    }
}

fn failed(error: io::Error) -> ReadError {
    ReadError::Failed { os: error.raw_os_error().unwrap_or(0) }
}
