//! Memory of equal blocks, LLEXT's block heap: no piece is smaller, a piece of several is contiguous, and nothing but a
//! bit a block is kept about it. So a piece begins at a multiple of the block from the start, as a page or the region of
//! a protection unit does.

use super::{Piece, PoolBlock, PoolScratch};
use crate::memory::{Memory, MemoryError, Part, Request, Stage, Window};
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

/// Memory that the caller gives, in equal blocks: at most 32 times `WORDS`.
///
/// ```
/// use core::mem::MaybeUninit;
/// use llext::{NoopRawMutex, Registry, memory::Blocks};
/// #[repr(align(4096))]
/// struct Room([MaybeUninit<u8>; 64 * 1024]);
/// let mut room = Room([const { MaybeUninit::uninit() }; 64 * 1024]);
/// let blocks = Blocks::<1>::new(&mut room.0, 4096);
/// assert_eq!(blocks.largest_free(), 16 * 4096);
/// let apps = Registry::<_, NoopRawMutex, 4>::new(blocks);
/// # drop(apps);
/// ```
#[derive(Debug)]
pub struct Blocks<'a, const WORDS: usize> {
    start: NonNull<u8>,
    /// The size of a block, bytes.
    block: usize,
    count: usize,
    /// A bit for each block that is reserved.
    reserved: [u32; WORDS],
    memory: PhantomData<&'a mut [MaybeUninit<u8>]>,
}

// SAFETY: the blocks are their slice's only user, and a slice of bytes goes to other threads.
unsafe impl<const WORDS: usize> Send for Blocks<'_, WORDS> {}
// SAFETY: shared blocks tell numbers only.
unsafe impl<const WORDS: usize> Sync for Blocks<'_, WORDS> {}

impl<'a, const WORDS: usize> Blocks<'a, WORDS> {
    /// Blocks of `block` bytes; what is left of `memory` behind the last one, or past as many as there are bits, is not
    /// used.
    ///
    /// # Panics
    /// If `block` is 0.
    pub fn new(memory: &'a mut [MaybeUninit<u8>], block: usize) -> Self {
        assert!(block > 0, "blocks of no bytes");
        let count = (memory.len() / block).min(32 * WORDS);
        Self { start: NonNull::from(memory).cast(), block, count, reserved: [0; WORDS], memory: PhantomData }
    }

    /// The bytes of the blocks that are reserved, scratch included.
    pub fn in_use(&self) -> usize {
        self.reserved.iter().map(|word| word.count_ones() as usize).sum::<usize>() * self.block
    }

    /// The size of the largest part, in bytes, that could be reserved now.
    pub fn largest_free(&self) -> usize {
        let (mut run, mut longest) = (0, 0);
        for block in 0..self.count {
            run = if self.is_free(block) { run + 1 } else { 0 };
            longest = longest.max(run);
        }
        longest * self.block
    }

    fn is_free(&self, block: usize) -> bool {
        self.reserved[block / 32] >> (block % 32) & 1 == 0
    }

    /// Marks blocks that are free as reserved, or the other way round.
    fn flip(&mut self, blocks: core::ops::Range<usize>) {
        blocks.for_each(|block| self.reserved[block / 32] ^= 1 << (block % 32));
    }

    /// The first blocks in a row that hold `size` bytes and begin at a multiple of `align`.
    fn allocate(&mut self, size: usize, align: usize) -> Option<Piece> {
        if size == 0 {
            return Some(Piece::EMPTY);
        }
        let (wanted, mut first) = (size.div_ceil(self.block), 0);
        for block in 0..self.count {
            let begins = first < block || (self.start.addr().get() + first * self.block) % align == 0;
            if !self.is_free(block) || !begins {
                first = block + 1;
            } else if block + 1 - first == wanted {
                self.flip(first..block + 1);
                // SAFETY: the block lies in the slice.
                let start = unsafe { self.start.add(first * self.block) };
                return Some(Piece { start, size, used: size, align, alias: 0 });
            }
        }
        None
    }

    /// Takes a piece back if it is one of this slice: it borrows the slice as long as it lives, so it came from here.
    fn free(&mut self, piece: Piece) {
        let at = piece.address().wrapping_sub(self.start.addr().get());
        if piece.size > 0 && at < self.count * self.block {
            let first = at / self.block;
            self.flip(first..first + piece.size.div_ceil(self.block));
        }
    }
}

// SAFETY: pieces are disjoint runs of blocks of a slice that is borrowed for as long as they live, have the size and
// alignment asked for, and stay where they are; `in_place` checks window and spread.
unsafe impl<'a, const WORDS: usize> Memory for Blocks<'a, WORDS> {
    type Block = PoolBlock<'a>;
    type Scratch = PoolScratch<'a>;

    fn reach(&self) -> Window {
        let low = self.start.addr().get() as u64;
        Window { low, high: low + (self.count * self.block) as u64 }
    }

