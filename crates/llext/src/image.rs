//! An image moves one way: [`Draft`] (its bytes may change), then [`Sealed`] (its code may run).
//!
//! Dropping an image abandons it: that is the one undo of a load.

use crate::error::Error;
use crate::lock::{Locked, RawMutex};
use crate::memory::{Block, Memory, Request, Segment, Window};
use core::marker::PhantomData;
use llext_link::addr::Part;
use llext_link::layout::Layout;

/// The state of an image whose bytes are being written.
pub(crate) enum Draft {}
/// The state of an image whose code may run.
pub(crate) enum Sealed {}

/// A reservation on its way to become an extension.
pub(crate) struct Image<'m, M: Memory, R: RawMutex, State> {
    /// The block, until the image goes on or the extension keeps it.
    block: Option<M::Block>,
    memory: &'m Locked<R, M>,
    state: PhantomData<State>,
}

impl<'m, M: Memory, R: RawMutex> Image<'m, M, R, Draft> {
    /// Reserves what `layout` needs, inside `window`: addresses are fixed, and nothing can be written yet.
    pub(crate) fn reserve(memory: &'m Locked<R, M>, layout: &Layout, window: Window) -> Result<Self, Error> {
        let request = Request {
            sizes: layout.sizes.map(|size| size as usize),
            aligns: layout.aligns.map(|align| align.max(1) as usize),
            window,
        };
        let block = memory.with(|memory| memory.reserve(&request))?;
        Ok(Self { block: Some(block), memory, state: PhantomData })
    }

    /// Clears up to `bytes` bytes of what was reserved; how many: if fewer, all are zero.
    pub(crate) fn clear(&mut self, bytes: usize) -> usize {
        self.block.as_mut().map_or(0, |block| block.prepare(bytes))
    }

    /// From here on it can be written.
    pub(crate) fn commit(&mut self) -> Result<(), Error> {
        Ok(self.block.iter_mut().try_for_each(Block::commit)?)
    }

    /// The working bytes of all parts.
    pub(crate) fn working(&mut self) -> [&mut [u8]; 4] {
        self.block.as_mut().map(Block::working).unwrap_or_default()
    }

    /// The working bytes of one part.
    #[inline(never)]
    pub(crate) fn part(&mut self, part: Part) -> &mut [u8] {
        let [image, code, constants, data] = self.working();
        match part {
            Part::Image => image,
            Part::Code => code,
            Part::Constants => constants,
            Part::Data => data,
        }
    }

    /// Gives back what the linker's tables did not use.
    pub(crate) fn trim(&mut self, used: [usize; 4]) {
        self.block.iter_mut().for_each(|block| block.trim(used));
    }

    /// From here on no safe code can write the image, and its code may run.
    pub(crate) fn seal(mut self, segments: &[Segment]) -> Result<Image<'m, M, R, Sealed>, Error> {
        self.block.iter_mut().try_for_each(|block| block.seal(segments))?;
        Ok(Image { block: self.block.take(), memory: self.memory, state: PhantomData })
    }
}

impl<M: Memory, R: RawMutex> Image<'_, M, R, Sealed> {
    /// Makes a range of a shared object read-only, as its `PT_GNU_RELRO` asks.
    pub(crate) fn protect(&mut self, segment: Segment) -> Result<(), Error> {
        Ok(self.block.iter_mut().try_for_each(|block| block.protect(segment))?)
    }

    /// The block, for the extension to keep: from here on the registry gives it back.
    pub(crate) fn into_block(mut self) -> Option<M::Block> {
        self.block.take()
    }
}

impl<M: Memory, R: RawMutex, State> Image<'_, M, R, State> {
    /// The run address of each part.
    pub(crate) fn addresses(&self) -> [usize; 4] {
        self.block.as_ref().map(Block::addresses).unwrap_or_default()
    }
}

impl<M: Memory, R: RawMutex, State> Drop for Image<'_, M, R, State> {
    fn drop(&mut self) {
        if let Some(mut block) = self.block.take() {
            block.retire();
            self.memory.with(|memory| memory.release(block));
        }
    }
}
