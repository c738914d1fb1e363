//! Calls: what keeps an extension while one runs, and what an unload does about it.

use crate::kit::{App, HOST, Int, acting, apps, call, is_empty, load, noted, object};
use core::cell::{Cell, RefCell};
use llext::Error;
use llext::error::Name;

/// Ends with 2 in the log; `busy` acts.
pub(crate) const APP: &str = "int probe(void) { return 42; } int busy(void) { return act(0) + 1; }
    __attribute__((destructor)) static void down(void) { note(2); }";

/// In use by so many calls and nothing else.
pub(crate) fn in_calls(calls: u32) -> Error {
    Error::InUse { dependents: 0, objects: 0, calls, first: Name::EMPTY }
}

#[test]
fn an_unload_during_a_call_is_refused_and_the_handle_comes_back() {
    let apps = apps();
    let app = load(&apps, "app", object(APP)).unwrap();
    let (guard, other) = (app.downgrade().enter().unwrap(), app.downgrade().enter().unwrap());
    let refused = app.unload().unwrap_err();
    assert_eq!(refused.error, in_calls(2));
    // Nothing has changed: it is found, entered and called.
    assert_eq!((call(&refused.handle, "probe"), apps.find("app").map(|app| app.uses())), (42, Some(2)));
    drop((guard, other));
    assert_eq!((noted(), refused.handle.unload().ok(), noted()), (vec![], Some(0), vec![2]));
    is_empty(&apps);
}

#[test]
fn only_the_last_handle_is_refused() {
    let apps = apps();
    let app = load(&apps, "app", object(APP)).unwrap();
    let other = app.try_clone().unwrap();
    let _guard = app.downgrade().enter().unwrap();
    assert_eq!(app.unload().unwrap(), 1);
    assert_eq!(other.unload().unwrap_err().error, in_calls(1));
}

#[test]
fn a_guard_leads_to_the_extension_as_a_handle_does() {
    let apps = apps();
    let app = load(&apps, "app", object(APP)).unwrap();
    let guard = app.downgrade().enter().unwrap();
    // SAFETY: `probe` has this type.
    assert_eq!(unsafe { guard.symbol::<Int>("probe") }.unwrap().call(()), 42);
    assert_eq!((guard.name(), guard.address("busy")), (app.name(), app.address("busy")));
}

#[test]
fn a_call_that_drops_the_last_handle_of_its_own_extension_is_not_cut_short() {
    let apps = apps();
    let app = load(&apps, "app", object(APP)).unwrap();
    let weak = app.downgrade();
    let app = Cell::new(Some(app));
    let acts = |_| {
        drop(app.take());
        noted().len() as i32
    };
    let answer = acting(&acts, || {
        let guard = weak.enter().unwrap();
        // SAFETY: `busy` has this type.
        unsafe { guard.symbol::<Int>("busy") }.unwrap().call(())
    });
    // Its destructors had not run by then, and did when the call was over.
    assert_eq!((answer, noted()), (1, vec![2]));
    assert_eq!(weak.enter().err(), Some(Error::Died));
    is_empty(&apps);
}

#[test]
fn a_call_that_unloads_its_own_extension_is_refused() {
    let apps = apps();
    let app = load(&apps, "app", object(APP)).unwrap();
    // SAFETY: `busy` has this type.
    let busy = unsafe { app.function::<Int>("busy") }.unwrap();
    let weak = busy.downgrade();
    drop(busy);
    let (app, error) = (Cell::new(Some(app)), RefCell::new(None));
    let acts = |_| {
        let refused = app.take().unwrap().unload().unwrap_err();
        *error.borrow_mut() = Some(refused.error);
        app.set(Some(refused.handle));
        9
    };
    assert_eq!(acting(&acts, || weak.call(())), Ok(10));
    assert_eq!(error.take(), Some(in_calls(1)));
    assert_eq!(app.take().unwrap().unload().unwrap(), 0);
}

#[test]
fn a_call_that_unloads_its_own_extension_later_ends_it_when_it_returns() {
    let apps = apps();
    let app = load(&apps, "app", object(APP)).unwrap();
    // SAFETY: `busy` has this type.
    let weak = unsafe { app.function::<Int>("busy") }.unwrap().downgrade();
    let app = Cell::new(Some(app));
    let acts = |_| app.take().unwrap().unload_later() as i32 + noted().len() as i32;
    assert_eq!(acting(&acts, || weak.call(())), Ok(1));
    assert_eq!((noted(), weak.call(())), (vec![2], Err(Error::Died)));
    is_empty(&apps);
}

#[test]
fn a_function_keeps_its_extension_by_a_use_of_its_own() {
    let apps = apps();
    let app = load(&apps, "app", object(APP)).unwrap();
    // SAFETY: `probe` has this type.
    let function = unsafe { app.function::<Int>("probe") }.unwrap();
    assert_eq!(app.unload().unwrap(), 1);
    assert_eq!((function.call(()), function.handle().uses(), noted()), (42, 1, vec![]));
    drop(function);
    assert_eq!(noted(), [2]);
    is_empty(&apps);
}

#[test]
fn a_weak_function_calls_as_long_as_its_extension_lives() {
    let apps = apps();
    let app = load(&apps, "app", object(APP)).unwrap();
    // SAFETY: `probe` has this type.
    let weak = unsafe { app.function::<Int>("probe") }.unwrap().downgrade();
    assert_eq!((weak.call(()), weak.try_call(()), app.uses()), (Ok(42), Ok(42), 1));
    app.unload().unwrap();
    assert_eq!((weak.call(()), weak.try_call(())), (Err(Error::Died), Err(Error::Died)));
}

#[test]
fn what_referred_to_an_extension_does_not_take_its_successor_for_it() {
    let apps = apps();
    // SAFETY: the sources of these tests are in these tests.
    let load = || unsafe { apps.loader(&HOST).load("app", object(APP)) }.unwrap();
    let first = load();
    let weak = first.downgrade();
    // SAFETY: `probe` has this type.
    let function = unsafe { first.function::<Int>("probe") }.unwrap().downgrade();
    let object = first.own_revocable("timer", |_| {}, 0).unwrap();
    first.unload().unwrap();
    for _ in 0..3 {
        // The same slot, the same name, the same place in memory.
        let second = load();
        assert_eq!((weak.upgrade().err(), weak.enter().err()), (Some(Error::Died), Some(Error::Died)));
        assert_eq!((function.call(()), weak.own("timer").err()), (Err(Error::Died), Some(Error::Died)));
        assert_eq!((second.uses(), second.unload().unwrap()), (1, 0));
    }
    let second = load();
    assert!(!object.release());
    assert_eq!(second.unload().unwrap(), 0);
}

#[test]
fn a_weak_reference_becomes_a_handle_while_the_extension_lives() {
    let apps = apps();
    let app = load(&apps, "app", object(APP)).unwrap();
    let weak = app.downgrade();
    let other: App<'_> = weak.upgrade().unwrap();
    assert_eq!((other.uses(), other.is_first(), app.unload().unwrap()), (2, false, 1));
    drop(other);
    assert_eq!(weak.upgrade().err(), Some(Error::Died));
}
