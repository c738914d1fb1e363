//! A pool over memory that holds something: what was reserved before the pool was made is left as it is.
//!
//! The allocator gets what lies between. What was kept and is given up later it gets as well, but does not join with its
//! neighbours: that comes when nothing of the slice is in use any more, and it gets all of it anew.

use super::{Arena, Piece, Pool, PoolBlock};
use crate::memory::{Part, Protection, Segment, Stage, synchronize};
use core::marker::PhantomData;
use core::ops::Range;
use core::ptr::NonNull;
use rlsf::Tlsf;

/// What an allocator has been given of its slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// Nothing yet: no byte was written.
    Nothing,
    /// All of it.
    All,
    /// What lay between pieces that were kept.
    Gaps,
}

/// Where the parts of a block lie: the address of each, where it is written, and its size.
pub(crate) type Taken = [[usize; 2]; 4];

impl<'a> Pool<'a> {
    /// Lets the allocators have their slices now: from here on these are written.
    #[cfg(feature = "critical-section")]
    pub(in crate::memory) fn open(&mut self) {
        self.code.open();
        self.data.iter_mut().for_each(Arena::open);
    }

    /// The slices for code and for data: where each begins, its size, and how far above that it is run.
    pub(crate) fn slices(&self) -> [[usize; 3]; 2] {
        let all = [Some(&self.code), self.data.as_ref()];
        all.map(|arena| {
            arena.map_or([0; 3], |arena| [arena.low, arena.high - arena.low, arena.alias as usize])
        })
    }

    /// Whether nothing was ever reserved of it: its slices are as they were lent.
    pub(crate) fn is_fresh(&self) -> bool {
        let fresh = |arena: &Arena<'_>| arena.given == Given::Nothing;
        fresh(&self.code) && self.data.as_ref().is_none_or(fresh)
    }

    /// Whether blocks lie in the pool's slices, and apart from each other. `blocks` gives the same ones whenever it is
    /// called.
    pub(crate) fn holds<I: Iterator<Item = Taken>>(&self, blocks: impl Fn() -> I) -> bool {
        let Some(data) = &self.data else {
            return self.code.holds(|| pieces(blocks(), &Part::ALL));
        };
        let no_image = pieces(blocks(), &[Part::Image]).next().is_none();
        no_image && self.code.holds(|| pieces(blocks(), &CODE)) && data.holds(|| pieces(blocks(), &DATA))
    }

    /// Keeps blocks that it [holds](Pool::holds) as they are, if it is fresh; whether it is.
    pub(crate) fn keep<I: Iterator<Item = Taken>>(&mut self, blocks: impl Fn() -> I) -> bool {
        let can = self.is_fresh() && self.holds(&blocks);
        match &mut self.data {
            _ if !can => {}
            None => self.code.keep(|| pieces(blocks(), &Part::ALL)),
            Some(data) => {
                self.code.keep(|| pieces(blocks(), &CODE));
                data.keep(|| pieces(blocks(), &DATA));
            }
        }
        can
    }

    /// A sealed block, of pieces that [`Pool::keep`] kept or would.
    pub(crate) fn kept(&self, taken: Taken) -> Option<PoolBlock<'a>> {
        let mut block =
            PoolBlock { pieces: [Piece::EMPTY; 4], cleared: 0, stage: Stage::Sealed, memory: PhantomData };
        for (part, [address, size]) in Part::ALL.into_iter().zip(taken) {
            let arena = match (part, &self.data) {
                (Part::Constants | Part::Data, Some(data)) => data,
                _ => &self.code,
            };
            if size > 0 {
                block.pieces[part as usize] = arena.piece(address, size)?;
            }
        }
        Some(block)
    }
}

