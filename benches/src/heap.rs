//! The program's allocator: the system's, with a count of the bytes in use that can be switched on.
//!
//! While it is off, which is always while time is measured, an allocation costs one load and one branch more.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::memory::USE;

#[global_allocator]
static HEAP: Heap = Heap;

/// Whether the heap's bytes are counted.
pub(crate) static COUNTED: AtomicBool = AtomicBool::new(false);

struct Heap;

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if COUNTED.load(Relaxed) {
            USE.grow(layout.size());
        }
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if COUNTED.load(Relaxed) {
            USE.shrink(layout.size());
        }
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}
