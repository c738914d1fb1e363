//! Visiting what comes and goes.

use super::checker::{both, check};
use super::loading::load;
use super::world::{A, B, call};

/// C8: who visits unloads what it visits, while somebody else unloads the same; each is there when visited.
#[test]
fn unloading_what_is_visited_races_with_unloading() {
    check(|apps| {
        let one = load(A).run(apps).expect("nothing is loaded yet");
        let other = load(B).run(apps).expect("there is a slot");
        let visit = move || {
            let mut visited = 0;
            for handle in apps.iter() {
                visited += 1 + call(&handle);
                assert!(handle.unload().is_ok(), "nothing but handles keeps it");
            }
            visited
        };
        let (visited, ()) = both(visit, move || drop((one, other)));
        assert!(visited <= 3);
    });
}

/// C8: what is loaded while somebody visits is not visited; what was live before it began is, once.
#[test]
fn visiting_races_with_loading() {
    check(|apps| {
        let one = load(A).run(apps).expect("nothing is loaded yet");
        let visit = move || {
            let mut visited = [0; 2];
            apps.iter().for_each(|handle| visited[call(&handle)] += 1);
            visited
        };
        let (visited, loaded) = both(visit, || load(B).run(apps));
        assert!(visited == [1, 0] || visited == [1, 1], "{visited:?}");
        drop((one, loaded));
    });
}

/// C8: two visit while the last handle goes: a visit keeps what it visits, and the last of all takes it away.
#[test]
fn two_visits_race_with_the_last_drop() {
    check(|apps| {
        let handle = load(A).run(apps).expect("nothing is loaded yet");
        let visit = move || apps.iter().map(|handle| call(&handle)).sum::<usize>();
        let (none, (also_none, ())) = both(visit, move || both(visit, move || drop(handle)));
        assert_eq!((none, also_none), (0, 0));
    });
}
