//! What is as it was after a restore.

use super::*;
use llext::Phase;

#[test]
fn variables_stay_and_constructors_do_not_run_again() {
    let counter = object("stay", COUNTER);
    for make in [Retained::unified, Retained::split] {
        let memory = Retained::new();
        let apps = make(&memory);
        let app = load(apps, "counter", &counter);
        assert_eq!(([call(&app, "probe"), call(&app, "probe")], heard()), ([41, 42], vec![1]));
        let regions: Vec<_> = app.regions().collect();
        let saved = save(apps, Contents::All);
        lose([app]);

        let apps = make(&memory);
        let app = restore(apps, &saved).unwrap().remove(0);
        assert_eq!((app.name().as_bytes(), app.phase(), app.uses()), (&b"counter"[..], Phase::Up, 1));
        assert_eq!((app.regions().collect::<Vec<_>>(), heard()), (regions, vec![]));
        assert_eq!((call(&app, "probe"), apps.find("counter").is_some()), (43, true));
        assert_eq!(app.exports().map(|(name, _)| name.to_vec()).collect::<Vec<_>>(), [b"probe"]);
        app.unload().unwrap();
        assert_eq!((heard(), apps.find("counter").is_none()), (vec![3, 2], true));
    }
}

#[test]
fn a_dependent_still_keeps_its_provider() {
    let (counter, user) = (object("provider", COUNTER), object("user", USER));
    let memory = Retained::new();
    let apps = memory.unified();
    // A slot before them was free again when they were loaded: their places in the registry are others afterwards.
    let other = load(apps, "other", &counter);
    let provider = load(apps, "provider", &counter);
    drop(other);
    let user_app = load(apps, "user", &user);
    assert_eq!(call(&user_app, "twice"), 42);
    let saved = save(apps, Contents::Constant);
    lose([provider, user_app]);
    heard();

    let apps = memory.unified();
    let [provider, user]: [App; 2] = restore(apps, &saved).unwrap().try_into().ok().unwrap();
    assert_eq!(user.dependencies().collect::<Vec<_>>(), [provider.name()]);
    assert_eq!(call(&user, "twice"), 44);
    let provider = provider.unload().unwrap_err().handle;
    drop(provider);
    assert_eq!((call(&user, "twice"), heard()), (46, vec![]));
    drop(user);
    assert_eq!(heard(), [3, 2]);
}

#[test]
fn a_shared_object_is_restored_as_an_object_is() {
    let flags = ["-O1", "-fPIC", "-shared", "-nostdlib", "-Wl,-soname,libcounter.so"];
    let (shared, user) = (compile("save_shared", COUNTER, &flags), object("shared_user", USER));
    let memory = Retained::new();
    let apps = memory.unified();
    let app = load(apps, "shared", &shared);
    assert_eq!(call(&app, "probe"), 41);
    let saved = save(apps, Contents::All);
    lose([app]);
    heard();

    let apps = memory.unified();
    let app = restore(apps, &saved).unwrap().remove(0);
    let user = load(apps, "user", &user);
    assert_eq!((call(&app, "probe"), call(&user, "twice")), (42, 44));
    drop((user, app));
    assert_eq!(heard(), [3, 2]);
}

#[test]
fn the_same_file_is_the_same_extension_still() {
    let counter: &'static [u8] = object("same", COUNTER).leak();
    let source = || llext::source::Static(counter);
    let memory = Retained::new();
    let apps = memory.unified();
    // SAFETY: the source is above.
    lose([unsafe { apps.loader(&HOST).load("counter", source()) }.unwrap()]);
    let saved = save(apps, Contents::Trusted);
    let apps = memory.unified();
    let app = restore(apps, &saved).unwrap().remove(0);
    // SAFETY: as above.
    let again = unsafe { apps.loader(&HOST).load("counter", source()) }.unwrap();
    assert_eq!((app.uses(), again.is_first()), (2, false));
}

