//! Memory for extensions that notices writes outside of what was reserved, and after it was given back.
//!
//! Whatever is not reserved holds one pattern, before, between and behind the parts. Two places: below 2 GiB for code
//! that needs it, and near this program for all else.

use std::cell::RefCell;
use std::ffi::c_void;

use llext::memory::{Block, Memory, MemoryError, Part, Request, Segment, Window};
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

const PATTERN: u8 = 0xdb;
const PAGE: [u8; 4096] = [PATTERN; 4096];
/// The least distance between two reservations.
const ZONE: usize = 256;
const ARENA: usize = 96 << 20;
const LOW: u64 = 1 << 31;
/// One past the highest address.
const HIGH: u64 = if cfg!(target_pointer_width = "64") { 1 << 47 } else { 1 << 32 };

/// The memory of one thread, used for one load after the other.
pub(crate) struct Store {
    low: Arena,
    near: Arena,
    live: usize,
    /// How much one load may have at a time, bytes.
    limit: usize,
}

/// One mapping, given out from its start.
struct Arena {
    start: usize,
    /// Up to here it was given out.
    used: usize,
    /// Up to here it was filled with the pattern.
    filled: usize,
}

/// One load's view of the store.
pub(crate) struct Guarded<'a>(pub(crate) &'a RefCell<Store>);

/// Reserved bytes: where they lie, and how many they are.
#[derive(Clone, Copy, Default)]
struct Piece {
    start: usize,
    size: usize,
}

pub(crate) struct GuardedBlock {
    parts: [Piece; 4],
    reserved: usize,
}

pub(crate) struct GuardedScratch(Piece);

impl Store {
    pub(crate) fn new() -> Result<Self, String> {
        let near = (Self::new as fn() -> Result<Self, String> as usize & !0xfff_ffff) - (1 << 29);
        Ok(Self { low: Arena::map(0x1000_0000)?, near: Arena::map(near)?, live: 0, limit: 0 })
    }

    /// Makes ready for a load of at most `limit` bytes.
    pub(crate) fn begin(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// What the load did wrong; then all is as before it.
    pub(crate) fn end(&mut self) -> Result<(), String> {
        let leaked = std::mem::take(&mut self.live);
        let damage = [self.low.end(), self.near.end()].into_iter().flatten().next();
        match (leaked, damage) {
            (0, None) => Ok(()),
            (0, Some(offset)) => Err(format!("memory damaged at offset {offset:#x}")),
            (leaked, _) => Err(format!("{leaked} bytes leaked")),
        }
    }

    fn give(&mut self, size: usize, align: usize, is_low: bool) -> Option<Piece> {
        if size == 0 {
            return Some(Piece { start: align, size });
        }
        if size > self.limit.checked_sub(self.live)? {
            return None;
        }
        let arena = if is_low { &mut self.low } else { &mut self.near };
        let piece = arena.give(size, align)?;
        self.live += size;
        Some(piece)
    }

    fn take_back(&mut self, piece: Piece, reserved: usize) {
        piece.fill(PATTERN);
        self.live -= reserved;
    }
}

impl Arena {
    /// At `wanted`, or the next free place above.
    fn map(wanted: usize) -> Result<Self, String> {
        let flags = MapFlags::PRIVATE | MapFlags::FIXED_NOREPLACE | MapFlags::NORESERVE;
        let access = ProtFlags::READ | ProtFlags::WRITE;
        for number in 0..16 {
            let start = wanted + number * ARENA;
            // SAFETY: new memory, which takes nobody's place.
            if unsafe { mmap_anonymous(start as *mut c_void, ARENA, access, flags) }.is_ok() {
                return Ok(Self { start, used: 0, filled: 0 });
            }
        }
        Err(format!("no room for the test's memory near {wanted:#x}"))
    }

    fn give(&mut self, size: usize, align: usize) -> Option<Piece> {
        let start = (self.start + self.used + ZONE).checked_next_multiple_of(align.max(16))?;
        let used = (start - self.start).checked_add(size)?;
        let filled = used.checked_add(2 * PAGE.len()).filter(|&filled| filled <= ARENA)?;
        if filled > self.filled {
            Piece { start: self.start + self.filled, size: filled - self.filled }.fill(PATTERN);
            self.filled = filled;
        }
        self.used = used;
        Some(Piece { start, size })
    }

    /// Takes all back; the offset of the page with the first byte that is not the pattern.
    fn end(&mut self) -> Option<usize> {
        let checked = if self.used == 0 { 0 } else { (self.used + PAGE.len()).min(self.filled) };
        self.used = 0;
        let whole = Piece { start: self.start, size: checked };
        let damaged = whole.bytes().chunks(PAGE.len()).position(|page| page != &PAGE[..page.len()])?;
        whole.fill(PATTERN);
        Some(damaged * PAGE.len())
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and no load of it is under way. If it stays, only address space is lost.
        let _ = unsafe { munmap(self.start as *mut c_void, ARENA) };
    }
}

impl Piece {
    fn bytes(&self) -> &[u8] {
        // SAFETY: the mapping outlives every load, and its one user is the load that is under way in this thread.
        unsafe { std::slice::from_raw_parts(self.start as *const u8, self.size) }
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above; no two pieces share bytes.
        unsafe { std::slice::from_raw_parts_mut(self.start as *mut u8, self.size) }
    }

