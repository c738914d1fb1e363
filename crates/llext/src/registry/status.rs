//! One word says what a slot is and who keeps it: generation, state and counts change together.

use crate::lock::RawMutex;
use crate::sync::Number;

/// How many handles an extension can have.
pub const MAX_USES: u32 = 0xffff;
/// How many dependents, guards, host objects and loads under way together can hold an extension.
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
    /// Dependents, guards of calls, host objects that keep it, and loads under way that may use it.
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

    /// Itself, in this state only.
    pub(crate) fn when(self, state: State) -> Option<Self> {
        (self.state == state).then_some(self)
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

/// The word itself.
pub(crate) struct Word<R>(Number<R>);

impl<R: RawMutex> Word<R> {
    /// The word of an empty slot.
    pub(crate) const fn new() -> Self {
        Self(Number::new(Status::EMPTY.pack()))
    }

    pub(crate) fn status(&self) -> Status {
        Status::unpack(self.0.load())
    }

    /// Changes the word in one step, if `change` has an answer for what it says; what it said and what it says then.
    /// `change` may be asked again.
    pub(crate) fn update(
        &self,
        change: impl Fn(Status) -> Option<Status>,
    ) -> Result<(Status, Status), Status> {
        let result = self.0.update(|word| change(Status::unpack(word)).map(Status::pack));
        let before = result.map(Status::unpack).map_err(Status::unpack)?;
        Ok((before, change(before).unwrap_or(before)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(not(any(loom, shuttle)))]
    use crate::lock::NoopRawMutex;

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
    #[cfg(not(any(loom, shuttle)))]
    fn a_word_changes_in_one_step_or_not_at_all() {
        let word = Word::<NoopRawMutex>::new();
        let live = Status { state: State::Live, uses: 1, ..Status::EMPTY };
        assert_eq!(word.update(|_| Some(live)), Ok((Status::EMPTY, live)));
        assert_eq!(word.update(|_| None), Err(live));
        assert_eq!(word.status(), live);
    }

    #[test]
    fn counts_end_where_the_word_does() {
        let full = Status { generation: 1, state: State::Live, uses: MAX_USES, holds: MAX_HOLDS };
        assert_eq!((full.used(), full.held()), (None, None));
    }
}
