//! The host's own objects (threads, timers, callbacks, interrupt handlers): while one lives its extension stays, or it is
//! revoked first.

use crate::kit::{
    acting, apps, call, init_failed, is_empty, kept, load, load_with, note, noted, object, shared, text,
};
use core::cell::RefCell;
use llext::Error;
use llext::error::Name;

/// Notes 1 when it comes and 2 when it goes.
const APP: &str = "int probe(void) { return 42; }
    __attribute__((constructor)) static void up(void) { keep(probe); note(1); act(1); }
    __attribute__((destructor)) static void down(void) { note(2); }";

fn revoke(argument: usize) {
    note(argument as i32);
}

fn in_use(dependents: u32, objects: u32, first: &str) -> Error {
    Error::InUse { dependents, objects, calls: 0, first: Name::new(first.as_bytes()) }
}

#[test]
fn an_object_refuses_the_unload_by_its_name_until_it_is_released() {
    let apps = apps();
    let app = load(&apps, "app", object(APP)).unwrap();
    let (timer, thread) = (app.own("timer").unwrap(), app.own("thread").unwrap());
    assert_eq!(
        (timer.name(), app.objects().map(text).collect::<Vec<_>>()),
        ("timer", vec!["timer".into(), "thread".into()])
    );
    let refused = app.unload().unwrap_err();
    assert_eq!(refused.error, in_use(0, 2, "timer"));
    assert!(timer.release());
    let refused = refused.handle.unload().unwrap_err();
    assert_eq!(refused.error, in_use(0, 1, "thread"));
    drop(thread);
    assert_eq!((refused.handle.unload().unwrap(), noted()), (0, vec![1, 2]));
    is_empty(&apps);
}

#[test]
fn dependents_are_named_before_objects() {
    let apps = apps();
    let app = load(&apps, "app", object(APP)).unwrap();
    let _timer = app.own("timer").unwrap();
    let _user = load_with(&apps, "user", object("int u;"), &[&app]).unwrap();
    assert_eq!(app.unload().unwrap_err().error, in_use(1, 1, "user"));
}

#[test]
fn an_object_keeps_an_extension_whose_handles_are_gone() {
    let apps = apps();
    let app = load(&apps, "app", object(APP)).unwrap();
    let timer = app.own("timer").unwrap();
    drop(app);
    assert_eq!((call(&apps.find("app").unwrap(), "probe"), noted()), (42, vec![1]));
    drop(timer);
    assert_eq!(noted(), [2]);
    is_empty(&apps);
}

#[test]
fn revocable_objects_are_revoked_last_one_first_before_the_destructors() {
    let apps = apps();
    let app = load(&apps, "app", object(APP)).unwrap();
    let objects: Vec<_> =
        (50..60).map(|argument| app.own_revocable("timer", revoke, argument).unwrap()).collect();
    assert_eq!(app.objects().count(), 0, "they keep nothing");
    assert_eq!(app.unload().unwrap(), 0);
    assert_eq!(noted(), [1, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 2]);
    assert!(objects.into_iter().all(|object| !object.release()), "all were revoked");
    assert_eq!(noted(), []);
    is_empty(&apps);
}

#[test]
fn what_was_released_is_not_revoked() {
    let apps = apps();
    let app = load(&apps, "app", object(APP)).unwrap();
    let [one, two, three] =
        [51, 52, 53].map(|argument| app.own_revocable("timer", revoke, argument).unwrap());
    assert!(two.release());
    drop(three);
    drop(app);
    assert_eq!((noted(), one.release()), (vec![1, 51, 2], false));
}

