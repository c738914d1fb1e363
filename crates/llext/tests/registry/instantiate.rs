//! A shared object that is linked once and instantiated again: every instance is as after a load of its own.

use crate::kit::{
    App, Apps, HOST, apps, call, in_use, init_failed, is_empty, is_noted, live, load, noted, object, shared,
};
use llext::Error;
use llext::error::Name;
use llext::memory::MemoryError;

/// Counts in its own variables: with a value, without one, and one that holds an address; and says when it comes and goes.
const COUNTS: &str = "extern int atexit(void (*)(void));
    int count = 40, constructed;
    int *address = &count;
    static void end(void) { note(-count); }
    __attribute__((constructor)) static void up(void) { atexit(end); note(++constructed); }
    __attribute__((destructor)) static void down(void) { note(count); }
    int probe(void) { return ++*address; }";

/// Loads an extension so that it can be instantiated.
fn first<'r>(apps: &'r Apps, name: &str, bytes: &'static [u8], needs: &[&App<'r>]) -> App<'r> {
    let loader = apps.loader(&HOST).keep_initial_data(true);
    let loader = needs.iter().fold(loader, |loader, provider| loader.needs(provider));
    // SAFETY: the sources of these tests are in these tests.
    unsafe { loader.load(name, bytes) }.unwrap()
}

fn again<'r>(apps: &'r Apps, name: &str, of: &App<'r>) -> Result<App<'r>, Error> {
    // SAFETY: as above; each may be there twice.
    unsafe { apps.loader(&HOST).instantiate(name, of) }
}

fn address(app: &App<'_>, name: &[u8]) -> usize {
    app.exports().find(|(export, _)| *export == name).map(|(_, address)| address).unwrap()
}

#[test]
fn every_instance_begins_with_fresh_variables_of_its_own() {
    let apps = apps();
    let left = first(&apps, "left", shared(COUNTS), &[]);
    assert_eq!([call(&left, "probe"), call(&left, "probe")], [41, 42]);
    let right = again(&apps, "right", &left).unwrap();
    is_noted(&[1, 1]);
    assert_eq!([&left, &right].map(|app| (app.is_first(), app.uses())), [(true, 1); 2]);
    assert_eq!([&right, &left, &right].map(|app| call(app, "probe")), [41, 43, 42]);
    // Of an instance as of what was loaded, and the first may be gone by then.
    drop(left);
    is_noted(&[-43, 43]);
    let third = again(&apps, "third", &right).unwrap();
    is_noted(&[1]);
    assert_eq!(live(&apps), ["right", "third"]);
    assert_eq!([&right, &third].map(|app| call(app, "probe")), [43, 41]);
    drop(right);
    is_noted(&[-43, 43]);
    assert_eq!((third.unload().unwrap(), noted()), (0, vec![-41, 41]));
    is_empty(&apps);
}

#[test]
fn an_instance_is_as_large_as_the_first_and_lies_elsewhere() {
    let apps = apps();
    let left = first(&apps, "left", shared(COUNTS), &[]);
    let before = in_use(&apps);
    let right = again(&apps, "right", &left).unwrap();
    assert_eq!(in_use(&apps), 2 * before);
    for name in [&b"count"[..], b"probe"] {
        let places = [&left, &right].map(|app| apps.locate(address(app, name)).unwrap());
        assert_eq!(places.map(|place| place.extension), [left.name(), right.name()]);
        assert_eq!((places[0].part, places[0].offset), (places[1].part, places[1].offset));
    }
    noted();
}

