//! about: Rust without core's functions: statics, a match, calls to and from the host
//! places: !v6-m (a core of v6-M has no atomic addition)
//! call: probe() = 1
//! call: count() = 41
//! call: count() = 42
//! call: choose(2) = 30
//! call: callback(5) = 10
//! output: hello from Rust
#![no_std]

use core::ffi::{c_char, c_int};
use core::sync::atomic::{AtomicI32, Ordering};

unsafe extern "C" {
    fn host_print(text: *const c_char);
    safe fn host_apply(function: extern "C" fn(c_int) -> c_int, value: c_int) -> c_int;
}

static COUNT: AtomicI32 = AtomicI32::new(40);
static CHOICES: [&(dyn Fn() -> c_int + Sync); 3] = [&|| 10, &|| 20, &|| 30];

extern "C" fn twice(value: c_int) -> c_int {
    value.wrapping_mul(2)
}

#[unsafe(no_mangle)]
pub extern "C" fn probe() -> c_int {
    // SAFETY: the text ends with NUL.
    unsafe { host_print(c"hello from Rust".as_ptr()) }
    1
}

#[unsafe(no_mangle)]
pub extern "C" fn count() -> c_int {
    COUNT.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
}

#[unsafe(no_mangle)]
pub extern "C" fn choose(index: c_int) -> c_int {
    match CHOICES.get(index as usize) {
        Some(choice) => choice(),
        None => -1,
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn callback(value: c_int) -> c_int {
    host_apply(twice, value)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
