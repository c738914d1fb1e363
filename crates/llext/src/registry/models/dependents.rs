//! Providers, and those who depend on them.

use super::checker::{both, check};
use super::loading::load;
use super::world::{A, B, call};
use crate::error::Error;

/// C4: a provider that is loaded against is held, or was not there.
#[test]
fn loading_against_a_provider_races_with_its_unload() {
    check(|apps| {
        let provider = load(A).run(apps).expect("nothing is loaded yet");
        let weak = provider.downgrade();
        let (dependent, left) = both(move || load(B).needing(A).run(apps), || provider.unload());
        match (&dependent, left) {
            (Ok(dependent), Ok(left)) => std::panic!("{left} uses left of what {dependent:?} needs"),
            (Ok(dependent), Err(refused)) => {
                assert!(matches!(refused.error, Error::InUse { .. }), "{refused}");
                assert_eq!((call(&refused.handle), call(dependent)), (0, 1));
                assert_eq!(dependent.dependencies().count(), 1);
            }
            (Err(error), Ok(left)) => assert_eq!((*error, left), (Error::Died, 0)),
            (Err(error), Err(refused)) => std::panic!("{error}, though {refused}"),
        }
        drop(dependent);
        assert_eq!(weak.upgrade().map(|handle| call(&handle)).err(), Some(Error::Died));
    });
}

/// C4: a provider whose handle was dropped goes with its last dependent, and after it.
#[test]
fn a_provider_goes_after_its_dependent() {
    check(|apps| {
        let provider = load(A).run(apps).expect("nothing is loaded yet");
        let dependent = load(B).needing(A).run(apps).expect("its provider is live");
        let bodies = (provider.block.body(), dependent.block.body());
        both(
            move || {
                drop(dependent);
                assert!(bodies.1.is_released());
            },
            move || {
                drop(provider);
                assert!(!bodies.0.is_released() || bodies.1.is_released(), "the provider went first");
            },
        );
        assert!(bodies.0.is_released());
    });
}

/// C4: an unload of a provider is refused with its dependent's name, or that is gone.
#[test]
fn an_unload_of_a_provider_names_its_dependent() {
    check(|apps| {
        let provider = load(A).run(apps).expect("nothing is loaded yet");
        let dependent = load(B).needing(A).run(apps).expect("its provider is live");
        let ((), left) = both(move || drop(dependent), || provider.unload());
        if let Err(refused) = left {
            let Error::InUse { dependents, objects: 0, first, .. } = refused.error else {
                std::panic!("{refused}")
            };
            assert_eq!(first.as_bytes(), if dependents == 1 { &b"b"[..] } else { b"" }, "{refused}");
            call(&refused.handle);
        }
    });
}

/// C4: a dependent goes while a load holds their provider for a moment; that goes once, with the later of them.
#[test]
fn a_provider_goes_with_the_last_that_holds_it() {
    check(|apps| {
        let provider = load(A).run(apps).expect("nothing is loaded yet");
        let dependent = load(B).needing(A).run(apps).expect("its provider is live");
        let (weak, body) = (provider.downgrade(), provider.block.body());
        drop(provider);
        let hold = move || {
            let slot = apps.pin_called(b"a").ok()??;
            body.call();
            apps.unpin(slot);
            Some(slot)
        };
        both(hold, || drop(dependent));
        assert!(body.is_released());
        assert_eq!(weak.upgrade().err(), Some(Error::Died));
    });
}

/// C4: a name settles when nobody loads or unloads it any more.
#[test]
fn a_name_settles_when_nobody_changes_it() {
    check(|apps| {
        let (loaded, settled) =
            both(move || load(A).run(apps), || apps.settles(b"a", core::time::Duration::MAX));
        assert!(settled);
        let handle = loaded.expect("nobody is in its way");
        let ((), settled) = both(move || drop(handle), || apps.settles(b"a", core::time::Duration::MAX));
        assert!(settled);
    });
}
