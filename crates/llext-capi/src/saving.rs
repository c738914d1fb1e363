//! Extensions that outlive the program's own data: written down, and live again without being linked.
//!
//! LLEXT leaves the writing to its caller, who copies structures; here `llext_save` and `llext_restore_saved` do it, and
//! LLEXT's two functions are what is left to do with such copies.

use crate::errno::{EINVAL, ENOENT};
use crate::heap::{EXTENSIONS, Handle};
use crate::hooks::failed;
use crate::regions::{exports, seen};
use crate::table::{self, Loaded};
use crate::types::{Llext, Loader, NAME};
use core::ffi::{CStr, c_int, c_uint, c_void};
use core::slice;
use llext::Error;

#[cfg(all(feature = "std", target_os = "linux"))]
mod memory {
    use super::{Handle, c_int};
    use crate::errno::ENOSYS;

    /// The process's memory goes with the process.
    pub(super) unsafe fn save(_: &mut [u8]) -> Result<usize, c_int> {
        Err(-ENOSYS)
    }

    pub(super) unsafe fn restore(_: &[u8], _: &mut dyn FnMut(Handle)) -> Result<usize, c_int> {
        Err(-ENOSYS)
    }
}

#[cfg(not(all(feature = "std", target_os = "linux")))]
mod memory {
    use super::{Error, Handle, c_int, failed};
    use crate::heap::registry;
    use crate::symbols::Builtins;
    use crate::table;
    use llext::registry::Contents;

    /// # Safety
    /// As for [`llext_save`](super::llext_save).
    pub(super) unsafe fn save(saved: &mut [u8]) -> Result<usize, c_int> {
        // SAFETY: the caller vouches for it.
        match unsafe { registry().loader(&Builtins).save(Contents::Constant, saved) } {
            Err(Error::SaveTooSmall { wanted, .. }) => Ok(wanted as usize),
            said => said.map_err(|error| failed(b"llext_save", &error)),
        }
    }

    /// # Safety
    /// As for [`llext_restore_saved`](super::llext_restore_saved).
    pub(super) unsafe fn restore(saved: &[u8], each: &mut dyn FnMut(Handle)) -> Result<usize, c_int> {
        let loader = registry().loader(&Builtins).on_leaving(table::ended);
        // SAFETY: the caller vouches for it.
        unsafe { loader.restore(saved, each) }.map_err(|error| failed(b"llext_restore_saved", &error))
    }
}

/// Writes down what is linked: how many bytes that are. If there is no room for so many, nothing of use was written; null and 0
/// ask for their number. The extensions stay as they are.
///
/// `-EBUSY` while one of them is coming, going or running, `-ENOTSUP` for one that cannot be saved, `-ENOSYS` where there is no
/// heap.
///
/// # Safety
/// The bytes are writable. Nobody is in another function of this library, or in an extension.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_save(saved: *mut c_void, size: usize) -> isize {
    let bytes = match saved.is_null() {
        true if size > 0 => return -EINVAL as isize,
        true => &mut [][..],
        // SAFETY: the caller vouches for the bytes.
        false => unsafe { slice::from_raw_parts_mut(saved.cast(), size) },
    };
    // SAFETY: as above.
    unsafe { memory::save(bytes) }.map_or_else(|number| number as isize, |wanted| wanted as isize)
}

