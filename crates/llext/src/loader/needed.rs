//! What an extension says it needs: `DT_NEEDED`, or a note of the SDK's. It is live, or loaded first.

use super::{Loader, Options};
use crate::error::{Error, Name};
use crate::export::Exports;
use crate::lock::RawMutex;
use crate::memory::Memory;
use crate::registry::{Handle, Registry};
use core::time::Duration;

/// How many extensions may need each other in a chain.
pub const MAX_DEPTH: u32 = 16;

/// Loads what is needed; see [`Loader::on_needed`].
pub type LoadNeeded<'r, 'l, M, R, const N: usize> =
    &'l mut dyn FnMut(&Need<'_, 'r, M, R, N>) -> Result<Handle<'r, M, R, N>, Error>;

/// The loads that wait for one another, innermost first.
#[derive(Clone, Copy)]
struct Chain<'l> {
    name: &'l str,
    depth: u32,
    outer: Option<&'l Chain<'l>>,
}

impl Chain<'_> {
    fn contains(&self, name: &str) -> bool {
        self.name == name || self.outer.is_some_and(|outer| outer.contains(name))
    }
}

/// Where needed extensions come from, and which loads wait for this one.
pub(super) struct Needed<'r, 'l, M: Memory, R: RawMutex, const N: usize> {
    pub(super) load: Option<LoadNeeded<'r, 'l, M, R, N>>,
    #[cfg(feature = "std")]
    pub(super) directory: Option<&'l std::path::Path>,
    outer: Option<&'l Chain<'l>>,
}

impl<M: Memory, R: RawMutex, const N: usize> Default for Needed<'_, '_, M, R, N> {
    fn default() -> Self {
        Self {
            load: None,
            #[cfg(feature = "std")]
            directory: None,
            outer: None,
        }
    }
}

impl<M: Memory, R: RawMutex, const N: usize> Needed<'_, '_, M, R, N> {
    /// For a load that runs nothing: what lies in the directory would run.
    pub(super) fn load_from_no_directory(&mut self) {
        #[cfg(feature = "std")]
        {
            self.directory = None;
        }
    }

    /// Refuses a load that waits for itself, and the last of too long a chain.
    pub(super) fn check(&self, name: &str) -> Result<(), Error> {
        let Some(outer) = self.outer else { return Ok(()) };
        let short = Name::new(name.as_bytes());
        if outer.contains(name) {
            return Err(Error::Cycle { name: short });
        }
        if outer.depth >= MAX_DEPTH {
            return Err(Error::TooDeep { name: short, expected: MAX_DEPTH });
        }
        Ok(())
    }
}

/// An extension that another one needs, and that is not there yet.
///
/// ```
/// # use llext::{Error, NoopRawMutex, Pool, Registry};
/// # fn host_log() {}
/// # extern "C" fn log(level: u32) { let _ = level; }
/// # llext::exports! { static HOST; fn log(level: u32); }
/// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
/// // SAFETY: we trust the extension and what it needs.
/// # unsafe {
/// let app = apps.loader(&HOST).on_needed(&mut |need| {
///     assert_eq!((need.needed_by(), need.name()), ("app", "library"));
///     need.loader(&HOST).load(need.name(), bytes)
/// }).load("app", bytes)?;
/// # drop(app); }
/// # Ok(()) }
/// ```
pub struct Need<'n, 'r, M: Memory, R: RawMutex, const N: usize> {
    registry: &'r Registry<M, R, N>,
    name: &'n str,
    chain: Chain<'n>,
    patience: Duration,
}

impl<'r, M: Memory, R: RawMutex, const N: usize> Need<'_, 'r, M, R, N> {
    /// What it is called: a `DT_NEEDED` name, or that in the note.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
    /// // SAFETY: we trust the extension and what it needs.
    /// # unsafe {
    /// let app = apps.loader(&HOST).on_needed(&mut |need| {
    ///     assert_eq!(need.name(), "library");
    ///     need.loader(&HOST).load(need.name(), bytes)
    /// }).load("app", bytes)?;
    /// # drop(app); }
    /// # Ok(()) }
    /// ```
    pub fn name(&self) -> &str {
        self.name
    }

    /// Who needs it.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
    /// // SAFETY: we trust the extension and what it needs.
    /// # unsafe {
    /// let app = apps.loader(&HOST).on_needed(&mut |need| {
    ///     assert_eq!(need.needed_by(), "app");
    ///     need.loader(&HOST).load(need.name(), bytes)
    /// }).load("app", bytes)?;
    /// # drop(app); }
    /// # Ok(()) }
    /// ```
    pub fn needed_by(&self) -> &str {
        self.chain.name
    }

    /// The file in `directory` that is meant: of that name, or with `.llext`, `.so` or `.o` behind it. See
    /// [`Host::exports`](crate::Host::exports).
    #[cfg(feature = "std")]
    pub fn file_in(&self, directory: &std::path::Path) -> Option<std::path::PathBuf> {
        find_file(directory, self.name)
    }

    /// A loader for it, which knows who waits. What the outer loader may use, and was told to allow, to search or to
    /// call, is not taken over: give [`Loader::allow`], hooks and, where it may need something itself,
    /// [`Loader::on_needed`] again.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
    /// // SAFETY: we trust the extension and what it needs.
    /// # unsafe {
    /// let app = apps.loader(&HOST).on_needed(&mut |need| {
    ///     need.loader(&HOST).allow(&["gpio"]).load(need.name(), bytes)
    /// }).load("app", bytes)?;
    /// # drop(app); }
    /// # Ok(()) }
    /// ```
    pub fn loader<'l>(&'l self, host: &'l dyn Exports) -> Loader<'r, 'l, M, R, N> {
        let mut loader = self.registry.loader(host);
        loader.options.needed.outer = Some(&self.chain);
        loader.options.patience = self.patience;
        loader
    }
}

