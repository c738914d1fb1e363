//! Calls from where nothing may be freed.

use super::checker::{both, check};
use super::ledger;
use super::loading::load;
use super::world::{A, AppWeak, call};
use crate::error::Error;

/// A call from an interrupt: none of what ends an extension happens here.
fn interrupt(weak: AppWeak) -> Result<usize, Error> {
    ledger::interrupt();
    weak.try_enter().map(|guard| call(&guard))
}

/// C15: an interrupt calls an extension that goes: it never frees it, and the main loop does, once.
#[test]
fn a_call_from_an_interrupt_never_frees() {
    check(|apps| {
        let handle = load(A).run(apps).expect("nothing is loaded yet");
        let weak = handle.downgrade();
        let (called, reaped) = both(
            move || interrupt(weak),
            || {
                handle.unload_later();
                apps.reap()
            },
        );
        assert!(matches!(called, Ok(0) | Err(Error::Died | Error::Busy { .. })), "{called:?}");
        assert!(reaped + apps.reap() <= 1);
        assert_eq!(weak.enter().err(), Some(Error::Died));
    });
}

/// C15: the interrupt is the last; two who reap take the extension away once.
#[test]
fn what_an_interrupt_left_is_reaped_once() {
    check(|apps| {
        let handle = load(A).run(apps).expect("nothing is loaded yet");
        let weak = handle.downgrade();
        let (called, (one, other)) = both(
            move || interrupt(weak),
            move || {
                drop(handle);
                both(move || apps.reap(), || apps.reap())
            },
        );
        assert!(matches!(called, Ok(0) | Err(Error::Died | Error::Busy { .. })), "{called:?}");
        assert!(one + other + apps.reap() <= 1);
    });
}

/// C15: an interrupt lets an extension go that somebody finds at that moment: it is there, or it waits to be reaped.
#[test]
fn an_interrupt_that_is_last_races_with_finding() {
    check(|apps| {
        let handle = load(A).run(apps).expect("nothing is loaded yet");
        let weak = handle.downgrade();
        let guard = weak.try_enter().expect("it is live");
        drop(handle);
        let last = move || {
            ledger::interrupt();
            call(&guard)
        };
        let (called, found) = both(last, || apps.find("a").map(|handle| call(&handle)));
        assert_eq!((called, found.unwrap_or(0)), (0, 0));
        apps.reap();
    });
}
