//! The heap of this program: red zones around what is allocated, poison over what is freed, and a count of both.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Bytes of pattern before and behind what is allocated; more where its alignment asks for it.
const ZONE: usize = 32;
const PATTERN: u8 = 0xfd;
const POISON: u8 = 0xdd;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static DAMAGED: Cell<bool> = const { Cell::new(false) };
}

/// How many bytes this thread has allocated and not freed.
pub(crate) fn live() -> isize {
    LIVE.get()
}

/// Whether this thread freed something whose red zones had been written; then forgets it.
pub(crate) fn was_damaged() -> bool {
    DAMAGED.replace(false)
}

pub(crate) struct Guarding;

#[global_allocator]
static HEAP: Guarding = Guarding;

fn zone(layout: Layout) -> usize {
    layout.align().max(ZONE)
}

/// The layout with its red zones.
fn padded(layout: Layout) -> Option<Layout> {
    let size = layout.size().checked_add(zone(layout) + ZONE)?;
    Layout::from_size_align(size, layout.align()).ok()
}

fn count(by: isize) {
    // At the end of a thread there is nothing left to count in.
    let _ = LIVE.try_with(|live| live.set(live.get() + by));
}

// SAFETY: every block is one of the system's that is larger by its red zones; what is given out begins behind the first.
unsafe impl GlobalAlloc for Guarding {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(outer) = padded(layout) else { return std::ptr::null_mut() };
        // SAFETY: its size is not 0.
        let start = unsafe { System.alloc(outer) };
        if start.is_null() {
            return start;
        }
        count(layout.size() as isize);
        // SAFETY: the block reaches from the first zone over the size to the second zone.
        unsafe {
            start.write_bytes(PATTERN, zone(layout));
            let inner = start.add(zone(layout));
            inner.add(layout.size()).write_bytes(PATTERN, ZONE);
            inner
        }
    }

    unsafe fn dealloc(&self, inner: *mut u8, layout: Layout) {
        let Some(outer) = padded(layout) else { return };
        // SAFETY: as it was allocated.
        unsafe {
            let start = inner.sub(zone(layout));
            let before = std::slice::from_raw_parts(start, zone(layout));
            let behind = std::slice::from_raw_parts(inner.add(layout.size()), ZONE);
            if before.iter().chain(behind).any(|byte| *byte != PATTERN) {
                let _ = DAMAGED.try_with(|damaged| damaged.set(true));
            }
            count(-(layout.size() as isize));
            start.write_bytes(POISON, outer.size());
            System.dealloc(start, outer);
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_written_outside_is_noticed() {
        let mut bytes = vec![1u8; 16];
        let before = super::live();
        // SAFETY: the byte behind lies in the red zone, which is ours.
        unsafe { bytes.as_mut_ptr().add(16).write(0) };
        drop(bytes);
        assert!(super::was_damaged() && !super::was_damaged());
        assert_eq!(super::live(), before - 16);
    }
}
