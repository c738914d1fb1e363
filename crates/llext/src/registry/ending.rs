//! How an extension goes: whoever lets it go last takes it away, exactly once.

use super::{Entry, Extension, Id, Registry, State, Status};
use crate::error::Error;
use crate::lifecycle::Leaving;
use crate::lock::RawMutex;
use crate::memory::{Block, Memory};
use core::ptr::NonNull;
#[cfg(feature = "std")]
use core::time::Duration;

impl Status {
    /// One handle less.
    const fn without_use(self) -> Self {
        Self { uses: self.uses.saturating_sub(1), ..self }
    }

    /// What nobody keeps ends; what somebody keeps stays as it is.
    const fn settled(self) -> Self {
        match self.state {
            State::Live | State::Going if !self.is_kept() => self.in_state(State::Ending),
            _ => self,
        }
    }

    /// Closed to newcomers; what nobody keeps ends.
    const fn closed(self) -> Self {
        self.in_state(State::Going).settled()
    }
}

impl<M: Memory, R: RawMutex, const N: usize> Registry<M, R, N> {
    /// Changes a slot's word; whoever makes it `Ending` takes the extension away. What it says then.
    fn change(&self, slot: usize, change: impl Fn(Status) -> Option<Status>) -> Result<Status, Status> {
        let word = self.words.get(slot).ok_or(Status::EMPTY)?;
        let (before, after) = word.update(change)?;
        if after.state == State::Ending {
            self.take_away(slot);
        } else if before.state == State::Going {
            self.table.notify();
        }
        Ok(after)
    }

    /// One handle less, whatever remains.
    pub(super) fn leave(&self, id: Id) {
        let _ = self.change(id.slot, |status| Some(status.without_use().settled()));
    }

    /// One handle less, unless it is the last and something else keeps the extension; how many remain.
    pub(super) fn try_leave(&self, id: Id) -> Result<u32, Error> {
        let left = self.change(id.slot, |status| {
            let refused = status.uses == 1 && status.holds > 0;
            (!refused).then_some(status.without_use().settled())
        });
        left.map(|status| status.uses).map_err(|_| self.in_use(id.slot))
    }

    /// One handle less; if it was the last, nobody new gets in, and the last one out takes the extension away.
    pub(super) fn leave_later(&self, id: Id) -> u32 {
        let left = self.change(id.slot, |status| {
            let left = status.without_use();
            Some(if left.uses == 0 { left.closed() } else { left })
        });
        left.map_or(0, |status| status.uses)
    }

    /// One handle less; if it is the last, nobody new gets in, and everybody else has `timeout` to leave.
    #[cfg(feature = "std")]
    pub(super) fn leave_within(&self, id: Id, timeout: Duration) -> Result<u32, Error> {
        let refused = |_| self.in_use(id.slot);
        let left = self.change(id.slot, |status| match (status.uses, status.holds) {
            (1, 1..) => Some(status.in_state(State::Going)),
            _ => Some(status.without_use().settled()),
        });
        let left = left.map_err(refused)?;
        if left.state != State::Going {
            return Ok(left.uses);
        }
        let word = self.words.get(id.slot).ok_or(left).map_err(refused)?;
        let alone = |status: Status| (status.holds == 0).then_some(status.without_use().settled());
        match self.table.wait(timeout, |_| word.update(alone).ok()) {
            Some(_) => {
                self.take_away(id.slot);
                Ok(0)
            }
            None => {
                let error = self.in_use(id.slot);
                let _ = word.update(|status| Some(status.in_state(State::Live)));
                self.table.notify();
                Err(error)
            }
        }
    }

    /// One dependent, guard or host object less; whether that ended the extension. Who may not take one away leaves it to
    /// [`Registry::reap`].
    pub(super) fn let_go(&self, slot: usize, may_end: bool) -> bool {
        let left = self.change(slot, |status| {
            let left = Status { holds: status.holds.saturating_sub(1), ..status };
            let is_last = !left.is_kept() && matches!(left.state, State::Live | State::Going);
            Some(if is_last && !may_end { left.in_state(State::Going) } else { left.settled() })
        });
        left.is_ok_and(|status| status.state == State::Ending)
    }

