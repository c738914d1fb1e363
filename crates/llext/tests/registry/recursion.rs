//! What constructors and destructors may do with the registry: they are the host's code like any other.
//!
//! | # | while it comes or goes, an extension | gets |
//! |---|---|---|
//! | 1 | loads another in its constructor | it, up and live |
//! | 2 | loads itself in its constructor | `Busy`, also after waiting |
//! | 3 | finds and calls another in its constructor | the answer |
//! | 4 | finds itself in its constructor | nothing: it is not live yet |
//! | 5 | unloads another in its constructor | its end, at once |
//! | 6 | visits all in its constructor | those that are live, without itself |
//! | 7 | enters itself by address in its constructor | `Busy` |
//! | 8 | loads what needs its symbols in its constructor | an undefined symbol: it provides nothing yet |
//! | 9 | loads another and then says no | the other stays, itself is undone |
//! | 10 | loads another in its destructor | it, up and live |
//! | 11 | loads, finds and enters itself in its destructor | `Busy`, nothing, `Died` |
//! | 12 | drops the last handle of another in its destructor | its end, at once |

use crate::kit::{
    App, Apps, HOST, acting, apps, call, init_failed, is_empty, kept, live, load, noted, object,
};
use core::cell::{Cell, RefCell};
use llext::Error;
use llext::error::Name;
use std::time::Duration;

/// Acts 1 when it comes and 2 when it goes.
const ACTS: &str = "int probe(void) { return 1; }
    __attribute__((constructor)) static void up(void) { keep(probe); act(1); }
    __attribute__((destructor)) static void down(void) { keep(probe); act(2); }";
/// Notes 1 when it comes and 2 when it goes.
const OTHER: &str = "int probe(void) { return 42; }
    __attribute__((constructor)) static void up(void) { note(1); }
    __attribute__((destructor)) static void down(void) { note(2); }";

const COMES: i32 = 1;
const GOES: i32 = 2;

/// Loads and unloads what [`ACTS`]; when it comes or goes, as `when` says, `act` is done. What that gave.
fn at<T>(apps: &Apps, when: i32, act: impl Fn() -> T) -> T {
    let gave = RefCell::new(None);
    let acts = |now| {
        if now == when {
            *gave.borrow_mut() = Some(act());
        }
        0
    };
    acting(&acts, || load(apps, "acts", object(ACTS)).unwrap().unload().unwrap());
    gave.take().expect("it has acted")
}

#[test]
fn case_1_a_constructor_loads_another() {
    let apps = apps();
    let other = at(&apps, COMES, || load(&apps, "other", object(OTHER)).unwrap());
    assert_eq!((other.is_first(), call(&other, "probe"), noted()), (true, 42, vec![1]));
    drop(other);
    is_empty(&apps);
}

#[test]
fn case_2_a_constructor_loads_itself() {
    let apps = apps();
    let again = |patience| {
        // SAFETY: the sources of these tests are in these tests.
        unsafe { apps.loader(&HOST).wait(Duration::from_millis(patience)).load("acts", object(ACTS)) }.err()
    };
    let errors = at(&apps, COMES, || [again(0), again(20)]);
    assert_eq!(errors, [Some(Error::Busy { name: Name::new(b"acts") }); 2]);
    is_empty(&apps);
}

#[test]
fn case_3_a_constructor_finds_and_calls_another() {
    let apps = apps();
    let _other = load(&apps, "other", object(OTHER)).unwrap();
    assert_eq!(at(&apps, COMES, || call(&apps.find("other").unwrap(), "probe")), 42);
}

#[test]
fn case_4_a_constructor_does_not_find_itself() {
    let apps = apps();
    assert!(at(&apps, COMES, || apps.find("acts").is_none()));
}

#[test]
fn case_5_a_constructor_unloads_another() {
    let apps = apps();
    let other = Cell::new(Some(load(&apps, "other", object(OTHER)).unwrap()));
    let (left, ended) = at(&apps, COMES, || (other.take().unwrap().unload().unwrap(), noted()));
    assert_eq!((left, ended), (0, vec![1, 2]));
    is_empty(&apps);
}

#[test]
fn case_6_a_constructor_visits_all_that_are_live() {
    let apps = apps();
    let _others = ["a", "b"].map(|name| load(&apps, name, object(OTHER)).unwrap());
    assert_eq!(at(&apps, COMES, || live(&apps)), ["a", "b"]);
}

#[test]
fn case_7_a_constructor_does_not_enter_its_own_extension() {
    let apps = apps();
    let entered = at(&apps, COMES, || {
        let own = apps.find_at(kept()).unwrap();
        [own.enter().err(), own.try_enter().err(), own.upgrade().err()]
    });
    assert_eq!(entered, [Some(Error::Busy { name: Name::new(b"acts") }); 3]);
    is_empty(&apps);
}

#[test]
fn case_8_a_constructor_s_extension_provides_nothing_yet() {
    let apps = apps();
    let user = object("extern int probe(void); int (*pointer)(void) = probe;");
    // SAFETY: the sources of these tests are in these tests.
    let load = || unsafe { apps.loader(&HOST).search_live(true).load("user", user) }.err();
    let error = at(&apps, COMES, load).unwrap();
    assert_eq!(error.to_string(), "probe: undefined symbol (1 missing in all)");
    is_empty(&apps);
}

#[test]
fn case_9_a_load_that_fails_leaves_what_its_constructor_loaded() {
    let apps = apps();
    let other: RefCell<Option<App<'_>>> = RefCell::new(None);
    let fails = object("int llext_init(void) { return act(1); }");
    let acts = |_| {
        *other.borrow_mut() = load(&apps, "other", object(OTHER)).ok();
        7
    };
    let failed = acting(&acts, || load(&apps, "fails", fails));
    assert_eq!(failed.err(), Some(init_failed("fails", 7)));
    assert_eq!((live(&apps), noted()), (vec!["other".to_owned()], vec![1]));
    drop(other);
    is_empty(&apps);
}

#[test]
fn case_10_a_destructor_loads_another() {
    let apps = apps();
    let other = at(&apps, GOES, || load(&apps, "other", object(OTHER)).unwrap());
    assert_eq!((live(&apps), call(&other, "probe")), (vec!["other".to_owned()], 42));
    drop(other);
    is_empty(&apps);
}

#[test]
fn case_11_a_destructor_neither_loads_nor_finds_nor_enters_itself() {
    let apps = apps();
    let (loaded, found, entered, visited) = at(&apps, GOES, || {
        let own = apps.find_at(kept()).unwrap();
        let entered = [own.enter().err(), own.upgrade().err(), own.own("timer").err()];
        (load(&apps, "acts", object(ACTS)).err(), apps.find("acts").is_some(), entered, live(&apps).len())
    });
    assert_eq!(loaded, Some(Error::Busy { name: Name::new(b"acts") }));
    assert_eq!((found, entered, visited), (false, [Some(Error::Died); 3], 0));
    is_empty(&apps);
}

#[test]
fn case_12_a_destructor_drops_the_last_handle_of_another() {
    let apps = apps();
    let other = Cell::new(Some(load(&apps, "other", object(OTHER)).unwrap()));
    let ended = at(&apps, GOES, || {
        drop(other.take());
        (noted(), live(&apps).len())
    });
    assert_eq!(ended, (vec![1, 2], 0));
    is_empty(&apps);
}
