//! A counted use of a live extension.

use super::{Extension, Id, Registry, Status, Weak};
use crate::error::Error;
use crate::lock::RawMutex;
use crate::memory::Memory;
use core::fmt;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr::NonNull;
#[cfg(feature = "std")]
use core::time::Duration;

/// A counted use of a live extension: while it exists the extension stays. Dropping it is an unload.
///
/// An extension is kept by its handles, by the extensions that depend on it, by guards of calls that run in it, by
/// objects of the host's ([`Weak::own`]) and by loads under way that may use it. What becomes of it when its last
/// handle is given up, and what others see then:
///
/// | the last handle is | if something else keeps the extension | others see meanwhile |
/// |---|---|---|
/// | dropped | it stays live, and goes with the last that keeps it | a live extension: it is found and entered |
/// | given to [`unload`](Self::unload) | [`Error::InUse`], and the handle comes back | a live extension |
/// | given to [`unload_later`](Self::unload_later) | it is closed, and goes with the last that keeps it | `find`: `None`; a load of its name and [`Weak`]: [`Error::Busy`] |
/// | given to `unload_within` | it is closed for so long, then open again: [`Error::InUse`], and the handle comes back | the same, for so long |
///
/// If nothing else keeps it, each of them takes it away at once. While its destructors run `find` says `None`, a load
/// of its name [`Error::Busy`], and a [`Weak`] [`Error::Died`]; afterwards the name is free.
///
/// Whoever lets an extension go last runs its destructors, revocations of the host's objects and the hook for leaving,
/// and frees its memory: on that thread, inside that drop. Its providers may then be let go last, and go there too. So
/// dropping a handle, a [`Guard`](super::Guard), an [`Object`](super::Object) or a [`Load`](crate::Load) may run code
/// of extensions: not in an interrupt (see [`Weak::try_enter`]), and not under a lock of yours that such code may want.
///
/// ```
/// # use llext::{Error, Handle, NoopRawMutex, Pool};
/// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
/// let second = blinky.try_clone()?;
/// assert_eq!(second.uses(), 2);
/// drop(blinky);
/// assert_eq!(second.unload().ok(), Some(0));
/// # Ok(()) }
/// ```
pub struct Handle<'r, M: Memory, R: RawMutex, const N: usize> {
    registry: &'r Registry<M, R, N>,
    id: Id,
    extension: NonNull<Extension<M, R, N>>,
    is_first: bool,
}

// SAFETY: a handle is a counted reference to a record that is not written while it is live.
unsafe impl<M: Memory<Block: Send + Sync> + Send, R: RawMutex + Send + Sync, const N: usize> Send
    for Handle<'_, M, R, N>
{
}
// SAFETY: as above; through a shared handle nothing is written but what a lock guards.
unsafe impl<M: Memory<Block: Send + Sync> + Send, R: RawMutex + Send + Sync, const N: usize> Sync
    for Handle<'_, M, R, N>
{
}

/// An unload that was refused, and the handle back.
///
/// ```
/// # use llext::{Error, Handle, NoopRawMutex, Pool};
/// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
/// let blinky = match blinky.unload() {
///     Ok(remaining) => { let _ = remaining; return Ok(()) }
///     Err(refused) => refused.handle, // refused.error says by whom
/// };
/// # let _ = blinky;
/// # Ok(()) }
/// ```
pub struct Refused<H> {
    /// The handle, as it was: the extension is live. Dropping it, as `?` on the error alone does, gives this use up
    /// after all, and the extension goes with the last that keeps it.
    pub handle: H,
    /// Why.
    pub error: Error,
}

impl<H> fmt::Debug for Refused<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<H> fmt::Display for Refused<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl<'r, M: Memory, R: RawMutex, const N: usize> Handle<'r, M, R, N> {
    pub(super) fn new(
        registry: &'r Registry<M, R, N>,
        id: Id,
        extension: NonNull<Extension<M, R, N>>,
    ) -> Self {
        Self { registry, id, extension, is_first: false }
    }

    /// The handle that a load gives its caller.
    pub(super) fn first(
        registry: &'r Registry<M, R, N>,
        id: Id,
        extension: NonNull<Extension<M, R, N>>,
    ) -> Self {
        Self { registry, id, extension, is_first: true }
    }

