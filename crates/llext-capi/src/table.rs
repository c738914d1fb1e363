//! What C sees of extensions: a fixed table of structures, each with its uses by C and with what tells that it is stale.
//!
//! C has pointers and no handles. Behind each structure is a [`Weak`], which carries the generation of its extension: where
//! that is gone the structure is nobody's, and no function takes it. A structure serves again only after all others.

use crate::heap::{EXTENSIONS, Guard, Handle, Lease, Weak};
use crate::hooks::Guarded;
use crate::types::Llext;
use core::cell::UnsafeCell;
use core::ffi::c_char;
use llext::error::Name;
use llext::{Error, Leaving};

/// The structures; written under the table's lock.
struct Structs([UnsafeCell<Llext>; EXTENSIONS]);

// SAFETY: C only reads them, and of those of extensions that it keeps.
unsafe impl Sync for Structs {}

static STRUCTS: Structs = Structs([const { UnsafeCell::new(Llext::EMPTY) }; EXTENSIONS]);
static TABLE: Guarded<Table> = Guarded::new(Table { slots: [const { Slot::EMPTY }; EXTENSIONS], clock: 0 });

struct Table {
    slots: [Slot; EXTENSIONS],
    /// How often an extension came or went.
    clock: u64,
}

/// What stands behind a structure.
struct Slot {
    /// The extension; `None` while the structure is nobody's.
    weak: Option<Weak>,
    name: Name,
    /// One handle, for as long as C uses the extension.
    handle: Option<Handle>,
    /// How often C has loaded it and not unloaded it again.
    uses: u32,
    /// Which others it depends on.
    depends: [bool; EXTENSIONS],
    /// When the extension came, or, of a structure that is nobody's, when it went.
    since: u64,
    exports: Option<Lease>,
    inspection: Option<Lease>,
    /// Of a compressed file, if some of it is the extension.
    contents: Option<Lease>,
}

impl Slot {
    const EMPTY: Self = Self {
        weak: None,
        name: Name::EMPTY,
        handle: None,
        uses: 0,
        depends: [false; EXTENSIONS],
        since: 0,
        exports: None,
        inspection: None,
        contents: None,
    };
}

/// An extension that was just loaded, and what was made of it.
pub(crate) struct Loaded {
    pub(crate) handle: Handle,
    pub(crate) seen: Llext,
    pub(crate) exports: Option<Lease>,
    pub(crate) inspection: Option<Lease>,
    pub(crate) contents: Option<Lease>,
}

fn pointer(at: usize) -> *mut Llext {
    STRUCTS.0.get(at).map_or(core::ptr::null_mut(), UnsafeCell::get)
}

/// Which structure this is, if it is one.
fn index(ext: *const Llext) -> Option<usize> {
    let offset = ext.addr().checked_sub(STRUCTS.0.as_ptr().addr())?;
    let at = offset / size_of::<Llext>();
    (offset % size_of::<Llext>() == 0 && at < EXTENSIONS).then_some(at)
}

/// The structure that holds this table of symbols.
pub(crate) fn holder(table: *const u8) -> Option<*mut Llext> {
    let offset = table.addr().checked_sub(STRUCTS.0.as_ptr().addr())?;
    let at = offset / size_of::<Llext>();
    (at < EXTENSIONS).then(|| pointer(at))
}

impl Table {
    /// The slot of a structure that is somebody's.
    fn live(&mut self, ext: *const Llext) -> Result<(usize, &mut Slot), Error> {
        let at = index(ext).ok_or(Error::Died)?;
        let slot = self.slots.get_mut(at).filter(|slot| slot.weak.is_some());
        Ok((at, slot.ok_or(Error::Died)?))
    }

    fn called(&self, name: &[u8]) -> Option<usize> {
        self.slots.iter().position(|slot| slot.weak.is_some() && slot.name.as_bytes() == name)
    }

    /// LLEXT's use count: C's uses, and the extensions that depend on this one.
    fn count(&self, at: usize) -> u32 {
        let users =
            self.slots.iter().filter(|slot| slot.weak.is_some() && slot.depends.get(at) == Some(&true));
        self.slots.get(at).map_or(0, |slot| slot.uses) + users.count() as u32
    }

    /// Whether a function may still be told of it.
    fn is_found(&self, at: usize) -> bool {
        self.slots.get(at).is_some_and(|slot| slot.weak.is_some()) && self.count(at) > 0
    }

    /// Shows C how often each is used.
    fn show(&self) {
        for at in 0..EXTENSIONS {
            // SAFETY: the structure is one of the table's, whose lock is held.
            unsafe { (*pointer(at)).use_count = self.count(at) }
        }
    }

    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// Takes what was loaded, if a structure is nobody's: the one that has been so for longest.
    fn add(&mut self, loaded: &mut Option<Loaded>, providers: &[Name]) -> Option<*mut Llext> {
        let unused = self.slots.iter().enumerate().filter(|(_, slot)| slot.weak.is_none());
        let (at, _) = unused.min_by_key(|(_, slot)| slot.since)?;
        let Loaded { handle, mut seen, exports, inspection, contents } = loaded.take()?;
        let name = handle.name();
        seen.name.iter_mut().zip(name.as_bytes()).for_each(|(to, byte)| *to = *byte as c_char);
        let mut depends = [false; EXTENSIONS];
        for provider in providers.iter().filter_map(|name| self.called(name.as_bytes())) {
            if let Some(depends) = depends.get_mut(provider) {
                *depends = true;
            }
        }
        let listed = (0..EXTENSIONS).filter(|at| depends.get(*at) == Some(&true));
        seen.dependency.iter_mut().zip(listed).for_each(|(to, at)| *to = pointer(at));
        let since = self.tick();
        let weak = Some(handle.downgrade());
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = Slot {
                weak,
                name,
                handle: Some(handle),
                uses: 1,
                depends,
                since,
                exports,
                inspection,
                contents,
            };
        }
        // SAFETY: as above.
        unsafe { pointer(at).write(seen) };
        self.show();
        Some(pointer(at))
    }
}

