//! A reference that keeps nothing, and the guard of a call made through it.

use super::{Extension, Handle, Id, Registry, State, Status};
use crate::error::{Error, Name};
use crate::lock::RawMutex;
use crate::memory::Memory;
use core::fmt;
use core::ops::Deref;
use core::ptr::NonNull;

/// Refers to an extension without keeping it: for timers, interrupts and whoever else must not be in the way of an
/// unload.
///
/// It is `Copy`, and finds out by itself that its extension has gone.
///
/// ```
/// # use llext::{Error, Weak, NoopRawMutex, Pool};
/// # fn f(blinky: Weak<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
/// if let Ok(call) = blinky.enter() {
///     // SAFETY: `toggle` is a function of this type.
///     unsafe { call.symbol::<extern "C" fn()>("toggle")? }.call(());
/// } // if it was told to go meanwhile, it goes here
/// # Ok(()) }
/// ```
pub struct Weak<'r, M: Memory, R: RawMutex, const N: usize> {
    registry: &'r Registry<M, R, N>,
    id: Id,
    /// Exists as long as the generation is this one and somebody is counted.
    extension: NonNull<Extension<M, R, N>>,
}

// SAFETY: it leads to the extension only after being counted, by the registry, which is `Sync`.
unsafe impl<M: Memory<Block: Send + Sync> + Send, R: RawMutex + Send + Sync, const N: usize> Send
    for Weak<'_, M, R, N>
{
}
// SAFETY: as above.
unsafe impl<M: Memory<Block: Send + Sync> + Send, R: RawMutex + Send + Sync, const N: usize> Sync
    for Weak<'_, M, R, N>
{
}

impl<M: Memory, R: RawMutex, const N: usize> Clone for Weak<'_, M, R, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M: Memory, R: RawMutex, const N: usize> Copy for Weak<'_, M, R, N> {}

impl<'r, M: Memory, R: RawMutex, const N: usize> Weak<'r, M, R, N> {
    pub(super) fn new(
        registry: &'r Registry<M, R, N>,
        id: Id,
        extension: NonNull<Extension<M, R, N>>,
    ) -> Self {
        Self { registry, id, extension }
    }

