//! The computer that the suite runs on as a process: its files, and its output, by the C library.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::fmt::{self, Write};
use llext::source::{ReadError, Source};

#[link(name = "c")]
unsafe extern "C" {
    fn open(name: *const c_char, flags: c_int, ...) -> c_int;
    fn close(file: c_int) -> c_int;
    fn lseek(file: c_int, offset: isize, from: c_int) -> isize;
    fn pread(file: c_int, buffer: *mut c_void, size: usize, offset: isize) -> isize;
    fn write(file: c_int, buffer: *const c_void, size: usize) -> isize;
    #[link_name = "exit"]
    fn end(status: c_int) -> !;
}

const READ_ONLY: c_int = 0;
const FROM_END: c_int = 2;
const OUTPUT: c_int = 1;

/// A file there.
pub(crate) struct File(c_int);

impl File {
    /// The file of this name in the folder that the process runs in, if there is one.
    pub(crate) fn open(name: &CStr) -> Option<Self> {
        // SAFETY: the name ends with NUL.
        let file = unsafe { open(name.as_ptr(), READ_ONLY) };
        (file >= 0).then_some(Self(file))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: the file is open, and this one's alone.
        unsafe { close(self.0) };
    }
}

impl Source for File {
    fn size(&mut self) -> Result<u64, ReadError> {
        // SAFETY: the file is open.
        u64::try_from(unsafe { lseek(self.0, 0, FROM_END) }).map_err(|_| ReadError::Failed { os: 0 })
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        // SAFETY: the file is open, and the buffer has this size.
        let read = unsafe { pread(self.0, buffer.as_mut_ptr().cast(), buffer.len(), offset as isize) };
        if usize::try_from(read) == Ok(buffer.len()) { Ok(()) } else { Err(ReadError::Failed { os: 0 }) }
    }
}

pub(crate) fn exit(status: i32) -> ! {
    // SAFETY: nothing is expected of whoever calls it.
    unsafe { end(status) }
}

/// Standard output.
pub(crate) struct Output;

impl Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // SAFETY: the text has this size.
        let written = unsafe { write(OUTPUT, text.as_ptr().cast(), text.len()) };
        if usize::try_from(written) == Ok(text.len()) { Ok(()) } else { Err(fmt::Error) }
    }
}

macro_rules! println {
    ($($what:tt)*) => {{
        use core::fmt::Write;
        // Whoever reads it notices what is missing.
        let _ = writeln!($crate::computer::Output, $($what)*);
    }};
}
pub(crate) use println;
