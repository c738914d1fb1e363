//! The registry: which extensions are live, who uses them, who depends on whom.
//!
//! A slot goes `Empty -> Loading -> Initialising -> Live -> Going -> Ending -> Empty`; its generation advances when it
//! ends. State and counts are one word, changed in one step; the lock guards names and records only. Reading, linking,
//! constructors, destructors and what the host is told happen outside it.

use crate::error::{Error, Name};
use crate::lock::{Locked, RawMutex};
use crate::memory::Memory;
use crate::source::Identity;
use core::ptr::NonNull;
use core::time::Duration;

mod dependents;
mod ending;
mod exports;
mod extension;
mod guard;
mod handle;
mod heap;
mod object;
#[cfg(feature = "save")]
mod restoring;
#[cfg(feature = "save")]
mod saved;
#[cfg(feature = "save")]
mod saving;
mod status;

pub(crate) use exports::ExportView;
pub use exports::ExtensionExports;
pub use extension::{Extension, Place, Region};
#[cfg(feature = "reset")]
pub(crate) use extension::{Initial, Template};
pub use guard::{Guard, Weak};
pub use handle::{Extensions, Handle, Refused};
pub use object::Object;
#[cfg(feature = "save")]
pub use saved::Contents;
pub use status::{MAX_HOLDS, MAX_USES};
use status::{State, Status, Word};

/// The longest name of an extension, bytes.
///
/// ```
/// assert_eq!(llext::registry::MAX_NAME, 47);
/// ```
pub const MAX_NAME: usize = Name::CAPACITY;

/// Extensions by name, up to `N` of them at a time, in memory `M`, guarded by a lock `R`.
///
/// It is a value: a static on a microcontroller, one of several in a process.
///
/// ```
/// use core::mem::MaybeUninit;
/// use llext::{NoopRawMutex, Pool, Registry};
///
/// let mut memory = [MaybeUninit::uninit(); 16 * 1024];
/// let apps = Registry::<_, NoopRawMutex, 8>::new(Pool::unified(&mut memory));
/// assert_eq!(apps.iter().count(), 0);
/// ```
///
/// Its parameters are in the types of all that it gives. A program names them once:
///
/// ```
/// # #[cfg(feature = "critical-section")] mod apps {
/// use llext::lock::CriticalSectionRawMutex;
/// use llext::{Handle, Pool, Registry};
///
/// type Apps = Registry<Pool<'static>, CriticalSectionRawMutex, 8>;
/// type App = Handle<'static, Pool<'static>, CriticalSectionRawMutex, 8>;
///
/// fn blinky(apps: &'static Apps) -> Option<App> {
///     apps.find("blinky")
/// }
/// # }
/// ```
pub struct Registry<M: Memory, R: RawMutex, const N: usize> {
    pub(crate) memory: Locked<R, M>,
    words: [Word<R>; N],
    table: Locked<R, Table<M, R, N>>,
}

// SAFETY: what its entries point to belongs to it alone, and no handle can exist while it moves.
unsafe impl<M: Memory<Block: Send> + Send, R: RawMutex + Send, const N: usize> Send for Registry<M, R, N> {}
// SAFETY: the words are atomic or behind a lock, all else is behind the lock; extensions are reached while counted.
unsafe impl<M: Memory<Block: Send + Sync> + Send, R: RawMutex + Send + Sync, const N: usize> Sync
    for Registry<M, R, N>
{
}

/// Which slot, and which of the extensions that lived in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id {
    pub(crate) slot: usize,
    generation: u32,
}

/// What the lock guards.
struct Table<M: Memory, R: RawMutex, const N: usize> {
    entries: [Entry<M, R, N>; N],
    /// How many extensions have become live so far.
    loads: u64,
}

/// What a slot is called, and where its record lies.
struct Entry<M: Memory, R: RawMutex, const N: usize> {
    name: Name,
    identity: Option<Identity>,
    /// Its place in load order.
    order: u64,
    /// Set from the end of linking until its memory goes: whoever holds the lock may look at it.
    extension: Option<NonNull<Extension<M, R, N>>>,
}

