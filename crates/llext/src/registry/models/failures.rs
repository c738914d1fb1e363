//! Coming up, and failing to.

use super::checker::{both, check};
use super::ledger;
use super::loading::load;
use super::world::{A, call};
use crate::error::{Error, Name};

/// C6: nobody finds an extension before its constructors have run.
#[test]
fn finding_races_with_constructors() {
    check(|apps| {
        let (found, loaded) = both(move || apps.find("a").map(|found| call(&found)), || load(A).run(apps));
        assert!(matches!(found, None | Some(0)));
        assert!(loaded.is_ok_and(|handle| handle.uses() == 1));
    });
}

/// C6: an extension that says no is never found, and leaves nothing.
#[test]
fn finding_races_with_a_constructor_that_fails() {
    check(|apps| {
        let look = move || (apps.find("a").is_some(), apps.iter().count());
        let (found, loaded) = both(look, || load(A).failing().run(apps));
        assert_eq!((found, loaded.err()), ((false, 0), Some(init_failed())));
    });
}

/// C6: who waits for a load that fails loads instead, and each extension comes up and goes down once.
#[test]
fn who_waits_for_a_load_that_fails_loads() {
    check(|apps| {
        let (failed, loaded) =
            both(move || load(A).failing().patient().run(apps), || load(A).patient().run(apps));
        let loaded = loaded.expect("the name is free again");
        // Coming second, the other load found this one's extension.
        let was_second = failed.as_ref().is_ok_and(|handle| !handle.is_first());
        assert!(was_second || failed.err() == Some(init_failed()));
        assert_eq!((loaded.is_first(), call(&loaded)), (true, usize::from(!was_second)));
    });
}

/// C6: what is found by its address while it fails cannot be called, but objects may be tied to it: they keep it until
/// they are let go, by whoever lets go last.
#[test]
fn tying_an_object_races_with_a_constructor_that_fails() {
    check(|apps| {
        let tie = move || {
            let address = ledger::latest(A)?.address();
            let weak = apps.find_at(address)?;
            assert!(weak.enter().is_err());
            weak.own("timer").ok()
        };
        let (object, loaded) = both(tie, || load(A).failing().run(apps));
        assert_eq!(loaded.err(), Some(init_failed()));
        let is_kept = ledger::latest(A).is_some_and(|body| !body.is_released());
        assert_eq!(is_kept, object.is_some());
        drop(object);
    });
}

/// What a load of a failing [`A`] ends with.
fn init_failed() -> Error {
    Error::InitFailed { name: Name::new(b"a"), status: 1 }
}
