//! The one registry, and the memory that a host gives it.

use crate::hooks::HookMutex;
use core::ffi::{c_int, c_void};
use llext::Registry;
use llext::memory::Memory;

/// How many extensions there can be at a time: `LLEXT_MAX_EXTENSIONS` of the environment when the library is built, else 16.
pub const EXTENSIONS: usize = match option_env!("LLEXT_MAX_EXTENSIONS") {
    Some(number) => parse(number.as_bytes()),
    None => 16,
};

const fn parse(digits: &[u8]) -> usize {
    let (mut number, mut at) = (0, 0);
    while at < digits.len() {
        assert!(digits[at].is_ascii_digit(), "LLEXT_MAX_EXTENSIONS is a number");
        number = number * 10 + (digits[at] - b'0') as usize;
        at += 1;
    }
    assert!(number > 0 && number <= 256, "LLEXT_MAX_EXTENSIONS is 1 to 256");
    number
}

pub(crate) type Extensions = Registry<Heap, HookMutex, EXTENSIONS>;
pub(crate) type Handle = llext::Handle<'static, Heap, HookMutex, EXTENSIONS>;
pub(crate) type Weak = llext::Weak<'static, Heap, HookMutex, EXTENSIONS>;
pub(crate) type Guard = llext::registry::Guard<'static, Heap, HookMutex, EXTENSIONS>;

/// Bytes of the heap for as long as the extension they are about.
pub(crate) struct Lease(Option<<Heap as Memory>::Scratch>);

impl Lease {
    pub(crate) fn new(bytes: usize) -> Result<Self, llext::Error> {
        // SAFETY: the closure uses the memory alone.
        let taken = unsafe { registry().with_memory(|memory| memory.scratch(bytes)) };
        Ok(Self(Some(taken?)))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], AsRef::as_ref)
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        self.0.as_mut().map_or(&mut [], AsMut::as_mut)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(taken) = self.0.take() {
            // SAFETY: as in `new`.
            unsafe { registry().with_memory(|memory| memory.give_back(taken)) }
        }
    }
}

#[cfg(all(feature = "std", target_os = "linux"))]
mod memory {
    use super::{Extensions, c_int, c_void};
    use crate::errno::ENOSYS;
    use llext::Registry;
    use std::sync::LazyLock;

    /// The memory of this process, never writable and executable at once.
    pub(crate) type Heap = llext::memory::Linux;

    pub(crate) fn registry() -> &'static Extensions {
        static EXTENSIONS: LazyLock<Extensions> = LazyLock::new(|| Registry::new(Heap::new()));
        &EXTENSIONS
    }

    pub(super) fn give(_: [(*mut c_void, usize); 2]) -> c_int {
        -ENOSYS
    }

    pub(super) fn take_away() -> c_int {
        -ENOSYS
    }

    /// Data never runs.
    #[cfg(feature = "lz4")]
    pub(crate) fn runs_data() -> bool {
        false
    }
}

#[cfg(not(all(feature = "std", target_os = "linux")))]
mod memory {
    use super::{Extensions, c_int, c_void};
    use crate::errno::{EBUSY, EINVAL};
    use crate::hooks::Guarded;
    use core::mem::MaybeUninit;
    use llext::{Pool, Registry};

    /// What the host gave.
    pub(crate) type Heap = Pool<'static>;

    static EXTENSIONS: Extensions = Registry::new(Pool::empty());
    static GIVEN: Guarded<Given> = Guarded::new(Given::Nothing);

    #[derive(Clone, Copy, PartialEq)]
    enum Given {
        Nothing,
        Whole,
        Apart,
    }

    pub(crate) fn registry() -> &'static Extensions {
        &EXTENSIONS
    }

    /// # Safety
    /// The bytes are the library's alone from now on.
    unsafe fn slice((start, bytes): (*mut c_void, usize)) -> &'static mut [MaybeUninit<u8>] {
        // SAFETY: the caller vouches for it.
        unsafe { core::slice::from_raw_parts_mut(start.cast(), bytes) }
    }

    pub(super) fn give([first, second]: [(*mut c_void, usize); 2]) -> c_int {
        if first.0.is_null() || (second.0.is_null() && second.1 != 0) {
            return -EINVAL;
        }
        let now = if second.0.is_null() { Given::Whole } else { Given::Apart };
        let was = GIVEN.with(|given| {
            let was = *given;
            *given = if was == Given::Nothing { now } else { was };
            was
        });
        if was != Given::Nothing {
            return -EBUSY;
        }
        // SAFETY: who calls `llext_heap_init` vouches for it.
        let mut pool = unsafe {
            match second.0.is_null() {
                true => Pool::unified(slice(first)),
                false => Pool::new(slice(first), slice(second)),
            }
        };
        match EXTENSIONS.swap_memory(&mut pool) {
            Ok(()) => 0,
            Err(_) => -EBUSY,
        }
    }

    pub(super) fn take_away() -> c_int {
        if EXTENSIONS.swap_memory(&mut Pool::empty()).is_err() {
            return -EBUSY;
        }
        GIVEN.with(|given| *given = Given::Nothing);
        0
    }

    /// Whether code may lie among data.
    #[cfg(feature = "lz4")]
    pub(crate) fn runs_data() -> bool {
        cfg!(target_os = "none") && GIVEN.with(|given| *given == Given::Whole)
    }
}

#[cfg(feature = "lz4")]
pub(crate) use memory::runs_data;
pub(crate) use memory::{Heap, registry};
use memory::{give, take_away};

/// Gives the memory that extensions are loaded into, code and data alike. It must be executable. `-EINVAL` for null,
/// `-EBUSY` if there is one already, `-ENOSYS` where the process's own is used.
///
/// # Safety
/// The bytes are the library's alone until [`llext_heap_uninit`] returns 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_heap_init(mem: *mut c_void, bytes: usize) -> c_int {
    give([(mem, bytes), (core::ptr::null_mut(), 0)])
}

/// The same with code in one piece of memory, and constants and data in another; shared objects then are `-ENOTSUP`.
///
/// # Safety
/// As for [`llext_heap_init`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_heap_init_harvard(
    instr_mem: *mut c_void,
    instr_bytes: usize,
    data_mem: *mut c_void,
    data_bytes: usize,
) -> c_int {
    if data_mem.is_null() {
        return -crate::errno::EINVAL;
    }
    give([(instr_mem, instr_bytes), (data_mem, data_bytes)])
}

/// Takes the memory away; `-EBUSY` while an extension or a load has any of it.
#[unsafe(no_mangle)]
pub extern "C" fn llext_heap_uninit() -> c_int {
    take_away()
}
