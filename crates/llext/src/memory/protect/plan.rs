//! Regions as they are planned.

use super::{MOST, MemoryError};

/// Up to as many regions as any unit has.
#[derive(Debug)]
pub(super) struct Plan<T> {
    regions: [T; MOST],
    /// How many it takes, also if there are not so many.
    wanted: usize,
}

impl<T: Copy> Plan<T> {
    pub(super) fn new(unused: T) -> Self {
        Self { regions: [unused; MOST], wanted: 0 }
    }

    pub(super) fn push(&mut self, region: T) {
        if let Some(place) = self.regions.get_mut(self.wanted) {
            *place = region;
        }
        self.wanted += 1;
    }

    /// What was planned, if a unit with so many regions can do it.
    pub(super) fn within(&self, available: usize) -> Result<&[T], MemoryError> {
        let planned = self.regions.get(..self.wanted).filter(|planned| planned.len() <= available);
        planned.ok_or(MemoryError::OutOfRegions { wanted: self.wanted, available: available.min(MOST) })
    }
}