    /// Takes away what was let go last where that was not possible: in an interrupt. How many extensions went. Their
    /// destructors run here.
    ///
    /// Whoever uses [`Weak::try_enter`](super::Weak::try_enter) calls this now and then. Until it is called, an
    /// extension that was left so keeps its slot and its memory, and its name is [`Error::Busy`].
    ///
    /// ```
    /// # use llext::{NoopRawMutex, Pool, Registry};
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>) {
    /// let gone = apps.reap(); // from the main loop
    /// # let _ = gone; }
    /// ```
    pub fn reap(&self) -> usize {
        let due =
            |status: Status| (status.state == State::Going && !status.is_kept()).then_some(status.settled());
        (0..N).filter(|slot| self.change(*slot, due).is_ok()).count()
    }

    /// Takes away an extension whose initialisation failed: what ran is undone, and nobody ever found it.
    pub(crate) fn roll_back(&self, id: Id) {
        let _ = self.change(id.slot, |status| Some(status.closed()));
    }

    /// Takes away what is left when the registry itself goes.
    pub(super) fn abolish(&self, slot: usize) {
        let ending =
            self.words.get(slot).map(|word| word.update(|status| Some(status.in_state(State::Ending))));
        if ending.is_some() {
            self.take_away(slot);
        }
    }

    /// Runs destructors, gives the memory back and frees the slot, which is `Ending`: it is this call's alone.
    fn take_away(&self, slot: usize) {
        match self.table.with(|table| table.entries.get(slot)?.extension) {
            Some(extension) => {
                let last = Last { registry: self, slot, extension };
                last.end();
                last.leave();
            }
            None => self.clear(slot),
        }
    }

    /// Gives an extension's memory back; whom it depended on.
    ///
    /// # Safety
    /// Nobody else reaches the record.
    unsafe fn release(&self, extension: NonNull<Extension<M, R, N>>) -> [bool; N] {
        // SAFETY: the caller is the last that knows of the record; the context lies beside it.
        let record = unsafe {
            let record = extension.read();
            record.context.drop_in_place();
            record
        };
        let mut block = record.block;
        block.retire();
        self.memory.with(|memory| memory.release(block));
        record.providers
    }

    /// Makes a slot empty, for the next generation.
    pub(super) fn clear(&self, slot: usize) {
        self.table.with(|table| {
            if let Some((word, entry)) = self.words.get(slot).zip(table.entries.get_mut(slot)) {
                *entry = Entry::EMPTY;
                let _ = word.update(|status| {
                    Some(Status { generation: status.generation.wrapping_add(1), ..Status::EMPTY })
                });
            }
        });
        self.table.notify();
    }
}

/// Who takes an extension away. What it still has to do it does when dropped: also when a function of the host's
/// panics on the way.
struct Last<'r, M: Memory, R: RawMutex, const N: usize> {
    registry: &'r Registry<M, R, N>,
    slot: usize,
    extension: NonNull<Extension<M, R, N>>,
}

impl<M: Memory, R: RawMutex, const N: usize> Last<'_, M, R, N> {
    fn extension(&self) -> &Extension<M, R, N> {
        // SAFETY: the record exists until `release` in `drop`.
        unsafe { self.extension.as_ref() }
    }

    /// Takes the host's objects away and runs the destructors that have not run yet.
    fn end(&self) {
        let context = self.extension().context();
        while let Some((revoke, argument)) = context.take_revocable() {
            revoke(argument);
        }
        // SAFETY: the image is sealed and lives as long as the record; who called `load` vouched for its code.
        unsafe { context.end(&self.extension().lifecycle) };
    }

    /// Tells the host, then gives everything back.
    fn leave(self) {
        let extension = self.extension();
        let context = extension.context();
        if let Some(hook) = context.hooks.leaving {
            hook(&Leaving { extension: context.name, parts: extension.parts() });
        }
    }
}

impl<M: Memory, R: RawMutex, const N: usize> Drop for Last<'_, M, R, N> {
    fn drop(&mut self) {
        // Nothing is left to do there, unless somebody panicked.
        self.end();
        let Self { registry, slot, extension } = *self;
        // From here on nobody looks at the record through the table.
        registry.table.with(|table| table.entries.get_mut(slot).map(|entry| entry.extension = None));
        // SAFETY: the slot is `Ending`: no handle, guard or dependent leads to the record, and the table does not.
        let mut providers = Providers { registry, slots: unsafe { registry.release(extension) } };
        registry.clear(slot);
        providers.let_go();
    }
}

/// Whom an extension depended on that is gone. Each may go now as well, and with it a function of the host's panic: those
/// that are left by then are let go when this is dropped.
struct Providers<'r, M: Memory, R: RawMutex, const N: usize> {
    registry: &'r Registry<M, R, N>,
    slots: [bool; N],
}

impl<M: Memory, R: RawMutex, const N: usize> Providers<'_, M, R, N> {
    fn let_go(&mut self) {
        for (slot, is_provider) in self.slots.iter_mut().enumerate() {
            if core::mem::take(is_provider) {
                self.registry.unpin(slot);
            }
        }
    }
}

#[cfg(panic = "unwind")]
impl<M: Memory, R: RawMutex, const N: usize> Drop for Providers<'_, M, R, N> {
    fn drop(&mut self) {
        self.let_go();
    }
}