    pub(super) fn registry(&self) -> &'r Registry<M, R, N> {
        self.registry
    }

    pub(super) fn id(&self) -> Id {
        self.id
    }

    /// To be looked at while counted.
    pub(super) fn extension(&self) -> NonNull<Extension<M, R, N>> {
        self.extension
    }

    /// Counts, if the extension is the one that was meant, and in one of `states`.
    pub(super) fn count(
        &self,
        states: &[State],
        count: impl Fn(Status) -> Option<Status>,
    ) -> Result<(), Error> {
        let word = self.registry.words.get(self.id.slot).ok_or(Error::Died)?;
        let counted = word.update(|status| {
            let meant = status.generation == self.id.generation && states.contains(&status.state);
            if meant { count(status) } else { None }
        });
        match counted {
            Ok(_) => Ok(()),
            Err(status) => Err(self.refusal(status, states)),
        }
    }

    fn refusal(&self, status: Status, states: &[State]) -> Error {
        if status.generation != self.id.generation || matches!(status.state, State::Empty | State::Ending) {
            return Error::Died;
        }
        if states.contains(&status.state) {
            return Error::TooManyUses;
        }
        let name = self.registry.table.with(|table| table.entries.get(self.id.slot).map(|entry| entry.name));
        Error::Busy { name: name.unwrap_or(Name::EMPTY) }
    }

    /// A handle, if the extension is still live.
    ///
    /// # Errors
    /// [`Error::Died`] when it is gone, [`Error::Busy`] while it comes or goes, [`Error::TooManyUses`].
    ///
    /// ```
    /// # use llext::{Error, Weak, NoopRawMutex, Pool};
    /// # fn f(blinky: Weak<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// let handle = blinky.upgrade()?;
    /// assert!(!handle.is_first());
    /// # Ok(()) }
    /// ```
    pub fn upgrade(&self) -> Result<Handle<'r, M, R, N>, Error> {
        self.count(&[State::Live], Status::used)?;
        Ok(Handle::new(self.registry, self.id, self.extension))
    }

    /// Keeps the extension for a call. If it was told to go meanwhile, the last guard takes it away when it is dropped.
    ///
    /// # Errors
    /// As for [`Weak::upgrade`].
    ///
    /// ```
    /// # use llext::{Error, Weak, NoopRawMutex, Pool};
    /// # fn f(blinky: Weak<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// let call = blinky.enter()?;
    /// let toggle = call.address("toggle")?;
    /// # let _ = toggle;
    /// # Ok(()) }
    /// ```
    pub fn enter(&self) -> Result<Guard<'r, M, R, N>, Error> {
        self.guard(true)
    }

    /// Keeps the extension for a call from an interrupt: the guard never runs destructors nor frees memory. If it is
    /// the last, the extension is closed and waits for [`Registry::reap`].
    ///
    /// # Errors
    /// As for [`Weak::upgrade`].
    ///
    /// ```
    /// # use llext::{Error, Weak, NoopRawMutex, Pool};
    /// # fn f(blinky: Weak<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// // in the interrupt handler:
    /// if let Ok(call) = blinky.try_enter() {
    ///     let _ = call.address("tick");
    /// }
    /// # Ok(()) }
    /// ```
    pub fn try_enter(&self) -> Result<Guard<'r, M, R, N>, Error> {
        self.guard(false)
    }

    fn guard(&self, may_end: bool) -> Result<Guard<'r, M, R, N>, Error> {
        self.count(&[State::Live], Status::held)?;
        Ok(Guard { registry: self.registry, slot: self.id.slot, extension: self.extension, may_end })
    }
}

impl<M: Memory, R: RawMutex, const N: usize> fmt::Debug for Weak<'_, M, R, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Weak").field(&self.id).finish()
    }
}

/// Keeps an extension while calls into it run. It leads to the [`Extension`] like a handle. If nothing else keeps the
/// extension when it is dropped, that goes in the drop: see [`Handle`]. The guard of [`Weak::try_enter`] leaves it to
/// [`Registry::reap`].
///
/// ```
/// # use llext::{Error, Weak, NoopRawMutex, Pool};
/// # fn f(blinky: Weak<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
/// let call = blinky.enter()?;
/// assert!(call.regions().count() > 0);
/// # Ok(()) }
/// ```
pub struct Guard<'r, M: Memory, R: RawMutex, const N: usize> {
    registry: &'r Registry<M, R, N>,
    slot: usize,
    extension: NonNull<Extension<M, R, N>>,
    may_end: bool,
}

// SAFETY: a guard is counted like a handle, and through it nothing is written but what a lock guards.
unsafe impl<M: Memory<Block: Send + Sync> + Send, R: RawMutex + Send + Sync, const N: usize> Send
    for Guard<'_, M, R, N>
{
}
// SAFETY: as above.
unsafe impl<M: Memory<Block: Send + Sync> + Send, R: RawMutex + Send + Sync, const N: usize> Sync
    for Guard<'_, M, R, N>
{
}

impl<M: Memory, R: RawMutex, const N: usize> Deref for Guard<'_, M, R, N> {
    type Target = Extension<M, R, N>;

    fn deref(&self) -> &Self::Target {
        // SAFETY: the guard is counted, so the record stays while `self` does.
        unsafe { self.extension.as_ref() }
    }
}

impl<M: Memory, R: RawMutex, const N: usize> Drop for Guard<'_, M, R, N> {
    fn drop(&mut self) {
        self.registry.let_go(self.slot, self.may_end);
    }
}

impl<M: Memory, R: RawMutex, const N: usize> fmt::Debug for Guard<'_, M, R, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Guard").field(&self.name()).finish()
    }
}
