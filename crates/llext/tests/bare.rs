//! What is finite where there is no allocator: the run time without any feature.
//!
//! These tests have one themselves; `cargo xtask test bare-host` runs them.
#![cfg(all(not(feature = "alloc"), target_os = "linux", target_arch = "x86_64"))]

#[path = "registry/arena.rs"]
mod arena;
#[path = "common/cc.rs"]
mod cc;
#[path = "registry/watched.rs"]
mod watched;

use arena::Arena;
use llext::error::Name;
use llext::{Error, Registry};
use std::sync::atomic::{AtomicI32, Ordering};
use watched::WatchedMutex;

type Apps = Registry<Arena, WatchedMutex, 4>;
type Int = extern "C" fn() -> i32;

/// How many objects of the host's an extension owns at most.
const OBJECTS: u32 = 4;
/// How many destructors it registers.
const EXITS: i32 = 16;

static ENDED: AtomicI32 = AtomicI32::new(0);

extern "C" fn ended(number: i32) {
    ENDED.fetch_add(number, Ordering::SeqCst);
}

llext::exports! { static HOST; fn ended(number: i32); }

fn in_use(apps: &Apps) -> usize {
    // SAFETY: the closure looks at the memory only.
    unsafe { apps.with_memory(|memory| memory.in_use()) }
}

#[test]
fn a_shared_object_is_left_to_the_feature_for_them() {
    let apps = Apps::new(Arena::new());
    let bytes = cc::compile("bare_shared", "int probe(void) { return 42; }", &["-shared", "-nostdlib"]);
    // SAFETY: the source is in this test.
    let refused = unsafe { apps.loader(&HOST).load("app", &bytes[..]) }.unwrap_err();
    assert_eq!(refused, Error::SharedLeftOut);
    assert_eq!(
        refused.to_string(),
        "file: a shared object (found e_type 3 (DYN), expected 1 (REL): the host was built without `shared`)"
    );
    assert_eq!(in_use(&apps), 0);
}

#[test]
fn an_extension_owns_4_objects_and_not_one_more() {
    let apps = Apps::new(Arena::new());
    let bytes = cc::compile("bare_objects", "int probe(void) { return 42; }", &["-O1"]);
    // SAFETY: the source is in this test.
    let app = unsafe { apps.loader(&HOST).load("app", &bytes[..]) }.unwrap();
    let mut objects: Vec<_> = (0..OBJECTS).map(|_| app.own("timer").unwrap()).collect();
    let refused = app.own("timer").unwrap_err();
    let full = Error::TooManyObjects { name: Name::new(b"app") };
    assert_eq!(refused, full);
    let text = format!(
        "app: no room for another host object (expected at most {OBJECTS} without the feature alloc)"
    );
    assert_eq!(refused.to_string(), text);
    assert_eq!(app.own_revocable("timer", |_| {}, 0).err(), Some(full));
    objects.pop();
    objects.push(app.own("timer").unwrap());
    let refused = app.unload().unwrap_err();
    assert!(
        matches!(refused.error, Error::InUse { dependents: 0, objects: OBJECTS, calls: 0, .. }),
        "{refused}"
    );
    drop(objects);
    assert_eq!((refused.handle.unload().unwrap(), in_use(&apps)), (0, 0));
}

#[test]
fn an_extension_registers_16_destructors_and_is_told_that_there_is_no_room_for_more() {
    let source =
        "extern int atexit(void (*)(void)); extern void ended(int); static void down(void) { ended(1); }
        int probe(void) { int fit = 0; while (atexit(down) == 0) fit++; return fit; }";
    let (apps, bytes) = (Apps::new(Arena::new()), cc::compile("bare_exits", source, &["-O1"]));
    // SAFETY: the source is in this test.
    let app = unsafe { apps.loader(&HOST).load("app", &bytes[..]) }.unwrap();
    // SAFETY: `probe` has this type.
    let fit = unsafe { app.symbol::<Int>("probe") }.unwrap().call(());
    drop(app);
    assert_eq!((fit, ENDED.load(Ordering::SeqCst), in_use(&apps)), (EXITS, EXITS, 0));
}

#[test]
fn a_registry_without_an_allocator_counts_keeps_and_ends_as_any_other() {
    let apps = Apps::new(Arena::new());
    let provider = cc::compile("bare_provider", "int one(void) { return 1; }", &["-O1"]);
    let user =
        cc::compile("bare_user", "extern int one(void); int probe(void) { return one() + 1; }", &["-O1"]);
    // SAFETY: the closures tell the memory what to refuse.
    let refuse = |numbers| unsafe { apps.with_memory(|memory| memory.refuse(numbers)) };
    refuse(0..usize::MAX);
    assert!(matches!(apps.loader(&HOST).verify("provider", &provider[..]), Err(Error::Memory { .. })));
    refuse(0..0);
    // SAFETY: the sources are in this test.
    let provider = unsafe { apps.loader(&HOST).load("provider", &provider[..]) }.unwrap();
    // SAFETY: as above.
    let user = unsafe { apps.loader(&HOST).needs(&provider).load("user", &user[..]) }.unwrap();
    // SAFETY: `probe` has this type.
    let weak = unsafe { user.function::<Int>("probe") }.unwrap().downgrade();
    assert_eq!((weak.call(()), weak.try_call(()), apps.iter().count()), (Ok(2), Ok(2), 2));
    let refused = provider.unload().unwrap_err();
    assert!(matches!(refused.error, Error::InUse { dependents: 1, .. }), "{refused}");
    drop(refused.handle);
    let guard = user.downgrade().try_enter().unwrap();
    drop(user);
    drop(guard);
    assert_eq!((apps.iter().count(), apps.reap(), apps.iter().count()), (1, 1, 0));
    assert_eq!((weak.call(()), in_use(&apps)), (Err(Error::Died), 0));
}
