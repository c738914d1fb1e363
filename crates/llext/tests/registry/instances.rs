//! One file under several names: each is an instance of its own, whichever goes first.

use crate::kit::{App, Apps, apps, call, is_empty, is_noted, live, load, load_with, object, shared};
use llext::source::Static;

/// Counts in its own variables: one with a value, one without, and one that holds an address.
const COUNTS: &str = "int count = 40, constructed;
    int *address = &count;
    __attribute__((constructor)) static void up(void) { note(++constructed); }
    __attribute__((destructor)) static void down(void) { note(count); }
    int probe(void) { return ++*address; }";

/// The same bytes, which stay, under two names.
fn two<'r>(apps: &'r Apps, file: &'static [u8]) -> [App<'r>; 2] {
    ["left", "right"].map(|name| load(apps, name, Static(file)).unwrap())
}

fn files() -> [&'static [u8]; 2] {
    [object(COUNTS), shared(COUNTS)]
}

#[test]
fn every_name_has_its_own_variables() {
    for file in files() {
        let apps = apps();
        let [left, right] = two(&apps, file);
        is_noted(&[1, 1]);
        assert_eq!([&left, &right].map(|app| (app.is_first(), app.uses())), [(true, 1); 2]);
        assert_eq!([&left, &left, &right, &left].map(|app| call(app, "probe")), [41, 42, 41, 43]);
        drop([left, right]);
        is_noted(&[43, 41]);
        is_empty(&apps);
    }
}

#[test]
fn what_an_instance_exports_lies_in_it() {
    for file in files() {
        let apps = apps();
        let both = two(&apps, file);
        let variables = both.each_ref().map(|app| {
            let address = app.exports().find(|(name, _)| *name == b"count").map(|(_, address)| address);
            let address = address.unwrap();
            assert!(app.regions().any(|region| address.wrapping_sub(region.address) < region.size));
            address
        });
        assert_ne!(variables[0], variables[1]);
        assert_eq!(
            variables.map(|at| apps.locate(at).unwrap().extension),
            both.each_ref().map(|app| app.name())
        );
    }
}

#[test]
fn either_instance_may_go_first() {
    for (file, first) in files().into_iter().flat_map(|file| [(file, 0), (file, 1)]) {
        let apps = apps();
        let mut both = Vec::from(two(&apps, file));
        is_noted(&[1, 1]);
        assert_eq!(both.remove(first).unload().unwrap(), 0);
        is_noted(&[40]);
        let rest = both.remove(0);
        assert_eq!((live(&apps).len(), call(&rest, "probe"), call(&rest, "probe")), (1, 41, 42));
        assert_eq!(rest.unload().unwrap(), 0);
        is_noted(&[42]);
        is_empty(&apps);
    }
}

#[test]
fn every_instance_keeps_what_it_needs() {
    let apps = apps();
    let base = load(&apps, "base", object("int base(void) { return 40; }")).unwrap();
    let file =
        Static(object("extern int base(void); int calls; int probe(void) { return base() + ++calls; }"));
    let [left, right] = ["left", "right"].map(|name| load_with(&apps, name, file, &[&base]).unwrap());
    drop(base);
    assert_eq!([&left, &left, &right].map(|app| call(app, "probe")), [41, 42, 41]);
    drop(left);
    assert_eq!((live(&apps), call(&right, "probe")), (vec!["base".into(), "right".into()], 42));
    drop(right);
    is_empty(&apps);
}
