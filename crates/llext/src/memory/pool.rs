//! Memory out of the caller's own slices: one for everything, or one for code and one for data.
//!
//! Inside is a two-level segregated fit allocator, whose every step takes bounded time:
//! <http://www.gii.upv.es/tlsf/files/papers/ecrts04_tlsf.pdf>. It keeps its books inside the slices.
//! Nothing here protects memory: whether data can be run is up to the hardware around the slices.

use super::{Block, Memory, MemoryError, Part, Protection, Request, SPREAD, Segment, Stage, Window};
use super::{check_segments, synchronize};
use core::alloc::Layout;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use rlsf::{GRANULARITY, Tlsf};

mod blocks;
#[cfg(feature = "save")]
mod kept;

pub use blocks::Blocks;
#[cfg(feature = "save")]
pub(crate) use kept::Taken;

/// Memory that the caller gives: on a microcontroller, two arrays or one.
#[derive(Debug)]
pub struct Pool<'a> {
    code: Arena<'a>,
    /// `None` when code and data share one slice.
    data: Option<Arena<'a>>,
}

impl<'a> Pool<'a> {
    /// Code goes to one slice, constants and data to another. Shared objects cannot be loaded: theirs
    /// must lie in one piece.
    pub fn new(code: &'a mut [MaybeUninit<u8>], data: &'a mut [MaybeUninit<u8>]) -> Self {
        Self { code: Arena::new(code), data: Some(Arena::new(data)) }
    }

    /// Like [`Pool::new`], for a processor that sees the same memory at two addresses, and fetches instructions `offset`
    /// bytes above where `code` is written (below, if it is negative): an execution alias.
    ///
    /// # Safety
    /// Every byte of `code` can also be read and run at its address plus `offset`, and nothing else lies there.
    pub unsafe fn aliased(
        code: &'a mut [MaybeUninit<u8>],
        data: &'a mut [MaybeUninit<u8>],
        offset: isize,
    ) -> Self {
        let mut pool = Self::new(code, data);
        pool.code.alias = offset;
        pool
    }

    /// Everything goes to one slice.
    pub fn unified(memory: &'a mut [MaybeUninit<u8>]) -> Self {
        Self { code: Arena::new(memory), data: None }
    }

    /// No memory: what a registry begins with whose memory is given at run time, by
    /// [`Registry::swap_memory`](crate::Registry::swap_memory).
    pub const fn empty() -> Self {
        Self { code: Arena::EMPTY, data: None }
    }

    /// The slices that the pool was made of, for code and for data, the latter empty if they share one; `None`, and the
    /// pool is lost, while anything of them is reserved.
    pub fn into_slices(self) -> Option<[&'a mut [MaybeUninit<u8>]; 2]> {
        if self.in_use() > 0 {
            return None;
        }
        Some([self.code.into_slice(), self.data.map(Arena::into_slice).unwrap_or_default()])
    }

    /// The bytes that are reserved, scratch included, the allocator's own apart.
    pub fn in_use(&self) -> usize {
        self.code.in_use + self.data.as_ref().map_or(0, |data| data.in_use)
    }

    /// The size of the largest part, in bytes, that could be reserved now: for code, and for data.
    ///
    /// It is found by trying, in a few dozen steps. They write to the slices: not before a load is restored from them.
    pub fn largest_free(&mut self) -> (usize, usize) {
        let code = self.code.largest_free();
        (code, self.data.as_mut().map_or(code, Arena::largest_free))
    }

    /// The slice for `part`.
    fn arena(&mut self, part: Part) -> &mut Arena<'a> {
        match part {
            Part::Image | Part::Code => &mut self.code,
            Part::Constants | Part::Data => self.data.as_mut().unwrap_or(&mut self.code),
        }
    }
}

// SAFETY: the allocator's pieces are disjoint, stay where they are, and have the size and alignment
// asked for; `in_place` checks window and spread. The slices are borrowed for as long as blocks live.
unsafe impl<'a> Memory for Pool<'a> {
    type Block = PoolBlock<'a>;
    type Scratch = PoolScratch<'a>;

    fn reach(&self) -> Window {
        let data = self.data.as_ref().unwrap_or(&self.code);
        let (code, data) = (self.code.runs(), data.runs());
        Window { low: code.low.min(data.low), high: code.high.max(data.high) }
    }

