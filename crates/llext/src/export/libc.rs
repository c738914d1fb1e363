//! The C library and libm of this process as exports.

use core::ffi::{CStr, c_char, c_int, c_void};

use super::{Exports, SymbolName};

unsafe extern "C" {
    fn dlopen(file: *const c_char, mode: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
}

const RTLD_LAZY: c_int = 1;

/// Symbol names longer than this are not looked up: no C library has one.
const LONGEST: usize = 255;

/// What is part of glibc and so needs no loading when a shared object names it.
const SONAMES: [&[u8]; 8] = [
    b"libc.so.6",
    b"libm.so.6",
    b"libpthread.so.0",
    b"libdl.so.2",
    b"librt.so.1",
    b"libutil.so.1",
    b"ld-linux-x86-64.so.2",
    b"ld-linux-aarch64.so.1",
];

/// The symbols of this process's C library and libm, found by `dlsym`.
///
/// A symbol that the program or a preloaded library defines in their stead (an allocator, say) is answered with the address
/// that the process itself uses. Names that neither library has are not answered, whatever else the process contains.
#[derive(Clone, Copy, Debug)]
pub struct Libc {
    libraries: [Option<Library>; 2],
}

impl Libc {
    /// Opens both libraries, which are mostly loaded already. One that cannot be opened answers nothing.
    pub fn new() -> Self {
        Self { libraries: [c"libc.so.6", c"libm.so.6"].map(open) }
    }
}

impl Default for Libc {
    fn default() -> Self {
        Self::new()
    }
}

impl Exports for Libc {
    fn address(&self, name: &SymbolName<'_>) -> Option<usize> {
        let mut text = [0; LONGEST + 1];
        text[..LONGEST].get_mut(..name.bytes.len())?.copy_from_slice(name.bytes);
        let name =
            CStr::from_bytes_until_nul(&text).ok().filter(|text| text.count_bytes() == name.bytes.len())?;
        let own =
            self.libraries.iter().find_map(|library| library.and_then(|library| library.symbol(name)))?;
        PROCESS.symbol(name).or(Some(own))
    }

    fn provides(&self, soname: &[u8]) -> bool {
        SONAMES.contains(&soname)
    }
}

/// What `dlsym` looks in: one library and what it needs, or (null) the process, in the order in which it looks itself.
#[derive(Clone, Copy, Debug)]
struct Library(*mut c_void);

// SAFETY: a library that is never closed; `dlsym` may be called from any thread.
unsafe impl Send for Library {}
// SAFETY: as above.
unsafe impl Sync for Library {}

const PROCESS: Library = Library(core::ptr::null_mut());

impl Library {
    fn symbol(self, name: &CStr) -> Option<usize> {
        // SAFETY: a handle of `dlopen`, or null for the process, and a NUL-terminated name.
        let address = unsafe { dlsym(self.0, name.as_ptr()) };
        (!address.is_null()).then(|| address.addr())
    }
}

fn open(name: &CStr) -> Option<Library> {
    // SAFETY: a NUL-terminated name; the C library's own parts have no constructors that could do harm.
    let library = unsafe { dlopen(name.as_ptr(), RTLD_LAZY) };
    (!library.is_null()).then_some(Library(library))
}

#[cfg(test)]
mod tests {
    use super::*;

    unsafe extern "C" {
        fn strlen(text: *const c_char) -> usize;
    }

    fn address(name: &str) -> Option<usize> {
        Libc::new().address(&SymbolName::new(name.as_bytes()))
    }

    #[test]
    fn functions_of_libc_and_libm_are_found() {
        let strlen: unsafe extern "C" fn(*const c_char) -> usize = strlen;
        assert_eq!(address("strlen"), Some(strlen as usize));
        assert!(["printf", "malloc", "environ", "cos", "powf"].iter().all(|name| address(name).is_some()));
    }

    #[test]
    fn what_neither_library_has_is_not_found() {
        let long = [b'a'; LONGEST + 1];
        assert_eq!(Libc::new().address(&SymbolName::new(&long)), None);
        assert_eq!(Libc::new().address(&SymbolName::new(&long[..LONGEST])), None);
        for name in ["", "no_such_function", "printf\0", "printf\0x", "_Unwind_Resume"] {
            assert_eq!(address(name), None, "{name:?}");
        }
    }

    #[test]
    fn it_stands_in_for_the_libraries_it_answers_for() {
        assert!(Libc::new().provides(b"libc.so.6") && Libc::new().provides(b"libm.so.6"));
        assert!(!Libc::new().provides(b"libstdc++.so.6"));
    }
}
