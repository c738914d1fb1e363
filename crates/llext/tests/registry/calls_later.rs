//! Unloads that wait for calls, and unloads that are left to the last of them.

use crate::arena::Arena;
use crate::calls::{APP, in_calls};
use crate::kit::{App, Int, SLOTS, acting, apps, is_empty, load, noted, object};
use llext::error::Name;
use llext::lock::StdRawMutex;
use llext::{Error, Weak};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

/// Long enough for what will happen.
const LONG: Duration = Duration::from_secs(60);
/// Short enough for what will not.
const SHORT: Duration = Duration::from_millis(30);

/// Returns when nobody new gets in: then an unload waits.
fn until_closed(weak: &Weak<'_, Arena, StdRawMutex, SLOTS>) {
    let start = Instant::now();
    while weak.enter().is_ok() {
        assert!(start.elapsed() < LONG, "it stays open");
        thread::yield_now();
    }
}

fn busy() -> Error {
    Error::Busy { name: Name::new(b"app") }
}

#[test]
fn an_unload_waits_for_a_call_and_then_ends_the_extension() {
    let apps = apps();
    let app = load(&apps, "app", object(APP)).unwrap();
    let weak = app.downgrade();
    let (entered, has_entered) = channel();
    thread::scope(|scope| {
        let call = scope.spawn(move || {
            let acts = |_| {
                entered.send(()).unwrap();
                until_closed(&weak);
                41
            };
            let guard = weak.enter().unwrap();
            // SAFETY: `busy` has this type.
            acting(&acts, || unsafe { guard.symbol::<Int>("busy") }.unwrap().call(()))
        });
        has_entered.recv().unwrap();
        assert_eq!(app.unload_within(LONG).unwrap(), 0);
        assert_eq!(noted(), [2], "destructors run where the unload was asked for");
        assert_eq!(call.join().unwrap(), 42);
    });
    is_empty(&apps);
}

#[test]
fn an_unload_that_waits_in_vain_gives_the_handle_back_and_opens_the_extension_again() {
    let apps = apps();
    let app = load(&apps, "app", object(APP)).unwrap();
    let weak = app.downgrade();
    let guard = weak.enter().unwrap();
    let (start, refused) = (Instant::now(), app.unload_within(SHORT).unwrap_err());
    assert_eq!(refused.error, in_calls(1));
    assert!(start.elapsed() >= SHORT);
    assert!(weak.enter().is_ok() && apps.find("app").is_some());
    drop(guard);
    assert_eq!(
        (noted(), refused.handle.unload_within(Duration::ZERO).unwrap(), noted()),
        (vec![], 0, vec![2])
    );
    is_empty(&apps);
}

#[test]
fn while_an_unload_waits_nobody_new_gets_in() {
    let apps = apps();
    let app = load(&apps, "app", object(APP)).unwrap();
    let weak = app.downgrade();
    let guard = weak.enter().unwrap();
    thread::scope(|scope| {
        let unload = scope.spawn(|| app.unload_within(LONG).map_err(|refused| refused.error));
        until_closed(&weak);
        assert_eq!([weak.enter().err(), weak.try_enter().err(), weak.own("timer").err()], [Some(busy()); 3]);
        assert_eq!(
            (weak.upgrade().err(), load(&apps, "app", object(APP)).err()),
            (Some(busy()), Some(busy()))
        );
        assert_eq!((apps.find("app").is_none(), apps.iter().count()), (true, 0));
        drop(guard);
        assert_eq!(unload.join().unwrap(), Ok(0));
    });
    is_empty(&apps);
}

#[test]
fn an_unload_of_one_handle_among_many_waits_for_nothing() {
    let apps = apps();
    let app = load(&apps, "app", object(APP)).unwrap();
    let other = app.try_clone().unwrap();
    let _guard = app.downgrade().enter().unwrap();
    assert_eq!(app.unload_within(LONG).unwrap(), 1);
    assert_eq!(other.unload_within(Duration::ZERO).unwrap_err().error, in_calls(1));
}

#[test]
fn an_unload_also_waits_for_dependents_and_host_objects() {
    let apps = apps();
    let app = load(&apps, "app", object(APP)).unwrap();
    let user = crate::kit::load_with(&apps, "user", object("int u;"), &[&app]).unwrap();
    let timer = app.own("timer").unwrap();
    let expected = Error::InUse { dependents: 1, objects: 1, calls: 0, first: Name::new(b"user") };
    let refused = app.unload_within(SHORT).unwrap_err();
    assert_eq!(refused.error, expected);
    let weak = refused.handle.downgrade();
    thread::scope(|scope| {
        let unload = scope.spawn(|| refused.handle.unload_within(LONG).map_err(|refused| refused.error));
        until_closed(&weak);
        drop((user, timer));
        assert_eq!(unload.join().unwrap(), Ok(0));
    });
    is_empty(&apps);
}

#[test]
fn an_unload_that_is_left_for_later_is_done_by_the_last_guard() {
    let apps = apps();
    let app = load(&apps, "app", object(APP)).unwrap();
    let weak = app.downgrade();
    let (one, two) = (weak.enter().unwrap(), weak.enter().unwrap());
    assert_eq!(app.unload_later(), 0);
    assert_eq!([weak.enter().err(), weak.try_enter().err(), weak.own("timer").err()], [Some(busy()); 3]);
    assert_eq!((weak.upgrade().err(), load(&apps, "app", object(APP)).err()), (Some(busy()), Some(busy())));
    assert_eq!((apps.find("app").is_none(), apps.iter().count(), apps.reap()), (true, 0, 0));
    drop(one);
    // SAFETY: `probe` has this type.
    assert_eq!(unsafe { two.symbol::<Int>("probe") }.unwrap().call(()), 42);
    assert_eq!(noted(), []);
    drop(two);
    assert_eq!((noted(), weak.enter().err()), (vec![2], Some(Error::Died)));
    is_empty(&apps);
}

#[test]
fn a_guard_of_an_interrupt_frees_nothing_and_leaves_that_to_a_reaper() {
    let apps = apps();
    let leaves: [fn(App<'_>); 2] = [|app| drop(app), |app| assert_eq!(app.unload_later(), 0)];
    for leave in leaves {
        let app = load(&apps, "app", object(APP)).unwrap();
        let (weak, guard) = (app.downgrade(), app.downgrade().try_enter().unwrap());
        leave(app);
        assert_eq!(apps.reap(), 0, "it is still entered");
        drop(guard);
        assert_eq!((noted(), weak.try_enter().err()), (vec![], Some(busy())));
        assert_eq!((apps.reap(), noted(), weak.try_enter().err()), (1, vec![2], Some(Error::Died)));
        is_empty(&apps);
    }
}

#[test]
fn what_a_reaper_takes_away_is_busy_until_then() {
    let apps = apps();
    let app = load(&apps, "app", object(APP)).unwrap();
    let weak = app.downgrade();
    // SAFETY: `busy` has this type.
    let function = unsafe { app.function::<Int>("busy") }.unwrap().downgrade();
    let app = std::cell::Cell::new(Some(app));
    let acts = |_| {
        drop(app.take());
        1
    };
    assert_eq!(acting(&acts, || function.try_call(())), Ok(2));
    assert_eq!((noted(), weak.enter().err(), apps.find("app").is_none()), (vec![], Some(busy()), true));
    assert_eq!(load(&apps, "app", object(APP)).err(), Some(busy()));
    assert_eq!((apps.reap(), noted(), apps.reap()), (1, vec![2], 0));
    assert_eq!(weak.enter().err(), Some(Error::Died));
    is_empty(&apps);
}
