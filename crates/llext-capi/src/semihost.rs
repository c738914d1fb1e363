//! The operations of a loader of the computer's files: `llext/semihost_loader.h`.

use crate::computer;
use crate::errno::EINVAL;
use crate::file::fill;
use crate::types::{Loader, SemihostLoader};
use core::ffi::{CStr, c_int, c_void};

/// No file is open.
const CLOSED: c_int = -1;

/// # Safety
/// The loader, unless null, begins a `struct llext_semihost_loader`, and is nobody else's.
unsafe fn opened<'a>(ldr: *mut Loader) -> Option<&'a mut SemihostLoader> {
    // SAFETY: the caller vouches for it.
    unsafe { ldr.cast::<SemihostLoader>().as_mut() }.filter(|ours| ours.fd != CLOSED)
}

/// Opens the file: 0, `-ENOENT` if that cannot be, `-EIO` if its size cannot be told; `-ENOTSUP` where there is no
/// semihosting.
///
/// # Safety
/// The loader begins a `struct llext_semihost_loader`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_semihost_prepare(ldr: *mut Loader) -> c_int {
    // SAFETY: the caller vouches for the loader.
    let Some(ours) = (unsafe { ldr.cast::<SemihostLoader>().as_mut() }) else { return -EINVAL };
    if ours.filename.is_null() {
        return -EINVAL;
    }
    // SAFETY: its name is a string.
    let fd = match computer::open(unsafe { CStr::from_ptr(ours.filename) }) {
        Ok(fd) => fd,
        Err(number) => return number,
    };
    match computer::size(fd) {
        Ok(size) => {
            (ours.fd, ours.size, ours.total_bytes) = (fd, size, 0);
            0
        }
        Err(number) => {
            computer::close(fd);
            number
        }
    }
}

/// Reads `len` bytes: 0, `-EIO`, or `-EINVAL` where there are not so many.
///
/// # Safety
/// As for [`llext_semihost_prepare`]; `out` has room for `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_semihost_read(ldr: *mut Loader, out: *mut c_void, len: usize) -> c_int {
    // SAFETY: the caller vouches for the loader.
    let Some(ours) = (unsafe { opened(ldr) }) else { return -EINVAL };
    // SAFETY: the caller vouches for the room.
    let said = fill(out, len, |out, len| unsafe { computer::read(ours.fd, out, len) });
    if said == 0 {
        ours.total_bytes = ours.total_bytes.saturating_add(len);
    }
    said
}

/// Goes to a position: 0, `-EIO`, or `-EINVAL` past the end, of which the specification says that it is not defined.
///
/// # Safety
/// As for [`llext_semihost_prepare`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_semihost_seek(ldr: *mut Loader, pos: usize) -> c_int {
    // SAFETY: the caller vouches for the loader.
    match unsafe { opened(ldr) } {
        // SAFETY: the file has that many bytes.
        Some(ours) if pos <= ours.size => unsafe { computer::seek(ours.fd, pos) },
        _ => -EINVAL,
    }
}

/// Closes the file, if it is open.
///
/// # Safety
/// As for [`llext_semihost_prepare`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_semihost_finalize(ldr: *mut Loader) {
    // SAFETY: the caller vouches for the loader.
    if let Some(ours) = unsafe { opened(ldr) } {
        computer::close(core::mem::replace(&mut ours.fd, CLOSED));
    }
}

/// The file's size, bytes; 0 unless it is open.
///
/// # Safety
/// As for [`llext_semihost_prepare`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_semihost_get_size(ldr: *mut Loader) -> usize {
    // SAFETY: the caller vouches for the loader.
    unsafe { opened(ldr) }.map_or(0, |ours| ours.size)
}
