//! What is not saved, and what is not restored: each with the error that says which.

use super::*;
use llext::error::Name;
use llext::export::{Exports, SymbolName};
use llext::memory::Part;
use llext::source::Writable;
use llext::{Error, Source};

fn try_save(apps: &'static Apps, saved: &mut [u8]) -> Result<usize, Error> {
    // SAFETY: this thread alone has the registry.
    unsafe { apps.loader(&HOST).save(Contents::All, saved) }
}

#[test]
fn it_is_told_how_much_room_saving_takes() {
    let apps = Retained::new().unified();
    let app = load(apps, "counter", &object("room", COUNTER));
    let Err(Error::SaveTooSmall { wanted, available: 0 }) = try_save(apps, &mut []) else { panic!() };
    let mut saved = vec![0; wanted as usize];
    let small = Error::SaveTooSmall { wanted, available: wanted - 1 };
    assert_eq!(try_save(apps, &mut saved[1..]), Err(small));
    assert_eq!(try_save(apps, &mut saved), Ok(wanted as usize));
    println!("{wanted} bytes for one extension");
    drop(app);
    assert_eq!(restore(Retained::new().unified(), &saved[..20]).err(), damaged("length"));
}

fn damaged(what: &'static str) -> Option<Error> {
    Some(Error::BadSaved { what, number: 0 })
}

#[test]
fn what_the_host_would_lose_is_not_saved() {
    let apps = Retained::new().unified();
    let bytes = object("lost", COUNTER);
    let app = load(apps, "counter", &bytes);
    let name = Name::new(b"counter");
    let object = app.own("timer").unwrap();
    let used = Error::InUse { dependents: 0, objects: 1, calls: 0, first: Name::new(b"timer") };
    assert_eq!(try_save(apps, &mut []), Err(used));
    drop(object);
    let object = app.own_revocable("timer", |_| {}, 0).unwrap();
    let unsaved = Error::Unsaved { name, what: "host objects that are tied to it" };
    assert_eq!(try_save(apps, &mut []), Err(unsaved));
    drop(object);
    let guard = app.downgrade().enter().unwrap();
    let used = Error::InUse { dependents: 0, objects: 0, calls: 1, first: Name::EMPTY };
    assert_eq!(try_save(apps, &mut []), Err(used));
    drop(guard);
    let mut source = &bytes[..];
    let source: &mut dyn Source = &mut source;
    // SAFETY: the source is above.
    let load = unsafe { apps.loader(&HOST).start("other", source) }.unwrap();
    assert_eq!(try_save(apps, &mut []), Err(Error::Busy { name: Name::new(b"other") }));
    drop(load);
    assert!(matches!(try_save(apps, &mut []), Err(Error::SaveTooSmall { .. })));
}

#[test]
fn destructors_of_the_host_and_bytes_outside_the_pool_are_not_saved() {
    let apps = Retained::new().unified();
    let name = Name::new(b"app");
    let bytes = object(
        "foreign",
        "extern void host_hear(int); extern int atexit(void *);
        __attribute__((constructor)) static void begin(void) { atexit(host_hear); }
        int probe(void) { return 1; }",
    );
    let app = load(apps, "app", &bytes);
    let what = "destructors of the host's that it registered";
    assert_eq!(try_save(apps, &mut []), Err(Error::Unsaved { name, what }));
    drop(app);
    let bytes = object("in_place", COUNTER);
    let room: &'static mut [u8] = vec![0; bytes.len() + 64].leak();
    let start = room.as_ptr().align_offset(64);
    room[start..][..bytes.len()].copy_from_slice(&bytes);
    // SAFETY: the source is above.
    let app = unsafe { apps.loader(&HOST).load("app", Writable::new(&mut room[start..][..bytes.len()])) };
    let what = "bytes outside the pool that it uses in place";
    assert_eq!((app.is_ok(), try_save(apps, &mut [])), (true, Err(Error::Unsaved { name, what })));
}

struct Nameless;

impl Exports for Nameless {
    fn address(&self, _: &SymbolName<'_>) -> Option<usize> {
        Some(host_hear as *const () as usize)
    }
}

