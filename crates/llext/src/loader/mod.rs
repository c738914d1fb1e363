//! Loads an extension: the story of a load is [`Load::advance`](load::Load), top to bottom.

mod buffer;
mod file;
mod finish;
mod load;
mod needed;
mod providers;
mod relocatable;
mod resolve;
mod shared;
mod tables;

pub use load::{Footprint, Load};
pub use needed::{LoadNeeded, MAX_DEPTH, Need};

use crate::error::Error;
use crate::export::Exports;
use crate::lifecycle::{self, Hooks, LeavingHook, PanicHook};
use crate::lock::RawMutex;
use crate::memory::Memory;
use crate::registry::{Claim, Handle, Registry, Wanted};
use crate::source::Source;
use core::task::Poll;
use core::time::Duration;
use needed::Needed;
use providers::Providers;

/// How to load: against which exports, and with what else.
pub struct Loader<'r, 'l, M: Memory, R: RawMutex, const N: usize> {
    registry: &'r Registry<M, R, N>,
    options: Options<'r, 'l, M, R, N>,
}

/// Hears names, one at a time.
type Listener<'l> = &'l mut dyn FnMut(&[u8]);

/// What the caller chose.
pub(crate) struct Options<'r, 'l, M: Memory, R: RawMutex, const N: usize> {
    host: &'l dyn Exports,
    allowed: Option<&'l [&'l str]>,
    providers: Providers<'r, M, R, N>,
    needed: Needed<'r, 'l, M, R, N>,
    search_live: bool,
    same_name_is_enough: bool,
    bring_up: bool,
    patience: Duration,
    hooks: Hooks,
    missing: Option<Listener<'l>>,
    scratch: Option<&'l mut [u8]>,
    /// What was wrong with the choices.
    refused: Option<Error>,
}

impl<M: Memory, R: RawMutex, const N: usize> Registry<M, R, N> {
    /// A loader of extensions that may use what `host` exports.
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
            refused: None,
        };
        Loader { registry: self, options }
    }
}

impl<'r, 'l, M: Memory, R: RawMutex, const N: usize> Loader<'r, 'l, M, R, N> {
    /// Lets the extension use what `provider` exports; it then depends on it, whether it does so or not. Of several, the
    /// first that exports a symbol provides it.
    #[must_use]
    pub fn needs(mut self, provider: &Handle<'r, M, R, N>) -> Self {
        self.options.refused = self.options.providers.need(provider).err().or(self.options.refused);
        self
    }

    /// Loads what the extension says it needs, and nobody provides: `load` is asked for each, and loads it with
    /// [`Need::loader`], so that circles and endless chains are found out.
    #[must_use]
    pub fn on_needed(mut self, load: LoadNeeded<'r, 'l, M, R, N>) -> Self {
        self.options.needed.load = Some(load);
        self
    }

