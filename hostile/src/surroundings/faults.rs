//! When something fails: the k-th time it is asked, once or from then on.

use std::cell::Cell;

use llext::memory::{Block, Memory, MemoryError, Part, Request, Segment, Window};
use llext::source::{ReadError, Source};

/// Counts what is asked, and says what fails.
#[derive(Default)]
pub(crate) struct Faults {
    asked: Cell<usize>,
    /// The number of the question that fails, from 1; 0 for none.
    at: Cell<usize>,
    /// Whether all later ones fail, too.
    for_ever: Cell<bool>,
    met: Cell<bool>,
}

impl Faults {
    /// From now on question `at` fails.
    pub(crate) fn set(&self, at: usize, for_ever: bool) {
        self.asked.set(0);
        self.at.set(at);
        self.for_ever.set(for_ever);
        self.met.set(false);
    }

    /// Whether it came to the failure.
    pub(crate) fn was_met(&self) -> bool {
        self.met.get()
    }

    fn fails(&self) -> bool {
        self.asked.set(self.asked.get() + 1);
        let (asked, at) = (self.asked.get(), self.at.get());
        let fails = at > 0 && (asked == at || self.for_ever.get() && asked > at);
        self.met.set(self.met.get() || fails);
        fails
    }
}

/// A memory that fails.
pub(crate) struct Failing<'f, M> {
    pub(crate) memory: M,
    pub(crate) faults: &'f Faults,
}

pub(crate) struct FailingBlock<'f, B> {
    block: B,
    faults: &'f Faults,
}

const REFUSED: MemoryError = MemoryError::Refused { os: 12, operation: "test" };

// SAFETY: what does not fail is the inner memory's.
unsafe impl<'f, M: Memory> Memory for Failing<'f, M> {
    type Block = FailingBlock<'f, M::Block>;
    type Scratch = M::Scratch;

    fn reach(&self) -> Window {
        self.memory.reach()
    }

    fn reserve(&mut self, request: &Request) -> Result<Self::Block, MemoryError> {
        if self.faults.fails() {
            return Err(MemoryError::OutOfMemory { part: Part::Code, wanted: 1, available: 0 });
        }
        let block = self.memory.reserve(request)?;
        Ok(FailingBlock { block, faults: self.faults })
    }

    fn release(&mut self, block: Self::Block) {
        self.memory.release(block.block);
    }

    fn scratch(&mut self, bytes: usize) -> Result<M::Scratch, MemoryError> {
        if self.faults.fails() {
            return Err(MemoryError::OutOfScratch { wanted: bytes, available: 0 });
        }
        self.memory.scratch(bytes)
    }

    fn clear(scratch: &mut M::Scratch, bytes: usize) -> usize {
        M::clear(scratch, bytes)
    }

    fn give_back(&mut self, scratch: M::Scratch) {
        self.memory.give_back(scratch);
    }
}

// SAFETY: what does not fail is the inner block's.
unsafe impl<B: Block> Block for FailingBlock<'_, B> {
    fn prepare(&mut self, bytes: usize) -> usize {
        self.block.prepare(bytes)
    }

    fn commit(&mut self) -> Result<(), MemoryError> {
        if self.faults.fails() { Err(REFUSED) } else { self.block.commit() }
    }

    fn addresses(&self) -> [usize; 4] {
        self.block.addresses()
    }

    fn working(&mut self) -> [&mut [u8]; 4] {
        self.block.working()
    }

    fn trim(&mut self, used: [usize; 4]) {
        self.block.trim(used);
    }

    fn seal(&mut self, image: &[Segment]) -> Result<(), MemoryError> {
        if self.faults.fails() { Err(REFUSED) } else { self.block.seal(image) }
    }

    fn protect(&mut self, segment: Segment) -> Result<(), MemoryError> {
        if self.faults.fails() { Err(REFUSED) } else { self.block.protect(segment) }
    }

    fn retire(&mut self) {
        self.block.retire();
    }
}

/// How a source fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum How {
    /// With an error of the system's.
    Error,
    /// It ends too early.
    Short,
    /// It would block.
    Blocks,
    /// Every bit is another.
    Inverted,
    /// Every byte is zero.
    Zeros,
    /// Every byte is 0xff.
    Ones,
    /// Bytes of another place in the file.
    Elsewhere,
    /// Another size than before.
    Shrinks,
    Grows,
}

/// A source that fails.
pub(crate) struct FailingSource<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) faults: &'a Faults,
    pub(crate) how: How,
}

impl Source for FailingSource<'_> {
    fn size(&mut self) -> Result<u64, ReadError> {
        let size = self.bytes.len() as u64;
        match self.how {
            How::Shrinks if self.faults.fails() => Ok(size / 2),
            How::Grows if self.faults.fails() => Ok(size * 2),
            How::Error if self.faults.fails() => Err(ReadError::Failed { os: 5 }),
            How::Blocks if self.faults.fails() => Err(ReadError::WouldBlock),
            _ => Ok(size),
        }
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let wanted = buffer.len() as u64;
        let past = ReadError::PastTheEnd { offset, wanted, size: self.bytes.len() as u64 };
        let found = self.bytes.get(offset as usize..).and_then(|rest| rest.get(..buffer.len()));
        buffer.copy_from_slice(found.ok_or(past)?);
        if matches!(self.how, How::Shrinks | How::Grows) || !self.faults.fails() {
            return Ok(());
        }
        match self.how {
            How::Error => return Err(ReadError::Failed { os: 5 }),
            How::Short => return Err(past),
            How::Blocks => return Err(ReadError::WouldBlock),
            How::Inverted => buffer.iter_mut().for_each(|byte| *byte = !*byte),
            How::Zeros => buffer.fill(0),
            How::Ones => buffer.fill(0xff),
            _ => buffer.rotate_left((buffer.len() / 3).min(8)),
        }
        Ok(())
    }
}
