//! The operations of a loader of files: `llext/fs_loader.h`. Files are reached through hooks; on Linux, with the standard
//! library, they need none.

use crate::errno::{EINVAL, ENOTSUP};
use crate::files::STANDARD;
use crate::types::{FileHooks, FsLoader, Loader};
use core::ffi::{c_int, c_void};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering};

static HOOKS: AtomicPtr<FileHooks> = AtomicPtr::new(null_mut());

/// Gives the functions that reach files; null for none.
///
/// # Safety
/// The hooks stay where they are, unchanged, and do what `llext/fs_loader.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_set_file_hooks(hooks: *const FileHooks) {
    HOOKS.store(hooks.cast_mut(), Ordering::Release);
}

fn hooks() -> Option<FileHooks> {
    // SAFETY: whoever gave the hooks vouched for them.
    unsafe { HOOKS.load(Ordering::Acquire).as_ref() }.copied().or(STANDARD)
}

/// # Safety
/// The loader, unless null, begins a `struct llext_fs_loader`, and is nobody else's.
unsafe fn open<'a>(ldr: *mut Loader) -> Result<(&'a mut FsLoader, FileHooks), c_int> {
    // SAFETY: the caller vouches for it.
    let ours = unsafe { ldr.cast::<FsLoader>().as_mut() }.ok_or(-EINVAL)?;
    Ok((ours, hooks().ok_or(-ENOTSUP)?))
}

/// Opens the file: 0, or what the hook says; `-ENOTSUP` without hooks.
///
/// # Safety
/// The loader begins a `struct llext_fs_loader`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_fs_prepare(ldr: *mut Loader) -> c_int {
    // SAFETY: the caller vouches for the loader; its name is a string.
    unsafe {
        let (ours, hooks) = match open(ldr) {
            Ok(both) => both,
            Err(number) => return number,
        };
        let (Some(open), false) = (hooks.open, ours.name.is_null()) else { return -EINVAL };
        let said = open(ours.name, &mut ours.file);
        ours.is_open = said >= 0;
        said.min(0)
    }
}

/// Reads `len` bytes: 0, what the hook says, or `-EINVAL` where there are not so many.
///
/// # Safety
/// As for [`llext_fs_prepare`]; `out` has room for `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_fs_read(ldr: *mut Loader, out: *mut c_void, len: usize) -> c_int {
    // SAFETY: the caller vouches for loader and room; the hook is given what `open` gave.
    unsafe {
        let Ok((FsLoader { is_open: true, file, .. }, FileHooks { read: Some(read), .. })) = open(ldr) else {
            return -EINVAL;
        };
        fill(out, len, |out, len| read(*file, out, len))
    }
}

/// Reads until all `len` bytes are there. `read` says how many came, 0 at the end, or a negative number.
pub(crate) fn fill(out: *mut c_void, len: usize, mut read: impl FnMut(*mut c_void, usize) -> isize) -> c_int {
    let mut done = 0;
    while done < len {
        match read(out.wrapping_byte_add(done), len - done) {
            said @ ..0 => return c_int::try_from(said).unwrap_or(-EINVAL),
            0 => return -EINVAL,
            more if more.unsigned_abs() > len - done => return -EINVAL,
            more => done += more.unsigned_abs(),
        }
    }
    0
}

/// Goes to a position.
///
/// # Safety
/// As for [`llext_fs_prepare`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_fs_seek(ldr: *mut Loader, pos: usize) -> c_int {
    // SAFETY: as above.
    unsafe {
        match open(ldr) {
            Ok((FsLoader { is_open: true, file, .. }, FileHooks { seek: Some(seek), .. })) => {
                seek(*file, pos)
            }
            _ => -EINVAL,
        }
    }
}

/// Closes the file, if it is open.
///
/// # Safety
/// As for [`llext_fs_prepare`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_fs_finalize(ldr: *mut Loader) {
    // SAFETY: as above.
    unsafe {
        let Ok((ours, hooks)) = open(ldr) else { return };
        if core::mem::replace(&mut ours.is_open, false) {
            hooks.close.into_iter().for_each(|close| close(ours.file));
        }
    }
}