/// Makes the extensions that were written down live again where they lie, in a heap that was just given and is the memory they
/// were in: how many. Each is used once, however often it was loaded. No constructor runs.
///
/// `-EFAULT` if bytes, program, exports or memory are not as they were, `-EBUSY` if something was loaded already: then nothing
/// has changed. `-ENOMEM` if there is no memory for a table of exports: then all are gone.
///
/// # Safety
/// The heap holds what it held, and this is the program that saved it. Nobody is in another function of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_restore_saved(saved: *const c_void, size: usize) -> c_int {
    if saved.is_null() {
        return -EINVAL;
    }
    let (mut shown, mut error) = ([core::ptr::null_mut(); EXTENSIONS], None);
    let mut places = shown.iter_mut();
    let mut each = |handle| match (show(handle), places.next()) {
        (Ok(ext), Some(place)) => *place = ext,
        (Err(why), _) => error = error.or(Some(why)),
        (Ok(_), None) => {}
    };
    // SAFETY: the caller vouches for bytes and memory.
    let said = unsafe { memory::restore(slice::from_raw_parts(saved.cast(), size), &mut each) };
    match error {
        None => said.map_or_else(|number| number, |count| count as c_int),
        Some(error) => {
            for ext in shown.iter().filter(|ext| !ext.is_null()) {
                let _ = table::leave(*ext);
            }
            failed(b"llext_restore_saved", &error)
        }
    }
}

/// Shows C an extension that is live again.
fn show(handle: Handle) -> Result<*mut Llext, Error> {
    let mut seen = seen(&handle, &(0..0));
    let (exports, exp_tab) = exports(&handle)?;
    seen.alloc_size += exports.as_ref().map_or(0, |lease| lease.bytes().len());
    seen.exp_tab = exp_tab;
    table::add(Loaded { handle, seen, exports, inspection: None, contents: None })
}

/// The name in a copy of a structure.
///
/// # Safety
/// The pointer is to one.
unsafe fn name_of<'a>(copy: *const Llext) -> Option<&'a CStr> {
    // SAFETY: the caller vouches for it; a name is bytes, whatever their sign.
    let name = unsafe { slice::from_raw_parts((&raw const (*copy).name).cast(), NAME) };
    CStr::from_bytes_until_nul(name).ok()
}

/// Makes the dependencies in an array of copies of live structures refer to each other's copies instead. 0; `-ENOENT` if the
/// array lacks one: then nothing has changed.
///
/// # Safety
/// The pointer is null or to `n_ext` copies.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_relink_dependency(ext: *mut Llext, n_ext: c_uint) -> c_int {
    if ext.is_null() {
        return -EINVAL;
    }
    let copies = (0..n_ext as usize).map(|at| ext.wrapping_add(at));
    let copy_of = |dependency: *mut Llext| {
        let name = table::name_of(dependency)?;
        // SAFETY: the caller vouches for the copies.
        let is_it =
            |copy: &*mut Llext| unsafe { name_of(*copy) }.map(CStr::to_bytes) == Some(name.as_bytes());
        copies.clone().find(is_it)
    };
    let is_copy = |dependency: *mut Llext| copies.clone().any(|copy| copy == dependency);
    for change in [false, true] {
        for copy in copies.clone() {
            // SAFETY: as above.
            let dependencies = unsafe { &mut (*copy).dependency };
            for dependency in dependencies.iter_mut().filter(|to| !to.is_null() && !is_copy(**to)) {
                let Some(to) = copy_of(*dependency) else { return -ENOENT };
                if change {
                    *dependency = to;
                }
            }
        }
    }
    0
}

/// After [`llext_restore_saved`]: makes each pointer to a copy of a structure one to the live structure of this name; null stays
/// null. Loaders stay as they are. 0; `-ENOENT` if one is not live: then nothing has changed.
///
/// # Safety
/// The pointers are null, or to `n_ext` pointers, each null or to a copy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_restore(ext: *mut *mut Llext, _ldr: *mut *mut Loader, n_ext: c_uint) -> c_int {
    if ext.is_null() {
        return -EINVAL;
    }
    // SAFETY: the caller vouches for the pointers.
    let pointers = unsafe { slice::from_raw_parts_mut(ext, n_ext as usize) };
    for change in [false, true] {
        for pointer in pointers.iter_mut().filter(|pointer| !pointer.is_null()) {
            // SAFETY: as above.
            let Some(name) = (unsafe { name_of(*pointer) }) else { return -EINVAL };
            let live = table::find(name.to_bytes());
            if live.is_null() {
                return -ENOENT;
            }
            if change {
                *pointer = live;
            }
        }
    }
    0
}
