//! A pool whose slices are protected by hardware.

use super::shield::Draft;
use super::{MemoryError, Protect, Protection, Shield, Span};
use crate::memory::{Block, Memory, Part, Pool, PoolBlock, PoolScratch, Request, SPREAD, Segment, Window};
use core::mem::MaybeUninit;

/// Memory that the caller gives: a slice for code, one for constants, one for data. A protection unit sees to it that
/// code is only read and run, constants are only read, and data never runs.
///
/// While a load is under way its own code and constants can be written and not run; all other code runs on. Shared
/// objects cannot be loaded: theirs must lie in one piece.
#[derive(Debug)]
pub struct Protected<'a, U: Protect> {
    /// Code and data.
    pool: Pool<'a>,
    constants: Pool<'a>,
    shield: &'a Shield<U>,
}

impl<'a, U: Protect> Protected<'a, U> {
    /// Protects the slices, but for what at their ends is no whole granule. A slice takes the fewest regions if its size
    /// is a power of two and its start a multiple of it.
    ///
    /// The shield serves this pool from now on, and no other before it.
    ///
    /// # Errors
    /// [`MemoryError::OutOfRegions`] where even this takes too many, [`MemoryError::OutOfReach`] where slices lie 2 GiB
    /// and more apart.
    pub fn new(
        shield: &'a Shield<U>,
        code: &'a mut [MaybeUninit<u8>],
        constants: &'a mut [MaybeUninit<u8>],
        data: &'a mut [MaybeUninit<u8>],
    ) -> Result<Self, MemoryError> {
        let granule = shield.with(|state| state.unit().granule());
        let [code, constants, data] = [code, constants, data].map(|slice| whole(slice, granule));
        let slices = [
            span(code, Protection::ReadExecute),
            span(constants, Protection::Read),
            span(data, Protection::ReadWrite),
        ];
        check_spread(&slices)?;
        // The allocators write their books before anything is protected.
        #[allow(unused_mut, reason = "with `save` they wait with that")]
        let (mut pool, mut constants) = (Pool::new(code, data), Pool::unified(constants));
        #[cfg(feature = "save")]
        [&mut pool, &mut constants].into_iter().for_each(Pool::open);
        shield.with(|state| state.begin(slices))?;
        Ok(Self { pool, constants, shield })
    }

    /// The bytes that are reserved, scratch included, the allocator's own apart.
    pub fn in_use(&self) -> usize {
        self.pool.in_use() + self.constants.in_use()
    }

    /// A block of each pool.
    fn place(&mut self, request: &Request) -> Result<Blocks<'a>, MemoryError> {
        let only = |parts: &[Part]| {
            let mut request = *request;
            for part in Part::ALL.into_iter().filter(|part| !parts.contains(part)) {
                request.sizes[part as usize] = 0;
            }
            request
        };
        let rest = self.pool.reserve(&only(&[Part::Image, Part::Code, Part::Data]))?;
        match self.constants.reserve(&only(&[Part::Constants])) {
            Ok(constants) => Ok(Blocks { rest, constants }),
            Err(error) => {
                self.pool.release(rest);
                Err(error)
            }
        }
    }

    fn give_up(&mut self, blocks: Blocks<'a>) {
        self.pool.release(blocks.rest);
        self.constants.release(blocks.constants);
    }

    /// The request with places that the unit can protect, for what it is to protect.
    fn fit(&self, request: &Request) -> Request {
        let mut request = *request;
        for part in [Part::Code, Part::Constants].map(|part| part as usize) {
            if request.sizes[part] != 0 {
                let (size, align) = self.shield.with(|state| state.unit().fit(request.sizes[part]));
                request.sizes[part] = size;
                request.aligns[part] = request.aligns[part].max(align);
            }
        }
        request
    }
}

/// The part of a slice that is made of whole granules.
fn whole(slice: &mut [MaybeUninit<u8>], granule: usize) -> &mut [MaybeUninit<u8>] {
    let range = slice.as_ptr_range();
    let (start, end) = (range.start.addr(), range.end.addr());
    // Of a slice that holds no whole granule, the last one may end before it begins.
    let first = start.wrapping_neg() & (granule - 1);
    let len = (end & !(granule - 1)).saturating_sub(start);
    slice.get_mut(first..len).unwrap_or_default()
}

fn span(slice: &[MaybeUninit<u8>], protection: Protection) -> Span {
    let range = slice.as_ptr_range();
    Span { start: range.start.addr(), end: range.end.addr(), protection }
}

/// No two bytes of a block may lie farther apart, whatever slices they are in.
fn check_spread(slices: &[Span]) -> Result<(), MemoryError> {
    let (mut low, mut high) = (usize::MAX, 0);
    for slice in slices.iter().filter(|slice| slice.start < slice.end) {
        (low, high) = (low.min(slice.start), high.max(slice.end));
    }
    let (low, wanted) = (low as u64, high.saturating_sub(low));
    if wanted as u64 <= SPREAD {
        return Ok(());
    }
    Err(MemoryError::OutOfReach { low, high: low + SPREAD, wanted })
}

