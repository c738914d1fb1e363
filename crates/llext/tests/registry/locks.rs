//! Locks: whichever guards the registry, no code of others runs under it, and it does not nest.

use crate::arena::Arena;
use crate::kit::{HOST, SLOTS, acting, is_noted, kept, note, object};
use crate::needs::note as needs;
use crate::watched::{WatchedMutex, no_lock_is_held};
use llext::export::{Exports, SymbolName};
use llext::loader::LoadNeeded;
use llext::lock::{NoopRawMutex, RawMutex, StdRawMutex};
use llext::source::{Identity, ReadError, ReadOnly};
use llext::{Error, Leaving, Registry, Source};
use std::cell::RefCell;
use std::time::Duration;

/// A source that is read under no lock.
struct Read(&'static [u8]);

impl Source for Read {
    fn size(&mut self) -> Result<u64, ReadError> {
        no_lock_is_held();
        Ok(self.0.len() as u64)
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        no_lock_is_held();
        ReadOnly(self.0).read_at(offset, buffer)
    }

    fn lent(&self) -> Option<&[u8]> {
        no_lock_is_held();
        None
    }

    fn identity(&self) -> Option<Identity> {
        no_lock_is_held();
        Some(Identity::of_bytes(self.0))
    }
}

/// A host that is asked under no lock.
struct Asked;

impl Exports for Asked {
    fn address(&self, name: &SymbolName<'_>) -> Option<usize> {
        no_lock_is_held();
        HOST.address(name)
    }

    fn provides(&self, _: &[u8]) -> bool {
        no_lock_is_held();
        false
    }

    fn group(&self, _: &SymbolName<'_>) -> Option<&'static str> {
        no_lock_is_held();
        Some("all")
    }
}

fn leaving(_: &Leaving) {
    note(100);
}

fn revoke(number: usize) {
    note(number as i32);
}

/// `note`, `act` and the hooks fail under a lock: see [`crate::kit`]. So does what [`Arena`]'s blocks do that is slow.
const PROVIDER: &str = "int probe(void) { return act(0); } int llext_init(void) { note(1); return 0; }
    __attribute__((constructor)) static void up(void) { keep(probe); act(1); }
    __attribute__((destructor)) static void down(void) { act(2); }";

/// All that can be done with a registry, under lock `R`.
fn a_life<R: RawMutex>() {
    let apps = Registry::<Arena, R, SLOTS>::new(Arena::new());
    let provider = object(PROVIDER);
    let user = object(&(needs("provider") + "extern int probe(void); int call(void) { return probe(); }"));
    let objects = RefCell::new(Vec::new());
    let acts = |number| {
        if number == 1 {
            let own = apps.find_at(kept()).expect("who calls");
            objects.borrow_mut().push(own.own_revocable("timer", revoke, 50).unwrap());
        }
        apps.iter().count() as i32 + apps.reap() as i32
    };
    let bring: LoadNeeded<'_, '_, Arena, R, SLOTS> = &mut |need| {
        no_lock_is_held();
        // SAFETY: the sources of these tests are in these tests.
        unsafe { need.loader(&Asked).allow(&["all"]).on_leaving(leaving).load(need.name(), Read(provider)) }
    };
    acting(&acts, || {
        let loader = apps.loader(&Asked).on_needed(bring).search_live(true).wait(Duration::ZERO);
        // SAFETY: the sources of these tests are in these tests.
        let user = unsafe { loader.load("user", Read(user)) }.unwrap();
        let found = apps.find("provider").unwrap();
        // SAFETY: `probe` has this type.
        let weak = unsafe { found.function::<extern "C" fn() -> i32>("probe") }.unwrap().downgrade();
        assert_eq!((weak.call(()), weak.try_call(())), (Ok(2), Ok(2)));
        let (timer, guard) = (found.own("timer").unwrap(), found.downgrade().enter().unwrap());
        let refused = found.unload_within(Duration::from_millis(1));
        let Err(refused) = refused else { panic!("it is in use") };
        assert!(matches!(refused.error, Error::InUse { dependents: 1, objects: 1, calls: 1, .. }));
        assert_eq!(refused.handle.dependents().count() + refused.handle.objects().count(), 2);
        assert_eq!(user.dependencies().count(), 1);
        assert_eq!(refused.handle.unload_later(), 0);
        let mut hear = |name: &[u8]| {
            no_lock_is_held();
            assert_eq!(name, b"nobody");
        };
        let missing = object("extern int nobody(void); int (*pointer)(void) = nobody;");
        assert!(apps.loader(&Asked).on_missing(&mut hear).verify("missing", Read(missing)).is_err());
        drop((timer, user));
        is_noted(&[1]);
        drop(guard);
    });
    is_noted(&[50, 100]);
    assert!(!objects.take().remove(0).release());
    // SAFETY: the closure looks at the memory only.
    assert_eq!((apps.iter().count(), unsafe { apps.with_memory(|memory| memory.in_use()) }), (0, 0));
}

#[test]
fn no_code_of_others_runs_under_a_lock_and_none_nests() {
    a_life::<WatchedMutex>();
}

#[test]
fn a_registry_works_without_a_lock() {
    a_life::<NoopRawMutex>();
}

#[test]
fn a_registry_works_with_the_standard_library_s_mutex() {
    a_life::<StdRawMutex>();
}

#[test]
#[cfg(feature = "critical-section")]
fn a_registry_works_with_critical_sections() {
    a_life::<llext::lock::CriticalSectionRawMutex>();
}

#[test]
#[should_panic = "a lock is taken while it is held"]
fn the_watch_sees_a_lock_that_nests() {
    let lock = WatchedMutex::INIT;
    lock.lock(|| lock.lock(|| ()));
}

#[test]
#[should_panic = "under a lock of the registry"]
fn the_watch_sees_what_runs_under_a_lock() {
    let lock = WatchedMutex::INIT;
    lock.lock(no_lock_is_held);
}
