//! What a protection unit is to do now: the pools' slices, and what loads are writing.

use super::{MOST, MemoryError, Protect, Protection, Span};
use core::cell::RefCell;
use critical_section::Mutex;

/// As many loads at a time as there could be regions for: each takes two.
const LOADS: usize = MOST / 2;
/// Code, constants and data.
const SLICES: usize = 3;

/// A protection unit and what it is to do. A [`Protected`](super::Protected) pool and its blocks share one.
///
/// It serves the one core that uses the pool. No interrupt comes while its registers change.
///
/// ```
/// use llext::memory::protect::{Protect, Shield};
///
/// fn of<U: Protect>(unit: U) -> Shield<U> {
///     Shield::new(unit)
/// }
/// ```
#[derive(Debug)]
pub struct Shield<U>(Mutex<RefCell<State<U>>>);

#[derive(Debug)]
pub(super) struct State<U> {
    unit: U,
    /// Code, constants and data, as they are when nothing is written.
    slices: [Span; SLICES],
    /// The code and constants of each load under way.
    drafts: [Option<Draft>; LOADS],
}

/// What a load writes, and will not be written any more.
pub(super) type Draft = [Span; 2];

const NOTHING: Span = Span { start: 0, end: 0, protection: Protection::Read };

impl<U: Protect> Shield<U> {
    /// A shield that protects nothing yet.
    pub const fn new(unit: U) -> Self {
        Self(Mutex::new(RefCell::new(State { unit, slices: [NOTHING; SLICES], drafts: [None; LOADS] })))
    }

    /// Nothing else runs on this core meanwhile.
    pub(super) fn with<T>(&self, f: impl FnOnce(&mut State<U>) -> T) -> T {
        critical_section::with(|cs| f(&mut self.0.borrow_ref_mut(cs)))
    }
}

impl<U: Protect> State<U> {
    pub(super) fn unit(&self) -> &U {
        &self.unit
    }

    /// Protects the slices of a pool from here on.
    pub(super) fn begin(&mut self, slices: [Span; SLICES]) -> Result<(), MemoryError> {
        self.slices = slices;
        self.drafts = [None; LOADS];
        self.close()
    }

    /// Lets everything be written and nothing be run, for the allocator's books lie between the blocks.
    pub(super) fn open(&mut self) -> Result<(), MemoryError> {
        let open = self.slices.map(|slice| Span { protection: Protection::ReadWrite, ..slice });
        self.unit.protect(&open)
    }

    /// Lets code run again; what loads are writing stays open.
    pub(super) fn close(&mut self) -> Result<(), MemoryError> {
        let mut spans = [NOTHING; LOADS * 2 + SLICES];
        let drafts = self.drafts.iter().flatten().flatten().filter(|span| span.start < span.end);
        let mut used = 0;
        for (place, span) in spans.iter_mut().zip(drafts.chain(&self.slices)) {
            *place = *span;
            used += 1;
        }
        self.unit.protect(&spans[..used])
    }

    /// Leaves the code and constants of a load open until [`finish`](Self::finish).
    pub(super) fn begin_draft(&mut self, draft: Draft) -> Result<usize, MemoryError> {
        let free = self.drafts.iter().position(Option::is_none);
        let full = MemoryError::OutOfRegions { wanted: SLICES + 2 * (LOADS + 1), available: MOST };
        let place = free.ok_or(full)?;
        self.drafts[place] = Some(draft);
        let closed = self.close();
        if closed.is_err() {
            self.drafts[place] = None;
        }
        closed.map(|()| place)
    }

    /// The load has written all it had to write.
    pub(super) fn end_draft(&mut self, place: usize) -> Result<(), MemoryError> {
        self.drafts[place] = None;
        self.close()
    }
}
