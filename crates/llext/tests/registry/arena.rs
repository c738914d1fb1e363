//! Memory whose bytes in use are counted, and in which what was given back is spoiled: a call or a read that comes too
//! late meets traps, and under AddressSanitizer is reported.

use crate::watched;
use core::ffi::c_void;
use core::ops::Range;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use llext::memory::{Block, Memory, MemoryError, Part, Request, Segment, Window};
use std::sync::Arc;

/// How many extensions fit.
const PLACES: usize = 64;
/// The size of each place, bytes.
const PLACE: usize = 64 << 10;
/// `int3`, the instruction that stops a program.
const TRAP: u8 = 0xcc;

unsafe extern "C" {
    fn mmap(at: *mut c_void, len: usize, protection: i32, flags: i32, file: i32, offset: i64) -> *mut c_void;
    fn munmap(at: *mut c_void, len: usize) -> i32;
}

#[cfg(asan)]
unsafe extern "C" {
    fn __asan_poison_memory_region(at: *const c_void, len: usize);
    fn __asan_unpoison_memory_region(at: *const c_void, len: usize);
}

/// Which of the things that are asked of memory, counted from now, are refused.
#[derive(Debug, Default)]
struct Refusals {
    asked: AtomicUsize,
    from: AtomicUsize,
    until: AtomicUsize,
}

impl Refusals {
    fn ask(&self, operation: &'static str) -> Result<(), MemoryError> {
        let number = self.asked.fetch_add(1, Relaxed);
        let refused = (self.from.load(Relaxed)..self.until.load(Relaxed)).contains(&number);
        if refused { Err(MemoryError::Refused { os: 12, operation }) } else { Ok(()) }
    }
}

/// Memory that is readable, writable and executable all the time, as a microcontroller's is.
#[derive(Debug)]
pub(crate) struct Arena {
    start: usize,
    taken: [bool; PLACES],
    in_use: usize,
    refusals: Arc<Refusals>,
}

impl Arena {
    pub(crate) fn new() -> Self {
        // SAFETY: a new private, anonymous mapping (0x22), which the arena alone knows.
        let start = unsafe { mmap(core::ptr::null_mut(), PLACES * PLACE, 7, 0x22, -1, 0) };
        assert_ne!(start.addr(), usize::MAX, "mmap");
        (0..PLACES).for_each(|place| spoil(start.addr() + place * PLACE, PLACE));
        Self { start: start.addr(), taken: [false; PLACES], in_use: 0, refusals: Arc::default() }
    }

    /// Refuses what is asked of it and of its blocks: the first thing from now is number 0.
    pub(crate) fn refuse(&self, numbers: Range<usize>) {
        self.refusals.asked.store(0, Relaxed);
        self.refusals.from.store(numbers.start, Relaxed);
        self.refusals.until.store(numbers.end, Relaxed);
    }

    /// The bytes that are reserved, scratch included.
    pub(crate) fn in_use(&self) -> usize {
        self.in_use
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        lend(self.start, PLACES * PLACE);
        // SAFETY: the mapping of `new`; blocks do not outlive their registry.
        unsafe { munmap(self.start as *mut _, PLACES * PLACE) };
    }
}

fn spoil(start: usize, len: usize) {
    // SAFETY: the bytes are the arena's, and nobody uses them any more.
    unsafe {
        (start as *mut u8).write_bytes(TRAP, len);
        #[cfg(asan)]
        __asan_poison_memory_region(start as *const _, len);
    }
}

fn lend(start: usize, len: usize) {
    #[cfg(asan)]
    // SAFETY: the bytes are the arena's.
    unsafe {
        __asan_unpoison_memory_region(start as *const _, len);
    }
    let _ = (start, len);
}

/// A place of an [`Arena`].
#[derive(Debug)]
pub(crate) struct Place {
    number: usize,
    starts: [usize; 4],
    sizes: [usize; 4],
    is_draft: bool,
    refusals: Arc<Refusals>,
}

// SAFETY: the parts follow each other in a place that is one block's alone, aligned as asked; it does not move.
unsafe impl Memory for Arena {
    type Block = Place;
    type Scratch = Scratch;

    fn reach(&self) -> Window {
        Window { low: self.start as u64, high: (self.start + PLACES * PLACE) as u64 }
    }

