//! about: Rust with core's functions: formatting, sorting, trait objects, checked indexing
//! kinds: r so+O2 (an object lacks core's functions, and without optimisation so does a shared object)
//! libc[native]
//! call: formatted(42) = 12
//! call: sorted() = 12579
//! call: areas() = 15
//! output: value = 0x2a
#![no_std]

use core::ffi::{c_char, c_int};
use core::fmt::Write;

unsafe extern "C" {
    fn host_print(text: *const c_char);
}

struct Text {
    bytes: [u8; 32],
    len: usize,
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end).ok_or(core::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

trait Shape {
    fn area(&self) -> c_int;
}

struct Square(c_int);
struct Rectangle(c_int, c_int);

impl Shape for Square {
    fn area(&self) -> c_int {
        self.0 * self.0
    }
}

impl Shape for Rectangle {
    fn area(&self) -> c_int {
        self.0 * self.1
    }
}

static SHAPES: [&(dyn Shape + Sync); 2] = [&Square(3), &Rectangle(2, 3)];

#[unsafe(no_mangle)]
pub extern "C" fn formatted(value: c_int) -> c_int {
    let mut text = Text { bytes: [0; 32], len: 0 };
    if write!(text, "value = {value:#x}").is_err() {
        return -1;
    }
    // SAFETY: the buffer is longer than the text and was all zero.
    unsafe { host_print(text.bytes.as_ptr().cast()) }
    text.len as c_int
}

#[unsafe(no_mangle)]
pub extern "C" fn sorted() -> c_int {
    let mut values = core::hint::black_box([5, 1, 9, 7, 2]);
    values.sort_unstable();
    values.iter().fold(0, |number, value| number * 10 + value)
}

#[unsafe(no_mangle)]
pub extern "C" fn areas() -> c_int {
    SHAPES.iter().map(|shape| shape.area()).sum()
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
