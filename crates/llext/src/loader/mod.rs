//! Loads an extension: the story of a load is [`Load::advance`](load::Load), top to bottom.

mod buffer;
mod complete;
mod exports;
mod file;
mod finish;
mod in_place;
#[cfg(feature = "reset")]
mod initial;
#[cfg(feature = "inspect")]
mod inspection;
mod linked;
mod load;
mod needed;
mod options;
mod placed;
mod providers;
mod relocatable;
mod resolve;
#[cfg(feature = "save")]
mod saving;
mod shared;
mod stored;
mod tables;

#[cfg(feature = "inspect")]
pub use inspection::{InspectedSection, InspectedSymbol, Inspection};
pub use linked::Places;
pub use load::{Footprint, Load};
pub use needed::{LoadNeeded, MAX_DEPTH, Need};

use crate::error::Error;
use crate::lock::RawMutex;
use crate::memory::Memory;
use crate::registry::{Claim, Handle, Id, Registry, Wanted};
use crate::source::Source;
use buffer::Scratch;
use core::mem::forget;
use options::{Listener, Options};
use placed::Placed;

/// How to load: against which exports, and with what else.
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
pub struct Loader<'r, 'l, M: Memory, R: RawMutex, const N: usize> {
    registry: &'r Registry<M, R, N>,
    options: Options<'r, 'l, M, R, N>,
}

impl<'r, 'l, M: Memory, R: RawMutex, const N: usize> Loader<'r, 'l, M, R, N> {
    /// Loads the extension: links it, protects it, runs its constructors.
    ///
    /// A name that is live already, loaded from the same source, gives another handle of it. A source that would block
    /// is asked again at once: use [`Loader::start`] to do something else meanwhile.
    ///
    /// Such a handle is of the extension as it is: what it was allowed, what it needs, its hooks and whether it was
    /// brought up are those of the load that made it, and this loader's choices count for nothing.
    ///
    /// # Errors
    /// Every [`Error`] of a load; nothing of it remains then.
    ///
    /// # Safety
    /// The extension's code runs with all the rights of this program: the caller vouches for it, for the signatures it
    /// expects of what the host exports, and that code which is to run in place ([`Loader::code_in_place`],
    /// [`Loader::detached`]) lies where it can.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
    /// // SAFETY: we trust the extension.
    /// let app = unsafe { apps.loader(&HOST).load("app", bytes)? };
    /// # drop(app);
    /// # Ok(()) }
    /// ```
    pub unsafe fn load<S: Source>(self, name: &'l str, source: S) -> Result<Handle<'r, M, R, N>, Error> {
        // A process may load from many kinds of sources: one load serves all of them, and is compiled once. In firmware
        // what a kind cannot do is known here, and left out.
        #[cfg(feature = "std")]
        let source: &mut dyn Source = &mut { source };
        match self.begin(name, source)? {
            Begun::Placed(mut placed) => placed.load().run(),
            Begun::Live(handle) => Ok(handle),
        }
    }

    /// Does all of a load but seal and run it: every look-up, every relocation. Then nothing of it remains.
    ///
    /// What the extension needs is live already, or brought by the callback: from a directory nothing is loaded here,
    /// for nobody vouched for it.
    ///
    /// A name that is live is answered as [`Loader::load`] would: [`Error::Exists`], or, if it is the same extension,
    /// what that takes, without reading `source`. To check a file beside a live one, give it another name. The name
    /// given is taken meanwhile: others get [`Error::Busy`].
    ///
    /// # Errors
    /// Every [`Error`] of a load, but those of protection, of resolvers of indirect functions and of constructors. A
    /// read that would block is an error here.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
    /// let footprint = apps.loader(&HOST).verify("app", bytes)?;
    /// let stays: u32 = footprint.parts.iter().sum();
    /// # let _ = stays;
    /// # Ok(()) }
    /// ```
    pub fn verify<S: Source>(mut self, name: &'l str, source: S) -> Result<Footprint, Error> {
        self.options.needed.load_from_no_directory();
        #[cfg(feature = "std")]
        let source: &mut dyn Source = &mut { source };
        match self.begin(name, source)? {
            Begun::Placed(mut placed) => placed.load().verify(),
            Begun::Live(live) => Ok(Footprint { parts: live.sizes, scratch: 0 }),
        }
    }

    /// Begins a load that goes on in slices: [`Load::step`]. Dropping it abandons the load.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::Busy`], [`Error::RegistryFull`], [`Error::BadExtensionName`],
    /// [`Error::ForeignProvider`], [`Error::TooManyUses`], [`Error::Cycle`], [`Error::TooDeep`].
    ///
    /// # Safety
    /// As for [`Loader::load`].
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
    /// use core::task::Poll;
    /// // SAFETY: we trust the extension.
    /// let mut load = unsafe { apps.loader(&HOST).start("app", bytes)? };
    /// let app = loop {
    ///     if let Poll::Ready(app) = load.step(64) {
    ///         break app?;
    ///     }
    ///     // let others run
    /// };
    /// # drop(app);
    /// # Ok(()) }
    /// ```
    pub unsafe fn start<S: Source>(
        mut self,
        name: &'l str,
        source: S,
    ) -> Result<Load<'r, 'l, M, R, N, S>, Error> {
        let claim = self.claim(name, &source)?;
        let scratch = Scratch::new(&self.registry.memory, self.options.scratch.take());
        Ok(Load::begin(self.registry, self.options, scratch, source, name, claim))
    }

    /// Reserves the name, or finds it live.
    fn claim<S: Source>(&self, name: &str, source: &S) -> Result<Claim<'r, M, R, N>, Error> {
        if let Some(refused) = self.options.refused {
            return Err(refused.into());
        }
        self.options.needed.check(name)?;
        self.registry.claim(&Wanted {
            name,
            identity: source.identity(),
            same_name_is_enough: self.options.same_name_is_enough,
            patience: self.options.patience,
        })
    }