    fn reserve(&mut self, request: &Request) -> Result<Place, MemoryError> {
        self.refusals.ask("reserve")?;
        let wanted: usize = request.sizes.iter().sum();
        let full = MemoryError::OutOfMemory { part: Part::Code, wanted, available: 0 };
        let number = self.taken.iter().position(|taken| !taken).ok_or(full)?;
        let mut end = self.start + number * PLACE;
        let starts = core::array::from_fn(|part| {
            let start = end.next_multiple_of(request.aligns[part]);
            end = start + request.sizes[part];
            start
        });
        let (low, high) = (starts[0] as u64, end as u64);
        if end > self.start + (number + 1) * PLACE {
            return Err(full);
        }
        if !request.window.holds(low, high - low) {
            return Err(MemoryError::OutOfReach { low, high, wanted });
        }
        lend(self.start + number * PLACE, PLACE);
        self.taken[number] = true;
        self.in_use += wanted;
        Ok(Place { number, starts, sizes: request.sizes, is_draft: false, refusals: self.refusals.clone() })
    }

    fn release(&mut self, block: Place) {
        self.in_use -= block.sizes.iter().sum::<usize>();
        let start = self.start + block.number * PLACE;
        let end = block.starts.iter().zip(block.sizes).map(|(start, size)| start + size).max();
        // The sanitizer knows of eight bytes at a time.
        spoil(start, (end.unwrap_or(start) - start).next_multiple_of(8));
        self.taken[block.number] = false;
    }

    fn scratch(&mut self, bytes: usize) -> Result<Scratch, MemoryError> {
        self.refusals.ask("scratch")?;
        self.in_use += bytes;
        Ok(Scratch { lines: vec![Line([0; 16]); bytes.div_ceil(16)], len: bytes })
    }

    fn give_back(&mut self, scratch: Scratch) {
        self.in_use -= scratch.len;
    }
}

// SAFETY: run addresses are working addresses; the memory can be run all the time, and the processor keeps its caches.
unsafe impl Block for Place {
    fn commit(&mut self) -> Result<(), MemoryError> {
        watched::no_lock_is_held();
        self.refusals.ask("commit")?;
        for (start, size) in self.starts.iter().zip(self.sizes) {
            // SAFETY: the place is this block's alone.
            unsafe { (*start as *mut u8).write_bytes(0, size) };
        }
        self.is_draft = true;
        Ok(())
    }

    fn addresses(&self) -> [usize; 4] {
        self.starts
    }

    fn working(&mut self) -> [&mut [u8]; 4] {
        if !self.is_draft {
            return Default::default();
        }
        // SAFETY: `commit` filled the parts, which are disjoint and borrowed as `self` is.
        core::array::from_fn(|part| unsafe {
            core::slice::from_raw_parts_mut(self.starts[part] as *mut u8, self.sizes[part])
        })
    }

    fn trim(&mut self, _: [usize; 4]) {}

    fn seal(&mut self, _: &[Segment]) -> Result<(), MemoryError> {
        watched::no_lock_is_held();
        self.refusals.ask("seal")?;
        self.is_draft = false;
        Ok(())
    }

    fn protect(&mut self, _: Segment) -> Result<(), MemoryError> {
        watched::no_lock_is_held();
        self.refusals.ask("protect")
    }

    fn retire(&mut self) {
        watched::no_lock_is_held();
        self.is_draft = false;
    }
}

#[derive(Clone, Copy)]
#[repr(C, align(16))]
struct Line([u8; 16]);

/// Bytes for the time of a load.
pub(crate) struct Scratch {
    lines: Vec<Line>,
    len: usize,
}

impl AsRef<[u8]> for Scratch {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: a line is 16 bytes, and there are enough of them.
        unsafe { core::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl AsMut<[u8]> for Scratch {
    fn as_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above.
        unsafe { core::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

#[cfg(asan)]
fn is_spoiled(address: usize) -> bool {
    unsafe extern "C" {
        fn __asan_address_is_poisoned(at: *const c_void) -> i32;
    }
    // SAFETY: it only looks at what the sanitizer knows.
    unsafe { __asan_address_is_poisoned(address as *const _) == 1 }
}

#[cfg(not(asan))]
fn is_spoiled(address: usize) -> bool {
    // SAFETY: the arena of the test below is still mapped.
    unsafe { *(address as *const u8) == TRAP }
}

#[test]
fn what_was_given_back_is_spoiled_and_what_is_lent_is_not() {
    let mut arena = Arena::new();
    let request = Request { sizes: [0, 100, 100, 100], aligns: [16; 4], window: arena.reach() };
    let mut block = arena.reserve(&request).unwrap();
    block.commit().unwrap();
    let [_, code, constants, data] = block.addresses();
    let addresses = [code, code + 99, constants, constants + 99, data, data + 99];
    assert_eq!((arena.in_use(), addresses.map(is_spoiled)), (300, [false; 6]));
    block.retire();
    arena.release(block);
    assert_eq!((arena.in_use(), addresses.map(is_spoiled)), (0, [true; 6]));
}
