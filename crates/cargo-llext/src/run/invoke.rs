//! Calls a function that is known by name, with words for arguments.

use std::ffi::{CStr, c_char, c_int, c_void};

use llext::Plugin;

use super::call::{Call, Outcome, Raw};
use crate::cli::Returns;
use crate::error::Error;

/// Makes a call, and reads the result.
pub(crate) fn perform(call: &Call, plugin: &Plugin<'_>) -> Result<Outcome, Error> {
    let words = call.words();
    let raw = match call.returns {
        Returns::Void => invoke::<()>(plugin, call, &words).map(|()| Raw::Nothing),
        Returns::F32 => invoke(plugin, call, &words).map(Raw::Single),
        Returns::F64 => invoke(plugin, call, &words).map(Raw::Double),
        Returns::Str => invoke(plugin, call, &words).map(text_at),
        _ => invoke(plugin, call, &words).map(Raw::Bits),
    };
    let outcome = Outcome::new(
        call,
        raw.map_err(|error| Error::of_load(&plugin.name().to_string(), error, Vec::new()))?,
    );
    flush();
    Ok(outcome)
}

/// Calls the function with as many words as there are. Whatever fits a register may be seen as a word.
fn invoke<R>(plugin: &Plugin<'_>, call: &Call, words: &[usize]) -> Result<R, llext::Error> {
    type W = usize;
    let name = call.function.as_str();
    // SAFETY: whoever asks for the call vouches for the function's arguments and result.
    unsafe {
        Ok(match *words {
            [] => plugin.symbol::<extern "C" fn() -> R>(name)?.call(()),
            [a] => plugin.symbol::<extern "C" fn(W) -> R>(name)?.call((a,)),
            [a, b] => plugin.symbol::<extern "C" fn(W, W) -> R>(name)?.call((a, b)),
            [a, b, c] => plugin.symbol::<extern "C" fn(W, W, W) -> R>(name)?.call((a, b, c)),
            [a, b, c, d] => plugin.symbol::<extern "C" fn(W, W, W, W) -> R>(name)?.call((a, b, c, d)),
            [a, b, c, d, e] => {
                plugin.symbol::<extern "C" fn(W, W, W, W, W) -> R>(name)?.call((a, b, c, d, e))
            }
            [a, b, c, d, e, f, ..] => {
                plugin.symbol::<extern "C" fn(W, W, W, W, W, W) -> R>(name)?.call((a, b, c, d, e, f))
            }
        })
    }
}

/// The text at a pointer that a function returned.
fn text_at(pointer: *const c_char) -> Raw {
    if pointer.is_null() {
        return Raw::Text(None);
    }
    // SAFETY: whoever says that the function returns text vouches for it.
    let text = unsafe { CStr::from_ptr(pointer) };
    Raw::Text(Some(text.to_string_lossy().into_owned()))
}

/// Lets the C library write what the extension printed, so that it stands before what is printed next.
pub(crate) fn flush() {
    unsafe extern "C" {
        fn fflush(stream: *mut c_void) -> c_int;
    }
    // SAFETY: null means all streams.
    unsafe { fflush(std::ptr::null_mut()) };
}