#[test]
fn listed_exports_are_those_of_the_instance() {
    let source = "struct entry { const char *name; void *address; }; static int count = 6;
        int probe(void) { return ++count; }
        __attribute__((section(\".exported_sym\"), used)) static const struct entry listed = { \"listed\", probe };";
    let apps = apps();
    let left = first(&apps, "left", shared(source), &[]);
    let right = again(&apps, "right", &left).unwrap();
    let exports = |app: &App<'_>| app.exports().map(|(name, _)| name.to_vec()).collect::<Vec<_>>();
    assert_eq!([exports(&left), exports(&right)], [[b"listed"], [b"listed"]]);
    assert_eq!([&left, &left, &right].map(|app| call(app, "listed")), [7, 8, 7]);
    assert_eq!(apps.locate(address(&right, b"listed")).unwrap().extension, right.name());
}

#[test]
fn an_instance_uses_what_the_first_uses_and_holds_it() {
    let apps = apps();
    let base = load(&apps, "base", object("int base(void) { return 40; }")).unwrap();
    let source = "extern int base(void); extern __attribute__((weak)) int absent(void); int calls;
        int probe(void) { return base() + ++calls + (absent ? 100 : 0); }";
    let left = first(&apps, "left", shared(source), &[&base]);
    // What appears later is nobody's business: an instance is linked as the first is.
    let absent = load(&apps, "absent", object("int base(void) { return 0; } int absent(void) { return 1; }"));
    let right = again(&apps, "right", &left).unwrap();
    drop((absent, base));
    assert_eq!(right.dependencies().collect::<Vec<_>>(), [Name::new(b"base")]);
    assert_eq!([&left, &left, &right].map(|app| call(app, "probe")), [41, 42, 41]);
    drop(left);
    assert_eq!((live(&apps), call(&right, "probe")), (vec!["base".into(), "right".into()], 42));
    drop(right);
    is_empty(&apps);
}

#[test]
fn what_a_provider_on_its_way_down_provides_is_not_used_once_more() {
    let apps = apps();
    let base = load(&apps, "base", object("int base(void) { return 40; }")).unwrap();
    let file = shared("extern int base(void); int probe(void) { return base(); }");
    let left = first(&apps, "left", file, &[&base]);
    let before = in_use(&apps);
    base.unload_later();
    let refused = again(&apps, "right", &left).err();
    assert_eq!(refused, Some(Error::Busy { name: Name::new(b"base") }));
    assert_eq!((in_use(&apps), call(&left, "probe")), (before, 40));
    drop(left);
    is_empty(&apps);
}

#[test]
fn a_name_that_is_live_is_taken() {
    let apps = apps();
    let left = first(&apps, "left", shared(COUNTS), &[]);
    let right = again(&apps, "right", &left).unwrap();
    let before = in_use(&apps);
    for (name, of) in [("left", &left), ("right", &left), ("left", &right)] {
        assert_eq!(again(&apps, name, of).err(), Some(Error::Exists { name: Name::new(name.as_bytes()) }));
    }
    // SAFETY: as above.
    let same = unsafe { apps.loader(&HOST).same_name_is_enough(true).instantiate("right", &left) }.unwrap();
    assert_eq!((same.is_first(), right.uses(), in_use(&apps)), (false, 2, before));
    noted();
}

#[test]
fn what_was_not_kept_or_lives_elsewhere_is_refused() {
    let (apps, others) = (apps(), apps());
    let refused = Some(Error::NotInstantiable { name: Name::new(b"left") });
    for (bytes, keep) in [(object(COUNTS), true), (object(COUNTS), false), (shared(COUNTS), false)] {
        // SAFETY: the source is above.
        let left = unsafe { apps.loader(&HOST).keep_initial_data(keep).load("left", bytes) }.unwrap();
        let before = in_use(&apps);
        assert_eq!((again(&apps, "right", &left).err(), in_use(&apps)), (refused, before));
    }
    let left = first(&apps, "left", shared(COUNTS), &[]);
    // SAFETY: it is refused.
    let foreign = unsafe { others.loader(&HOST).instantiate("right", &left) }.err();
    assert_eq!(foreign, Some(Error::ForeignProvider));
    drop(left);
    noted();
    is_empty(&apps);
    is_empty(&others);
}

#[test]
fn an_instance_that_says_no_leaves_nothing() {
    let source = "static int calls; int llext_init(void) { note(++calls); return act(calls); }
        int probe(void) { return ++calls; }";
    let apps = apps();
    let left = first(&apps, "left", shared(source), &[]);
    let before = in_use(&apps);
    let refused = crate::kit::acting(&|calls| calls + 4, || again(&apps, "right", &left).err());
    assert_eq!((refused, in_use(&apps)), (Some(init_failed("right", 5)), before));
    let right = again(&apps, "right", &left).unwrap();
    assert_eq!((noted(), call(&right, "probe")), (vec![1, 1, 1], 2));
}

#[test]
fn constructors_wait_where_the_loader_says_so() {
    let apps = apps();
    let left = first(&apps, "left", shared(COUNTS), &[]);
    is_noted(&[1]);
    // SAFETY: as above.
    let right = unsafe { apps.loader(&HOST).bring_up(false).instantiate("right", &left) }.unwrap();
    assert_eq!((right.phase(), noted()), (llext::Phase::Loaded, vec![]));
    right.bringup().unwrap();
    is_noted(&[1]);
    drop((left, right));
    noted();
}

#[test]
fn memory_that_refuses_once_or_for_ever_leaves_everything_as_it_was() {
    let apps = apps();
    let base = load(&apps, "base", object("int base(void) { return 40; }")).unwrap();
    let source = format!("extern int base(void); int (*at)(void) = base; {COUNTS}");
    let left = first(&apps, "left", shared(&source), &[&base]);
    let before = in_use(&apps);
    noted();
    // SAFETY: the closure tells the memory what to refuse.
    let refuse = |numbers| unsafe { apps.with_memory(|memory| memory.refuse(numbers)) };
    for last in [1, usize::MAX] {
        let failed = (0..).take_while(|number| {
            refuse(*number..last.saturating_add(*number));
            let made = again(&apps, "right", &left).map(drop);
            refuse(0..0);
            let Err(error) = made else { return false };
            assert!(matches!(error, Error::Memory { error: MemoryError::Refused { os: 12, .. } }), "{error}");
            assert_eq!(
                (live(&apps), in_use(&apps), noted()),
                (vec!["base".into(), "left".into()], before, vec![])
            );
            assert_eq!((base.dependents().count(), left.uses()), (1, 1));
            true
        });
        assert!(failed.count() > 4, "it is reserved, filled and sealed");
        is_noted(&[1, -40, 40]);
    }
    assert_eq!(in_use(&apps), before);
    drop(left);
    assert_eq!((base.unload().unwrap(), noted()), (0, vec![-40, 40]));
}
