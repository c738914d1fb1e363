//! Calls, and the three ways to unload.

use super::checker::{both, check};
use super::loading::load;
use super::world::{A, AppHandle, AppWeak, Apps, call};
use crate::error::Error;
use core::time::Duration;

/// An extension with one handle, and a reference to it.
fn one(apps: &'static Apps) -> (AppHandle, AppWeak) {
    let handle = load(A).run(apps).expect("nothing is loaded yet");
    let weak = handle.downgrade();
    (handle, weak)
}

fn try_call(weak: AppWeak) -> Result<usize, Error> {
    weak.enter().map(|guard| call(&guard))
}

fn missed(called: &Result<usize, Error>) -> bool {
    matches!(called, Ok(0) | Err(Error::Died | Error::Busy { .. }))
}

/// C3: an unload is refused while a call runs, and gives the handle back; or there is no call any more.
#[test]
fn an_unload_is_refused_or_no_call_runs() {
    check(|apps| {
        let (handle, weak) = one(apps);
        let body = handle.block.body();
        let unload = || (handle.unload(), body.is_released());
        let (called, (left, is_released)) = both(move || try_call(weak), unload);
        match left {
            Ok(left) => assert_eq!((left, is_released), (0, true)),
            Err(refused) => {
                assert!(matches!(refused.error, Error::InUse { dependents: 0, objects: 0, .. }), "{refused}");
                assert_eq!((&called, call(&refused.handle)), (&Ok(0), 0));
            }
        }
        assert!(missed(&called), "{called:?}");
    });
}

/// C3: an unload that waits ends when the last call does, and no call begins after it.
#[test]
fn an_unload_waits_for_the_last_call() {
    check(|apps| {
        let (handle, weak) = one(apps);
        let inside = weak.enter().expect("it is live");
        let last = move || {
            let called = call(&inside);
            drop(inside);
            (called, try_call(weak))
        };
        let ((called, again), left) = both(last, || handle.unload_within(Duration::MAX));
        assert_eq!((called, left.expect("calls end")), (0, 0));
        assert!(missed(&again), "{again:?}");
        assert_eq!(try_call(weak), Err(Error::Died));
    });
}

/// C3: two calls race with an unload that waits for both.
#[test]
fn an_unload_waits_for_every_call() {
    check(|apps| {
        let (handle, weak) = one(apps);
        let (called, (again, left)) = both(
            move || try_call(weak),
            move || both(move || try_call(weak), || handle.unload_within(Duration::MAX)),
        );
        assert_eq!(left.expect("calls end"), 0);
        assert!(missed(&called) && missed(&again), "{called:?} {again:?}");
    });
}

/// C3: an unload whose time is up gives the handle back, and the extension is as before.
#[test]
fn an_unload_that_gives_up_changes_nothing() {
    check(|apps| {
        let (handle, weak) = one(apps);
        let (called, left) = both(move || try_call(weak), || handle.unload_within(Duration::ZERO));
        assert!(missed(&called), "{called:?}");
        if let Err(refused) = left {
            assert!(matches!(refused.error, Error::InUse { .. }), "{refused}");
            assert_eq!((called, try_call(weak), refused.handle.uses()), (Ok(0), Ok(0), 1));
        }
    });
}

/// C3: who finds the extension while an unload waits and gives up gets a handle or nothing, and nobody is lost.
#[test]
fn finding_races_with_an_unload_that_gives_up() {
    check(|apps| {
        let (handle, weak) = one(apps);
        let inside = weak.enter().expect("it is live");
        let (found, left) = both(move || apps.find("a"), || handle.unload_within(Duration::ZERO));
        match left {
            // The other handle keeps it now.
            Ok(left) => assert_eq!((left, found.is_some()), (1, true)),
            Err(refused) => assert_eq!(refused.handle.uses(), 1 + u32::from(found.is_some())),
        }
        call(&inside);
    });
}

/// C12: a last call and an unload that leaves it to the last; one of them takes the extension away.
#[test]
fn the_last_call_or_the_unload_takes_it_away() {
    check(|apps| {
        let (handle, weak) = one(apps);
        let inside = weak.enter().expect("it is live");
        let last = move || call(&inside);
        assert_eq!(both(last, || handle.unload_later()), (0, 0));
        assert_eq!(try_call(weak), Err(Error::Died));
    });
}

/// C12: an unload, one for later and a last call; exactly one takes the extension away.
#[test]
fn of_two_unloads_and_a_last_call_one_takes_it_away() {
    check(|apps| {
        let (handle, weak) = one(apps);
        let other = handle.try_clone().expect("there is room for two");
        let inside = weak.enter().expect("it is live");
        let ((), (later, now)) = both(
            move || {
                call(&inside);
            },
            move || both(move || other.unload_later(), move || handle.unload()),
        );
        // A refused unload gives its handle back, which is dropped here.
        match now {
            Ok(now) => assert!((now, later) == (1, 0) || (now, later) == (0, 1), "{now} {later}"),
            Err(refused) => assert_eq!((later, refused.handle.uses()), (1, 1)),
        }
        assert_eq!(try_call(weak), Err(Error::Died));
    });
}

/// C12: a handle is dropped while a call runs: the call ends the extension, unless somebody found it before.
#[test]
fn who_finds_an_extension_that_only_a_call_keeps_keeps_it() {
    check(|apps| {
        let (handle, weak) = one(apps);
        let inside = weak.enter().expect("it is live");
        drop(handle);
        let ((), found) = both(move || drop(inside), || apps.find("a"));
        match found {
            Some(found) => assert_eq!((call(&found), found.uses()), (0, 1)),
            None => assert_eq!(try_call(weak), Err(Error::Died)),
        }
    });
}

/// C12: waiting and leaving for later at once: both end, one takes the extension away.
#[test]
fn an_unload_that_waits_and_one_for_later_both_end() {
    check(|apps| {
        let (handle, weak) = one(apps);
        let other = handle.try_clone().expect("there is room for two");
        let (called, (later, waited)) = both(
            move || try_call(weak),
            move || both(move || other.unload_later(), move || handle.unload_within(Duration::MAX)),
        );
        assert!(missed(&called), "{called:?}");
        let left = (later, waited.expect("calls end"));
        assert!(left == (0, 1) || left == (1, 0), "{left:?}");
        assert_eq!(try_call(weak), Err(Error::Died));
    });
}
