//! Objects of the host's that belong to an extension: threads, timers, registered callbacks, interrupt handlers.
//!
//! They hold addresses in its code. So while one lives the extension cannot go, or it is taken away first.

use super::{Handle, Id, Registry, State, Status, Weak};
use crate::error::Error;
use crate::lifecycle::Revoke;
use crate::lock::RawMutex;
use crate::memory::Memory;
use core::fmt;

/// Ties something of the host's to the extension that asked for it, until it is dropped. If nothing else keeps the
/// extension by then, it goes in that drop: see [`Handle`].
///
/// ```
/// # use llext::{Error, Weak, NoopRawMutex, Pool};
/// # fn f(blinky: Weak<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
/// let timer = blinky.own("timer 3")?;
/// // unloading is refused now: in use by "timer 3"
/// drop(timer);
/// # Ok(()) }
/// ```
pub struct Object<'r, M: Memory, R: RawMutex, const N: usize> {
    registry: &'r Registry<M, R, N>,
    id: Id,
    number: u32,
    name: &'static str,
    keeps: bool,
}

impl<'r, M: Memory, R: RawMutex, const N: usize> Weak<'r, M, R, N> {
    /// Ties an object of the host's to the extension: while the [`Object`] lives, the extension cannot be unloaded, and
    /// the refusal tells `name`. Also while its constructors run. Without the feature `alloc` an extension has room for
    /// four objects.
    ///
    /// The name is the host's own and static: the object, and an error that names it, may outlive the extension.
    ///
    /// # Errors
    /// [`Error::Died`], [`Error::Busy`], [`Error::TooManyUses`], [`Error::TooManyObjects`].
    ///
    /// ```
    /// # use llext::{Error, Weak, NoopRawMutex, Pool};
    /// # fn f(blinky: Weak<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// let timer = blinky.own("timer 3")?;
    /// // unloading is refused now: in use by "timer 3"
    /// drop(timer);
    /// # Ok(()) }
    /// ```
    pub fn own(&self, name: &'static str) -> Result<Object<'r, M, R, N>, Error> {
        self.tie(name, None)
    }

    /// Ties an object of the host's to the extension without keeping it: when that goes, `revoke` is called with
    /// `argument` first. It stops the object, and when it returns nothing of the host's calls the extension any more. That
    /// can be at any time from now on: start the object while a handle or a guard keeps the extension.
    ///
    /// # Errors
    /// As for [`Weak::own`].
    ///
    /// ```
    /// # use llext::{Error, Weak, NoopRawMutex, Pool};
    /// # fn f(blinky: Weak<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// fn stop_timer(number: usize) {
    ///     let _ = number;
    /// }
    /// let timer = blinky.own_revocable("timer 3", stop_timer, 3)?;
    /// assert!(timer.release()); // stopped by ourselves, before the extension went
    /// # Ok(()) }
    /// ```
    pub fn own_revocable(
        &self,
        name: &'static str,
        revoke: fn(usize),
        argument: usize,
    ) -> Result<Object<'r, M, R, N>, Error> {
        self.tie(name, Some((revoke, argument)))
    }

    fn tie(&self, name: &'static str, revoke: Option<Revoke>) -> Result<Object<'r, M, R, N>, Error> {
        self.count(&[State::Initialising, State::Live], Status::held)?;
        // SAFETY: it is counted now, so the record stays until that is taken back.
        let number = unsafe { self.extension().as_ref() }.context().own(name, revoke);
        let keeps = revoke.is_none() && number.is_ok();
        if !keeps && self.registry().let_go(self.id().slot, true) {
            // Everybody else has left meanwhile: it is gone, and what was just tied is revoked.
            return Err(Error::Died);
        }
        Ok(Object { registry: self.registry(), id: self.id(), number: number?, name, keeps })
    }
}

impl<'r, M: Memory, R: RawMutex, const N: usize> Handle<'r, M, R, N> {
    /// As [`Weak::own`].
    ///
    /// # Errors
    /// As for [`Weak::own`].
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// let timer = blinky.own("timer 3")?;
    /// // unloading is refused now: in use by "timer 3"
    /// drop(timer);
    /// # Ok(()) }
    /// ```
    pub fn own(&self, name: &'static str) -> Result<Object<'r, M, R, N>, Error> {
        self.downgrade().own(name)
    }

    /// As [`Weak::own_revocable`].
    ///
    /// # Errors
    /// As for [`Weak::own`].
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// fn stop_timer(number: usize) {
    ///     let _ = number;
    /// }
    /// let timer = blinky.own_revocable("timer 3", stop_timer, 3)?;
    /// assert!(timer.release()); // stopped by ourselves, before the extension went
    /// # Ok(()) }
    /// ```
    pub fn own_revocable(
        &self,
        name: &'static str,
        revoke: fn(usize),
        argument: usize,
    ) -> Result<Object<'r, M, R, N>, Error> {
        self.downgrade().own_revocable(name, revoke, argument)
    }
}

impl<M: Memory, R: RawMutex, const N: usize> Object<'_, M, R, N> {
    /// What it is called.
    ///
    /// ```
    /// # use llext::{Error, Weak, NoopRawMutex, Pool};
    /// # fn f(blinky: Weak<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// assert_eq!(blinky.own("timer 3")?.name(), "timer 3");
    /// # Ok(()) }
    /// ```
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Unties the object; false when its revocation has begun, which may be running still.
    ///
    /// ```
    /// # use llext::{Error, Weak, NoopRawMutex, Pool};
    /// # fn f(blinky: Weak<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// let timer = blinky.own("timer 3")?;
    /// assert!(timer.release());
    /// # Ok(()) }
    /// ```
    pub fn release(self) -> bool {
        let mut this = core::mem::ManuallyDrop::new(self);
        this.untie()
    }

    fn untie(&mut self) -> bool {
        let was_tied = self.registry.table.with(|table| {
            let status = self.registry.statuses(self.id.slot);
            let lives = status.is_some_and(|status| status.generation == self.id.generation);
            let entry = table.entries.get(self.id.slot).filter(|_| lives);
            entry.and_then(|entry| entry.record()).is_some_and(|record| record.context().disown(self.number))
        });
        if self.keeps {
            self.registry.let_go(self.id.slot, true);
        }
        was_tied
    }
}

impl<M: Memory, R: RawMutex, const N: usize> Drop for Object<'_, M, R, N> {
    fn drop(&mut self) {
        self.untie();
    }
}

impl<M: Memory, R: RawMutex, const N: usize> fmt::Debug for Object<'_, M, R, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Object").field(&self.name).finish()
    }
}
