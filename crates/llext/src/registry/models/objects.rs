//! Objects of the host's that belong to an extension.

use super::checker::{both, check};
use super::loading::load;
use super::world::{A, call};
use crate::error::Error;
use core::cell::Cell;
use std::thread_local;

thread_local! {
    static REVOKED: Cell<u32> = const { Cell::new(0) };
}

fn revoke(argument: usize) {
    assert_eq!(argument, 7);
    REVOKED.set(REVOKED.get() + 1);
}

/// C7: an object is released by its owner or revoked by the unload, never both nor neither.
#[test]
fn releasing_an_object_races_with_its_revocation() {
    check(|apps| {
        REVOKED.set(0);
        let handle = load(A).run(apps).expect("nothing is loaded yet");
        let object = handle.own_revocable("timer", revoke, 7).expect("there is room for one");
        let (was_tied, ()) = both(move || object.release(), || drop(handle));
        assert_eq!(REVOKED.get(), u32::from(!was_tied));
    });
}

/// C7: an object that keeps the extension is tied to it, and keeps it, or the extension is gone.
#[test]
fn tying_an_object_races_with_unloading() {
    check(|apps| {
        let handle = load(A).run(apps).expect("nothing is loaded yet");
        let weak = handle.downgrade();
        let (object, left) = both(move || weak.own("timer"), || handle.unload());
        match (&object, left) {
            (Ok(_), Err(refused)) => {
                assert!(matches!(refused.error, Error::InUse { .. }), "{refused}");
                assert_eq!((call(&refused.handle), refused.handle.objects().count()), (0, 1));
            }
            (Err(error), Ok(0)) => assert_eq!(*error, Error::Died),
            (object, left) => std::panic!("{object:?} {left:?}"),
        }
    });
}

/// C7: an object that can be revoked is tied before the extension goes, and revoked; or it is refused.
#[test]
fn tying_a_revocable_object_races_with_unloading() {
    check(|apps| {
        REVOKED.set(0);
        let handle = load(A).run(apps).expect("nothing is loaded yet");
        let weak = handle.downgrade();
        let (object, left) = both(move || weak.own_revocable("timer", revoke, 7), || handle.unload());
        // For a moment, tying holds the extension: an unload that meets it is refused, and the handle dropped here.
        drop(left);
        assert_eq!(REVOKED.get(), u32::from(object.is_ok()));
    });
}

/// C10: an object of an extension that is gone does not untie one of the next extension in the slot.
#[test]
fn releasing_a_stale_object_races_with_tying_anew() {
    check(|apps| {
        REVOKED.set(0);
        let old = load(A).run(apps).expect("nothing is loaded yet");
        let stale = old.own_revocable("timer", revoke, 7).expect("there is room for one");
        drop(old);
        let (was_tied, (new, object)) = both(
            move || stale.release(),
            move || {
                let new = load(A).run(apps).expect("the name is free");
                let object = new.own_revocable("timer", revoke, 7).expect("there is room for one");
                (new, object)
            },
        );
        assert_eq!((was_tied, object.release()), (false, true));
        drop(new);
        assert_eq!(REVOKED.get(), 1);
    });
}
