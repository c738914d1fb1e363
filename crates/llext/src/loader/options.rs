//! What a caller chooses before a load begins.

use super::Loader;
use super::linked::Places;
use super::needed::{LoadNeeded, Needed};
use super::providers::{Providers, Refusal};
use crate::export::Exports;
use crate::lifecycle::{self, Hooks, LeavingHook, PanicHook};
use crate::lock::RawMutex;
use crate::memory::Memory;
use crate::registry::{Handle, Registry};
use core::time::Duration;

/// Hears names, one at a time.
pub(super) type Listener<'l> = &'l mut dyn FnMut(&[u8]);

/// Says which sections must stay in the file: see [`Loader::detached`].
pub(super) type Detached<'l> = &'l mut dyn FnMut(u32, &[u8]) -> bool;

/// What the caller chose.
pub(super) struct Options<'r, 'l, M: Memory, R: RawMutex, const N: usize> {
    pub(super) host: &'l dyn Exports,
    pub(super) allowed: Option<&'l [&'l str]>,
    pub(super) providers: Providers<'r, M, R, N>,
    pub(super) needed: Needed<'r, 'l, M, R, N>,
    pub(super) search_live: bool,
    pub(super) same_name_is_enough: bool,
    pub(super) bring_up: bool,
    pub(super) patience: Duration,
    pub(super) hooks: Hooks,
    pub(super) missing: Option<Listener<'l>>,
    pub(super) scratch: Option<&'l mut [u8]>,
    /// Whether global symbols are exports even where the file lists its own.
    pub(super) export_globals: bool,
    #[cfg(feature = "inspect")]
    pub(super) inspection: Option<&'l mut [u8]>,
    pub(super) code_in_place: bool,
    #[cfg(feature = "reset")]
    pub(super) keep_initial_data: bool,
    pub(super) detached: Option<Detached<'l>>,
    /// Where the host's thread-local block lies, from the thread pointer.
    pub(super) thread_local: Option<isize>,
    /// The memory lent to a file that was linked for fixed addresses.
    pub(super) places: Option<Places<'l>>,
    /// What was wrong with the providers that were named.
    pub(super) refused: Option<Refusal>,
}

impl<M: Memory, R: RawMutex, const N: usize> Registry<M, R, N> {
    /// A loader of extensions that may use what `host` exports.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
    /// let footprint = apps.loader(&HOST).verify("app", bytes)?;
    /// # let _ = footprint;
    /// # Ok(()) }
    /// ```
    pub fn loader<'r, 'l>(&'r self, host: &'l dyn Exports) -> Loader<'r, 'l, M, R, N> {
        let options = Options {
            host,
            allowed: None,
            providers: Providers::new(self),
            needed: Needed::default(),
            search_live: false,
            same_name_is_enough: false,
            bring_up: true,
            patience: Duration::ZERO,
            hooks: Hooks { panic: lifecycle::stop, leaving: None },
            missing: None,
            scratch: None,
            export_globals: false,
            #[cfg(feature = "inspect")]
            inspection: None,
            code_in_place: false,
            #[cfg(feature = "reset")]
            keep_initial_data: false,
            detached: None,
            thread_local: None,
            places: None,
            refused: None,
        };
        Loader { registry: self, options }
    }
}