impl<'r, M: Memory, R: RawMutex, const N: usize> Options<'r, '_, M, R, N> {
    /// Sees to it that `name` is there when `own` is linked: the host stands in for it, or it is held, or loaded.
    pub(super) fn need(
        &mut self,
        registry: &'r Registry<M, R, N>,
        own: &str,
        name: &[u8],
    ) -> Result<(), Error> {
        if self.host.provides(name) || self.providers.need_called(name)? {
            return Ok(());
        }
        let short = Name::new(name);
        let missing = Error::Link(llext_link::Error::MissingDependency { name: short });
        let name = core::str::from_utf8(name).map_err(|_| missing)?;
        let outer = self.needed.outer;
        let chain = Chain { name: own, depth: outer.map_or(1, |outer| outer.depth + 1), outer };
        if chain.contains(name) {
            return Err(Error::Cycle { name: short });
        }
        let settled = registry.settles(name.as_bytes(), self.patience);
        if settled && self.providers.need_called(name.as_bytes())? {
            return Ok(());
        }
        let need = Need { registry, name, chain, patience: self.patience };
        let loaded = match &mut self.needed.load {
            Some(load) => load(&need).map(Some),
            None => self.load_from_directory(&need),
        };
        match loaded {
            Ok(Some(provider)) => Ok(self.providers.need(&provider)?),
            // Somebody else may have loaded it meanwhile.
            Err(Error::Exists { .. } | Error::Busy { .. }) | Ok(None)
                if self.providers.need_called(name.as_bytes()).is_ok_and(|found| found) =>
            {
                Ok(())
            }
            Err(error) => Err(error),
            Ok(None) if settled => Err(missing),
            Ok(None) => Err(Error::Busy { name: short }),
        }
    }

    #[cfg(not(feature = "std"))]
    fn load_from_directory(&self, _: &Need<'_, 'r, M, R, N>) -> Result<Option<Handle<'r, M, R, N>>, Error> {
        Ok(None)
    }

    /// Loads what is needed from the directory, if there is one and it has such a file.
    #[cfg(feature = "std")]
    fn load_from_directory(
        &self,
        need: &Need<'_, 'r, M, R, N>,
    ) -> Result<Option<Handle<'r, M, R, N>>, Error> {
        let Some(directory) = self.needed.directory else { return Ok(None) };
        let Some(path) = find_file(directory, need.name) else { return Ok(None) };
        let file = crate::source::File::open(&path).map_err(crate::source::ReadError::from)?;
        let name = need.name;
        let name = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
        let mut loader = need.loader(self.host).needed_from(directory);
        loader.options.allowed = self.allowed;
        loader.options.same_name_is_enough = self.same_name_is_enough;
        loader.options.hooks = self.hooks;
        // SAFETY: who called `load` vouched for what it needs, which comes from the directory that they named.
        unsafe { loader.load(name, file) }.map(Some)
    }
}

/// The endings of extensions' files, which are no part of their names.
#[cfg(feature = "std")]
const ENDINGS: [&str; 3] = [".llext", ".so", ".o"];

/// The file called `name` in `directory`, or with an extension's ending.
#[cfg(feature = "std")]
fn find_file(directory: &std::path::Path, name: &str) -> Option<std::path::PathBuf> {
    // A name is a name: it does not lead out of the directory.
    let plain = std::path::Path::new(name).file_name().is_some_and(|file| file == name);
    let with = |ending: &&str| directory.join(std::format!("{name}{ending}"));
    [""].iter().chain(&ENDINGS).map(with).find(|path| plain && path.is_file())
}