    fn reserve(&mut self, request: &Request) -> Result<PoolBlock<'a>, MemoryError> {
        request.check()?;
        if self.data.is_some() && request.sizes[Part::Image as usize] != 0 {
            return Err(MemoryError::SplitMemory);
        }
        let mut block =
            PoolBlock { pieces: [Piece::EMPTY; 4], cleared: 0, stage: Stage::Reserved, memory: PhantomData };
        for part in Part::ALL {
            let (size, align) = (request.sizes[part as usize], request.aligns[part as usize]);
            let Some(piece) = self.arena(part).allocate(size, align) else {
                self.release(block);
                let available = self.arena(part).largest_free();
                return Err(MemoryError::OutOfMemory { part, wanted: size, available });
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
        for part in Part::ALL {
            self.arena(part).free(block.pieces[part as usize]);
        }
    }

    fn scratch(&mut self, bytes: usize) -> Result<PoolScratch<'a>, MemoryError> {
        let arena = self.arena(Part::Data);
        match arena.allocate(bytes, PoolScratch::ALIGN) {
            Some(piece) => Ok(PoolScratch::new(piece)),
            None => Err(MemoryError::OutOfScratch { wanted: bytes, available: arena.largest_free() }),
        }
    }

    fn clear(scratch: &mut PoolScratch<'a>, bytes: usize) -> usize {
        scratch.clear(bytes)
    }

    fn give_back(&mut self, scratch: PoolScratch<'a>) {
        self.arena(Part::Data).free(scratch.piece());
    }
}

/// A reservation in a [`Pool`]. Dropping it instead of releasing it keeps its memory reserved.
#[derive(Debug)]
pub struct PoolBlock<'a> {
    pieces: [Piece; 4],
    /// How many bytes of them, one after the other, are zero already while it is reserved.
    cleared: usize,
    stage: Stage,
    memory: PhantomData<&'a mut [u8]>,
}

impl PoolBlock<'_> {
    /// Whether all pieces lie in the window, and close enough to each other.
    fn in_place(&self, window: &Window) -> bool {
        let (mut low, mut high) = (u64::MAX, 0);
        for piece in self.pieces.iter().filter(|piece| piece.size != 0) {
            low = low.min(piece.runs_at() as u64);
            high = high.max(piece.runs_at() as u64 + piece.size as u64);
        }
        low >= high || (window.holds(low, high - low) && high - low <= SPREAD)
    }

    fn image_size(&self) -> usize {
        self.pieces[Part::Image as usize].size
    }

    /// Makes a segment of the image visible to instruction fetch, if it is to run.
    fn show(&self, segment: &Segment) {
        if segment.protection == Protection::ReadExecute {
            let address = self.pieces[Part::Image as usize].address() + segment.offset;
            // SAFETY: the segment was checked to lie in the image, which is readable.
            unsafe { synchronize(address, segment.size) };
        }
    }
}

// SAFETY: the pieces are this block's alone and run where they are written or, as whoever made the pool
// vouched, at their alias; `working` gives them out between `commit`, which initialises them, and `seal`, which synchronises what runs.
unsafe impl Block for PoolBlock<'_> {
    fn prepare(&mut self, bytes: usize) -> usize {
        if self.stage != Stage::Reserved {
            return 0;
        }
        let (mut done, mut left) = (self.cleared, bytes);
        for piece in &self.pieces {
            let at = done.min(piece.size);
            let size = left.min(piece.size - at);
            // SAFETY: these bytes of the piece are this block's alone, and nothing borrows them yet.
            unsafe { piece.start.add(at).write_bytes(0, size) };
            done -= at;
            left -= size;
        }
        self.cleared += bytes - left;
        bytes - left
    }

    fn commit(&mut self) -> Result<(), MemoryError> {
        self.stage.expect(Stage::Reserved, "commit")?;
        self.prepare(usize::MAX);
        self.stage = Stage::Draft;
        Ok(())
    }

    fn addresses(&self) -> [usize; 4] {
        self.pieces.map(Piece::runs_at)
    }

    fn working(&mut self) -> [&mut [u8]; 4] {
        if self.stage != Stage::Draft {
            return Default::default();
        }
        // SAFETY: `commit` initialised the pieces; they are disjoint, and borrowed as `self` is.
        self.pieces.map(|piece| unsafe { piece.bytes() })
    }

    /// Memory comes back to a pool only when the block is released.
    fn trim(&mut self, used: [usize; 4]) {
        if self.stage == Stage::Draft {
            for (piece, used) in self.pieces.iter_mut().zip(used) {
                piece.used = piece.used.min(used);
            }
        }
    }

    fn seal(&mut self, image: &[Segment]) -> Result<(), MemoryError> {
        self.stage.expect(Stage::Draft, "seal")?;
        check_segments(image, self.image_size())?;
        self.stage = Stage::Sealed;
        image.iter().for_each(|segment| self.show(segment));
        let code = self.pieces[Part::Code as usize];
        // SAFETY: the piece is this block's, and readable at both addresses: what was written leaves the
        // data cache at the one, and is fetched anew at the other.
        unsafe {
            synchronize(code.address(), code.used);
            if code.alias != 0 {
                synchronize(code.runs_at(), code.used);
            }
        }
        Ok(())
    }

    fn protect(&mut self, segment: Segment) -> Result<(), MemoryError> {
        self.stage.expect(Stage::Sealed, "protect")?;
        segment.end(self.image_size())?;
        self.show(&segment);
        Ok(())
    }

    fn retire(&mut self) {
        self.stage = Stage::Retired;
    }
}