impl<M: Memory, R: RawMutex, const N: usize> Entry<M, R, N> {
    const EMPTY: Self = Self { name: Name::EMPTY, identity: None, order: 0, extension: None };

    /// Whether it is called, or calls itself, `name`.
    fn is_called(&self, name: &[u8]) -> bool {
        self.name.as_bytes() == name || self.record().is_some_and(|record| record.is_called(name))
    }

    /// The record, for as long as the lock is held.
    fn record(&self) -> Option<&Extension<M, R, N>> {
        // SAFETY: an entry points to its record as long as that exists; the lock, held, guards the entry.
        self.extension.map(|extension| unsafe { extension.as_ref() })
    }
}

/// What a name turned out to be when a load began.
pub(crate) enum Claim<'r, M: Memory, R: RawMutex, const N: usize> {
    /// The name is reserved for this load.
    New(Id),
    /// The same extension is live already.
    Live(Handle<'r, M, R, N>),
}

/// What a load says about the name it wants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) name: &'a str,
    pub(crate) identity: Option<Identity>,
    pub(crate) same_name_is_enough: bool,
    /// How long to wait for somebody else's load or unload of this name.
    pub(crate) patience: Duration,
}

impl<M: Memory, R: RawMutex, const N: usize> Registry<M, R, N> {
    /// An empty registry over `memory`.
    ///
    /// ```
    /// use llext::memory::Linux;
    /// use llext::{Registry, lock::StdRawMutex};
    ///
    /// static PLUGINS: std::sync::LazyLock<Registry<Linux, StdRawMutex, 8>> =
    ///     std::sync::LazyLock::new(|| Registry::new(Linux::new()));
    /// assert!(PLUGINS.find("blinky").is_none());
    /// ```
    pub const fn new(memory: M) -> Self {
        Self {
            memory: Locked::new(memory),
            words: [const { Word::new() }; N],
            table: Locked::new(Table { entries: [const { Entry::EMPTY }; N], loads: 0 }),
        }
    }

    /// Runs `f` alone with the memory, to look at how full it is, say.
    ///
    /// # Safety
    /// `f` runs under the lock: it does not use this registry, nor drop a handle of it.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// // SAFETY: the closure only looks.
    /// let in_use = unsafe { apps.with_memory(|pool| pool.in_use()) };
    /// # let _ = in_use;
    /// # Ok(()) }
    /// ```
    pub unsafe fn with_memory<T>(&self, f: impl FnOnce(&mut M) -> T) -> T {
        self.memory.with(|memory| f(memory))
    }

    /// Reserves a name, or finds it: in one critical section, so that no two loads get it.
    pub(crate) fn claim(&self, wanted: &Wanted<'_>) -> Result<Claim<'_, M, R, N>, Error> {
        let found = wanted.name.len();
        if found == 0 || found > MAX_NAME {
            return Err(Error::BadExtensionName { found: found as u32, expected: MAX_NAME as u32 });
        }
        let name = Name::new(wanted.name.as_bytes());
        let claimed = self.table.wait(wanted.patience, |table| {
            let claim = self.claim_now(table, name, wanted);
            if matches!(claim, Err(Error::Busy { .. })) { None } else { Some(claim) }
        });
        claimed.unwrap_or(Err(Error::Busy { name }))
    }

    fn claim_now(
        &self,
        table: &mut Table<M, R, N>,
        name: Name,
        wanted: &Wanted<'_>,
    ) -> Result<Claim<'_, M, R, N>, Error> {
        if let Some((slot, entry)) = self.entry_of(table, name.as_bytes()) {
            let same = entry.identity.is_some() && entry.identity == wanted.identity;
            if same || wanted.same_name_is_enough {
                return self.enter(slot, entry).map(Claim::Live);
            }
            // What it is now it may not be when asked again: other bytes never enter.
            let live = self.statuses(slot).is_some_and(|status| status.state == State::Live);
            return Err(if live { Error::Exists { name } } else { Error::Busy { name } });
        }
        let is_free = |slot: &usize| self.statuses(*slot).is_some_and(|status| status.state == State::Empty);
        let slot = (0..N).find(is_free).ok_or(Error::RegistryFull { slots: N as u32 })?;
        let full = Error::RegistryFull { slots: N as u32 };
        let (word, entry) = self.words.get(slot).zip(table.entries.get_mut(slot)).ok_or(full)?;
        *entry = Entry { name, identity: wanted.identity, ..Entry::EMPTY };
        let (_, status) = word.update(|status| Some(status.in_state(State::Loading))).map_err(|_| full)?;
        Ok(Claim::New(Id { slot, generation: status.generation }))
    }

