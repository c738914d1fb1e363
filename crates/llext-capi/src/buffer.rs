//! The operations of a buffer loader: `llext/buf_loader.h`.

use crate::errno::EINVAL;
use crate::types::{BufLoader, Loader};
use core::ffi::{c_int, c_void};
use core::ptr::null_mut;

/// Reads `len` bytes. `-EINVAL`, and nothing read, where there are not so many.
///
/// # Safety
/// The loader begins a `struct llext_buf_loader`, and `out` has room for `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_buf_read(ldr: *mut Loader, out: *mut c_void, len: usize) -> c_int {
    // SAFETY: the caller vouches for the loader.
    let Some(ours) = (unsafe { ldr.cast::<BufLoader>().as_mut() }) else { return -EINVAL };
    if ours.buf.is_null() || out.is_null() || ours.len.checked_sub(ours.pos).is_none_or(|left| left < len) {
        return -EINVAL;
    }
    // SAFETY: the buffer has that many bytes from here, and `out` has room for them.
    unsafe { out.cast::<u8>().copy_from(ours.buf.add(ours.pos), len) };
    ours.pos += len;
    0
}

/// Goes to a position; past the end, to the end.
///
/// # Safety
/// As for [`llext_buf_read`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_buf_seek(ldr: *mut Loader, pos: usize) -> c_int {
    // SAFETY: the caller vouches for the loader.
    let Some(ours) = (unsafe { ldr.cast::<BufLoader>().as_mut() }) else { return -EINVAL };
    ours.pos = pos.min(ours.len);
    0
}

/// Where the byte at `pos` lies; null past the end.
///
/// # Safety
/// As for [`llext_buf_read`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_buf_peek(ldr: *mut Loader, pos: usize) -> *mut c_void {
    // SAFETY: the caller vouches for the loader.
    match unsafe { ldr.cast::<BufLoader>().as_ref() } {
        Some(ours) if !ours.buf.is_null() && pos < ours.len => ours.buf.wrapping_add(pos).cast_mut().cast(),
        _ => null_mut(),
    }
}

/// The buffer's size, bytes.
///
/// # Safety
/// As for [`llext_buf_read`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_buf_get_size(ldr: *mut Loader) -> usize {
    // SAFETY: the caller vouches for the loader.
    unsafe { ldr.cast::<BufLoader>().as_ref() }.map_or(0, |ours| ours.len)
}