    fn fill(mut self, value: u8) {
        self.bytes_mut().fill(value);
    }
}

// SAFETY: pieces are disjoint, lie in mapped memory, at least as large and aligned as asked for, in one of two windows,
// and parts of a block lie in one arena of less than 2 GiB.
unsafe impl Memory for Guarded<'_> {
    type Block = GuardedBlock;
    type Scratch = GuardedScratch;

    fn reach(&self) -> Window {
        Window { low: 0x1_0000, high: HIGH }
    }

    fn reserve(&mut self, request: &Request) -> Result<GuardedBlock, MemoryError> {
        let mut store = self.0.borrow_mut();
        let Window { low, high } = request.window;
        let near = store.near.start as u64;
        let is_low = high <= LOW;
        let inside =
            if is_low { low <= store.low.start as u64 } else { low <= near && near + (ARENA as u64) <= high };
        if !inside {
            return Err(MemoryError::OutOfReach { low, high, wanted: request.sizes.iter().sum() });
        }
        let mut block = GuardedBlock { parts: Default::default(), reserved: 0 };
        for part in Part::ALL {
            let (wanted, align) = (request.sizes[part as usize], request.aligns[part as usize]);
            if !align.is_power_of_two() {
                store.live -= block.reserved;
                return Err(MemoryError::BadAlignment { part, align });
            }
            let Some(piece) = store.give(wanted, align, is_low) else {
                store.live -= block.reserved;
                return Err(MemoryError::OutOfMemory { part, wanted, available: 0 });
            };
            block.parts[part as usize] = piece;
            block.reserved += wanted;
        }
        Ok(block)
    }

    fn release(&mut self, block: GuardedBlock) {
        let mut store = self.0.borrow_mut();
        block.parts.into_iter().for_each(|part| store.take_back(part, 0));
        store.live -= block.reserved;
    }

    fn scratch(&mut self, bytes: usize) -> Result<GuardedScratch, MemoryError> {
        let piece = self.0.borrow_mut().give(bytes, 16, false);
        let piece = piece.ok_or(MemoryError::OutOfScratch { wanted: bytes, available: 0 })?;
        piece.fill(0);
        Ok(GuardedScratch(piece))
    }

    fn give_back(&mut self, scratch: GuardedScratch) {
        self.0.borrow_mut().take_back(scratch.0, scratch.0.size);
    }
}

// SAFETY: the parts are written where they are said to lie; nothing is ever sealed.
unsafe impl Block for GuardedBlock {
    fn commit(&mut self) -> Result<(), MemoryError> {
        self.parts.into_iter().for_each(|part| part.fill(0));
        Ok(())
    }

    fn addresses(&self) -> [usize; 4] {
        self.parts.map(|part| part.start)
    }

    fn working(&mut self) -> [&mut [u8]; 4] {
        self.parts.each_mut().map(Piece::bytes_mut)
    }

    fn trim(&mut self, used: [usize; 4]) {
        for (part, used) in self.parts.iter_mut().zip(used) {
            let size = used.min(part.size);
            Piece { start: part.start + size, size: part.size - size }.fill(PATTERN);
            part.size = size;
        }
    }

    fn seal(&mut self, _: &[Segment]) -> Result<(), MemoryError> {
        Err(MemoryError::OutOfOrder { operation: "seal" })
    }

    fn protect(&mut self, _: Segment) -> Result<(), MemoryError> {
        Err(MemoryError::OutOfOrder { operation: "protect" })
    }

    fn retire(&mut self) {}
}

impl AsMut<[u8]> for GuardedScratch {
    fn as_mut(&mut self) -> &mut [u8] {
        self.0.bytes_mut()
    }
}

impl AsRef<[u8]> for GuardedScratch {
    fn as_ref(&self) -> &[u8] {
        self.0.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reserve(memory: &mut Guarded<'_>) -> GuardedBlock {
        let request = Request {
            sizes: [0, 64, 64, 64],
            aligns: [1, 16, 16, 16],
            window: Window { low: 0, high: HIGH },
        };
        let mut block = memory.reserve(&request).unwrap();
        block.commit().unwrap();
        block
    }

    #[test]
    fn what_is_written_outside_a_part_is_noticed() {
        for offset in [-1isize, 64, 80] {
            let store = RefCell::new(Store::new().unwrap());
            store.borrow_mut().begin(1 << 20);
            let mut memory = Guarded(&store);
            let mut block = reserve(&mut memory);
            block.working()[1].fill(7);
            // SAFETY: a red zone of at least 256 bytes lies on both sides of every part.
            unsafe { (block.addresses()[1] as *mut u8).offset(offset).write(0) };
            memory.release(block);
            assert!(store.borrow_mut().end().unwrap_err().contains("damaged"), "{offset}");
            assert_eq!(store.borrow_mut().end(), Ok(()));
        }
    }

    #[test]
    fn what_is_written_after_its_release_is_noticed_and_so_is_what_stays() {
        let store = RefCell::new(Store::new().unwrap());
        store.borrow_mut().begin(1 << 20);
        let mut memory = Guarded(&store);
        let block = reserve(&mut memory);
        let start = block.addresses()[2] as *mut u8;
        memory.release(block);
        // SAFETY: the store keeps the bytes of what was released.
        unsafe { start.write(0) };
        assert!(store.borrow_mut().end().unwrap_err().contains("damaged"));
        let _scratch = memory.scratch(100).unwrap();
        assert_eq!(store.borrow_mut().end(), Err("100 bytes leaked".to_owned()));
    }
}
