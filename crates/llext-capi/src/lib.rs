//! The API of Zephyr's LLEXT in C, over [`llext`]: one registry, one pool of memory, and a table of what C sees of extensions.
//!
//! Firmware in C links the static library `libllext.a` (`cargo xtask capi`) and includes `llext/llext.h` and its neighbours in
//! `include/`; from Rust there is nothing to use here. What differs from LLEXT is listed in `docs/from-llext.md`.
//!
//! Nothing is allocated but from the memory given to [`llext_heap_init`](heap::llext_heap_init). Without
//! [`llext_set_lock_hooks`](hooks::llext_set_lock_hooks) all calls come from one thread.

#![no_std]

#[cfg(any(feature = "std", test))]
extern crate std;

pub mod buffer;
mod computer;
pub mod errno;
pub mod file;
mod files;
pub mod heap;
pub mod hooks;
pub mod inspect;
pub mod layout;
pub mod life;
pub mod load;
#[cfg(feature = "lz4")]
mod lz4;
mod regions;
pub mod saving;
pub mod semihost;
mod source;
pub mod symbols;
mod table;
pub mod types;

/// Nothing that is checked panics: `cargo xtask size` holds the loader to it.
#[cfg(all(feature = "panic-handler", not(feature = "std")))]
#[panic_handler]
fn stop(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
