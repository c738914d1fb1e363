//! The registry: which extensions are live, who uses them, who depends on whom.
//!
//! A slot goes `Empty -> Loading -> Initialising -> Live -> Going -> Empty`; its generation advances when it ends. The
//! lock guards the slots only: reading, linking, constructors and destructors happen outside it.

use crate::error::{Error, Name};
use crate::export::SymbolName;
use crate::lifecycle::{Context, Lifecycle};
use crate::lock::{Locked, RawMutex};
use crate::memory::{Block, Memory};
use crate::source::Identity;
use core::ptr::NonNull;
use llext_link::addr::Part;

mod exports;
mod handle;

pub(crate) use exports::ExportView;
pub use exports::ExtensionExports;
pub use handle::{Extensions, Handle, Refused};

/// The longest name of an extension, bytes.
pub const MAX_NAME: usize = Name::CAPACITY;

/// Extensions by name, up to `N` of them at a time, in memory `M`, guarded by a lock `R`.
///
/// It is a value: a static on a microcontroller, one of several in a process.
pub struct Registry<M: Memory, R: RawMutex, const N: usize> {
    pub(crate) memory: Locked<R, M>,
    slots: Locked<R, [Slot<M, R, N>; N]>,
}

// SAFETY: what its slots point to belongs to it alone, and no handle can exist while it moves.
unsafe impl<M: Memory<Block: Send> + Send, R: RawMutex + Send, const N: usize> Send for Registry<M, R, N> {}
// SAFETY: every field is behind the lock; extensions are reached through counted handles.
unsafe impl<M: Memory<Block: Send + Sync> + Send, R: RawMutex + Sync, const N: usize> Sync
    for Registry<M, R, N>
{
}

/// Which slot, and which of the extensions that lived in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id {
    pub(crate) slot: usize,
    generation: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Empty,
    Loading,
    Initialising,
    Live,
    Going,
}

struct Slot<M: Memory, R: RawMutex, const N: usize> {
    state: State,
    generation: u32,
    /// Handles.
    uses: u32,
    /// Live extensions that use symbols of this one, and loads that may.
    dependents: u32,
    name: Name,
    identity: Option<Identity>,
    extension: Option<NonNull<Extension<M, R, N>>>,
}

impl<M: Memory, R: RawMutex, const N: usize> Slot<M, R, N> {
    const EMPTY: Self = Self {
        state: State::Empty,
        generation: 0,
        uses: 0,
        dependents: 0,
        name: Name::EMPTY,
        identity: None,
        extension: None,
    };
}

/// What lives in an extension's own data: everything the run time knows about it.
pub(crate) struct Extension<M: Memory, R: RawMutex, const N: usize> {
    pub(crate) block: M::Block,
    pub(crate) sizes: [u32; 4],
    pub(crate) exports: ExportView,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) context: NonNull<Context<R>>,
    /// Which slots this one depends on.
    pub(crate) providers: [bool; N],
    /// `DT_SONAME`, in the image.
    pub(crate) soname: Option<(usize, usize)>,
}

impl<M: Memory, R: RawMutex, const N: usize> Extension<M, R, N> {
    fn is_called(&self, soname: &[u8]) -> bool {
        self.soname.is_some_and(|(start, len)| {
            // SAFETY: the loader found the name in the image, which is sealed and lives as long as this record.
            soname == unsafe { core::slice::from_raw_parts(start as *const u8, len) }
        })
    }

    /// The parts that hold something: where they lie and how large they are.
    fn regions(&self) -> impl Iterator<Item = Region> {
        let sizes = Part::ALL.into_iter().zip(self.block.addresses()).zip(self.sizes);
        let regions = sizes.map(|((part, address), size)| Region { part, address, size: size as usize });
        regions.filter(|region| region.size > 0)
    }
}

/// A part of a live extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Which part.
    pub part: Part,
    /// Its run address.
    pub address: usize,
    /// Its size, bytes.
    pub size: usize,
}

/// What a name turned out to be when a load began.
pub(crate) enum Claim<'r, M: Memory, R: RawMutex, const N: usize> {
    /// The name is reserved for this load.
    New(Id),
    /// The same extension is live already.
    Live(Handle<'r, M, R, N>),
}

impl<M: Memory, R: RawMutex, const N: usize> Registry<M, R, N> {
    /// An empty registry over `memory`.
    pub const fn new(memory: M) -> Self {
        Self { memory: Locked::new(memory), slots: Locked::new([const { Slot::EMPTY }; N]) }
    }

    /// Runs `f` alone with the memory, to look at how full it is, say.
    ///
    /// # Safety
    /// `f` runs under the lock: it does not use this registry, nor drop a handle of it.
    pub unsafe fn with_memory<T>(&self, f: impl FnOnce(&M) -> T) -> T {
        self.memory.with(|memory| f(memory))
    }