impl PoolBlock<'_> {
    /// Where its parts lie.
    pub(crate) fn taken(&self) -> Taken {
        self.pieces.map(|piece| [piece.address(), piece.size])
    }

    /// Lets code be fetched as it lies there.
    pub(crate) fn show_all(&self) {
        self.show(&Segment { offset: 0, size: self.image_size(), protection: Protection::ReadExecute });
        let code = self.pieces[Part::Code as usize];
        // SAFETY: the piece is this block's, and readable at both addresses.
        unsafe {
            synchronize(code.address(), code.size);
            synchronize(code.runs_at(), code.size);
        }
    }

    /// Some bytes of a part; none if they do not all lie in it.
    ///
    /// # Safety
    /// They are initialised, and nobody writes them during `'b`.
    pub(crate) unsafe fn bytes<'b>(&self, part: Part, range: Range<usize>) -> &'b [u8] {
        let piece = self.pieces[part as usize];
        if range.start > range.end || range.end > piece.size {
            return &[];
        }
        // SAFETY: the range lies in the piece; the rest is the caller's.
        unsafe { core::slice::from_raw_parts(piece.start.as_ptr().add(range.start), range.end - range.start) }
    }

    /// Where a part is written, `offset` bytes into it; `None` if it does not hold `size` bytes there.
    pub(crate) fn place(&self, part: Part, offset: usize, size: usize) -> Option<NonNull<u8>> {
        let piece = self.pieces[part as usize];
        let end = offset.checked_add(size)?;
        // SAFETY: the offset lies in the piece.
        (end <= piece.size).then(|| unsafe { piece.start.add(offset) })
    }
}

impl Arena<'_> {
    /// Gives the allocator the slice, if it has nothing yet.
    pub(super) fn open(&mut self) {
        if self.given == Given::Nothing {
            self.given = Given::All;
            self.give(self.low, self.high);
        }
    }

    /// A piece that was there before the allocator was.
    fn piece(&self, address: usize, size: usize) -> Option<Piece> {
        let offset = address.checked_sub(self.low)?;
        if size > (self.high - self.low).checked_sub(offset)? {
            return None;
        }
        // SAFETY: the address lies in the slice, which is not at address 0.
        let start = unsafe { NonNull::new_unchecked(self.start.cast::<u8>().add(offset)) };
        Some(Piece { start, size, used: size, align: 0, alias: self.alias })
    }

    /// Whether the pieces lie in the slice, and apart from each other.
    fn holds<I: Iterator<Item = [usize; 2]>>(&self, pieces: impl Fn() -> I) -> bool {
        let (mut free, mut apart) = (self.low, 0);
        while let Some([start, size]) = next(pieces(), free) {
            if self.piece(start, size).is_none() {
                return false;
            }
            (free, apart) = (start + size, apart + 1);
        }
        apart == pieces().count()
    }

    /// Leaves the pieces, which it holds, as they are, and gives the allocator what lies between.
    fn keep<I: Iterator<Item = [usize; 2]>>(&mut self, pieces: impl Fn() -> I) {
        self.given = Given::Gaps;
        let mut free = self.low;
        while let Some([start, size]) = next(pieces(), free) {
            self.give(free, start);
            (free, self.in_use) = (start + size, self.in_use + size);
        }
        self.give(free, self.high);
    }

    /// Takes back a piece that was kept, or the last one that is in use; whether it was one of these.
    pub(super) fn free_kept(&mut self, piece: Piece) -> bool {
        if self.given == Given::Gaps && self.in_use == 0 {
            self.free = Tlsf::new();
            self.given = Given::Nothing;
            self.open();
            return true;
        }
        if piece.align == 0 {
            self.give(piece.address(), piece.address() + piece.size);
        }
        piece.align == 0
    }
}

/// The parts that lie in the slice for code where there are two, and those in that for data.
const CODE: [Part; 1] = [Part::Code];
const DATA: [Part; 2] = [Part::Constants, Part::Data];

/// The pieces of these parts.
fn pieces(blocks: impl Iterator<Item = Taken>, parts: &'static [Part]) -> impl Iterator<Item = [usize; 2]> {
    let of = |taken: Taken| parts.iter().map(move |part| taken[*part as usize]);
    blocks.flat_map(of).filter(|[_, size]| *size > 0)
}

/// The first piece that begins at `free` or behind it.
fn next(pieces: impl Iterator<Item = [usize; 2]>, free: usize) -> Option<[usize; 2]> {
    pieces.filter(|[start, _]| *start >= free).min()
}
