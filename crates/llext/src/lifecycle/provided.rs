//! The functions that the run time provides to every extension, before the host is asked.

use super::context::{Context, Exit};
use crate::lock::{NoopRawMutex, RawMutex};
use core::ffi::{c_int, c_void};
use llext_link::symbol::BOUND;

/// A function that the run time provides to every extension, before the host is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Provided {
    /// At this address.
    Plain(usize),
    /// At this address, and called through the binding stub of this number: it must be told who calls.
    Bound(usize, usize),
}

/// What the run time provides under `name`.
pub(crate) fn provided<R: RawMutex>(name: &[u8]) -> Option<Provided> {
    Some(match name {
        b"__cxa_atexit" => Provided::Bound(0, cxa_atexit::<R> as *const () as usize),
        b"atexit" => Provided::Bound(1, atexit::<R> as *const () as usize),
        b"__aeabi_atexit" => Provided::Bound(3, aeabi_atexit::<R> as *const () as usize),
        b"__cxa_finalize" => Provided::Plain(cxa_finalize as *const () as usize),
        b"llext_panic" => Provided::Bound(2, llext_panic::<R> as *const () as usize),
        _ => return None,
    })
}

/// Whether the run time itself provides the function called `name`, to every extension its own: no host has to.
///
/// ```
/// assert!(llext::is_provided(b"__cxa_atexit"));
/// assert!(!llext::is_provided(b"printf"));
/// ```
pub fn is_provided(name: &[u8]) -> bool {
    provided::<NoopRawMutex>(name).is_some()
}

/// The functions that are called through the binding stubs, in the order of the stubs.
pub(crate) fn bound<R: RawMutex>() -> [usize; BOUND] {
    [
        cxa_atexit::<R> as *const () as usize,
        atexit::<R> as *const () as usize,
        llext_panic::<R> as *const () as usize,
        aeabi_atexit::<R> as *const () as usize,
    ]
}

/// `atexit`, bound: the third argument is not its caller's.
extern "C" fn atexit<R: RawMutex>(
    function: unsafe extern "C" fn(*mut c_void),
    _: *mut c_void,
    context: *const Context<R>,
) -> c_int {
    // A function without parameters ignores the argument it will be given.
    cxa_atexit::<R>(function, core::ptr::null_mut(), context)
}

/// Registers a destructor; 0 when it was registered, else there was no room.
extern "C" fn cxa_atexit<R: RawMutex>(
    function: unsafe extern "C" fn(*mut c_void),
    argument: *mut c_void,
    context: *const Context<R>,
) -> c_int {
    // SAFETY: `context` is the `__dso_handle` that the loader gave the extension.
    let context = unsafe { &*context };
    c_int::from(!context.at_exit(Exit { function, argument }))
}

/// `__cxa_atexit` as code for arm calls it:
/// <https://github.com/ARM-software/abi-aa/blob/main/cppabi32/cppabi32.rst> (`__aeabi_atexit`).
extern "C" fn aeabi_atexit<R: RawMutex>(
    argument: *mut c_void,
    function: unsafe extern "C" fn(*mut c_void),
    context: *const Context<R>,
) -> c_int {
    cxa_atexit::<R>(function, argument, context)
}

/// Unloading runs the registered destructors itself.
extern "C" fn cxa_finalize(_: *mut c_void) {}

extern "C" fn llext_panic<R: RawMutex>(
    file: *const u8,
    len: usize,
    context: *const Context<R>,
    line: u32,
) -> ! {
    // SAFETY: `context` is the extension's `__dso_handle`, and the panic handler gives a file name of that length.
    let (context, file) = unsafe { (&*context, core::slice::from_raw_parts(file, len)) };
    let file = core::str::from_utf8(file).unwrap_or("");
    context.panic(file, line)
}
