//! Bytes that end where memory ends: reading one more is a fault, not a wrong number.

use std::ffi::c_void;

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect};

const PAGE: usize = 4096;

/// Room for one file after the other.
pub(crate) struct Fence {
    start: *mut u8,
    size: usize,
}

impl Fence {
    /// Room for files of up to `most` bytes.
    pub(crate) fn new(most: usize) -> Result<Self, String> {
        let size = most.next_multiple_of(PAGE);
        let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE | MapFlags::NORESERVE);
        let said = |error| format!("no room for a file of {most} bytes: {error}");
        // SAFETY: new memory; the page behind the room becomes one that nobody may touch.
        unsafe {
            let start = mmap_anonymous(std::ptr::null_mut(), size + PAGE, access, flags).map_err(said)?;
            mprotect(start.cast::<u8>().add(size).cast::<c_void>(), PAGE, MprotectFlags::empty())
                .map_err(said)?;
            Ok(Self { start: start.cast(), size })
        }
    }

    /// The bytes, moved to the end of the room.
    pub(crate) fn hold(&mut self, bytes: &[u8]) -> &[u8] {
        let at = self.size.checked_sub(bytes.len()).expect("the room was made for the largest file");
        // SAFETY: the room reaches this far, and nobody else has it while `self` is borrowed.
        unsafe {
            let start = self.start.add(at);
            start.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            std::slice::from_raw_parts(start, bytes.len())
        }
    }
}

impl Drop for Fence {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and nobody borrows it any more. If it stays, only address space is lost.
        let _ = unsafe { rustix::mm::munmap(self.start.cast(), self.size + PAGE) };
    }
}
