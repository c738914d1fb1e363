//! What the C of littlefs wants of a C library, beside the `strcpy` of `littlefs2`: ISO C, 7.24.5.

use core::ffi::{CStr, c_char, c_int};

/// How many characters at the start of a string are among `set`, or are not.
///
/// # Safety
///
/// Both are strings of C.
unsafe fn span(text: *const c_char, set: *const c_char, among: bool) -> usize {
    // SAFETY: as the caller promised.
    let (text, set) = unsafe { (CStr::from_ptr(text), CStr::from_ptr(set)) };
    text.to_bytes().iter().take_while(|character| set.to_bytes().contains(character) == among).count()
}

/// The length of the longest start of `text` that consists of characters in `set`.
///
/// # Safety
///
/// Both are strings of C.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strspn(text: *const c_char, set: *const c_char) -> usize {
    // SAFETY: as the caller promised.
    unsafe { span(text, set, true) }
}

/// The length of the longest start of `text` that consists of characters not in `set`.
///
/// # Safety
///
/// Both are strings of C.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strcspn(text: *const c_char, set: *const c_char) -> usize {
    // SAFETY: as the caller promised.
    unsafe { span(text, set, false) }
}

/// The first `character` of `text`, its end included; null if there is none.
///
/// # Safety
///
/// `text` is a string of C.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strchr(text: *const c_char, character: c_int) -> *mut c_char {
    // SAFETY: as the caller promised.
    let bytes = unsafe { CStr::from_ptr(text) }.to_bytes_with_nul();
    let found = bytes.iter().position(|byte| *byte == character as u8);
    found.map_or(core::ptr::null_mut(), |at| text.wrapping_add(at).cast_mut())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_searched() {
        let path = c"//blink.o";
        // SAFETY: all are strings of C.
        unsafe {
            assert_eq!((strspn(path.as_ptr(), c"/".as_ptr()), strspn(path.as_ptr(), c"".as_ptr())), (2, 0));
            assert_eq!(
                (strcspn(path.as_ptr(), c".o".as_ptr()), strcspn(path.as_ptr(), c"x".as_ptr())),
                (7, 9)
            );
            let found = |character: u8| strchr(path.as_ptr(), character.into()).cast_const();
            assert_eq!((found(b'.'), found(0)), (path.as_ptr().add(7), path.as_ptr().add(9)));
            assert!(found(b'x').is_null());
        }
    }
}
