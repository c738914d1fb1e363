//! Bringing up and tearing down as steps of the caller's own.

use crate::kit::{App, Apps, HOST, apps, call, init_failed, is_empty, noted, object};
use core::ffi::c_void;
use llext::error::Name;
use llext::{Error, Phase};

const APP: &str = "__attribute__((constructor)) static void up(void) { note(1); }
    __attribute__((destructor)) static void down(void) { note(4); }
    int llext_init(void) { note(2); return act(0); }
    void llext_fini(void) { note(3); }
    int probe(void) { return 42; }
    void run(int *data) { note(*data); *data = 6; }";

fn load<'r>(apps: &'r Apps) -> App<'r> {
    // SAFETY: the sources of these tests are in these tests.
    unsafe { apps.loader(&HOST).bring_up(false).load("app", object(APP)) }.unwrap()
}

fn wrong(found: Phase, expected: Phase) -> Result<(), Error> {
    wrong_in("app", found, expected)
}

fn wrong_in(extension: &str, found: Phase, expected: Phase) -> Result<(), Error> {
    Err(Error::WrongPhase { name: Name::new(extension.as_bytes()), found, expected })
}

#[test]
fn a_load_without_bringing_up_runs_nothing_and_neither_does_its_end() {
    let apps = apps();
    let app = load(&apps);
    assert_eq!((app.phase(), apps.find("app").is_some(), call(&app, "probe")), (Phase::Loaded, true, 42));
    drop(app);
    assert_eq!(noted(), []);
    is_empty(&apps);
}

#[test]
fn each_step_is_taken_once_and_from_where_it_begins() {
    let apps = apps();
    let app = load(&apps);
    // SAFETY: nobody calls the extension here.
    let teardown = || unsafe { app.teardown() };
    assert_eq!(teardown(), wrong(Phase::Loaded, Phase::Up));
    assert_eq!((app.bringup(), app.phase(), noted()), (Ok(()), Phase::Up, vec![1, 2]));
    assert_eq!(app.bringup(), wrong(Phase::Up, Phase::Loaded));
    assert_eq!((teardown(), app.phase(), noted()), (Ok(()), Phase::Down, vec![3, 4]));
    assert_eq!(teardown(), wrong(Phase::Down, Phase::Up));
    assert_eq!(app.bringup(), wrong(Phase::Down, Phase::Loaded));
    drop(app);
    assert_eq!(noted(), []);
    is_empty(&apps);
}

#[test]
fn what_was_brought_up_by_a_step_is_torn_down_by_its_unload() {
    let apps = apps();
    let app = load(&apps);
    app.bringup().unwrap();
    assert_eq!(app.unload().unwrap(), 0);
    assert_eq!(noted(), [1, 2, 3, 4]);
}

#[test]
fn a_loaded_extension_is_up_unless_the_caller_said_otherwise() {
    let apps = apps();
    let app = crate::kit::load(&apps, "app", object(APP)).unwrap();
    assert_eq!((app.phase(), app.bringup()), (Phase::Up, wrong(Phase::Up, Phase::Loaded)));
}

#[test]
fn a_step_that_is_being_taken_is_not_taken_again() {
    let apps = apps();
    let app = load(&apps);
    let again = core::cell::RefCell::new(Vec::new());
    let act = |_| {
        // SAFETY: the extension is not torn down: it is not up.
        again.borrow_mut().extend([app.bringup(), unsafe { app.teardown() }]);
        0
    };
    assert_eq!(crate::kit::acting(&act, || app.bringup()), Ok(()));
    assert_eq!(again.take(), [wrong(Phase::Changing, Phase::Loaded), wrong(Phase::Changing, Phase::Up)]);
    assert_eq!(noted(), [1, 2]);
}

#[test]
fn a_bringing_up_that_says_no_is_undone_with_the_extension() {
    let apps = apps();
    let app = load(&apps);
    let brought_up = crate::kit::acting(&|_| 9, || app.bringup());
    assert_eq!((brought_up, app.phase()), (Err(init_failed("app", 9)), Phase::Failed));
    // SAFETY: nobody calls the extension here.
    assert_eq!(unsafe { app.teardown() }, wrong(Phase::Failed, Phase::Up));
    assert_eq!(noted(), [1, 2]);
    drop(app);
    assert_eq!(noted(), [4]);
    is_empty(&apps);
}

#[test]
fn a_bootstrap_brings_up_calls_and_tears_down() {
    let apps = apps();
    let app = load(&apps);
    let mut data = 5;
    // SAFETY: `run` takes a pointer to an `int`; nobody else calls the extension.
    unsafe { app.bootstrap("run", (&raw mut data).cast::<c_void>()) }.unwrap();
    assert_eq!((data, noted(), app.phase()), (6, vec![1, 2, 5, 3, 4], Phase::Down));
}

#[test]
fn a_bootstrap_that_cannot_find_its_entry_runs_nothing() {
    let apps = apps();
    let app = load(&apps);
    // SAFETY: there is no such function.
    let error = unsafe { app.bootstrap("ru", core::ptr::null_mut()) }.unwrap_err();
    assert_eq!(
        (error.to_string(), app.phase()),
        ("ru: not exported by the extension".to_owned(), Phase::Loaded)
    );
    assert_eq!(noted(), []);
}

#[test]
fn a_bootstrap_of_what_is_up_or_says_no_does_not_call_the_entry() {
    let apps = apps();
    let up = crate::kit::load(&apps, "up", object(APP)).unwrap();
    let mut data = 5;
    let data = (&raw mut data).cast::<c_void>();
    // SAFETY: `run` takes a pointer to an `int`; nobody else calls the extensions.
    let refused = unsafe { up.bootstrap("run", data) };
    assert_eq!(refused, wrong_in("up", Phase::Up, Phase::Loaded));
    let app = load(&apps);
    // SAFETY: as above.
    let refused = crate::kit::acting(&|_| 3, || unsafe { app.bootstrap("run", data) });
    assert_eq!((refused, noted()), (Err(init_failed("app", 3)), vec![1, 2, 1, 2]));
}
