//! Visiting all live extensions: in load order, each kept while it is visited, and free to go.

use crate::kit::{App, Apps, apps, call, is_empty, live, load, object, text};

fn load_all<'r>(apps: &'r Apps, names: &[&str]) -> Vec<App<'r>> {
    let bytes = object("int probe(void) { return 42; }");
    names.iter().map(|name| load(apps, name, bytes).unwrap()).collect()
}

#[test]
fn visits_follow_the_load_order() {
    let apps = apps();
    let mut handles = load_all(&apps, &["a", "b", "c"]);
    drop(handles.remove(0));
    // `d` takes the slot that `a` left.
    handles.extend(load_all(&apps, &["d"]));
    assert_eq!(live(&apps), ["b", "c", "d"]);
}

#[test]
fn a_visit_is_a_use() {
    let apps = apps();
    let handles = load_all(&apps, &["a"]);
    for app in apps.iter() {
        assert_eq!((app.uses(), app.is_first(), call(&app, "probe")), (2, false, 42));
    }
    assert_eq!(handles[0].uses(), 1);
}

#[test]
fn what_is_visited_may_be_unloaded() {
    let apps = apps();
    let mut handles = load_all(&apps, &["a", "b", "c", "d"]).into_iter();
    let mut visited = Vec::new();
    for app in apps.iter() {
        visited.push(text(app.name()));
        drop(handles.next());
        assert_eq!(app.unload().unwrap(), 0);
        assert!(apps.find(visited.last().unwrap()).is_none());
    }
    assert_eq!(visited, ["a", "b", "c", "d"]);
    is_empty(&apps);
}

#[test]
fn what_goes_before_its_turn_is_left_out() {
    let apps = apps();
    let mut handles = load_all(&apps, &["a", "b", "c"]);
    let mut visits = apps.iter();
    assert_eq!(visits.next().map(|app| text(app.name())).as_deref(), Some("a"));
    drop(handles.remove(1));
    let guard = handles[1].downgrade().enter().unwrap();
    handles.remove(1).unload_later();
    assert!(visits.next().is_none(), "`b` is gone, and `c` is going");
    drop(guard);
}

#[test]
fn what_comes_during_a_visit_is_not_visited() {
    let apps = apps();
    let _handles = load_all(&apps, &["a", "b"]);
    let mut more = Vec::new();
    for (count, app) in apps.iter().enumerate() {
        assert!(count < 2, "{}", text(app.name()));
        more.extend(load_all(&apps, &[["c", "d"][count]]));
    }
    assert_eq!(live(&apps), ["a", "b", "c", "d"]);
}

#[test]
fn a_visitor_may_stop_and_two_may_visit_at_once() {
    let apps = apps();
    let handles = load_all(&apps, &["a", "b", "c"]);
    let pairs: Vec<_> =
        apps.iter().zip(apps.iter().skip(1)).map(|(a, b)| text(a.name()) + &text(b.name())).collect();
    assert_eq!(pairs, ["ab", "bc"]);
    assert!(handles.iter().all(|app| app.uses() == 1));
}
