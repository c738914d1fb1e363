//! A process as a host: Linux memory, a registry, and the process's own C library.

mod fault;

pub use fault::Fault;

use crate::error::Error;
use crate::export::{Exports, Libc, SymbolName};
use crate::loader::Loader;
use crate::lock::StdRawMutex;
use crate::memory::Linux;
use crate::registry::{self, Registry};
use crate::source::{File, ReadError, Source};
use std::path::Path;

/// How many extensions a [`Host`] holds at a time.
pub const CAPACITY: usize = 256;

/// A live extension of a [`Host`]: what [`Host::load_file`] gives.
pub type Plugin<'h> = registry::Handle<'h, Linux, StdRawMutex, CAPACITY>;

/// What plugins of this process are loaded into and linked against.
///
/// ```
/// # use llext::{Error, Host};
/// # extern "C" fn log(level: u32) { let _ = level; }
/// # llext::exports! { static HOST; fn log(level: u32); }
/// # fn f(host: &Host) -> Result<(), Error> {
/// // SAFETY: we trust the plugin.
/// let plugin = unsafe { host.load_file("plugin.so")? };
/// assert!(host.find("plugin").is_some());
/// # drop(plugin);
/// # Ok(()) }
/// ```
pub struct Host {
    registry: Registry<Linux, StdRawMutex, CAPACITY>,
    exports: ProcessExports,
}

struct ProcessExports {
    own: &'static (dyn Exports + Sync),
    libc: Option<Libc>,
}

impl Exports for ProcessExports {
    fn address(&self, name: &SymbolName<'_>) -> Option<usize> {
        self.own.address(name).or_else(|| self.libc.as_ref()?.address(name))
    }