/// What one load gets: constants of one pool, all else of another.
#[derive(Debug)]
struct Blocks<'a> {
    rest: PoolBlock<'a>,
    constants: PoolBlock<'a>,
}

impl Blocks<'_> {
    fn addresses(&self) -> [usize; 4] {
        let [image, code, _, data] = self.rest.addresses();
        [image, code, self.constants.addresses()[Part::Constants as usize], data]
    }

    /// What is written until it is sealed, and never afterwards.
    fn draft(&self, request: &Request) -> Draft {
        [Part::Code, Part::Constants].map(|part| {
            let start = self.addresses()[part as usize];
            let end = start + request.sizes[part as usize];
            Span { start, end, protection: Protection::ReadWrite }
        })
    }
}

// SAFETY: as for a pool, which gives the memory; where it is written the unit allows that.
unsafe impl<'a, U: Protect> Memory for Protected<'a, U> {
    type Block = ProtectedBlock<'a, U>;
    type Scratch = PoolScratch<'a>;

    fn reach(&self) -> Window {
        let (rest, constants) = (self.pool.reach(), self.constants.reach());
        Window { low: rest.low.min(constants.low), high: rest.high.max(constants.high) }
    }

    fn reserve(&mut self, request: &Request) -> Result<ProtectedBlock<'a, U>, MemoryError> {
        let request = self.fit(request);
        let shield = self.shield;
        shield.with(|state| {
            state.open()?;
            let placed =
                self.place(&request).and_then(|blocks| match state.begin_draft(blocks.draft(&request)) {
                    Ok(place) => Ok(ProtectedBlock { blocks, draft: Some(place), shield }),
                    Err(error) => {
                        self.give_up(blocks);
                        Err(error)
                    }
                });
            if placed.is_err() {
                state.close()?;
            }
            placed
        })
    }

    fn release(&mut self, mut block: ProtectedBlock<'a, U>) {
        let shield = self.shield;
        // Opening takes no more regions than the pool took at first, and closing none that were not there before.
        let _ = block.close();
        shield.with(|state| {
            if state.open().is_ok() {
                self.give_up(block.blocks);
            }
            let _ = state.close();
        });
    }

    fn scratch(&mut self, bytes: usize) -> Result<PoolScratch<'a>, MemoryError> {
        self.pool.scratch(bytes)
    }

    fn clear(scratch: &mut PoolScratch<'a>, bytes: usize) -> usize {
        Pool::clear(scratch, bytes)
    }

    fn give_back(&mut self, scratch: PoolScratch<'a>) {
        self.pool.give_back(scratch);
    }
}

/// A reservation in a [`Protected`] pool. Dropping it instead of releasing it keeps its memory reserved.
#[derive(Debug)]
pub struct ProtectedBlock<'a, U: Protect> {
    blocks: Blocks<'a>,
    /// Its place among what loads are writing, until it is sealed.
    draft: Option<usize>,
    shield: &'a Shield<U>,
}

impl<U: Protect> ProtectedBlock<'_, U> {
    fn close(&mut self) -> Result<(), MemoryError> {
        match self.draft.take() {
            Some(place) => self.shield.with(|state| state.end_draft(place)),
            None => Ok(()),
        }
    }
}

// SAFETY: as for the blocks of pools; what `working` gives out, the unit lets be written until `seal`.
unsafe impl<U: Protect> Block for ProtectedBlock<'_, U> {
    fn prepare(&mut self, bytes: usize) -> usize {
        let cleared = self.blocks.rest.prepare(bytes);
        cleared + self.blocks.constants.prepare(bytes - cleared)
    }

    fn commit(&mut self) -> Result<(), MemoryError> {
        self.blocks.rest.commit()?;
        self.blocks.constants.commit()
    }

    fn addresses(&self) -> [usize; 4] {
        self.blocks.addresses()
    }

    fn working(&mut self) -> [&mut [u8]; 4] {
        let [image, code, _, data] = self.blocks.rest.working();
        let [_, _, constants, _] = self.blocks.constants.working();
        [image, code, constants, data]
    }

    fn trim(&mut self, used: [usize; 4]) {
        self.blocks.rest.trim(used);
        self.blocks.constants.trim(used);
    }

    fn seal(&mut self, image: &[Segment]) -> Result<(), MemoryError> {
        self.blocks.rest.seal(image)?;
        self.blocks.constants.seal(&[])?;
        self.close()
    }

    fn protect(&mut self, segment: Segment) -> Result<(), MemoryError> {
        self.blocks.rest.protect(segment)
    }

    fn retire(&mut self) {
        self.blocks.rest.retire();
        self.blocks.constants.retire();
    }
}

#[cfg(test)]
mod tests;
