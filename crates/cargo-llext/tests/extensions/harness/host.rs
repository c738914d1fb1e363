//! What this host offers to the extensions (declared for them in extensions/host.h), and what it has heard from them.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::atomic::AtomicI32;
use std::sync::{Mutex, OnceLock};

use llext::export::{Exports, SymbolName};
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags};

use super::maps;

/// Everything on offer but the C library.
pub(crate) static OFFER: Offer = Offer;

/// The table, and what lies too far away for a table to name it at compile time.
pub(crate) struct Offer;

impl Exports for Offer {
    fn address(&self, name: &SymbolName<'_>) -> Option<usize> {
        NEAR.address(name).or_else(|| match name.bytes {
            b"host_far_add" => Some(far_page()),
            b"host_far_number" => Some(far_page() + PAGE),
            _ => None,
        })
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

static TRACE: Mutex<Vec<i32>> = Mutex::new(Vec::new());
static OUTPUT: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The values traced since the last call.
pub(crate) fn take_trace() -> Vec<i32> {
    std::mem::take(&mut TRACE.lock().expect("nothing panics in between"))
}

/// The lines printed since the last call.
pub(crate) fn take_output() -> Vec<String> {
    std::mem::take(&mut OUTPUT.lock().expect("nothing panics in between"))
}

#[allow(non_upper_case_globals)]
static host_number: AtomicI32 = AtomicI32::new(77);

extern "C" fn host_trace(value: c_int) {
    TRACE.lock().expect("nothing panics in between").push(value);
}

extern "C" fn host_print(text: *const c_char) {
    // SAFETY: host.h asks for a string that ends with NUL.
    let text = unsafe { CStr::from_ptr(text) };
    OUTPUT.lock().expect("nothing panics in between").push(text.to_string_lossy().into_owned());
}

extern "C" fn host_add(a: c_int, b: c_int) -> c_int {
    a.wrapping_add(b)
}

extern "C" fn host_apply(function: extern "C" fn(c_int) -> c_int, value: c_int) -> c_int {
    function(value)
}

extern "C" fn host_protection(address: *const c_void) -> c_int {
    maps::protection_at(address.addr())
}

extern "C" fn host_is_far(address: *const c_void) -> c_int {
    c_int::from(address.addr().abs_diff(own_code()) > 2 << 30)
}

fn own_code() -> usize {
    host_add as extern "C" fn(c_int, c_int) -> c_int as usize
}

const PAGE: usize = 4096;

/// `lea (%rdi,%rsi), %eax; ret`
const ADD: [u8; 4] = [0x8d, 0x04, 0x37, 0xc3];

/// A page of code that adds, and after it a page of data that begins with the int 78.
fn far_page() -> usize {
    static PAGES: OnceLock<usize> = OnceLock::new();
    *PAGES.get_or_init(|| make_far_page().expect("there is room a tebibyte below this program"))
}

fn make_far_page() -> rustix::io::Result<usize> {
    let wanted = (own_code() & !(PAGE - 1)) - (1 << 40);
    let writable = ProtFlags::READ | ProtFlags::WRITE;
    let flags = MapFlags::PRIVATE | MapFlags::FIXED_NOREPLACE;
    // SAFETY: new memory, which takes nobody's place.
    let start = unsafe { rustix::mm::mmap_anonymous(wanted as *mut c_void, 2 * PAGE, writable, flags)? };
    // SAFETY: both pages were just mapped writable, and nobody else knows of them.
    unsafe {
        start.cast::<[u8; 4]>().write(ADD);
        start.byte_add(PAGE).cast::<c_int>().write(78);
        rustix::mm::mprotect(start, PAGE, MprotectFlags::READ | MprotectFlags::EXEC)?;
    }
    Ok(start.addr())
}
