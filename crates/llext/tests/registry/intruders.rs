//! The caller's own code in the middle of a load: it may use the registry, and it may panic.

use crate::arena::Arena;
use crate::kit::{Apps, HOST, SLOTS, apps, call, in_use, is_empty, live, load, object};
use crate::needs::note;
use llext::error::Name;
use llext::export::{Exports, SymbolName};
use llext::loader::LoadNeeded;
use llext::lock::StdRawMutex;
use llext::source::{ReadError, ReadOnly};
use llext::{Error, Source};
use std::panic::{AssertUnwindSafe, catch_unwind};

const OTHER: &str = "int probe(void) { return 42; }";
const WANTS: &str = "extern void note(int); extern int nobody(void); int (*pointer)(void) = nobody;
    __attribute__((constructor)) static void up(void) { note(1); }";

/// A source whose reads do something else first.
struct Busy<F>(&'static [u8], F);

impl<F: FnMut()> Source for Busy<F> {
    fn size(&mut self) -> Result<u64, ReadError> {
        Ok(self.0.len() as u64)
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        (self.1)();
        ReadOnly(self.0).read_at(offset, buffer)
    }
}

/// A host whose look-ups do something else first.
struct Asked<F>(F);

impl<F: Fn()> Exports for Asked<F> {
    fn address(&self, name: &SymbolName<'_>) -> Option<usize> {
        (self.0)();
        HOST.address(name)
    }
}

/// Everything that can be done with a registry while a load of `app` is on its way.
fn use_all(apps: &Apps) {
    let other = load(apps, "other", object(OTHER)).unwrap();
    assert_eq!((call(&other, "probe"), live(apps)), (42, vec!["other".to_owned()]));
    assert_eq!(load(apps, "app", object(OTHER)).err(), Some(Error::Busy { name: Name::new(b"app") }));
    assert!(apps.find("app").is_none());
    assert_eq!((apps.reap(), other.unload().unwrap()), (0, 0));
}

#[test]
fn a_source_a_host_and_a_listener_may_use_the_registry() {
    let (apps, bytes) = (apps(), object(WANTS));
    let mut hear = |_: &[u8]| use_all(&apps);
    let host = Asked(|| use_all(&apps));
    let source = Busy(bytes, || use_all(&apps));
    // SAFETY: the sources of these tests are in these tests.
    let error = unsafe { apps.loader(&host).on_missing(&mut hear).load("app", source) }.unwrap_err();
    assert_eq!(error.to_string(), "nobody: undefined symbol (1 missing in all)");
    is_empty(&apps);
}

#[test]
fn a_hook_that_panics_as_a_load_ends_keeps_none_of_its_memory() {
    let (apps, bytes) = (apps(), object(OTHER));
    // SAFETY: the sources of these tests are in these tests.
    let provider = unsafe { apps.loader(&HOST).on_leaving(|_| panic!("intended")).load("provider", bytes) };
    let provider = provider.unwrap();
    let loader = apps.loader(&HOST).needs(&provider);
    drop(provider);
    let verified = catch_unwind(AssertUnwindSafe(|| loader.verify("app", bytes)));
    assert_eq!(verified.unwrap_err().downcast_ref::<&str>(), Some(&"intended"));
    is_empty(&apps);
}

#[test]
fn a_hook_that_panics_where_no_load_begins_leaves_its_name_free() {
    let (apps, bytes) = (apps(), object(OTHER));
    // SAFETY: the sources of these tests are in these tests.
    let provider = unsafe { apps.loader(&HOST).on_leaving(|_| panic!("intended")).load("provider", bytes) };
    let provider = provider.unwrap();
    let loader = apps.loader(&HOST).needs(&provider);
    drop(provider);
    // SAFETY: the closure tells the memory what to refuse.
    let refuse = |numbers| unsafe { apps.with_memory(|memory| memory.refuse(numbers)) };
    refuse(0..1);
    let verified = catch_unwind(AssertUnwindSafe(|| loader.verify("app", bytes)));
    assert_eq!(verified.unwrap_err().downcast_ref::<&str>(), Some(&"intended"));
    refuse(0..0);
    assert!(load(&apps, "app", bytes).is_ok());
    is_empty(&apps);
}

/// What `load` does panics; nothing of it is left, and the name is free.
fn panics_and_leaves_nothing(apps: &Apps, load_app: impl FnOnce()) {
    let before = (live(apps), in_use(apps));
    let panic = catch_unwind(AssertUnwindSafe(load_app)).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"intended"));
    assert_eq!((live(apps), in_use(apps)), before);
    assert_eq!(load(apps, "app", object(OTHER)).map(|app| call(&app, "probe")), Ok(42));
}

#[test]
fn a_source_a_host_a_listener_or_a_bringer_that_panics_leaves_nothing_of_the_load() {
    let (apps, bytes) = (apps(), object(WANTS));
    let provider = load(&apps, "provider", object(OTHER)).unwrap();
    let needing = object(&(note("b") + OTHER));
    for read in 0..5 {
        let mut reads = 0;
        let panics = || {
            assert!(reads < read, "intended");
            reads += 1;
        };
        // SAFETY: the sources of these tests are in these tests.
        panics_and_leaves_nothing(&apps, || unsafe {
            drop(apps.loader(&HOST).needs(&provider).load("app", Busy(bytes, panics)));
        });
    }
    // SAFETY: as above.
    panics_and_leaves_nothing(&apps, || unsafe {
        drop(apps.loader(&Asked(|| panic!("intended"))).needs(&provider).load("app", bytes));
    });
    // SAFETY: as above.
    panics_and_leaves_nothing(&apps, || unsafe {
        drop(apps.loader(&HOST).needs(&provider).on_missing(&mut |_| panic!("intended")).load("app", bytes));
    });
    let bring: LoadNeeded<'_, '_, Arena, StdRawMutex, SLOTS> = &mut |_| panic!("intended");
    // SAFETY: as above.
    panics_and_leaves_nothing(&apps, || unsafe {
        drop(apps.loader(&HOST).needs(&provider).on_needed(bring).load("app", ReadOnly(needing)));
    });
    assert_eq!(provider.unload().unwrap(), 0);
    is_empty(&apps);
}