/// Scratch out of a [`Pool`]. Dropping it instead of giving it back keeps its memory reserved.
#[derive(Debug)]
pub struct PoolScratch<'a> {
    start: NonNull<u8>,
    size: usize,
    /// How many of its bytes are zero already, or have been since.
    cleared: usize,
    memory: PhantomData<&'a mut [u8]>,
}

impl PoolScratch<'_> {
    const ALIGN: usize = 16;

    /// Of a piece of that alignment.
    fn new(Piece { start, size, .. }: Piece) -> Self {
        Self { start, size, cleared: 0, memory: PhantomData }
    }

    fn piece(&self) -> Piece {
        Piece { start: self.start, size: self.size, used: self.size, align: Self::ALIGN, alias: 0 }
    }

    /// Zeroes up to `bytes` more bytes; how many it were.
    fn clear(&mut self, bytes: usize) -> usize {
        let size = bytes.min(self.size - self.cleared);
        // SAFETY: these bytes of the piece are this scratch's alone, and nothing borrows them yet.
        unsafe { self.start.add(self.cleared).write_bytes(0, size) };
        self.cleared += size;
        size
    }
}

/// Empty until all of its bytes were zeroed: when it is first asked for them to write, at the latest.
impl AsRef<[u8]> for PoolScratch<'_> {
    fn as_ref(&self) -> &[u8] {
        if self.cleared < self.size {
            return &[];
        }
        // SAFETY: the piece is this scratch's alone, was zeroed, and is borrowed as `self` is.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.size) }
    }
}

impl AsMut<[u8]> for PoolScratch<'_> {
    fn as_mut(&mut self) -> &mut [u8] {
        self.clear(usize::MAX);
        // SAFETY: the piece is initialised, this scratch's alone, and borrowed as `self` is.
        unsafe { self.piece().bytes() }
    }
}

// SAFETY: the pieces are owned: no one else reads or writes them.
unsafe impl Send for PoolBlock<'_> {}
// SAFETY: a shared block tells its addresses only.
unsafe impl Sync for PoolBlock<'_> {}
// SAFETY: as for a block.
unsafe impl Send for PoolScratch<'_> {}
// SAFETY: a shared scratch tells nothing.
unsafe impl Sync for PoolScratch<'_> {}

/// One allocation; of no memory if its size is 0.
#[derive(Clone, Copy, Debug)]
struct Piece {
    start: NonNull<u8>,
    size: usize,
    /// What is left of it after trimming.
    used: usize,
    /// 0 for one that was there before the allocator was.
    align: usize,
    /// How far above its place it is run.
    alias: isize,
}

impl Piece {
    const EMPTY: Self = Self { start: NonNull::dangling(), size: 0, used: 0, align: 1, alias: 0 };

    /// Where it is written.
    fn address(self) -> usize {
        self.start.as_ptr().addr()
    }

    /// Where it is run.
    fn runs_at(self) -> usize {
        self.address().wrapping_add_signed(self.alias)
    }

    /// # Safety
    ///
    /// The piece is initialised, and nothing else borrows it during `'b`.
    unsafe fn bytes<'b>(self) -> &'b mut [u8] {
        // SAFETY: the allocator gave `size` bytes at `start`, and `used` is no more.
        unsafe { core::slice::from_raw_parts_mut(self.start.as_ptr(), self.used) }
    }
}

/// Classes of free pieces by power of two: pieces of up to 16 MiB (128 MiB where pointers have 64 bits).
const POWERS: usize = if usize::BITS == 32 { 20 } else { 22 };
/// Classes between two powers of two.
const STEPS: usize = 4;

/// A slice and its allocator.
#[derive(Debug)]
struct Arena<'a> {
    free: Tlsf<'a, u32, u8, POWERS, STEPS>,
    start: *mut MaybeUninit<u8>,
    low: usize,
    high: usize,
    in_use: usize,
    /// How far above its place code is run.
    alias: isize,
    /// What the allocator has been given of the slice.
    #[cfg(feature = "save")]
    given: kept::Given,
}