    /// Loads what the extension says it needs, and nobody provides, from a directory: the file of that name, or with
    /// `.llext`, `.so` or `.o` behind it. What these need comes from there, too.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn needed_from(mut self, directory: &'l std::path::Path) -> Self {
        self.options.needed.directory = Some(directory);
        self
    }

    /// Allows only these groups of the host's symbols, and those that are in no group: see
    /// [`Group`](crate::export::Group). All are allowed unless this says otherwise.
    #[must_use]
    pub fn allow(mut self, groups: &'l [&'l str]) -> Self {
        self.options.allowed = Some(groups);
        self
    }

    /// Whether symbols that the host does not provide are looked for in every live extension; off unless asked for.
    #[must_use]
    pub fn search_live(mut self, yes: bool) -> Self {
        self.options.search_live = yes;
        self
    }

    /// Whether a live extension of the same name is taken for the same, whatever it was loaded from: LLEXT's way.
    #[must_use]
    pub fn same_name_is_enough(mut self, yes: bool) -> Self {
        self.options.same_name_is_enough = yes;
        self
    }

    /// Hears the name of every symbol that nobody provides.
    #[must_use]
    pub fn on_missing(mut self, hear: &'l mut dyn FnMut(&[u8])) -> Self {
        self.options.missing = Some(hear);
        self
    }

    /// What to do when the extension panics; without a hook the process ends, or the processor stops.
    #[must_use]
    pub fn on_panic(mut self, hook: PanicHook) -> Self {
        self.options.hooks.panic = hook;
        self
    }

    /// What to do when the extension's destructors have run, before its memory goes.
    #[must_use]
    pub fn on_leaving(mut self, hook: LeavingHook) -> Self {
        self.options.hooks.leaving = Some(hook);
        self
    }

    /// Whether constructors run as the end of the load: yes, unless told otherwise. Else it is for the caller to call
    /// [`Extension::bringup`](crate::registry::Extension::bringup) before anything that needs them.
    #[must_use]
    pub fn bring_up(mut self, yes: bool) -> Self {
        self.options.bring_up = yes;
        self
    }

    /// How long to wait while somebody else loads or unloads an extension of this name; without it the answer is
    /// [`Error::Busy`] at once. A constructor that waits for its own extension waits in vain.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn wait(mut self, timeout: Duration) -> Self {
        self.options.patience = timeout;
        self
    }

    /// Lends scratch memory for the time of the load; without it the registry's memory provides.
    #[must_use]
    pub fn scratch(mut self, bytes: &'l mut [u8]) -> Self {
        self.options.scratch = Some(bytes);
        self
    }

    /// Loads the extension: links it, protects it, runs its constructors.
    ///
    /// A name that is live already, loaded from the same source, gives another handle of it. A source that would block
    /// is asked again at once: use [`Loader::start`] to do something else meanwhile.
    ///
    /// # Errors
    /// Every [`Error`] of a load; nothing of it remains then.
    ///
    /// # Safety
    /// The extension's code runs with all the rights of this program: the caller vouches for it, and for the
    /// signatures it expects of what the host exports.
    pub unsafe fn load<S: Source>(self, name: &'l str, source: S) -> Result<Handle<'r, M, R, N>, Error> {
        // SAFETY: the caller vouches for the extension.
        let mut load = unsafe { self.start(name, source)? };
        loop {
            if let Poll::Ready(result) = load.step(u32::MAX) {
                return result;
            }
        }
    }

    /// Does all of a load but seal and run it: every look-up, every relocation. Then nothing of it remains.
    ///
    /// # Errors
    /// Every [`Error`] of a load, but those of protection, of resolvers of indirect functions and of constructors. A
    /// read that would block is an error here.
    pub fn verify<S: Source>(self, name: &'l str, source: S) -> Result<Footprint, Error> {
        // SAFETY: nothing of the extension runs: the load is dropped before its end.
        unsafe { self.start(name, source)? }.verify()
    }

    /// Begins a load that goes on in slices: [`Load::step`]. Dropping it abandons the load.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::Busy`], [`Error::RegistryFull`], [`Error::BadExtensionName`],
    /// [`Error::ForeignProvider`], [`Error::TooManyUses`], [`Error::Cycle`], [`Error::TooDeep`].
    ///
    /// # Safety
    /// As for [`Loader::load`].
    pub unsafe fn start<S: Source>(
        self,
        name: &'l str,
        source: S,
    ) -> Result<Load<'r, 'l, M, R, N, S>, Error> {
        if let Some(refused) = self.options.refused {
            return Err(refused);
        }
        self.options.needed.check(name)?;
        let wanted = Wanted {
            name,
            identity: source.identity(),
            same_name_is_enough: self.options.same_name_is_enough,
            patience: self.options.patience,
        };
        match self.registry.claim(&wanted)? {
            Claim::Live(handle) => Ok(Load::of_live(self.registry, self.options, source, handle)),
            Claim::New(id) => Ok(Load::new(self.registry, self.options, source, name, id)),
        }
    }
}