    pub(super) fn registry(&self) -> &'r Registry<M, R, N> {
        self.registry
    }

    /// Whether this is a handle of an extension in `registry`.
    pub(crate) fn is_of(&self, registry: &Registry<M, R, N>) -> bool {
        core::ptr::eq(self.registry, registry)
    }

    pub(crate) fn slot(&self) -> usize {
        self.id.slot
    }

    /// Whether the extension was loaded for this handle; a later load of the same name, or finding it, gives another.
    ///
    /// It does not say that constructors ran: after [`bring_up(false)`](crate::Loader::bring_up) they wait for
    /// [`bringup`](Extension::bringup), which [`phase`](Extension::phase) tells, to every handle.
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// if blinky.is_first() {
    ///     // loaded just now: what is done once for each extension is done here
    /// }
    /// # Ok(()) }
    /// ```
    pub fn is_first(&self) -> bool {
        self.is_first
    }

    /// How many handles there are of it.
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// assert!(blinky.uses() >= 1);
    /// # Ok(()) }
    /// ```
    pub fn uses(&self) -> u32 {
        self.registry.statuses(self.id.slot).map_or(0, |status| status.uses)
    }

    /// Another handle of the same extension.
    ///
    /// # Errors
    /// [`Error::TooManyUses`].
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// let another = blinky.try_clone()?;
    /// assert_eq!(another.name(), blinky.name());
    /// # Ok(()) }
    /// ```
    pub fn try_clone(&self) -> Result<Self, Error> {
        let word = self.registry.words.get(self.id.slot).ok_or(Error::TooManyUses)?;
        word.update(Status::used).map_err(|_| Error::TooManyUses)?;
        Ok(Self::new(self.registry, self.id, self.extension))
    }

    /// A reference that does not keep the extension.
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// let weak = blinky.downgrade();
    /// drop(blinky);
    /// assert_eq!(weak.upgrade().err(), Some(Error::Died));
    /// # Ok(()) }
    /// ```
    pub fn downgrade(&self) -> Weak<'r, M, R, N> {
        Weak::new(self.registry, self.id, self.extension)
    }

    /// Gives this use up; the number of uses that remain. The last one runs the destructors and gives the memory back.
    ///
    /// # Errors
    /// [`Error::InUse`] when this is the last handle and dependents, calls or host objects keep the extension; the
    /// handle comes back.
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// match blinky.unload() {
    ///     Ok(0) => {} // gone
    ///     Ok(remaining) => { let _ = remaining; }
    ///     Err(refused) => return Err(refused.error),
    /// }
    /// # Ok(()) }
    /// ```
    pub fn unload(self) -> Result<u32, Refused<Self>> {
        let left = self.registry.try_leave(self.id);
        self.gone(left)
    }

    /// Gives this use up; the number of uses that remain. The last one closes the extension: it is not found and not
    /// entered any more, and whoever keeps it last takes it away.
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// let call = blinky.downgrade().enter()?;
    /// blinky.unload_later();
    /// drop(call); // here it goes
    /// # Ok(()) }
    /// ```
    pub fn unload_later(self) -> u32 {
        let this = ManuallyDrop::new(self);
        this.registry.leave_later(this.id)
    }

    /// Gives this use up; the number of uses that remain. The last one closes the extension and waits until nothing
    /// else keeps it. A lock that cannot wait ([`RawMutex::wait`]) makes that a single look.
    ///
    /// # Errors
    /// [`Error::InUse`] when something keeps it for longer than `timeout`; the handle comes back, and the extension is
    /// open again.
    ///
    /// ```
    /// # use llext::{Error, Plugin};
    /// # fn f(plugin: Plugin<'_>) -> Result<(), Error> {
    /// let remaining = plugin.unload_within(std::time::Duration::from_secs(1));
    /// let remaining = remaining.map_err(|refused| refused.error)?;
    /// # let _ = remaining;
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "std")]
    pub fn unload_within(self, timeout: Duration) -> Result<u32, Refused<Self>> {
        let left = self.registry.leave_within(self.id, timeout);
        self.gone(left)
    }

    fn gone(self, left: Result<u32, Error>) -> Result<u32, Refused<Self>> {
        match left {
            Ok(remaining) => {
                let _ = ManuallyDrop::new(self);
                Ok(remaining)
            }
            Err(error) => Err(Refused { handle: self, error }),
        }
    }
}

impl<M: Memory, R: RawMutex, const N: usize> Deref for Handle<'_, M, R, N> {
    type Target = Extension<M, R, N>;

    fn deref(&self) -> &Self::Target {
        // SAFETY: the handle is counted, so the record stays while `self` does.
        unsafe { self.extension.as_ref() }
    }
}

impl<M: Memory, R: RawMutex, const N: usize> Drop for Handle<'_, M, R, N> {
    fn drop(&mut self) {
        self.registry.leave(self.id);
    }
}

impl<M: Memory, R: RawMutex, const N: usize> fmt::Debug for Handle<'_, M, R, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handle").field(&self.name()).finish()
    }
}

/// Visits live extensions in load order.
///
/// ```
/// # use llext::{Error, NoopRawMutex, Pool, Registry};
/// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
/// let names: Vec<_> = apps.iter().map(|extension| extension.name()).collect();
/// # let _ = names;
/// # Ok(()) }
/// ```
pub struct Extensions<'r, M: Memory, R: RawMutex, const N: usize> {
    registry: &'r Registry<M, R, N>,
    after: u64,
    until: u64,
}

impl<'r, M: Memory, R: RawMutex, const N: usize> Extensions<'r, M, R, N> {
    pub(super) fn new(registry: &'r Registry<M, R, N>, until: u64) -> Self {
        Self { registry, after: 0, until }
    }
}

impl<'r, M: Memory, R: RawMutex, const N: usize> Iterator for Extensions<'r, M, R, N> {
    type Item = Handle<'r, M, R, N>;

    fn next(&mut self) -> Option<Self::Item> {
        let (order, handle) = self.registry.next_live(self.after, self.until)?;
        self.after = order;
        Some(handle)
    }
}
