//! Loads an extension: the story of a load is [`Load::advance`](load::Load), top to bottom.

mod buffer;
mod file;
mod finish;
mod load;
mod relocatable;
mod resolve;
mod shared;
mod tables;

pub use load::{Footprint, Load};

use crate::error::Error;
use crate::export::Exports;
use crate::lifecycle::{self, PanicHook};
use crate::lock::RawMutex;
use crate::memory::Memory;
use crate::registry::{Claim, Handle, Registry};
use crate::source::Source;
use core::task::Poll;

/// How to load: against which exports, and with what else.
pub struct Loader<'r, 'l, M: Memory, R: RawMutex, const N: usize> {
    registry: &'r Registry<M, R, N>,
    options: Options<'l, N>,
}

/// Hears names, one at a time.
type Listener<'l> = &'l mut dyn FnMut(&[u8]);

/// What the caller chose.
pub(crate) struct Options<'l, const N: usize> {
    host: &'l dyn Exports,
    search_live: bool,
    same_name_is_enough: bool,
    providers: [bool; N],
    foreign_provider: bool,
    missing: Option<Listener<'l>>,
    scratch: Option<&'l mut [u8]>,
    panic: PanicHook,
}

impl<M: Memory, R: RawMutex, const N: usize> Registry<M, R, N> {
    /// A loader of extensions that may use what `host` exports.
    pub fn loader<'r, 'l>(&'r self, host: &'l dyn Exports) -> Loader<'r, 'l, M, R, N> {
        let options = Options {
            host,
            search_live: false,
            same_name_is_enough: false,
            providers: [false; N],
            foreign_provider: false,
            missing: None,
            scratch: None,
            panic: lifecycle::stop,
        };
        Loader { registry: self, options }
    }
}

impl<'r, 'l, M: Memory, R: RawMutex, const N: usize> Loader<'r, 'l, M, R, N> {
    /// Lets the extension use what `provider` exports; it then depends on it.
    #[must_use]
    pub fn needs(mut self, provider: &'l Handle<'r, M, R, N>) -> Self {
        match self.options.providers.get_mut(provider.slot()) {
            Some(needed) if provider.is_of(self.registry) => *needed = true,
            _ => self.options.foreign_provider = true,
        }
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
        self.options.panic = hook;
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
    /// [`Error::ForeignProvider`].
    ///
    /// # Safety
    /// As for [`Loader::load`].
    pub unsafe fn start<S: Source>(
        self,
        name: &'l str,
        source: S,
    ) -> Result<Load<'r, 'l, M, R, N, S>, Error> {
        if self.options.foreign_provider {
            return Err(Error::ForeignProvider);
        }
        let identity = source.identity();
        match self.registry.claim(name, identity, self.options.same_name_is_enough)? {
            Claim::Live(handle) => Ok(Load::of_live(self.registry, self.options, source, handle)),
            Claim::New(id) => Load::new(self.registry, self.options, source, name, id),
        }
    }
}
