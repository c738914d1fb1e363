//! The host's memory as the extension's heap.

use core::alloc::{GlobalAlloc, Layout};

unsafe extern "C" {
    /// `size` bytes aligned to `align`, a power of two; null if there are none.
    fn llext_alloc(size: usize, align: usize) -> *mut u8;
    /// Gives back what `llext_alloc` returned for this size and alignment.
    fn llext_dealloc(memory: *mut u8, size: usize, align: usize);
}

/// An allocator that asks the host's `llext_alloc` and `llext_dealloc`. In an extension it is the global one.
#[derive(Clone, Copy, Debug, Default)]
pub struct HostAllocator;

// SAFETY: the host's functions keep the same promises as these, for the same sizes and alignments.
unsafe impl GlobalAlloc for HostAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise: a layout of more than no bytes.
        unsafe { llext_alloc(layout.size(), layout.align()) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise: memory of this allocator, allocated with this layout.
        unsafe { llext_dealloc(memory, layout.size(), layout.align()) }
    }
}

#[cfg(panic = "abort")]
#[global_allocator]
static HOST: HostAllocator = HostAllocator;
