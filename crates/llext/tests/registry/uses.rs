//! Use counts: every handle is one, and the last one gone is the unload.

use crate::kit::{App, Int, apps, call, in_use, is_empty, live, load, load_with, noted, object, text};
use llext::registry::{MAX_HOLDS, MAX_USES};
use llext::source::Static;
use llext::{Error, Handle};

/// Notes 1 when it comes and 2 when it goes.
const NOTES: &str = "__attribute__((constructor)) static void up(void) { note(1); }
    __attribute__((destructor)) static void down(void) { note(2); }
    int probe(void) { return 42; }";

#[test]
fn the_first_load_is_told_from_later_ones() {
    let (apps, bytes) = (apps(), Static(object(NOTES)));
    let first = load(&apps, "blink", bytes).unwrap();
    let second = load(&apps, "blink", bytes).unwrap();
    let found = apps.find("blink").unwrap();
    let cloned = first.try_clone().unwrap();
    assert_eq!(
        [&first, &second, &found, &cloned].map(|handle| handle.is_first()),
        [true, false, false, false]
    );
    assert_eq!([&first, &second, &found, &cloned].map(Handle::uses), [4; 4]);
    assert_eq!(noted(), [1]);
}

#[test]
fn an_unload_says_how_many_uses_remain_and_the_last_one_ends_the_extension() {
    let (apps, bytes) = (apps(), Static(object(NOTES)));
    let handles: Vec<App> = (0..4).map(|_| load(&apps, "blink", bytes).unwrap()).collect();
    let mut remain = Vec::new();
    for handle in handles {
        assert_eq!(noted(), if remain.is_empty() { &[1][..] } else { &[] });
        remain.push(handle.unload().unwrap());
    }
    assert_eq!(remain, [3, 2, 1, 0]);
    assert_eq!(noted(), [2]);
    is_empty(&apps);
}

#[test]
fn dropping_a_handle_is_an_unload() {
    let (apps, bytes) = (apps(), object(NOTES));
    let first = load(&apps, "blink", bytes).unwrap();
    let second = first.try_clone().unwrap();
    drop(first);
    assert_eq!((second.uses(), call(&second, "probe")), (1, 42));
    drop(second);
    assert_eq!(noted(), [1, 2]);
    is_empty(&apps);
}

#[test]
fn unloading_later_is_unloading_now_where_nothing_keeps_the_extension() {
    let (apps, bytes) = (apps(), object(NOTES));
    let first = load(&apps, "blink", bytes).unwrap();
    let second = first.try_clone().unwrap();
    assert_eq!((first.unload_later(), call(&second, "probe")), (1, 42));
    assert_eq!(second.unload_later(), 0);
    assert_eq!(noted(), [1, 2]);
    is_empty(&apps);
}

#[test]
fn what_was_unloaded_is_loaded_anew() {
    let (apps, bytes) = (apps(), Static(object(NOTES)));
    for _ in 0..3 {
        let app = load(&apps, "blink", bytes).unwrap();
        assert!(app.is_first());
        app.unload().unwrap();
        assert!(apps.find("blink").is_none());
        assert_eq!(noted(), [1, 2]);
    }
    is_empty(&apps);
}

#[test]
fn finding_gives_a_handle_that_counts() {
    let (apps, bytes) = (apps(), object(NOTES));
    let app = load(&apps, "blink", bytes).unwrap();
    let found = apps.find("blink").unwrap();
    assert_eq!(app.unload().unwrap(), 1);
    assert_eq!((call(&found, "probe"), text(found.name())), (42, "blink".to_owned()));
    assert_eq!(found.unload().unwrap(), 0);
    assert!(apps.find("blink").is_none());
}

#[test]
fn a_use_more_than_can_be_counted_is_refused() {
    let (apps, bytes) = (apps(), Static(object(NOTES)));
    let first = load(&apps, "blink", bytes).unwrap();
    let mut all: Vec<App> = (1..MAX_USES).map(|_| first.try_clone().unwrap()).collect();
    assert_eq!(first.uses(), MAX_USES);
    assert_eq!(first.try_clone().err(), Some(Error::TooManyUses));
    assert_eq!(first.downgrade().upgrade().err(), Some(Error::TooManyUses));
    assert_eq!(load(&apps, "blink", bytes).err(), Some(Error::TooManyUses));
    // SAFETY: `probe` has this type.
    assert_eq!(unsafe { first.function::<Int>("probe") }.err(), Some(Error::TooManyUses));
    assert!(apps.find("blink").is_none());
    assert_eq!(first.uses(), MAX_USES);
    all.pop();
    assert!(apps.find("blink").is_some());
}

#[test]
fn a_hold_more_than_can_be_counted_is_refused() {
    let (apps, bytes) = (apps(), object(NOTES));
    let app = load(&apps, "blink", bytes).unwrap();
    let weak = app.downgrade();
    let mut all: Vec<_> = (0..MAX_HOLDS).map(|_| weak.enter().unwrap()).collect();
    assert_eq!(weak.enter().err(), Some(Error::TooManyUses));
    assert_eq!(weak.try_enter().err(), Some(Error::TooManyUses));
    assert_eq!(app.own("timer").err(), Some(Error::TooManyUses));
    assert_eq!(load_with(&apps, "user", bytes, &[&app]).err(), Some(Error::TooManyUses));
    all.pop();
    assert!(weak.enter().is_ok());
    drop(all);
    assert_eq!((live(&apps), app.unload().unwrap()), (vec!["blink".to_owned()], 0));
    is_empty(&apps);
}

#[test]
fn every_load_takes_as_much_memory_as_the_last_and_gives_all_of_it_back() {
    let (apps, bytes) = (apps(), object(NOTES));
    let taken: Vec<usize> = (0..100)
        .map(|_| {
            let app = load(&apps, "blink", bytes).unwrap();
            let taken = in_use(&apps);
            drop(app);
            is_empty(&apps);
            taken
        })
        .collect();
    assert!(taken[0] > 0 && taken.iter().all(|bytes| *bytes == taken[0]), "{taken:?}");
}
