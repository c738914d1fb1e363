//! Who depends on whom: a provider is held by every load that may use its symbols, and then by every extension that does.

use super::{Handle, Registry, State, Status};
use crate::error::{Error, Name};
use crate::export::SymbolName;
use crate::lock::RawMutex;
use crate::memory::Memory;
use core::time::Duration;

impl<M: Memory, R: RawMutex, const N: usize> Registry<M, R, N> {
    /// Keeps the live extension in `slot` from going, as a provider of symbols; or says in which state it is, which is
    /// `Live` if no more can be counted.
    pub(crate) fn pin(&self, slot: usize) -> Result<(), State> {
        let held = |status: Status| status.when(State::Live)?.held();
        let word = self.words.get(slot).ok_or(State::Empty)?;
        word.update(held).map(drop).map_err(|status| status.state)
    }

    /// Keeps what `user`, which is kept, depends on; `keep` is told each slot. None of them may be on its way down.
    #[cfg(feature = "reset")]
    pub(crate) fn pin_providers_of(
        &self,
        user: &Handle<'_, M, R, N>,
        mut keep: impl FnMut(usize),
    ) -> Result<(), Error> {
        for (slot, name) in user.providers() {
            self.pin(slot).map_err(|state| match state {
                State::Live => Error::TooManyUses,
                _ => Error::Busy { name },
            })?;
            keep(slot);
        }
        Ok(())
    }

    /// Keeps the live extension that is called, or calls itself, `soname`; its slot, if there is one.
    pub(crate) fn pin_called(&self, soname: &[u8]) -> Result<Option<usize>, Error> {
        self.table.with(|table| {
            let mut pinned = Ok(None);
            let called = table.entries.iter().enumerate().filter(|(_, entry)| entry.is_called(soname));
            for (slot, _) in called {
                match self.pin(slot) {
                    Ok(()) => return Ok(Some(slot)),
                    Err(State::Live) => pinned = Err(Error::TooManyUses),
                    Err(_) => {}
                }
            }
            pinned
        })
    }

    /// Keeps the next extension in load order; when it became live, and its slot.
    pub(crate) fn pin_next(&self, after: u64) -> Option<(u64, usize)> {
        let mut after = after;
        self.table.with(|table| {
            loop {
                let (slot, entry) = table.next(after, u64::MAX)?;
                after = entry.order;
                if self.pin(slot).is_ok() {
                    return Some((after, slot));
                }
            }
        })
    }

    /// Lets a provider go again; if it was kept by this alone, it goes now.
    pub(crate) fn unpin(&self, slot: usize) {
        self.let_go(slot, true);
    }

    /// Waits until nothing called `name` is on its way up or down; whether that is so.
    pub(crate) fn settles(&self, name: &[u8], patience: Duration) -> bool {
        let settled = self.table.wait(patience, |table| {
            let mut called = table.entries.iter().enumerate().filter(|(_, entry)| entry.is_called(name));
            let moves = |slot| {
                let state = self.statuses(slot).map(|status| status.state);
                !matches!(state, None | Some(State::Empty | State::Live))
            };
            (!called.any(|(slot, _)| moves(slot))).then_some(())
        });
        settled.is_some()
    }

    /// The address of a symbol that the pinned extension in `slot` exports.
    pub(crate) fn export_of(&self, slot: usize, name: &SymbolName<'_>) -> Option<usize> {
        let extension = self.table.with(|table| table.entries.get(slot)?.extension)?;
        // SAFETY: the caller has pinned the slot, so the record stays.
        unsafe { extension.as_ref() }.exports.find(name)
    }

    /// Who keeps the extension in `slot`: what an unload is refused with.
    pub(super) fn in_use(&self, slot: usize) -> Error {
        let mut first = None;
        let mut count = |name: Name| {
            first.get_or_insert(name);
        };
        // In one pass each: who is named was counted, though others come and go.
        let dependents = self.dependents(slot).inspect(|name| count(*name)).count() as u32;
        let objects = self.objects(slot).inspect(|name| count(*name)).count() as u32;
        let holds = self.statuses(slot).map_or(0, |status| status.holds);
        let first = first.unwrap_or(Name::EMPTY);
        Error::InUse { dependents, objects, calls: holds.saturating_sub(dependents + objects), first }
    }

    /// The names of the extensions that depend on the one in `slot`. The lock is held to find each, not in between.
    pub(super) fn dependents(&self, slot: usize) -> impl Iterator<Item = Name> {
        (0..N).filter_map(move |user| {
            self.table.with(|table| {
                let entry = table.entries.get(user)?;
                entry.record().is_some_and(|record| record.depends_on(slot)).then_some(entry.name)
            })
        })
    }

    /// The names of the host's objects that keep the extension in `slot`.
    pub(super) fn objects(&self, slot: usize) -> impl Iterator<Item = Name> {
        let mut index = 0;
        core::iter::from_fn(move || {
            self.table.with(|table| {
                let context = table.entries.get(slot)?.record()?.context();
                loop {
                    let owned = context.owned(index)?;
                    index += 1;
                    if owned.revoke.is_none() {
                        return Some(Name::new(owned.name.as_bytes()));
                    }
                }
            })
        })
    }
}

impl<M: Memory, R: RawMutex, const N: usize> Handle<'_, M, R, N> {
    /// The names of the extensions that depend on this one.
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// for user in blinky.dependents() {
    ///     let _ = user.as_bytes();
    /// }
    /// # Ok(()) }
    /// ```
    pub fn dependents(&self) -> impl Iterator<Item = Name> {
        self.registry().dependents(self.slot())
    }

    /// The names of the extensions that this one depends on.
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// assert_eq!(blinky.dependencies().count(), 0);
    /// # Ok(()) }
    /// ```
    pub fn dependencies(&self) -> impl Iterator<Item = Name> {
        self.providers().map(|(_, name)| name)
    }

    /// The slots and names of the extensions that this one depends on.
    fn providers(&self) -> impl Iterator<Item = (usize, Name)> {
        let providers = self.providers.iter().enumerate().filter(|(_, is_provider)| **is_provider);
        providers.filter_map(|(slot, _)| {
            self.registry().table.with(|table| Some((slot, table.entries.get(slot)?.name)))
        })
    }

    /// The names of the host's objects that keep this extension.
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// let timer = blinky.own("timer 3")?;
    /// assert_eq!(blinky.objects().count(), 1);
    /// # drop(timer);
    /// # Ok(()) }
    /// ```
    pub fn objects(&self) -> impl Iterator<Item = Name> {
        self.registry().objects(self.slot())
    }
}