    fn statuses(&self, slot: usize) -> Option<Status> {
        self.words.get(slot).map(Word::status)
    }

    /// The entry of whatever has this name now.
    fn entry_of<'t>(&self, table: &'t Table<M, R, N>, name: &[u8]) -> Option<(usize, &'t Entry<M, R, N>)> {
        let taken = |slot| self.statuses(slot).is_some_and(|status| status.state != State::Empty);
        table.entries.iter().enumerate().find(|(slot, entry)| entry.name.as_bytes() == name && taken(*slot))
    }

    /// One more handle of a live extension. Called under the lock.
    fn enter(&self, slot: usize, entry: &Entry<M, R, N>) -> Result<Handle<'_, M, R, N>, Error> {
        let busy = Error::Busy { name: entry.name };
        let (word, extension) = self.words.get(slot).zip(entry.extension).ok_or(busy)?;
        let used = word.update(|status| status.when(State::Live)?.used());
        let (_, status) = used.map_err(|status| match status.state {
            State::Live => Error::TooManyUses,
            _ => busy,
        })?;
        Ok(Handle::new(self, Id { slot, generation: status.generation }, extension))
    }

    /// A handle of the live extension called `name`.
    ///
    /// ```
    /// # use llext::{NoopRawMutex, Pool, Registry};
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>) -> Result<(), llext::Error> {
    /// if let Some(blinky) = apps.find("blinky") {
    ///     assert_eq!(blinky.name().as_bytes(), b"blinky");
    /// } // this use of it ends here
    /// # Ok(()) }
    /// ```
    pub fn find(&self, name: &str) -> Option<Handle<'_, M, R, N>> {
        self.table.with(|table| {
            let (slot, entry) = self.entry_of(table, name.as_bytes())?;
            self.enter(slot, entry).ok()
        })
    }

    /// The extension whose code or data lies at `address`, also while its constructors run: who calls the host, say.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// # let callback = 0usize;
    /// // A host function was given a callback: whose is it?
    /// if let Some(caller) = apps.find_at(callback) {
    ///     let timer = caller.own("timer")?; // it stays until the timer is stopped
    ///     drop(timer);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn find_at(&self, address: usize) -> Option<Weak<'_, M, R, N>> {
        self.table.with(|table| {
            let holds = |entry: &&Entry<M, R, N>| entry.record().is_some_and(|record| record.holds(address));
            let (slot, entry) = table.entries.iter().enumerate().find(|(_, entry)| holds(entry))?;
            let generation = self.statuses(slot)?.generation;
            Some(Weak::new(self, Id { slot, generation }, entry.extension?))
        })
    }

    /// What of which extension lies at `address`, also while its constructors run. It waits for nobody and runs nothing of
    /// the extension, so that it may be asked after a fault, by a signal handler say; what it does not get to know it
    /// leaves out. `None` too when somebody is at the registry, or its lock cannot be [tried](RawMutex::try_lock).
    ///
    /// ```
    /// # use llext::{Host, Plugin};
    /// # fn f(host: &Host, plugin: &Plugin<'_>) {
    /// let region = plugin.regions().next().expect("it has a record at least");
    /// let place = host.registry().locate(region.address + 4).expect("nobody else is at the registry");
    /// assert_eq!((place.extension, place.part, place.offset), (plugin.name(), region.part, 4));
    /// # }
    /// ```
    pub fn locate(&self, address: usize) -> Option<Place> {
        self.table.try_with(|table| {
            table.entries.iter().filter_map(Entry::record).find_map(|record| record.place_of(address))
        })?
    }

    /// Every extension that is live now, in load order, each through a handle of its own when its turn comes. What is
    /// loaded meanwhile is not visited, what is gone by then is left out.
    ///
    /// The visit's handle is one more use: giving it up ends the visit, and takes away only what nobody else uses any
    /// more. To unload extensions, unload the handles that were kept.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// for extension in apps.iter() {
    ///     let bytes: usize = extension.regions().map(|region| region.size).sum();
    ///     let users = extension.uses() - 1; // without this visit
    ///     # let _ = (bytes, users);
    /// } // the visit ends here
    /// # Ok(()) }
    /// ```
    pub fn iter(&self) -> Extensions<'_, M, R, N> {
        Extensions::new(self, self.table.with(|table| table.loads))
    }

    /// A handle of the first live extension that became so after `after` and up to `until`; and when it did.
    fn next_live(&self, after: u64, until: u64) -> Option<(u64, Handle<'_, M, R, N>)> {
        let mut after = after;
        self.table.with(|table| {
            loop {
                let (slot, entry) = table.next(after, until)?;
                if let Ok(handle) = self.enter(slot, entry) {
                    return Some((entry.order, handle));
                }
                after = entry.order;
            }
        })
    }

    /// Takes back a name whose load was abandoned.
    pub(crate) fn abandon(&self, id: Id) {
        self.clear(id.slot);
    }

    /// The extension's image is sealed: its constructors run next.
    pub(crate) fn initialise(&self, id: Id, extension: NonNull<Extension<M, R, N>>) {
        self.table.with(|table| {
            if let Some((word, entry)) = self.words.get(id.slot).zip(table.entries.get_mut(id.slot)) {
                entry.extension = Some(extension);
                let _ = word.update(|status| Some(status.in_state(State::Initialising)));
            }
        });
    }

    /// The extension is live: others find it from here on.
    pub(crate) fn publish(&self, id: Id, extension: NonNull<Extension<M, R, N>>) -> Handle<'_, M, R, N> {
        self.table.with(|table| {
            table.loads += 1;
            if let Some((word, entry)) = self.words.get(id.slot).zip(table.entries.get_mut(id.slot)) {
                entry.order = table.loads;
                let _ = word.update(|status| Some(Status { uses: 1, ..status.in_state(State::Live) }));
            }
        });
        self.table.notify();
        Handle::first(self, id, extension)
    }
}

impl<M: Memory, R: RawMutex, const N: usize> Drop for Registry<M, R, N> {
    /// No handle is left by then that could be used: what was forgotten, or waits for [`Registry::reap`], goes now, the
    /// newest first.
    fn drop(&mut self) {
        while let Some(slot) = self.table.with(|table| table.newest()) {
            self.abolish(slot);
        }
    }
}

impl<M: Memory, R: RawMutex, const N: usize> Table<M, R, N> {
    /// The slot of the extension that came last.
    fn newest(&self) -> Option<usize> {
        let there = self.entries.iter().enumerate().filter(|(_, entry)| entry.extension.is_some());
        there.max_by_key(|(_, entry)| entry.order).map(|(slot, _)| slot)
    }

    /// The entry that is next in load order.
    fn next(&self, after: u64, until: u64) -> Option<(usize, &Entry<M, R, N>)> {
        let live =
            self.entries.iter().enumerate().filter(|(_, entry)| entry.order > after && entry.order <= until);
        live.min_by_key(|(_, entry)| entry.order)
    }
}

#[cfg(all(test, feature = "std", any(loom, shuttle)))]
mod models;
#[cfg(test)]
#[cfg(all(feature = "std", target_os = "linux", not(any(loom, shuttle))))]
mod tests;
