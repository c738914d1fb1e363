//! Extensions that outlive the program's own data: written down, and live again without being linked.

use super::Loader;
use crate::error::Error;
use crate::lock::RawMutex;
use crate::memory::Pool;
use crate::registry::{Contents, Handle};

impl<'r, 'a, R: RawMutex, const N: usize> Loader<'r, '_, Pool<'a>, R, N> {
    /// Writes down what is linked, into `saved`; how many bytes that are. Where power goes and only the memory of the
    /// pool and these bytes stay, or the whole program begins anew, [`restore`](Self::restore) makes of them what was.
    ///
    /// The extensions stay as they are. Their handles are not saved. What would be lost with the host keeps an extension
    /// from being saved: host objects tied to it, calls and loads under way, destructors of the host's that it registered
    /// with `atexit`; and so does what it uses in place outside the pool.
    ///
    /// # Errors
    /// [`Error::SaveTooSmall`], which says how much is needed; [`Error::Unsaved`], [`Error::InUse`], [`Error::Busy`];
    /// [`Error::UnknownExports`].
    ///
    /// # Safety
    /// Nobody uses the registry or its extensions meanwhile. All that they were linked against is among the loader's
    /// exports; [`restore`](Self::restore) compares these.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, retained: &mut [u8]) -> Result<(), Error> {
    /// use llext::registry::Contents;
    /// // SAFETY: this is the only thread, and `HOST` is all they were linked against.
    /// let len = unsafe { apps.loader(&HOST).save(Contents::Constant, retained)? };
    /// // power off
    /// # let _ = len;
    /// # Ok(()) }
    /// ```
    pub unsafe fn save(self, contents: Contents, saved: &mut [u8]) -> Result<usize, Error> {
        // SAFETY: as here.
        unsafe { self.registry.save(self.options.host, contents, saved) }
    }

    /// Makes the extensions that were [saved](Self::save) live again, where they lie: nothing is linked, and no constructor
    /// runs. `each` is given a new handle of each, in the order they were loaded; one that it drops takes its extension
    /// away, as ever. How many they are.
    ///
    /// The registry and its pool are as new: nothing was loaded, and the pool is of the same memory, which it has not
    /// written yet. What is not as it was is refused, all of it before anything is written; the memory can then be used
    /// for loads. Of the loader's choices, those of hooks and exports count: hooks are not saved.
    ///
    /// Memory of a restored extension that goes joins with its free neighbours only when nothing else in that slice is in
    /// use, or after the next restore.
    ///
    /// # Errors
    /// [`Error::BadSaved`], [`Error::OtherBuild`], [`Error::OtherExports`], [`Error::OtherMemory`],
    /// [`Error::MemoryChanged`], [`Error::NotFresh`], [`Error::UnknownExports`].
    ///
    /// # Safety
    /// The caller vouches for the extensions as for a [load](Self::load), and that the pool's memory holds what it held
    /// when they were saved, as far as [`Contents`] were not compared; that this is the program that saved them; and that
    /// nobody uses the registry meanwhile but `each`.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, retained: &[u8], bytes: &[u8]) -> Result<(), Error> {
    /// let mut app = None;
    /// // SAFETY: the memory was retained, and nothing else runs yet.
    /// let restored = unsafe { apps.loader(&HOST).restore(retained, |handle| app = Some(handle)) };
    /// if restored.is_err() {
    ///     // SAFETY: we trust the extension.
    ///     app = Some(unsafe { apps.loader(&HOST).load("app", bytes)? });
    /// }
    /// # drop(app);
    /// # Ok(()) }
    /// ```
    pub unsafe fn restore(
        self,
        saved: &[u8],
        mut each: impl FnMut(Handle<'r, Pool<'a>, R, N>),
    ) -> Result<usize, Error> {
        // SAFETY: as here.
        unsafe { self.registry.restore(self.options.host, self.options.hooks, saved, &mut each) }
    }
}
