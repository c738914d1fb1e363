//! A pool that is given to a registry at run time, and taken back.

use super::Registry;
use crate::error::Error;
use crate::lock::RawMutex;
use crate::memory::{MemoryError, Pool};

impl<'a, R: RawMutex, const N: usize> Registry<Pool<'a>, R, N> {
    /// Exchanges the memory for another: the first one of a registry that began with [`Pool::empty`], or none any more.
    ///
    /// # Errors
    /// [`MemoryError::InUse`] while an extension or a load has any of it; then nothing has changed.
    ///
    /// ```
    /// # use core::mem::MaybeUninit;
    /// use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn main() -> Result<(), Error> {
    /// let mut room = [MaybeUninit::uninit(); 4096];
    /// let apps = Registry::<Pool<'_>, NoopRawMutex, 4>::new(Pool::empty());
    /// let mut pool = Pool::unified(&mut room);
    /// apps.swap_memory(&mut pool)?; // now extensions can be loaded
    /// apps.swap_memory(&mut pool)?; // now they cannot
    /// let [room, _] = pool.into_slices().ok_or(Error::Died)?;
    /// assert_eq!(room.len(), 4096);
    /// # Ok(()) }
    /// ```
    pub fn swap_memory(&self, pool: &mut Pool<'a>) -> Result<(), Error> {
        self.memory.with(|memory| match memory.in_use() {
            0 => {
                core::mem::swap(memory, pool);
                Ok(())
            }
            bytes => Err(MemoryError::InUse { bytes }.into()),
        })
    }
}