impl<'r, 'l, M: Memory, R: RawMutex, const N: usize> Loader<'r, 'l, M, R, N> {
    /// Lets the extension use what `provider` exports; it then depends on it, whether it does so or not. Of several,
    /// the first that exports a symbol provides it.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
    /// # let library = apps.find("library").ok_or(Error::Died)?;
    /// // SAFETY: we trust the extension.
    /// let app = unsafe { apps.loader(&HOST).needs(&library).load("app", bytes)? };
    /// assert_eq!(app.dependencies().next(), Some(library.name()));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn needs(mut self, provider: &Handle<'r, M, R, N>) -> Self {
        self.options.refused = self.options.providers.need(provider).err().or(self.options.refused);
        self
    }

    /// Loads what the extension says it needs, and nobody provides: `load` is asked for each, and loads it with
    /// [`Need::loader`](super::Need::loader), so that circles and endless chains are found out.
    ///
    /// The closure is best written inline, as here: its type is known there. One that is kept in a variable must be
    /// given the type [`LoadNeeded`].
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
    /// # fn read(name: &str) -> &'static [u8] { b"" }
    /// // SAFETY: we trust the extension and what it needs.
    /// let app = unsafe {
    ///     let loader = apps.loader(&HOST);
    ///     loader.on_needed(&mut |need| need.loader(&HOST).load(need.name(), read(need.name()))).load("app", bytes)?
    /// };
    /// # drop(app);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn on_needed(mut self, load: LoadNeeded<'r, 'l, M, R, N>) -> Self {
        self.options.needed.load = Some(load);
        self
    }

    /// Loads what the extension says it needs, and nobody provides, from a directory: the file of that name, or with
    /// `.llext`, `.so` or `.o` behind it. What these need comes from there, too.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
    /// // SAFETY: we trust the extension.
    /// let app = unsafe { apps.loader(&HOST).needed_from("/usr/lib/apps".as_ref()).load("app", bytes)? };
    /// # drop(app);
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "std")]
    #[must_use]
    pub fn needed_from(mut self, directory: &'l std::path::Path) -> Self {
        self.options.needed.directory = Some(directory);
        self
    }

    /// Allows only these groups of the host's symbols, and those that are in no group: see
    /// [`Group`](crate::export::Group). All are allowed unless this says otherwise.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
    /// // SAFETY: we trust the extension.
    /// let app = unsafe { apps.loader(&HOST).allow(&["gpio", "log"]).load("app", bytes)? };
    /// # drop(app);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn allow(mut self, groups: &'l [&'l str]) -> Self {
        self.options.allowed = Some(groups);
        self
    }

    /// Whether symbols that the host does not provide are looked for in every live extension; off unless asked for.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
    /// // SAFETY: we trust the extension.
    /// let app = unsafe { apps.loader(&HOST).search_live(true).load("app", bytes)? };
    /// # drop(app);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn search_live(mut self, yes: bool) -> Self {
        self.options.search_live = yes;
        self
    }

    /// Whether a live extension of the same name is taken for the same, whatever it was loaded from: LLEXT's way.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
    /// // SAFETY: we trust the extension.
    /// let app = unsafe { apps.loader(&HOST).same_name_is_enough(true).load("app", bytes)? };
    /// # drop(app);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn same_name_is_enough(mut self, yes: bool) -> Self {
        self.options.same_name_is_enough = yes;
        self
    }

    /// Hears the name of every symbol that nobody provides.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
    /// let mut missing = 0;
    /// let checked = apps.loader(&HOST).on_missing(&mut |_name| missing += 1).verify("app", bytes);
    /// # let _ = (checked, missing);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn on_missing(mut self, hear: &'l mut dyn FnMut(&[u8])) -> Self {
        self.options.missing = Some(hear);
        self
    }

    /// What to do when the extension panics; without a hook the process ends, or the processor stops.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
    /// fn restart(panic: &llext::ExtensionPanic<'_>) -> ! {
    ///     let _ = (panic.extension, panic.file, panic.line);
    ///     std::process::exit(101)
    /// }
    /// // SAFETY: we trust the extension.
    /// let app = unsafe { apps.loader(&HOST).on_panic(restart).load("app", bytes)? };
    /// # drop(app);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn on_panic(mut self, hook: PanicHook) -> Self {
        self.options.hooks.panic = hook;
        self
    }

    /// What to do when the extension's destructors have run, before its memory goes.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
    /// fn flush_logs(leaving: &llext::Leaving) {
    ///     let _ = leaving.parts; // messages may still point into these
    /// }
    /// // SAFETY: we trust the extension.
    /// let app = unsafe { apps.loader(&HOST).on_leaving(flush_logs).load("app", bytes)? };
    /// # drop(app);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn on_leaving(mut self, hook: LeavingHook) -> Self {
        self.options.hooks.leaving = Some(hook);
        self
    }

    /// Whether constructors run as the end of the load: yes, unless told otherwise. Else it is for the caller to call
    /// [`Extension::bringup`](crate::registry::Extension::bringup) before anything that needs them. Others find the
    /// extension meanwhile, and see [`Phase::Loaded`](crate::Phase::Loaded).
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
    /// // SAFETY: we trust the extension.
    /// let app = unsafe { apps.loader(&HOST).bring_up(false).load("app", bytes)? };
    /// assert_eq!(app.phase(), llext::Phase::Loaded);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn bring_up(mut self, yes: bool) -> Self {
        self.options.bring_up = yes;
        self
    }

    /// How long to wait while somebody else loads or unloads an extension of this name; without it the answer is
    /// [`Error::Busy`](crate::Error::Busy) at once, and so it is with a lock that cannot wait ([`RawMutex::wait`]). A constructor that
    /// waits for its own extension waits in vain.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
    /// // SAFETY: we trust the extension.
    /// let app = unsafe { apps.loader(&HOST).wait(core::time::Duration::from_secs(1)).load("app", bytes)? };
    /// # drop(app);
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "std")]
    #[must_use]
    pub fn wait(mut self, timeout: Duration) -> Self {
        self.options.patience = timeout;
        self
    }

    /// Lends scratch memory for the time of the load; without it the registry's memory provides. The state of the load lies
    /// in it, too, but for one that [`Loader::start`] hands out: [`Loader::verify`] says how much it takes in all. That state
    /// has a word or two for each slot of the registry; loads that wait for what they need have each their own.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
    /// let mut scratch = [0; 4096];
    /// // SAFETY: we trust the extension.
    /// let app = unsafe { apps.loader(&HOST).scratch(&mut scratch).load("app", bytes)? };
    /// # drop(app);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn scratch(mut self, bytes: &'l mut [u8]) -> Self {
        self.options.scratch = Some(bytes);
        self
    }

    /// Whether all global symbols are exports, even where the file lists its own in `.exported_sym`: off unless asked for.
    /// The list then counts for nothing, and so do other names that it gives.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
    /// // SAFETY: we trust the extension.
    /// let app = unsafe { apps.loader(&HOST).export_globals(true).load("app", bytes)? };
    /// # drop(app);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn export_globals(mut self, yes: bool) -> Self {
        self.options.export_globals = yes;
        self
    }

    /// Lends memory in which the load leaves the file's section headers and symbols with their run addresses, for
    /// [`Inspection`](super::Inspection) to read. Memory that is too small ends the load with
    /// [`Error::InspectionTooSmall`](crate::Error::InspectionTooSmall), which says how much is needed; a load that finds the extension live leaves nothing, nor does a file
    /// that was linked for fixed addresses, which says itself where all of it lies.
    #[cfg(feature = "inspect")]
    #[must_use]
    pub fn inspection(mut self, memory: &'l mut [u8]) -> Self {
        super::inspection::clear(memory);
        self.options.inspection = Some(memory);
        self
    }

    /// Runs code without relocations where the file lies, if its bytes stay ([`Storage`](crate::source::Storage)): that
    /// memory can be run as it is, as flash can on a microcontroller. On Linux nearly all memory that can be lent cannot.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry, source::Static};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, flash: &'static [u8]) -> Result<(), Error> {
    /// // SAFETY: we trust the extension, and this processor runs code from its flash.
    /// let app = unsafe { apps.loader(&HOST).code_in_place(true).load("app", Static(flash))? };
    /// # drop(app);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn code_in_place(mut self, yes: bool) -> Self {
        self.options.code_in_place = yes;
        self
    }

    /// Keeps a copy of the variables as the extension begins with them, beside its constants. One of a relocatable file can
    /// begin again with them, by [`Extension::reset`](crate::registry::Extension::reset), if they are not in place; of a
    /// shared object there can be other instances, by [`instantiate`](Self::instantiate). Neither is linked from its file
    /// again.
    #[cfg(feature = "reset")]
    #[must_use]
    pub fn keep_initial_data(mut self, yes: bool) -> Self {
        self.options.keep_initial_data = yes;
        self
    }

    /// Asks, by index and name, which sections of a relocatable file must stay in it, LLEXT's detached sections: code
    /// that runs there, constants, and, where the file may be written, variables. Whatever cannot stay is refused. Of
    /// the others, those stay that would anyway.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry, source::Static};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, flash: &'static [u8]) -> Result<(), Error> {
    /// let loader = apps.loader(&HOST);
    /// // SAFETY: we trust the extension, and this processor runs code from its flash.
    /// let app = unsafe { loader.detached(&mut |_, name| name == b".cold.text").load("app", Static(flash))? };
    /// # drop(app);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn detached(mut self, stays: &'l mut dyn FnMut(u32, &[u8]) -> bool) -> Self {
        self.options.detached = Some(stays);
        self
    }

    /// Takes a file that `llext link` linked for fixed addresses and for this host. Its parts lie, or are put, where it was
    /// linked for, in memory that `places` lends until the extension is gone; only its record takes memory of the registry.
    /// A file that was linked for another host is refused: what it uses must be where it was. [`Loader::verify`] copies, too:
    /// what is live there must be gone before.
    ///
    /// # Safety
    /// The memory of `places` can be read, that which is copied to can be written, and code in it can run. Nobody else
    /// writes what lies in place, nor uses what is copied to, another extension included, until this one is gone.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
    /// use llext::loader::Places;
    /// let places = Places { in_place: &[0x10_0000..0x20_0000], copied: &[0x2000_8000..0x2000_c000] };
    /// // SAFETY: the first is flash memory, the second RAM that the linker script keeps free; we trust the extension.
    /// let app = unsafe { apps.loader(&HOST).pre_located(places).load("app", bytes)? };
    /// # drop(app);
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "pre-located")]
    #[must_use]
    pub unsafe fn pre_located(mut self, places: Places<'l>) -> Self {
        self.options.places = Some(places);
        self
    }

    /// Lends the host's thread-local variables, which lie in a block that begins `offset` bytes behind the thread pointer: 8 on
    /// arm and 16 on arm64, rounded up to the block's alignment, and a negative number on x86-64. The host exports each
    /// by its offset in the block. Without this, an extension that uses thread-local variables is refused; variables of
    /// its own always are, and so is every way but "local exec" to use them (`-ftls-model=local-exec`).
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
    /// // SAFETY: we trust the extension.
    /// let app = unsafe { apps.loader(&HOST).thread_local(8).load("app", bytes)? };
    /// # drop(app);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn thread_local(mut self, offset: isize) -> Self {
        self.options.thread_local = Some(offset);
        self
    }
}