    /// Reserves `name`, or finds it: in one critical section, so that no two loads get it.
    pub(crate) fn claim(
        &self,
        name: &str,
        identity: Option<Identity>,
        same_name_is_enough: bool,
    ) -> Result<Claim<'_, M, R, N>, Error> {
        if name.is_empty() || name.len() > MAX_NAME {
            return Err(Error::BadExtensionName { found: name.len() as u32, expected: MAX_NAME as u32 });
        }
        let name = Name::new(name.as_bytes());
        self.slots.with(|slots| {
            let taken = slots
                .iter_mut()
                .enumerate()
                .find(|(_, slot)| slot.state != State::Empty && slot.name == name);
            if let Some((index, slot)) = taken {
                if slot.state != State::Live {
                    return Err(Error::Busy { name });
                }
                if !same_name_is_enough && (identity.is_none() || slot.identity != identity) {
                    return Err(Error::Exists { name });
                }
                return self.enter(index, slot).map(Claim::Live);
            }
            let free = slots.iter_mut().enumerate().find(|(_, slot)| slot.state == State::Empty);
            let (index, slot) = free.ok_or(Error::RegistryFull { slots: N as u32 })?;
            (slot.state, slot.name, slot.identity) = (State::Loading, name, identity);
            Ok(Claim::New(Id { slot: index, generation: slot.generation }))
        })
    }

    /// One more handle of a live extension.
    fn enter(&self, index: usize, slot: &mut Slot<M, R, N>) -> Result<Handle<'_, M, R, N>, Error> {
        let extension = slot.extension.ok_or(Error::Busy { name: slot.name })?;
        slot.uses = slot.uses.checked_add(1).ok_or(Error::TooManyUses)?;
        Ok(Handle::new(self, Id { slot: index, generation: slot.generation }, extension))
    }

    fn slot<T>(&self, id: Id, f: impl FnOnce(&mut Slot<M, R, N>) -> T) -> Option<T> {
        self.slots.with(|slots| slots.get_mut(id.slot).filter(|slot| slot.generation == id.generation).map(f))
    }

    /// A handle of the live extension called `name`.
    pub fn find(&self, name: &str) -> Option<Handle<'_, M, R, N>> {
        self.slots.with(|slots| {
            let is_it =
                |slot: &Slot<M, R, N>| slot.state == State::Live && slot.name.as_bytes() == name.as_bytes();
            let (index, slot) = slots.iter_mut().enumerate().find(|(_, slot)| is_it(slot))?;
            self.enter(index, slot).ok()
        })
    }

    /// A handle of the first live extension in slot `from` or later.
    fn find_from(&self, from: usize) -> Option<Handle<'_, M, R, N>> {
        self.slots.with(|slots| {
            let live = |(_, slot): &(usize, &mut Slot<M, R, N>)| slot.state == State::Live;
            let (index, slot) = slots.iter_mut().enumerate().skip(from).find(live)?;
            self.enter(index, slot).ok()
        })
    }

    /// Every live extension, each through a handle of its own: what is visited may be unloaded.
    pub fn iter(&self) -> Extensions<'_, M, R, N> {
        Extensions::new(self)
    }

    /// Takes back a name whose load was abandoned.
    pub(crate) fn abandon(&self, id: Id) {
        self.slot(id, |slot| {
            let generation = slot.generation.wrapping_add(1);
            *slot = Slot { generation, ..Slot::EMPTY };
        });
    }

    /// The extension's image is sealed: its constructors run next.
    pub(crate) fn initialise(&self, id: Id, extension: NonNull<Extension<M, R, N>>) {
        self.slot(id, |slot| {
            slot.state = State::Initialising;
            slot.extension = Some(extension);
        });
    }

    /// The extension is live: others find it from here on.
    pub(crate) fn publish(&self, id: Id) -> Result<Handle<'_, M, R, N>, Error> {
        let handle = self.slot(id, |slot| {
            slot.state = State::Live;
            self.enter(id.slot, slot)
        });
        handle.unwrap_or(Err(Error::Busy { name: Name::EMPTY }))
    }

    /// Keeps the live extension in `slot` from going, as a provider of symbols.
    pub(crate) fn pin(&self, slot: usize) -> bool {
        self.slots.with(|slots| match slots.get_mut(slot) {
            Some(slot) if slot.state == State::Live => {
                slot.dependents += 1;
                true
            }
            _ => false,
        })
    }

    /// The slot of the live extension that calls itself `soname`.
    pub(crate) fn pin_called(&self, soname: &[u8]) -> Option<usize> {
        self.slots.with(|slots| {
            let is_it = |slot: &Slot<M, R, N>| {
                // SAFETY: a live slot's record exists until the slot is `Going`, which needs this lock.
                let called =
                    slot.extension.is_some_and(|extension| unsafe { extension.as_ref() }.is_called(soname));
                slot.state == State::Live && (slot.name.as_bytes() == soname || called)
            };
            let (index, slot) = slots.iter_mut().enumerate().find(|(_, slot)| is_it(slot))?;
            slot.dependents += 1;
            Some(index)
        })
    }

    /// Lets a provider go again; if it was kept by this alone, it goes now.
    pub(crate) fn unpin(&self, slot: usize) {
        let last = self.slots.with(|slots| {
            let slot = slots.get_mut(slot)?;
            slot.dependents = slot.dependents.saturating_sub(1);
            begin_to_go(slot)
        });
        if let Some(extension) = last {
            self.take_away(slot, extension, true);
        }
    }

    /// The address of a symbol that the pinned extension in `slot` exports.
    pub(crate) fn export_of(&self, slot: usize, name: &SymbolName<'_>) -> Option<usize> {
        let extension = self.slots.with(|slots| slots.get(slot)?.extension)?;
        // SAFETY: the caller has pinned the slot, so the record stays.
        unsafe { extension.as_ref() }.exports.find(name)
    }

    /// One handle less. The last one takes the extension away, unless others depend on it.
    fn leave(&self, id: Id) {
        let last = self.slot(id, |slot| {
            slot.uses = slot.uses.saturating_sub(1);
            begin_to_go(slot)
        });
        if let Some(extension) = last.flatten() {
            self.take_away(id.slot, extension, true);
        }
    }

    /// Like [`Registry::leave`], but refused when it is the last handle and others depend on the extension.
    fn try_leave(&self, id: Id) -> Result<u32, Error> {
        let left = self.slot(id, |slot| {
            if slot.uses == 1 && slot.dependents > 0 {
                return Err(slot.dependents);
            }
            slot.uses = slot.uses.saturating_sub(1);
            Ok((slot.uses, begin_to_go(slot)))
        });
        match left {
            Some(Ok((remaining, last))) => {
                if let Some(extension) = last {
                    self.take_away(id.slot, extension, true);
                }
                Ok(remaining)
            }
            Some(Err(dependents)) => Err(Error::InUse { dependents, first: self.first_dependent(id.slot) }),
            None => Ok(0),
        }
    }

    fn first_dependent(&self, provider: usize) -> Name {
        self.slots.with(|slots| {
            let depends = |slot: &&Slot<M, R, N>| {
                // SAFETY: a slot's record exists while the slot points to it, which the lock guards.
                let record = slot.extension.map(|extension| unsafe { extension.as_ref() });
                record.is_some_and(|record| record.providers.get(provider) == Some(&true))
            };
            slots.iter().find(depends).map_or(Name::EMPTY, |slot| slot.name)
        })
    }

    /// Takes away an extension whose initialisation failed: what ran is undone, and nobody ever found it.
    pub(crate) fn roll_back(&self, id: Id, extension: NonNull<Extension<M, R, N>>) {
        self.slot(id, |slot| {
            slot.state = State::Going;
            slot.extension = None;
        });
        self.take_away(id.slot, extension, false);
    }

    /// Runs destructors, gives the memory back and frees the slot: outside the lock, the slot being `Going`.
    fn take_away(&self, slot: usize, extension: NonNull<Extension<M, R, N>>, was_live: bool) {
        // SAFETY: the slot is `Going` with no users, so nobody else reaches the record, and this is its only end.
        let record = unsafe {
            let (context, lifecycle) = (extension.as_ref().context, extension.as_ref().lifecycle);
            if let Some(stop) = lifecycle.stop.filter(|_| was_live) {
                crate::lifecycle::run(stop);
            }
            context.as_ref().run_exits();
            lifecycle.teardown();
            context.drop_in_place();
            extension.read()
        };
        let mut block = record.block;
        block.retire();
        self.memory.with(|memory| memory.release(block));
        self.slots.with(|slots| {
            if let Some(slot) = slots.get_mut(slot) {
                *slot = Slot { generation: slot.generation.wrapping_add(1), ..Slot::EMPTY };
            }
        });
        for (provider, _) in record.providers.iter().enumerate().filter(|(_, is_provider)| **is_provider) {
            self.unpin(provider);
        }
    }
}

/// Marks a slot that nobody uses as going; its record, if it was this call that did so.
fn begin_to_go<M: Memory, R: RawMutex, const N: usize>(
    slot: &mut Slot<M, R, N>,
) -> Option<NonNull<Extension<M, R, N>>> {
    if slot.state != State::Live || slot.uses > 0 || slot.dependents > 0 {
        return None;
    }
    slot.state = State::Going;
    slot.extension.take()
}

#[cfg(test)]
#[cfg(all(feature = "std", target_os = "linux"))]
mod tests {
    use super::*;
    use crate::lock::StdRawMutex;
    use crate::memory::Linux;

    #[test]
    fn handles_are_counted_up_to_what_a_count_holds() {
        let registry = Registry::<Linux, StdRawMutex, 1>::new(Linux::new());
        registry.slots.with(|[slot]| {
            (slot.state, slot.name, slot.uses) = (State::Live, Name::new(b"blink"), u32::MAX);
            slot.extension = Some(NonNull::dangling());
        });
        assert_eq!(registry.claim("blink", None, true).err(), Some(Error::TooManyUses));
        assert!(registry.find("blink").is_none());
    }
}