#[test]
fn a_revocation_may_drop_the_object_it_revokes() {
    type Held<'r> =
        RefCell<Option<llext::registry::Object<'r, crate::arena::Arena, llext::lock::StdRawMutex, 32>>>;
    fn let_go(held: usize) {
        // SAFETY: the argument is the address of the cell below, which outlives the extension.
        let held = unsafe { &*(held as *const Held<'_>) };
        note(i32::from(held.take().is_some_and(|object| object.release())) + 60);
    }
    let apps = apps();
    let app = load(&apps, "app", object(APP)).unwrap();
    let held: Held<'_> = RefCell::new(None);
    *held.borrow_mut() = app.own_revocable("timer", let_go, (&raw const held).addr()).ok();
    drop(app);
    // It was untied already.
    assert_eq!((noted(), held.take().is_none()), (vec![1, 60, 2], true));
    is_empty(&apps);
}

#[test]
fn a_constructor_may_own_objects_through_the_address_it_calls_with() {
    let apps = apps();
    let timer = RefCell::new(None);
    let acts = |_| {
        let own = apps.find_at(kept()).unwrap();
        *timer.borrow_mut() =
            Some((own.own("timer").unwrap(), own.own_revocable("hook", revoke, 50).unwrap()));
        0
    };
    let app = acting(&acts, || load(&apps, "app", object(APP))).unwrap();
    let refused = app.unload().unwrap_err();
    assert_eq!(refused.error, in_use(0, 1, "timer"));
    let (timer, hook) = timer.take().unwrap();
    drop(timer);
    assert_eq!((refused.handle.unload().unwrap(), noted(), hook.release()), (0, vec![1, 50, 2], false));
    is_empty(&apps);
}

#[test]
fn a_failing_constructor_s_objects_are_revoked_or_keep_it_until_they_are_released() {
    let apps = apps();
    let fails = object(&format!("{APP} int llext_init(void) {{ return 5; }}"));
    let objects = RefCell::new(None);
    let acts = |_| {
        let own = apps.find_at(kept()).unwrap();
        *objects.borrow_mut() =
            Some((own, own.own("timer").unwrap(), own.own_revocable("hook", revoke, 50).unwrap()));
        0
    };
    let failed = acting(&acts, || load(&apps, "app", fails));
    assert_eq!(failed.err(), Some(init_failed("app", 5)));
    let (own, timer, hook) = objects.take().unwrap();
    // The timer may still call it: so it is there, but nobody else gets in.
    let busy = Some(Error::Busy { name: Name::new(b"app") });
    assert_eq!((noted(), own.enter().err(), load(&apps, "app", fails).err()), (vec![1], busy, busy));
    assert!(timer.release());
    assert_eq!((noted(), own.enter().err(), hook.release()), (vec![50, 2], Some(Error::Died), false));
    is_empty(&apps);
}

#[test]
fn the_owner_of_an_address_is_found_in_every_part_of_it() {
    let apps = apps();
    let source = "int probe(void) { return 1; } int data = 2; const int constant = 3; static int zero[100];
        int *last(void) { return &zero[99]; }";
    let [one, two] = ["one", "two"].map(|name| load(&apps, name, object(source)).unwrap());
    for app in [&one, &two] {
        for symbol in ["probe", "data", "constant", "last"] {
            let owner = apps.find_at(app.address(symbol).unwrap()).unwrap();
            assert_eq!(owner.enter().unwrap().name(), app.name(), "{symbol}");
        }
        for region in app.regions() {
            assert!(
                apps.find_at(region.address).is_some()
                    && apps.find_at(region.address + region.size - 1).is_some()
            );
        }
    }
    assert!(apps.find_at(0).is_none() && apps.find_at(usize::MAX).is_none());
    assert!(apps.find_at(note as *const () as usize).is_none());
    let gone = two.address("probe").unwrap();
    drop(two);
    assert!(apps.find_at(gone).is_none());
}

#[test]
fn an_address_is_told_by_extension_symbol_and_offset() {
    let apps = apps();
    let source =
        "asm(\".text; .globl first; first: .skip 16, 0x90; .globl second; second: .skip 16, 0x90; ret\");
        int probe(void) { return 1; } int data[4] = {2}; int before[2] = {3};";
    for (name, bytes) in [("object", object(source)), ("shared", shared(source))] {
        let app = load(&apps, name, bytes).unwrap();
        for (symbol, offset) in [("first", 0), ("first", 15), ("second", 0), ("second", 16), ("data", 12)] {
            let address = app.address(symbol).unwrap() + offset;
            let place = apps.locate(address).unwrap();
            assert_eq!(place.extension, app.name());
            assert_eq!(place.symbol, Some((Name::new(symbol.as_bytes()), offset)), "{place}");
            let region = app.regions().find(|region| region.part == place.part).unwrap();
            assert_eq!(region.address + place.offset, address);
        }
        let start = app.regions().next().unwrap();
        let place = apps.locate(start.address).unwrap();
        assert_eq!((place.part, place.offset), (start.part, 0));
    }
    let app = load(&apps, "app", object(source)).unwrap();
    let address = app.address("second").unwrap() + 3;
    assert_eq!(apps.locate(address).unwrap().to_string(), "app: second+0x3 (code)");
    assert_eq!(apps.locate(0), None);
    drop(app);
    assert_eq!(apps.locate(address), None);
}

#[test]
fn an_extension_owns_as_many_objects_as_it_wants_where_there_is_an_allocator() {
    let apps = apps();
    let app = load(&apps, "app", object(APP)).unwrap();
    let mut objects: Vec<_> = (0..200).map(|_| app.own("timer").unwrap()).collect();
    assert_eq!(app.objects().count(), 200);
    while !objects.is_empty() {
        let at = objects.len() * 7 % 13 % objects.len();
        assert!(objects.swap_remove(at).release());
    }
    assert_eq!(app.unload().unwrap(), 0);
}