    fn addresses(&self, names: &[SymbolName<'_>], found: &mut [Option<usize>]) {
        self.own.addresses(names, found);
        if let Some(libc) = &self.libc {
            libc.addresses(names, found);
        }
    }

    fn provides(&self, soname: &[u8]) -> bool {
        self.own.provides(soname) || self.libc.as_ref().is_some_and(|libc| libc.provides(soname))
    }

    fn group(&self, name: &SymbolName<'_>) -> Option<&'static str> {
        self.own.group(name)
    }

    #[cfg(feature = "slid")]
    fn has_slids(&self) -> bool {
        self.own.has_slids()
    }

    #[cfg(feature = "save")]
    fn fingerprint(&self) -> Option<u64> {
        if self.libc.is_none() { self.own.fingerprint() } else { None }
    }
}

impl Host {
    /// A host that offers `exports`, then the process's C library and libm.
    ///
    /// # Errors
    /// None today: it may come to look at the process's memory here, not first in a load.
    ///
    /// ```
    /// # use llext::{Error, Host};
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(host: &Host) -> Result<(), Error> {
    /// let host = Host::new(&HOST)?;
    /// # let _ = host;
    /// # Ok(()) }
    /// ```
    pub fn new(exports: &'static (dyn Exports + Sync)) -> Result<Self, Error> {
        Self::with(exports, Some(Libc::new()))
    }

    /// A host that offers `exports` and nothing else.
    ///
    /// # Errors
    /// As for [`Host::new`].
    ///
    /// ```
    /// # use llext::{Error, Host};
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(host: &Host) -> Result<(), Error> {
    /// let host = Host::without_libc(&HOST)?;
    /// # let _ = host;
    /// # Ok(()) }
    /// ```
    pub fn without_libc(exports: &'static (dyn Exports + Sync)) -> Result<Self, Error> {
        Self::with(exports, None)
    }

    fn with(own: &'static (dyn Exports + Sync), libc: Option<Libc>) -> Result<Self, Error> {
        Ok(Self { registry: Registry::new(Linux::new()), exports: ProcessExports { own, libc } })
    }

    /// A loader with this host's exports.
    ///
    /// ```
    /// # use llext::{Error, Host};
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(host: &Host) -> Result<(), Error> {
    /// // SAFETY: we trust the plugin.
    /// let plugin = unsafe { host.loader().search_live(true).load("plugin", llext::source::File::open("plugin.o").unwrap())? };
    /// # drop(plugin);
    /// # Ok(()) }
    /// ```
    pub fn loader<'h, 'l>(&'h self) -> Loader<'h, 'l, Linux, StdRawMutex, CAPACITY>
    where
        'h: 'l,
    {
        self.registry.loader(&self.exports)
    }

    /// Loads an extension from bytes in memory, or any other [`Source`].
    ///
    /// # Errors
    /// Every [`Error`] of a load.
    ///
    /// # Safety
    /// As for [`Loader::load`].
    ///
    /// ```
    /// # use llext::{Error, Host};
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(host: &Host) -> Result<(), Error> {
    /// # let bytes: &[u8] = b"";
    /// // SAFETY: we trust the plugin.
    /// let plugin = unsafe { host.load("plugin", bytes)? };
    /// # drop(plugin);
    /// # Ok(()) }
    /// ```
    pub unsafe fn load(&self, name: &str, source: impl Source) -> Result<Plugin<'_>, Error> {
        // SAFETY: the caller vouches for the extension.
        unsafe { self.loader().load(name, source) }
    }

    /// Loads the file at `path`; its name is the file's, without the last extension.
    ///
    /// # Errors
    /// Every [`Error`] of a load; [`Error::Read`] when the file cannot be opened.
    ///
    /// # Safety
    /// As for [`Loader::load`].
    ///
    /// ```
    /// # use llext::{Error, Host};
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(host: &Host) -> Result<(), Error> {
    /// // SAFETY: we trust the plugin.
    /// let plugin = unsafe { host.load_file("plugins/reverb.so")? };
    /// assert_eq!(plugin.name().as_bytes(), b"reverb");
    /// # Ok(()) }
    /// ```
    pub unsafe fn load_file(&self, path: impl AsRef<Path>) -> Result<Plugin<'_>, Error> {
        let path = path.as_ref();
        let file = File::open(path).map_err(ReadError::from)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        // SAFETY: the caller vouches for the extension.
        unsafe { self.load(&name, file) }
    }

    /// A handle of the live extension called `name`.
    ///
    /// ```
    /// # use llext::{Error, Host};
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(host: &Host) -> Result<(), Error> {
    /// assert!(host.find("reverb").is_none());
    /// # Ok(()) }
    /// ```
    pub fn find(&self, name: &str) -> Option<Plugin<'_>> {
        self.registry.find(name)
    }

    /// What this host offers: for loads that it does not begin itself, such as those of a
    /// [`Need`](crate::loader::Need).
    ///
    /// ```
    /// # use llext::Host;
    /// # use llext::source::File;
    /// # fn f(host: &Host) -> Result<(), Box<dyn std::error::Error>> {
    /// let app = File::open("app.so")?;
    /// // SAFETY: we trust it, and what lies in that directory.
    /// let plugin = unsafe {
    ///     host.loader().on_needed(&mut |need| {
    ///         let file = need.file_in("plugins".as_ref()).and_then(|path| File::open(path).ok());
    ///         let file = file.expect("it comes with the program");
    ///         need.loader(host.exports()).load(need.name(), file)
    ///     }).load("app", app)?
    /// };
    /// # drop(plugin);
    /// # Ok(()) }
    /// ```
    pub fn exports(&self) -> &dyn Exports {
        &self.exports
    }

    /// The registry behind this host.
    ///
    /// ```
    /// # use llext::{Error, Host};
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(host: &Host) -> Result<(), Error> {
    /// assert_eq!(host.registry().iter().count(), 0);
    /// # Ok(()) }
    /// ```
    pub fn registry(&self) -> &Registry<Linux, StdRawMutex, CAPACITY> {
        &self.registry
    }
}
