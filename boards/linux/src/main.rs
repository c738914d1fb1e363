//! A process of Linux as a board: its pools are memory that can be written and run at once, as a microcontroller's is.
#![no_std]
#![no_main]

use common::Room;
use core::ffi::{c_int, c_void};

/// From the start of a page.
#[repr(align(4096))]
struct Pages<const N: usize>(Room<N>);

static mut CODE: Pages<{ common::CODE }> = Pages(common::room());
static mut DATA: Pages<{ common::DATA }> = Pages(common::room());

#[link(name = "c")]
unsafe extern "C" {
    fn mprotect(address: *mut c_void, size: usize, protection: c_int) -> c_int;
}

const ALL: c_int = 7;

/// What the C library starts.
#[unsafe(no_mangle)]
extern "C" fn main() -> c_int {
    // SAFETY: this runs once, nothing else names the statics, and their pages are theirs alone.
    unsafe {
        let (code, data) = (&mut *(&raw mut CODE), &mut *(&raw mut DATA));
        let code_runs = mprotect((&raw mut *code).cast(), size_of_val(code), ALL) == 0;
        let data_runs = mprotect((&raw mut *data).cast(), size_of_val(data), ALL) == 0;
        assert!(code_runs && data_runs, "Linux lets no memory be written and run");
        common::main(&mut code.0, &mut data.0)
    }
}
