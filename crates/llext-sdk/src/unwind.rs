//! What `core` and `alloc` refer to where they were compiled for programs that unwind, as those for Linux are.
//!
//! In an extension panics abort, so neither is ever called; without them the file would not load.

#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() -> ! {
    loop {
        core::hint::spin_loop();
    }
}
