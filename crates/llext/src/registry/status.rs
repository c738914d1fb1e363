//! One word says what a slot is and who keeps it: generation, state and counts change together.

use crate::lock::RawMutex;
#[cfg(target_has_atomic = "64")]
use crate::sync::{AtomicU64, Ordering};
use core::marker::PhantomData;

/// How many handles an extension can have.
pub const MAX_USES: u32 = 0xffff;
/// How many dependents, guards and host objects together can hold an extension.
pub const MAX_HOLDS: u32 = 0xfff;

/// The life of a slot, in this order; after the last it begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nobody lives here.
    Empty,
    /// The name is reserved; the extension is being linked.
    Loading,
    /// Its constructors run.
    Initialising,
    /// It is found, called and depended on.
    Live,
    /// Nobody new gets in; whoever holds it last takes it away.
    Going,
    /// It is being taken away: destructors, then its memory.
    Ending,
}

impl State {
    const ALL: [Self; 6] =
        [Self::Empty, Self::Loading, Self::Initialising, Self::Live, Self::Going, Self::Ending];
}

/// What the word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    /// Which of the extensions that lived in the slot.
    pub(crate) generation: u32,
    pub(crate) state: State,
    /// Handles.
    pub(crate) uses: u32,
    /// Dependents, guards of calls and host objects.
    pub(crate) holds: u32,
}

impl Status {
    pub(crate) const EMPTY: Self = Self { generation: 0, state: State::Empty, uses: 0, holds: 0 };

    const fn pack(self) -> u64 {
        (self.generation as u64) << 32
            | (self.state as u64) << 28
            | ((self.holds & MAX_HOLDS) as u64) << 16
            | (self.uses & MAX_USES) as u64
    }

    fn unpack(word: u64) -> Self {
        let state = State::ALL.get(word as usize >> 28 & 0xf).copied().unwrap_or(State::Empty);
        let holds = (word >> 16) as u32 & MAX_HOLDS;
        Self { generation: (word >> 32) as u32, state, uses: word as u32 & MAX_USES, holds }
    }

    pub(crate) const fn is_kept(&self) -> bool {
        self.uses > 0 || self.holds > 0
    }

    /// One more handle.
    pub(crate) fn used(self) -> Option<Self> {
        (self.uses < MAX_USES).then_some(Self { uses: self.uses + 1, ..self })
    }

    /// One more dependent, guard or host object.
    pub(crate) fn held(self) -> Option<Self> {
        (self.holds < MAX_HOLDS).then_some(Self { holds: self.holds + 1, ..self })
    }

    pub(crate) const fn in_state(self, state: State) -> Self {
        Self { state, ..self }
    }
}

/// The word itself: an atomic where the processor has one of 64 bits, elsewhere a word under a lock of its own.
pub(crate) struct Word<R> {
    #[cfg(target_has_atomic = "64")]
    value: AtomicU64,
    #[cfg(not(target_has_atomic = "64"))]
    value: crate::lock::Locked<R, u64>,
    lock: PhantomData<R>,
}

impl<R: RawMutex> Word<R> {
    /// The word of an empty slot.
    pub(crate) const fn new() -> Self {
        Self {
            #[cfg(target_has_atomic = "64")]
            value: AtomicU64::new(Status::EMPTY.pack()),
            #[cfg(not(target_has_atomic = "64"))]
            value: crate::lock::Locked::new(Status::EMPTY.pack()),
            lock: PhantomData,
        }
    }

    pub(crate) fn status(&self) -> Status {
        #[cfg(target_has_atomic = "64")]
        return Status::unpack(self.value.load(Ordering::Acquire));
        #[cfg(not(target_has_atomic = "64"))]
        return Status::unpack(self.value.with(|word| *word));
    }

    /// Changes the word in one step, if `change` has an answer for what it says; what it said and what it says then.
    /// `change` may be asked again.
    pub(crate) fn update(
        &self,
        change: impl Fn(Status) -> Option<Status>,
    ) -> Result<(Status, Status), Status> {
        let changed = |word| change(Status::unpack(word)).map(Status::pack);
        #[cfg(target_has_atomic = "64")]
        let result = self.value.fetch_update(Ordering::AcqRel, Ordering::Acquire, changed);
        #[cfg(not(target_has_atomic = "64"))]
        let result = self.value.with(|word| {
            let before = *word;
            changed(before).map(|after| *word = after).map(|()| before).ok_or(before)
        });
        let before = result.map(Status::unpack).map_err(Status::unpack)?;
        Ok((before, change(before).unwrap_or(before)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_holds_all_of_it() {
        for state in State::ALL {
            for (generation, uses, holds) in
                [(0, 0, 0), (u32::MAX, MAX_USES, MAX_HOLDS), (7, 1, 0), (0, 0, 1)]
            {
                let status = Status { generation, state, uses, holds };
                assert_eq!(Status::unpack(status.pack()), status);
            }
        }
    }

    #[test]
    fn counts_end_where_the_word_does() {
        let full = Status { generation: 1, state: State::Live, uses: MAX_USES, holds: MAX_HOLDS };
        assert_eq!((full.used(), full.held()), (None, None));
    }
}