    fn reserve(&mut self, request: &Request) -> Result<PoolBlock<'a>, MemoryError> {
        request.check()?;
        let mut block =
            PoolBlock { pieces: [Piece::EMPTY; 4], cleared: 0, stage: Stage::Reserved, memory: PhantomData };
        for part in Part::ALL {
            let (wanted, align) = (request.sizes[part as usize], request.aligns[part as usize]);
            let Some(piece) = self.allocate(wanted, align) else {
                self.release(block);
                return Err(MemoryError::OutOfMemory { part, wanted, available: self.largest_free() });
            };
            block.pieces[part as usize] = piece;
        }
        if !block.in_place(&request.window) {
            self.release(block);
            let Window { low, high } = request.window;
            return Err(MemoryError::OutOfReach { low, high, wanted: request.sizes.iter().sum() });
        }
        Ok(block)
    }

    fn release(&mut self, block: PoolBlock<'a>) {
        block.pieces.into_iter().for_each(|piece| self.free(piece));
    }

    fn scratch(&mut self, wanted: usize) -> Result<PoolScratch<'a>, MemoryError> {
        match self.allocate(wanted, PoolScratch::ALIGN) {
            Some(piece) => Ok(PoolScratch::new(piece)),
            None => Err(MemoryError::OutOfScratch { wanted, available: self.largest_free() }),
        }
    }

    fn clear(scratch: &mut PoolScratch<'a>, bytes: usize) -> usize {
        scratch.clear(bytes)
    }

    fn give_back(&mut self, scratch: PoolScratch<'a>) {
        self.free(scratch.piece());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Block;
    use std::vec::Vec;

    #[repr(align(64))]
    struct Room([MaybeUninit<u8>; 64 * 40 + 7]);

    const ROOM: Room = Room([MaybeUninit::new(0xaa); 64 * 40 + 7]);

    fn request(sizes: [usize; 4], align: usize) -> Request {
        Request { sizes, aligns: [align; 4], window: Window::ALL }
    }

    #[test]
    fn a_piece_is_whole_blocks_in_a_row() {
        let mut room = ROOM;
        let start = room.0.as_ptr().addr();
        let mut blocks = Blocks::<2>::new(&mut room.0, 64);
        assert_eq!((blocks.in_use(), blocks.largest_free()), (0, 40 * 64));
        let mut block = blocks.reserve(&request([1, 64, 65, 0], 16)).unwrap();
        assert_eq!(blocks.in_use(), 4 * 64);
        assert_eq!(block.addresses()[..3], [start, start + 64, start + 128]);
        block.commit().unwrap();
        assert_eq!(block.working().map(|part| part.len()), [1, 64, 65, 0]);
        let scratch = blocks.scratch(36 * 64).unwrap();
        assert!(matches!(blocks.scratch(1), Err(MemoryError::OutOfScratch { wanted: 1, available: 0 })));
        blocks.release(block);
        let full = MemoryError::OutOfMemory { part: Part::Code, wanted: 257, available: 256 };
        assert_eq!(blocks.reserve(&request([0, 257, 0, 0], 1)).unwrap_err(), full);
        blocks.give_back(scratch);
        assert_eq!((blocks.in_use(), blocks.largest_free()), (0, 40 * 64));
    }

    #[test]
    fn an_alignment_may_be_larger_than_a_block() {
        let mut room = ROOM;
        let mut blocks = Blocks::<2>::new(&mut room.0, 64);
        let first = blocks.reserve(&request([1, 0, 0, 0], 1)).unwrap();
        let second = blocks.reserve(&request([65, 0, 0, 0], 256)).unwrap();
        assert!(second.addresses()[0] % 256 == 0 && blocks.in_use() == 3 * 64);
        blocks.release(first);
        blocks.release(second);
        assert_eq!(blocks.in_use(), 0);
    }

    #[test]
    fn holes_are_filled_and_not_joined_over_what_is_reserved() {
        let mut room = ROOM;
        let mut blocks = Blocks::<1>::new(&mut room.0, 64);
        let mut all: Vec<_> = (0..32).map(|_| blocks.reserve(&request([64, 0, 0, 0], 1)).unwrap()).collect();
        assert_eq!(blocks.largest_free(), 0);
        for index in [20, 11, 10, 3] {
            blocks.release(all.remove(index));
        }
        assert_eq!((blocks.in_use(), blocks.largest_free()), (28 * 64, 128));
        assert!(blocks.reserve(&request([64, 65, 0, 0], 1)).is_ok());
        assert_eq!(blocks.largest_free(), 64);
    }

    #[test]
    fn what_lies_out_of_the_window_is_not_kept() {
        let mut room = ROOM;
        let mut blocks = Blocks::<2>::new(&mut room.0, 64);
        let window = Window { low: 0, high: blocks.reach().low };
        let far = blocks.reserve(&Request { window, ..request([64, 0, 0, 0], 1) });
        assert!(matches!(far, Err(MemoryError::OutOfReach { .. })));
        assert_eq!(blocks.in_use(), 0);
    }
}