#[test]
fn what_is_down_stays_down_and_what_is_not_up_can_come_up() {
    let counter = object("phases", COUNTER);
    let memory = Retained::new();
    let apps = memory.split();
    // SAFETY: the source is above.
    let waits = unsafe { apps.loader(&HOST).bring_up(false).load("waits", &counter[..]) }.unwrap();
    let ended = load(apps, "ended", &counter);
    // SAFETY: nothing of it is used afterwards.
    unsafe { ended.teardown() }.unwrap();
    let saved = save(apps, Contents::All);
    lose([waits, ended]);
    assert_eq!(heard(), [1, 3, 2]);

    let [waits, ended]: [App; 2] = restore(memory.split(), &saved).unwrap().try_into().ok().unwrap();
    assert_eq!((waits.phase(), ended.phase()), (Phase::Loaded, Phase::Down));
    waits.bringup().unwrap();
    drop((waits, ended));
    assert_eq!(heard(), [1, 3, 2]);
}

#[test]
fn memory_is_all_there_again_once_everything_is_gone() {
    let counter = object("memory", COUNTER);
    let memory = Retained::new();
    let apps = memory.split();
    // SAFETY: the closure only looks, here and below.
    let whole = unsafe { apps.with_memory(|pool| pool.largest_free()) };
    let names = ["a", "b", "c"];
    let mut all: Vec<_> = names.into_iter().map(|name| load(apps, name, &counter)).collect();
    drop(all.remove(1));
    let saved = save(apps, Contents::All);
    // SAFETY: as above.
    let in_use = unsafe { apps.with_memory(|pool| pool.in_use()) };
    lose(all);

    let apps = memory.split();
    let mut all = restore(apps, &saved).unwrap();
    // SAFETY: as above.
    assert_eq!(unsafe { apps.with_memory(|pool| pool.in_use()) }, in_use);
    all.push(load(apps, "d", &counter));
    assert_eq!(all.iter().map(|app| call(app, "probe")).collect::<Vec<_>>(), [41; 3]);
    drop(all.remove(0));
    all.push(load(apps, "e", &counter));
    drop(all);
    // SAFETY: as above.
    assert_eq!(unsafe { apps.with_memory(|pool| (pool.in_use(), pool.largest_free())) }, (0, whole));
    assert_eq!(call(&load(apps, "f", &counter), "probe"), 41);
}

#[test]
fn what_was_restored_is_saved_and_restored_again() {
    let counter = object("again", COUNTER);
    let memory = Retained::new();
    let apps = memory.unified();
    lose([load(apps, "counter", &counter)]);
    let mut saved = save(apps, Contents::All);
    for round in 0..5 {
        let apps = memory.unified();
        let app = restore(apps, &saved).unwrap().remove(0);
        assert_eq!(call(&app, "probe"), 41 + round);
        saved = save(apps, Contents::All);
        lose([app]);
    }
    heard();
    drop(restore(memory.unified(), &saved));
    assert_eq!(heard(), [3, 2]);
}

/// What it would be made of lies beside the record, which is written anew.
#[cfg(feature = "reset")]
#[test]
fn what_was_restored_is_not_instantiated() {
    let counter = compile("save_instances", COUNTER, &["-O1", "-shared", "-nostdlib"]);
    let memory = Retained::new();
    let apps = memory.unified();
    // SAFETY: the source is above.
    let app = unsafe { apps.loader(&HOST).keep_initial_data(true).load("counter", &counter[..]) }.unwrap();
    assert_eq!(call(&app, "probe"), 41);
    let saved = save(apps, Contents::All);
    lose([app]);
    let apps = memory.unified();
    let app = restore(apps, &saved).unwrap().remove(0);
    // SAFETY: it is refused.
    let again = unsafe { apps.loader(&HOST).instantiate("again", &app) }.err();
    assert_eq!(again, Some(llext::Error::NotInstantiable { name: app.name() }));
    assert_eq!(call(&app, "probe"), 42);
}

#[cfg(feature = "reset")]
#[test]
fn a_copy_of_its_variables_is_kept_too() {
    let counter = object("reset", COUNTER);
    let memory = Retained::new();
    let apps = memory.unified();
    // SAFETY: the source is above.
    let app = unsafe { apps.loader(&HOST).keep_initial_data(true).load("counter", &counter[..]) }.unwrap();
    assert_eq!(call(&app, "probe"), 41);
    let saved = save(apps, Contents::All);
    lose([app]);
    let app = restore(memory.unified(), &saved).unwrap().remove(0);
    // SAFETY: nobody else uses it.
    unsafe { app.teardown().and_then(|()| app.reset()) }.unwrap();
    app.bringup().unwrap();
    assert_eq!(call(&app, "probe"), 41);
}