// SAFETY: the arena is its slice's only user, and a slice of bytes goes to other threads.
unsafe impl Send for Arena<'_> {}
// SAFETY: a shared arena tells numbers only.
unsafe impl Sync for Arena<'_> {}

impl<'a> Arena<'a> {
    const EMPTY: Self = Self {
        free: Tlsf::new(),
        start: core::ptr::null_mut(),
        low: 0,
        high: 0,
        in_use: 0,
        alias: 0,
        #[cfg(feature = "save")]
        given: kept::Given::Nothing,
    };

    fn new(memory: &'a mut [MaybeUninit<u8>]) -> Self {
        let range = memory.as_mut_ptr_range();
        let (start, low, high) = (range.start, range.start.addr(), range.end.addr());
        #[allow(unused_mut, reason = "with `save` the slice stays as it is until something is reserved")]
        let mut arena = Self { start, low, high, ..Self::EMPTY };
        #[cfg(not(feature = "save"))]
        arena.give(low, high);
        arena
    }

    /// Gives the allocator the bytes between two addresses in the slice.
    fn give(&mut self, low: usize, high: usize) {
        if low < high {
            // SAFETY: the bytes lie in the slice, and are the allocator's alone for as long as that was lent, but for
            // `into_slice`, which ends it.
            let bytes =
                unsafe { core::slice::from_raw_parts_mut(self.start.add(low - self.low), high - low) };
            let _ = self.free.insert_free_block(bytes);
        }
    }

    /// The slice it was made of, of which nothing is reserved.
    fn into_slice(self) -> &'a mut [MaybeUninit<u8>] {
        if self.start.is_null() {
            return &mut [];
        }
        // SAFETY: this is the slice that was lent for `'a`; no piece of it is reserved, and the allocator ends here.
        unsafe { core::slice::from_raw_parts_mut(self.start, self.high - self.low) }
    }

    /// The addresses at which its bytes are run.
    fn runs(&self) -> Window {
        let [low, high] = [self.low, self.high].map(|end| end.wrapping_add_signed(self.alias) as u64);
        Window { low, high }
    }

    fn allocate(&mut self, size: usize, align: usize) -> Option<Piece> {
        if size == 0 {
            return Some(Piece::EMPTY);
        }
        #[cfg(feature = "save")]
        self.open();
        let layout = Layout::from_size_align(size, align).ok()?;
        let start = self.free.allocate(layout).or_else(|| self.allocate_tight(layout))?;
        self.in_use += size;
        Some(Piece { start, size, used: size, align, alias: self.alias })
    }

    /// Finds a place in a piece that is hardly larger.
    ///
    /// The allocator only looks into classes whose every piece is large enough. The pieces of the
    /// class below may be: so take the least that makes the allocator look there, and let it grow.
    fn allocate_tight(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        let overhead = layout.align().max(GRANULARITY / 2);
        let wanted = layout.size().checked_add(overhead)?.checked_next_multiple_of(GRANULARITY)?;
        let step = (1 << wanted.checked_ilog2()?) / STEPS;
        let least = (wanted & !(step - 1)).checked_sub(overhead)?;
        let start = self.free.allocate(Layout::from_size_align(least, layout.align()).ok()?)?;
        // SAFETY: `start` was allocated just now with the same alignment.
        let grown = unsafe { self.free.reallocate(start, layout) };
        if grown.is_none() {
            // SAFETY: `start` is still allocated: it did not grow.
            unsafe { self.free.deallocate(start, layout.align()) };
        }
        grown
    }

    /// Takes a piece back if it is one of this slice. Pieces borrow their slice as long as they live,
    /// so a piece that lies inside came from here.
    fn free(&mut self, piece: Piece) {
        if piece.size != 0 && (self.low..self.high).contains(&piece.address()) {
            self.in_use -= piece.size;
            #[cfg(feature = "save")]
            if self.free_kept(piece) {
                return;
            }
            // SAFETY: the piece came from this allocator with this alignment, and is given up here.
            unsafe { self.free.deallocate(piece.start, piece.align) };
        }
    }

    fn largest_free(&mut self) -> usize {
        let (mut fits, mut fails) = (0, self.high - self.low + 1);
        while fails - fits > 1 {
            let size = fits + (fails - fits) / 2;
            match self.allocate(size, 1) {
                Some(piece) => {
                    self.free(piece);
                    fits = size;
                }
                None => fails = size,
            }
        }
        fits
    }
}

#[cfg(test)]
mod tests;
