//! What the suite offers to extensions, as extensions/host.h declares it for them, and what their compilers take for
//! granted.

use super::far;
use crate::computer::println;
use core::ffi::{CStr, c_char, c_int, c_void};
use core::sync::atomic::AtomicI32;
use llext::export::{Exports, SymbolName};

pub(super) static OFFER: Offer = Offer;

/// The table, what lies far away, and helpers of compilers.
pub(super) struct Offer;

impl Exports for Offer {
    fn address(&self, name: &SymbolName<'_>) -> Option<usize> {
        let helper =
            || HELPERS.iter().find(|(own, _)| *own == name.bytes).map(|(_, helper)| *helper as usize);
        NEAR.address(name).or_else(|| far::address(name.bytes)).or_else(helper)
    }
}

llext::exports! {
    static NEAR;
    fn host_trace(value: c_int);
    fn host_print(text: *const c_char);
    fn host_add(a: c_int, b: c_int) -> c_int;
    fn host_apply(function: extern "C" fn(c_int) -> c_int, value: c_int) -> c_int;
    fn host_protection(address: *const c_void) -> c_int;
    fn host_is_far(address: *const c_void) -> c_int;
    static host_number: AtomicI32;
}

#[allow(non_upper_case_globals)]
static host_number: AtomicI32 = AtomicI32::new(77);

extern "C" fn host_trace(value: c_int) {
    println!("trace {value}");
}

extern "C" fn host_print(text: *const c_char) {
    // SAFETY: host.h asks for a string that ends with NUL.
    let text = unsafe { CStr::from_ptr(text) };
    println!("print {}", text.to_str().unwrap_or("what is not UTF-8"));
}

extern "C" fn host_add(a: c_int, b: c_int) -> c_int {
    a.wrapping_add(b)
}

extern "C" fn host_apply(function: extern "C" fn(c_int) -> c_int, value: c_int) -> c_int {
    function(value)
}

/// A pool protects nothing.
extern "C" fn host_protection(_: *const c_void) -> c_int {
    7
}

extern "C" fn host_is_far(address: *const c_void) -> c_int {
    c_int::from(far::is_far(address.addr()))
}

/// Functions that compilers call without a word in the source: addresses by name, never called from here.
macro_rules! helpers {
    ($($(#[$on:meta])? $name:ident)*) => {
        unsafe extern "C" { $($(#[$on])? fn $name();)* }
        static HELPERS: &[(&[u8], unsafe extern "C" fn())] =
            &[$($(#[$on])? (stringify!($name).as_bytes(), $name),)*];
    };
}

helpers! {
    memcpy memmove memset memcmp
    #[cfg(target_arch = "arm")] __aeabi_memcpy
    #[cfg(target_arch = "arm")] __aeabi_memclr
    #[cfg(target_arch = "arm")] __aeabi_idiv
    #[cfg(target_arch = "arm")] __aeabi_idivmod
    #[cfg(target_arch = "arm")] __aeabi_uidiv
    #[cfg(target_arch = "arm")] __aeabi_uidivmod
    #[cfg(target_arch = "arm")] __aeabi_i2d
    #[cfg(target_arch = "arm")] __aeabi_d2iz
    #[cfg(target_arch = "arm")] __aeabi_dadd
    #[cfg(target_arch = "arm")] __aeabi_dmul
    #[cfg(target_arch = "riscv32")] __floatsidf
    #[cfg(target_arch = "riscv32")] __fixdfsi
    #[cfg(target_arch = "riscv32")] __adddf3
    #[cfg(target_arch = "riscv32")] __muldf3
}