#[test]
fn exports_without_a_fingerprint_are_no_help() {
    let apps = Retained::new().unified();
    // SAFETY: this thread alone has the registry.
    let saved = unsafe { apps.loader(&Nameless).save(Contents::All, &mut [0; 8192]) };
    assert_eq!(saved, Err(Error::UnknownExports));
}

extern "C" fn another(_: i32) {}
mod moved {
    use super::another as host_hear;
    llext::exports! { pub(super) static HOST; fn host_hear(number: i32); }
}
mod more {
    use super::{another, host_hear};
    llext::exports! { pub(super) static HOST; fn host_hear(number: i32); fn another(number: i32); }
}

#[test]
fn the_host_s_exports_must_be_the_same() {
    let memory = Retained::new();
    let apps = memory.unified();
    lose([load(apps, "counter", &object("exports", COUNTER))]);
    let saved = save(apps, Contents::All);
    for others in [&moved::HOST, &more::HOST] {
        let apps = memory.unified();
        // SAFETY: it is refused.
        let refused = unsafe { apps.loader(others).restore(&saved, drop) };
        assert!(matches!(refused, Err(Error::OtherExports { found, expected }) if found != expected));
    }
    assert_eq!(restore(memory.unified(), &saved).unwrap().len(), 1);
}

#[test]
fn the_memory_must_be_the_same() {
    let (memory, counter) = (Retained::new(), object("other_memory", COUNTER));
    let apps = memory.split();
    lose([load(apps, "counter", &counter)]);
    let saved = save(apps, Contents::All);
    let refused = |apps| restore(apps, &saved).err();
    assert!(matches!(refused(Retained::new().split()), Some(Error::OtherMemory { part: Part::Code, .. })));
    assert!(matches!(refused(memory.unified()), Some(Error::OtherMemory { .. })));
    // SAFETY: nothing is loaded into it, and nothing runs.
    let aliased = unsafe { Pool::aliased(memory.lend(0, SIZE / 2), memory.lend(SIZE / 2, SIZE), 16) };
    let apps: &'static Apps = Box::leak(Box::new(Registry::new(aliased)));
    assert!(matches!(refused(apps), Some(Error::OtherMemory { part: Part::Code, .. })));
}

#[test]
fn what_the_memory_holds_must_be_the_same_where_that_was_asked_for() {
    let (memory, counter) = (Retained::new(), object("changed", COUNTER));
    let apps = memory.split();
    let app = load(apps, "counter", &counter);
    let saved = [Contents::All, Contents::Constant, Contents::Trusted].map(|contents| save(apps, contents));
    call(&app, "probe");
    let changed = |contents: usize| {
        let found = restore(memory.split(), &saved[contents]).map(lose).err();
        matches!(found, Some(Error::MemoryChanged { name, .. }) if name == Name::new(b"counter"))
    };
    assert!(changed(0), "a variable");
    let code = app.regions().find(|region| region.part == Part::Code).unwrap();
    // SAFETY: nothing of it runs meanwhile, and the pool's memory can be written.
    unsafe { *((code.address + code.size - 1) as *mut u8) ^= 0x10 };
    assert!(changed(0) && changed(1), "code");
    assert!(!changed(2));
    lose([app]);
}

#[test]
fn the_program_must_be_built_the_same_and_use_nothing_yet() {
    let memory = Retained::new();
    let apps = memory.unified();
    let app = load(apps, "counter", &object("build", COUNTER));
    let saved = save(apps, Contents::All);
    assert_eq!(restore(apps, &saved).err(), Some(Error::NotFresh));
    lose([app]);
    let apps = Box::leak(Box::new(Registry::<_, NoopRawMutex, 5>::new(Pool::unified(memory.lend(0, SIZE)))));
    // SAFETY: it is refused.
    let refused = unsafe { apps.loader(&HOST).restore(&saved, drop) };
    assert_eq!(refused, Err(Error::OtherBuild { what: "slots", found: 4, expected: 5 }));
    let apps = memory.unified();
    // SAFETY: the closure reserves a little, and gives it back.
    unsafe { apps.with_memory(|pool| assert!(pool.largest_free().0 > 0)) };
    assert_eq!(restore(apps, &saved).err(), Some(Error::NotFresh));
}
