//! A counted use of a live extension.

use super::{Extension, ExtensionExports, Id, Region, Registry};
use crate::error::{Error, Name};
use crate::lock::RawMutex;
use crate::memory::Memory;
use core::fmt;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;

/// A counted use of a live extension: while it exists the extension stays. Dropping it is an unload.
pub struct Handle<'r, M: Memory, R: RawMutex, const N: usize> {
    registry: &'r Registry<M, R, N>,
    id: Id,
    extension: NonNull<Extension<M, R, N>>,
}

// SAFETY: a handle is a counted reference to a record that is not written while it is live; the count is behind the lock.
unsafe impl<M: Memory<Block: Send + Sync> + Send, R: RawMutex + Sync, const N: usize> Send
    for Handle<'_, M, R, N>
{
}
// SAFETY: as above; through a shared handle nothing is written.
unsafe impl<M: Memory<Block: Send + Sync> + Send, R: RawMutex + Sync, const N: usize> Sync
    for Handle<'_, M, R, N>
{
}

/// An unload that was refused, and the handle back.
pub struct Refused<H> {
    /// The handle: nothing has changed.
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
        Self { registry, id, extension }
    }

    pub(crate) fn extension(&self) -> &Extension<M, R, N> {
        // SAFETY: the handle is counted, so the record stays while `self` does.
        unsafe { self.extension.as_ref() }
    }

    /// Whether this is a handle of an extension in `registry`.
    pub(crate) fn is_of(&self, registry: &Registry<M, R, N>) -> bool {
        core::ptr::eq(self.registry, registry)
    }

    pub(crate) fn slot(&self) -> usize {
        self.id.slot
    }

    /// The extension's name.
    pub fn name(&self) -> Name {
        self.registry.slot(self.id, |slot| slot.name).unwrap_or(Name::EMPTY)
    }

    /// What the extension exports: names, without a NUL, and addresses.
    pub fn exports(&self) -> ExtensionExports<'_> {
        ExtensionExports::new(&self.extension().exports)
    }

    /// Where the extension lies in memory.
    pub fn regions(&self) -> impl Iterator<Item = Region> {
        self.extension().regions()
    }

    /// How many handles there are of it.
    pub fn uses(&self) -> u32 {
        self.registry.slot(self.id, |slot| slot.uses).unwrap_or(0)
    }

    /// How many extensions depend on it.
    pub fn dependents(&self) -> u32 {
        self.registry.slot(self.id, |slot| slot.dependents).unwrap_or(0)
    }

    /// Gives this use up; the number of uses that remain. The last one runs the destructors and gives the memory back.
    ///
    /// # Errors
    /// [`Error::InUse`] when this is the last handle and other extensions depend on this one; the handle comes back.
    pub fn unload(self) -> Result<u32, Refused<Self>> {
        match self.registry.try_leave(self.id) {
            Ok(remaining) => {
                let _ = ManuallyDrop::new(self);
                Ok(remaining)
            }
            Err(error) => Err(Refused { handle: self, error }),
        }
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

/// Visits live extensions, slot by slot.
pub struct Extensions<'r, M: Memory, R: RawMutex, const N: usize> {
    registry: &'r Registry<M, R, N>,
    next: usize,
}

impl<'r, M: Memory, R: RawMutex, const N: usize> Extensions<'r, M, R, N> {
    pub(super) fn new(registry: &'r Registry<M, R, N>) -> Self {
        Self { registry, next: 0 }
    }
}

impl<'r, M: Memory, R: RawMutex, const N: usize> Iterator for Extensions<'r, M, R, N> {
    type Item = Handle<'r, M, R, N>;

    fn next(&mut self) -> Option<Self::Item> {
        let handle = self.registry.find_from(self.next)?;
        self.next = handle.slot() + 1;
        Some(handle)
    }
}
