//! Who gets a name.

use super::checker::{both, check};
use super::ledger;
use super::loading::load;
use super::world::{A, AppHandle, Apps, B, C, call};
use crate::error::Error;

/// How many of these loads were the first of their extension.
fn firsts(loaded: &[Result<AppHandle, Error>]) -> usize {
    loaded.iter().flatten().filter(|handle| handle.is_first()).count()
}

fn is_busy(loaded: &Result<AppHandle, Error>) -> bool {
    matches!(loaded, Err(Error::Busy { .. }))
}

/// C2: two loads of one name at the same time; who comes second waits, and gets a handle of the first one's extension.
#[test]
fn two_loads_of_one_name_are_one_load() {
    check(|apps| {
        let (one, other) = both(move || load(A).patient().run(apps), || load(A).patient().run(apps));
        let handles = [one, other];
        assert_eq!(firsts(&handles), 1);
        for handle in handles.iter().map(|handle| handle.as_ref().expect("the name was there for both")) {
            assert_eq!((call(handle), handle.uses()), (0, 2));
        }
    });
}

/// C2: the same with three.
#[test]
fn three_loads_of_one_name_are_one_load() {
    check(|apps| {
        let load = move || load(A).patient().run(apps);
        let (one, (two, three)) = both(load, move || both(load, load));
        let handles = [one, two, three];
        assert_eq!(firsts(&handles), 1);
        assert!(handles.iter().flatten().all(|handle| (call(handle), handle.uses()) == (0, 3)));
    });
}

/// C2: who does not wait is told that somebody else is at it, or gets a handle.
#[test]
fn a_second_load_that_does_not_wait_is_busy_or_a_handle() {
    check(|apps| {
        let handles: [_; 2] = both(move || load(A).run(apps), || load(A).run(apps)).into();
        assert_eq!(firsts(&handles), 1);
        let [one, other] = &handles;
        assert!(!is_busy(one) || !is_busy(other));
        assert!(handles.iter().all(|loaded| is_busy(loaded) || loaded.is_ok()));
    });
}

/// C2: other bytes under a live name are refused, and never silently the first.
#[test]
fn two_files_under_one_name_are_not_both_loaded() {
    check(|apps| {
        let handles: [_; 2] =
            both(move || load(A).patient().run(apps), || load(A).other_file().patient().run(apps)).into();
        assert_eq!(firsts(&handles), 1);
        assert_eq!(handles.iter().filter(|loaded| matches!(loaded, Err(Error::Exists { .. }))).count(), 1);
    });
}

/// C2: two names race for the last slot.
#[test]
fn the_last_slot_goes_to_one_name() {
    check(|apps| {
        let first = load(A).run(apps);
        let (one, other) = both(move || load(B).run(apps), || load(C).run(apps));
        let refused = [&one, &other].map(|loaded| matches!(loaded, Err(Error::RegistryFull { .. })));
        assert_ne!(refused[0], refused[1]);
        assert_eq!((firsts(&[first]), firsts(&[one, other])), (1, 1));
    });
}

/// C5: a name is free again when the memory of the extension that had it is back, and not before.
#[test]
fn a_name_is_free_when_its_memory_is_back() {
    check(|apps| {
        let old = load(A).run(apps).expect("nothing is loaded yet");
        let (new, left) =
            both(move || load(A).patient().run(apps), || old.unload().expect("nothing else keeps it"));
        let new = new.expect("it waits until the name is there or free");
        // That a new extension never meets the old one's memory is for the load itself to see.
        assert_eq!(new.is_first(), left == 0);
        assert_eq!(call(&new), usize::from(new.is_first()));
    });
}

/// C5: three steps of one name: the old one goes, and of two that wait for it one loads.
#[test]
fn of_two_who_wait_for_a_name_one_loads() {
    check(|apps| {
        let old = load(A).other_file().run(apps).expect("nothing is loaded yet");
        let weak = old.downgrade();
        // A call keeps it, so that both meet it while it goes.
        let last = weak.enter().expect("it is live");
        old.unload_later();
        let load = move || load(A).patient().run(apps);
        let (one, (two, ())) = both(load, move || both(load, || drop(last)));
        assert_eq!(firsts(&[one, two]), 1);
        assert!(weak.enter().is_err());
    });
}

/// C2, C6: who waits for a load that is given up loads instead.
#[test]
fn who_waits_for_an_abandoned_load_loads() {
    check(|apps| {
        let (given_up, loaded) =
            both(move || load(A).abandoned().patient().run(apps), || load(A).patient().run(apps));
        let loaded = loaded.expect("whoever was before it gave the name back");
        match given_up {
            // It came second, and found the extension live.
            Ok(handle) => assert!(loaded.is_first() && !handle.is_first()),
            Err(error) => assert!(matches!(error, Error::InitFailed { status: 0, .. }), "{error}"),
        }
        assert!(loaded.is_first());
        call(&loaded);
    });
}

/// C14: two loads at the same time have nothing in common: slots, memory and names are each their own.
#[test]
fn two_loads_at_once_have_nothing_in_common() {
    check(|apps: &'static Apps| {
        let (one, other) = both(
            move || load(A).run(apps).expect("nobody is in its way"),
            move || load(B).run(apps).expect("nobody is in its way"),
        );
        assert!(one.is_first() && other.is_first());
        assert_ne!((one.slot(), call(&one)), (other.slot(), call(&other)));
        assert_eq!((one.name().as_bytes(), other.name().as_bytes()), (&b"a"[..], &b"b"[..]));
        let (found, gone) = both(move || apps.find("b").map(|found| call(&found)), || one.unload().is_ok());
        assert_eq!((found, gone), (ledger::latest(B).map(|body| body.number), true));
    });
}
