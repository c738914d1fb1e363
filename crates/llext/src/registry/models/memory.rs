//! Memory that knows how much of it is in use.

use super::extension::Body;
use super::ledger;
use crate::memory::{Block, Memory, MemoryError, Request, Segment, Window};
use std::vec::Vec;

/// Gives every extension a body.
pub(super) struct ModelMemory {
    pub(super) in_use: usize,
}

/// A body in use.
pub(super) struct ModelBlock(&'static Body);

impl ModelBlock {
    pub(super) fn body(&self) -> &'static Body {
        self.0
    }
}

// SAFETY: the address is the body's, which stays; there are no working bytes.
unsafe impl Block for ModelBlock {
    fn commit(&mut self) -> Result<(), MemoryError> {
        Ok(())
    }

    fn addresses(&self) -> [usize; 4] {
        self.0.touch();
        [0, 0, 0, self.0.address()]
    }

    fn working(&mut self) -> [&mut [u8]; 4] {
        Default::default()
    }

    fn trim(&mut self, _: [usize; 4]) {}

    fn seal(&mut self, _: &[Segment]) -> Result<(), MemoryError> {
        Ok(())
    }

    fn protect(&mut self, _: Segment) -> Result<(), MemoryError> {
        Ok(())
    }

    fn retire(&mut self) {
        self.0.retire();
    }
}

// SAFETY: every block is a body of its own; nobody asks for more than that, nor for scratch.
unsafe impl Memory for ModelMemory {
    type Block = ModelBlock;
    type Scratch = Vec<u8>;

    fn reach(&self) -> Window {
        Window { low: 0, high: u64::MAX }
    }

    fn reserve(&mut self, _: &Request) -> Result<ModelBlock, MemoryError> {
        self.in_use += 1;
        Ok(ModelBlock(ledger::body()))
    }

    fn release(&mut self, block: ModelBlock) {
        self.in_use -= 1;
        block.0.release();
    }

    fn scratch(&mut self, bytes: usize) -> Result<Vec<u8>, MemoryError> {
        Err(MemoryError::OutOfScratch { wanted: bytes, available: 0 })
    }

    fn give_back(&mut self, _: Vec<u8>) {}
}
