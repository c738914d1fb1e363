//! Finding, counting, giving up.

use super::checker::{both, check};
use super::ledger;
use super::loading::load;
use super::world::{A, B, call};
use crate::error::Error;

/// C1: who finds an extension has it, also when its last handle goes at that moment.
#[test]
fn finding_races_with_unloading() {
    check(|apps| {
        let handle = load(A).run(apps).expect("nothing is loaded yet");
        let (found, left) = both(move || apps.find("a").map(|found| call(&found)), || handle.unload());
        match left {
            Ok(left) => assert!(left <= 1 && (left == 0 || found.is_some())),
            Err(refused) => std::panic!("only handles keep it: {refused}"),
        }
    });
}

/// C1: an address leads to an extension only while that is there.
#[test]
fn finding_by_address_races_with_unloading() {
    check(|apps| {
        let handle = load(A).run(apps).expect("nothing is loaded yet");
        let address = handle.block.body().address();
        let look = move || apps.find_at(address).map(|weak| weak.upgrade().map(|handle| call(&handle)));
        let (looked, ()) = both(look, || drop(handle));
        assert!(matches!(looked, None | Some(Ok(0) | Err(Error::Died | Error::Busy { .. }))), "{looked:?}");
        assert!(apps.find_at(address).is_none());
    });
}

/// C1: a reference that keeps nothing becomes a handle, or is told that it cannot.
#[test]
fn upgrading_races_with_the_last_drop() {
    check(|apps| {
        let handle = load(A).run(apps).expect("nothing is loaded yet");
        let weak = handle.downgrade();
        let (upgraded, ()) = both(move || weak.upgrade().map(|handle| call(&handle)), || drop(handle));
        assert!(matches!(upgraded, Ok(0) | Err(Error::Died)), "{upgraded:?}");
        assert_eq!(weak.upgrade().err(), Some(Error::Died));
    });
}

/// C10: every handle is given up once, and one of them is the last.
#[test]
fn of_two_unloads_one_is_the_last() {
    check(|apps| {
        let one = load(A).run(apps).expect("nothing is loaded yet");
        let other = one.try_clone().expect("there is room for two");
        let left = both(
            move || {
                call(&one);
                one.unload().expect("nothing but handles keeps it")
            },
            move || {
                call(&other);
                other.unload().expect("nothing but handles keeps it")
            },
        );
        assert!(left == (0, 1) || left == (1, 0), "{left:?}");
    });
}

/// C10: a count goes up and down at the same time, and ends where it was.
#[test]
fn cloning_races_with_dropping() {
    check(|apps| {
        let one = load(A).run(apps).expect("nothing is loaded yet");
        let other = one.try_clone().expect("there is room for two");
        let ((), third) = both(
            move || {
                call(&other);
                drop(other);
            },
            || one.try_clone().expect("there is room for three"),
        );
        assert_eq!((one.uses(), call(&third)), (2, 0));
    });
}

/// C10: a stale reference never reaches the next extension in the slot, though that has the same name.
#[test]
fn a_stale_reference_never_reaches_the_next_generation() {
    check(|apps| {
        let old = load(A).run(apps).expect("nothing is loaded yet");
        let weak = old.downgrade();
        let (reached, new) = both(
            move || weak.upgrade().map(|handle| call(&handle)),
            move || {
                drop(old);
                load(A).patient().run(apps).expect("the name is free, or the old one still live")
            },
        );
        assert!(matches!(reached, Ok(0) | Err(Error::Died | Error::Busy { .. })), "{reached:?}");
        drop(new);
        assert_eq!(weak.upgrade().err(), Some(Error::Died));
    });
}

/// C10: nor does it reach another name's extension that took the slot.
#[test]
fn a_stale_reference_never_reaches_a_neighbour() {
    check(|apps| {
        let old = load(A).run(apps).expect("nothing is loaded yet");
        let weak = old.downgrade();
        let (reached, new) = both(
            move || weak.upgrade().map(|handle| call(&handle)),
            move || {
                drop(old);
                load(B).run(apps).expect("there is a slot")
            },
        );
        assert!(matches!(reached, Ok(0) | Err(Error::Died | Error::Busy { .. })), "{reached:?}");
        assert_eq!(Some(call(&new)), ledger::latest(B).map(|body| body.number));
    });
}