    /// Begins a load, if one is needed. Not inlined, so that what that takes leaves the stack before the load goes on.
    #[inline(never)]
    fn begin<S: Source>(self, name: &'l str, source: S) -> Result<Begun<'r, 'l, M, R, N, S>, Error> {
        Ok(match self.claim(name, &source)? {
            Claim::New(id) => Begun::Placed(self.placed(id, name, source)?),
            Claim::Live(handle) => Begun::Live(handle),
        })
    }

    /// Begins a load in scratch memory.
    fn placed<S: Source>(
        mut self,
        id: Id,
        name: &'l str,
        source: S,
    ) -> Result<Placed<'r, 'l, M, R, N, S>, Error> {
        let registry = self.registry;
        let claimed = Claimed { registry, id };
        let mut scratch = Scratch::new(&registry.memory, self.options.scratch.take());
        let room = Placed::<M, R, N, S>::room(&mut scratch)?;
        forget(claimed);
        let begin = || Load::begin(registry, self.options, scratch, source, name, Claim::New(id));
        Ok(Placed::new(room, begin))
    }
}

/// What a loader begins with.
enum Begun<'r, 'l, M: Memory, R: RawMutex, const N: usize, S: Source> {
    Placed(Placed<'r, 'l, M, R, N, S>),
    /// The same extension is live already.
    Live(Handle<'r, M, R, N>),
}

/// A name that is free again where no load begins; before the options go, whose end may run hooks, which may panic.
struct Claimed<'r, M: Memory, R: RawMutex, const N: usize> {
    registry: &'r Registry<M, R, N>,
    id: Id,
}

impl<M: Memory, R: RawMutex, const N: usize> Drop for Claimed<'_, M, R, N> {
    fn drop(&mut self) {
        self.registry.abandon(self.id);
    }
}

#[cfg(all(test, feature = "std", target_os = "linux", not(any(loom, shuttle))))]
mod caches;