/// Shows C an extension that was just loaded.
pub(crate) fn add(loaded: Loaded) -> Result<*mut Llext, Error> {
    let mut providers = [Name::EMPTY; EXTENSIONS];
    let names = providers.iter_mut().zip(loaded.handle.dependencies());
    let count = names.map(|(to, name)| *to = name).count();
    let providers = providers.get(..count).unwrap_or_default();
    let mut loaded = Some(loaded);
    let added = TABLE.with(|table| table.add(&mut loaded, providers));
    added.ok_or(Error::RegistryFull { slots: EXTENSIONS as u32 })
}

/// One more use of an extension that is live; its structure, and how often it was used before.
pub(crate) fn again(handle: Handle) -> Result<(*mut Llext, u32), Error> {
    let name = handle.name();
    let (found, _spare) = TABLE.with(|table| {
        let Some(at) = table.called(name.as_bytes()) else {
            return (Err(Error::Busy { name }), Some(handle)); // another thread's load, about to end
        };
        let before = table.count(at);
        let mut handle = Some(handle);
        if let Some(slot) = table.slots.get_mut(at) {
            slot.uses += 1;
            slot.handle = slot.handle.take().or_else(|| handle.take());
        }
        table.show();
        (Ok((pointer(at), before)), handle)
    });
    found
}

/// One use less; how many remain. The last one may end the extension, here.
pub(crate) fn leave(ext: *const Llext) -> Result<u32, Error> {
    let (since, handle) = TABLE.with(|table| {
        let (_, slot) = table.live(ext)?;
        slot.uses = slot.uses.checked_sub(1).ok_or(Error::Died)?;
        let last = if slot.uses == 0 { slot.handle.take() } else { None };
        let since = slot.since;
        table.show();
        Ok::<_, Error>((since, last))
    })?;
    drop(handle);
    Ok(TABLE.with(|table| match table.live(ext) {
        Ok((at, slot)) if slot.since == since => table.count(at),
        _ => 0,
    }))
}

/// The name of the extension of a structure.
pub(crate) fn name_of(ext: *const Llext) -> Option<Name> {
    TABLE.with(|table| table.live(ext).map(|(_, slot)| slot.name).ok())
}

/// Keeps the extension of a structure for a call.
pub(crate) fn enter(ext: *const Llext) -> Result<Guard, Error> {
    TABLE.with(|table| table.live(ext).map(|(_, slot)| slot.weak))?.ok_or(Error::Died)?.enter()
}

/// The structure of the extension called `name`; null if there is none.
pub(crate) fn find(name: &[u8]) -> *mut Llext {
    let found = TABLE.with(|table| table.called(name).filter(|at| table.is_found(*at)));
    found.map_or(core::ptr::null_mut(), pointer)
}

/// What the time is: whatever is loaded from here on comes later.
pub(crate) fn now() -> u64 {
    TABLE.with(|table| table.clock)
}

/// The extension that came next after `since`, and not after `until`: when, its structure, and what keeps it for a visit.
pub(crate) fn next(since: u64, until: u64) -> Option<(u64, *mut Llext, Weak)> {
    TABLE.with(|table| {
        let later =
            |at: &usize| table.slots.get(*at).is_some_and(|slot| slot.since > since && slot.since <= until);
        let found = (0..EXTENSIONS).filter(|at| later(at) && table.is_found(*at));
        let at = found.min_by_key(|at| table.slots.get(*at).map_or(0, |slot| slot.since))?;
        let slot = table.slots.get(at)?;
        Some((slot.since, pointer(at), slot.weak?))
    })
}

/// What was kept for looking into an extension.
pub(crate) fn with_inspection<T>(ext: *const Llext, f: impl FnOnce(&[u8]) -> T) -> Result<Option<T>, Error> {
    let _kept = enter(ext)?;
    TABLE.with(|table| {
        let (_, slot) = table.live(ext)?;
        Ok(slot.inspection.as_ref().map(|lease| f(lease.bytes())))
    })
}

/// Gives that back.
pub(crate) fn free_inspection(ext: *const Llext) -> Result<(), Error> {
    let _taken = TABLE.with(|table| {
        let (at, slot) = table.live(ext)?;
        let taken = slot.inspection.take();
        if let Some(lease) = &taken {
            // SAFETY: the structure is one of the table's, whose lock is held.
            let seen = unsafe { &mut *pointer(at) };
            seen.alloc_size = seen.alloc_size.saturating_sub(lease.bytes().len());
            (seen.sect_cnt, seen.sect_hdrs, seen.sect_hdrs_on_heap) = (0, core::ptr::null_mut(), false);
        }
        Ok::<_, Error>(taken)
    })?;
    Ok(())
}

/// The registry says that an extension's memory goes: its structure is nobody's from here on.
pub(crate) fn ended(leaving: &Leaving) {
    let _taken = TABLE.with(|table| {
        let at = table.called(leaving.extension.as_bytes())?;
        let since = table.tick();
        let slot = core::mem::replace(table.slots.get_mut(at)?, Slot { since, ..Slot::EMPTY });
        // SAFETY: as above.
        unsafe { pointer(at).write(Llext::EMPTY) };
        table.show();
        Some((slot.exports, slot.inspection, slot.contents))
    });
}
