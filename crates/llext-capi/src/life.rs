//! What C does with an extension after its load.

use crate::errno::{EINVAL, ENOENT, ENOSYS};
use crate::hooks::failed;
use crate::symbols::exported;
use crate::table;
use crate::types::{Llext, text};
use core::ffi::{c_char, c_int, c_void};
use core::ptr::null_mut;
use llext::Error;

/// What a function returns that has nothing to give.
fn done(what: &[u8], result: Result<(), Error>) -> c_int {
    result.map_or_else(|error| failed(what, &error), |()| 0)
}

/// Gives one use up: how many remain, extensions that depend on it counted; `*ext` is null if that is none. `-EINVAL` for null,
/// and for an extension that C has unloaded as often as it loaded it.
///
/// # Safety
/// The pointer is null, or to one that is null or came of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_unload(ext: *mut *mut Llext) -> c_int {
    // SAFETY: the caller vouches for the pointer.
    let Some(ext) = (unsafe { ext.as_mut() }) else { return -EINVAL };
    match table::leave(*ext) {
        Ok(0) => {
            *ext = null_mut();
            0
        }
        Ok(remaining) => remaining as c_int,
        Err(error) => failed(b"llext_unload", &error),
    }
}

/// The live extension of this name, which is no more used for that; null if there is none.
///
/// # Safety
/// The name is a string or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_by_name(name: *const c_char) -> *mut Llext {
    // SAFETY: the caller vouches for the name.
    unsafe { text(name) }.map_or(null_mut(), table::find)
}

/// Calls `function` with every live extension, in load order, until it returns something other than 0; what it returned last,
/// 0 if it was not called. It may load and unload what it likes: no lock is held. What is loaded meanwhile is not visited.
///
/// # Safety
/// `function` takes `arg`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_iterate(
    function: Option<unsafe extern "C" fn(*mut Llext, *mut c_void) -> c_int>,
    arg: *mut c_void,
) -> c_int {
    let Some(function) = function else { return -EINVAL };
    let (mut since, until) = (0, table::now());
    while let Some((next, ext, weak)) = table::next(since, until) {
        since = next;
        let Ok(_visited) = weak.enter() else { continue };
        // SAFETY: the caller vouches for the function.
        let said = unsafe { function(ext, arg) };
        if said != 0 {
            return said;
        }
    }
    0
}

/// Calls the exported function `sym_name`, which takes and returns nothing: 0, `-ENOENT`, or `-EINVAL` for an extension that is
/// gone.
///
/// # Safety
/// The export is a function of that kind.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_call_fn(ext: *mut Llext, sym_name: *const c_char) -> c_int {
    // SAFETY: the caller vouches for the name.
    let Some(name) = (unsafe { text(sym_name) }) else { return -EINVAL };
    let _called = match table::enter(ext) {
        Ok(guard) => guard,
        Err(error) => return failed(b"llext_call_fn", &error),
    };
    let Some(address) = exported(ext, name) else { return -ENOENT };
    // SAFETY: the caller vouches for the function; the guard keeps it.
    unsafe { core::mem::transmute::<usize, extern "C" fn()>(address)() };
    0
}

/// Runs the constructors, once: 0; `-EINVAL` if they ran already or the extension is gone, `-EIO` if `llext_init` says no.
///
/// # Safety
/// As for [`llext_load`](crate::load::llext_load): the extension's code runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_bringup(ext: *mut Llext) -> c_int {
    done(b"llext_bringup", table::enter(ext).and_then(|guard| guard.bringup()))
}

/// Runs the destructors, after `llext_bringup`, once; else the last unload does: 0, or `-EINVAL`.
///
/// # Safety
/// No call into the extension is running or follows that needs what the destructors destroy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_teardown(ext: *mut Llext) -> c_int {
    // SAFETY: the caller vouches for it.
    done(b"llext_teardown", table::enter(ext).and_then(|guard| unsafe { guard.teardown() }))
}

/// Brings the extension up, calls `entry` with `user_data`, and tears it down; only the log hears if that cannot be.
///
/// # Safety
/// As for the functions above; `entry` takes `user_data`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_bootstrap(
    ext: *mut Llext,
    entry: Option<unsafe extern "C" fn(*mut c_void)>,
    user_data: *mut c_void,
) {
    let Some(entry) = entry else { return };
    let run = || {
        let guard = table::enter(ext)?;
        guard.bringup()?;
        // SAFETY: the caller vouches for the function, and that nobody else calls the extension.
        unsafe {
            entry(user_data);
            guard.teardown()
        }
    };
    done(b"llext_bootstrap", run());
}

/// The functions that bring an extension up, or take it down, in the order they run: how many, if `pointer` is null; else the
/// one at `index`, and 0. `-EINVAL` past the last, or for an extension that is gone.
///
/// # Safety
/// `pointer` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_get_fn_table_entry(
    ext: *mut Llext,
    is_init: bool,
    pointer: *mut *mut c_void,
    index: usize,
) -> isize {
    let guard = match table::enter(ext) {
        Ok(guard) => guard,
        Err(error) => return failed(b"llext_get_fn_table_entry", &error) as isize,
    };
    let (up, down) = (is_init.then(|| guard.constructors()), (!is_init).then(|| guard.destructors()));
    let mut functions = up.into_iter().flatten().chain(down.into_iter().flatten());
    // SAFETY: the caller vouches for the pointer.
    let Some(pointer) = (unsafe { pointer.as_mut() }) else { return functions.count() as isize };
    match functions.nth(index) {
        Some(function) => {
            *pointer = core::ptr::without_provenance_mut(function);
            0
        }
        None => -EINVAL as isize,
    }
}

/// There are no memory domains here: `-ENOSYS`, as LLEXT says without user mode.
#[unsafe(no_mangle)]
pub extern "C" fn llext_add_domain(_ext: *mut Llext, _domain: *mut c_void) -> c_int {
    -ENOSYS
}
