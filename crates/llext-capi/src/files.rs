//! The files of the operating system, as hooks.

use crate::types::FileHooks;

#[cfg(not(feature = "std"))]
pub(crate) const STANDARD: Option<FileHooks> = None;

#[cfg(feature = "std")]
pub(crate) use standard::STANDARD;

#[cfg(feature = "std")]
mod standard {
    use super::FileHooks;
    use crate::errno::{EINVAL, EIO};
    use core::ffi::{CStr, c_char, c_int, c_void};
    use std::boxed::Box;
    use std::fs::File;
    use std::io::{Error, Read, Seek, SeekFrom};

    pub(crate) const STANDARD: Option<FileHooks> =
        Some(FileHooks { open: Some(open), read: Some(read), seek: Some(seek), close: Some(close) });

    fn number(error: Error) -> c_int {
        -error.raw_os_error().unwrap_or(EIO)
    }

    unsafe extern "C" fn open(path: *const c_char, file: *mut *mut c_void) -> c_int {
        // SAFETY: `llext_fs_prepare` hands on a string.
        let Ok(path) = unsafe { CStr::from_ptr(path) }.to_str() else { return -EINVAL };
        match File::open(path) {
            Ok(opened) => {
                // SAFETY: it also lends the place.
                unsafe { *file = Box::into_raw(Box::new(opened)).cast() };
                0
            }
            Err(error) => number(error),
        }
    }

    unsafe extern "C" fn read(file: *mut c_void, out: *mut c_void, len: usize) -> isize {
        // SAFETY: `open` made the file; `out` has room, which need not hold anything: it is zeroed here.
        let (file, out) = unsafe {
            out.cast::<u8>().write_bytes(0, len);
            (&mut *file.cast::<File>(), core::slice::from_raw_parts_mut(out.cast::<u8>(), len))
        };
        file.read(out).map_or_else(|error| number(error) as isize, |read| read as isize)
    }

    unsafe extern "C" fn seek(file: *mut c_void, position: usize) -> c_int {
        // SAFETY: as above.
        let file = unsafe { &mut *file.cast::<File>() };
        file.seek(SeekFrom::Start(position as u64)).map_or_else(number, |_| 0)
    }

    unsafe extern "C" fn close(file: *mut c_void) {
        // SAFETY: `open` made it, and it is closed once.
        drop(unsafe { Box::from_raw(file.cast::<File>()) });
    }
}
