//! Dependencies: who provides a symbol, and that who provides one stays.

use crate::kit::{
    App, HOST, apps, call, compiled, is_empty, live, load, load_against, load_with, noted, object, text,
};
use llext::error::Name;
use llext::export::ExportTable;
use llext::{Error, Refused, Source};

static NOTHING: [ExportTable; 0] = [];
extern "C" fn which() -> i32 {
    100
}
llext::exports! { static WITH_WHICH; fn which() -> i32; }

const ASKS: &str = "extern int which(void); int probe(void) { return which(); }";

fn answers(number: i32) -> &'static [u8] {
    object(&format!("int which(void) {{ return {number}; }}"))
}

fn names(names: impl Iterator<Item = Name>) -> Vec<String> {
    names.map(text).collect()
}

fn error<H>(result: Result<u32, Refused<H>>) -> Error {
    result.expect_err("a refusal").error
}

#[test]
fn its_own_symbol_comes_before_the_host_s() {
    let source =
        "__attribute__((noinline)) int which(void) { return 1; } int probe(void) { return which(); }";
    let apps = apps();
    for flags in [&["-O0"][..], &["-O0", "-shared", "-nostdlib"]] {
        let app = load_against(&apps, &WITH_WHICH, "own", compiled(source, flags)).unwrap();
        assert_eq!(call(&app, "probe"), 1);
    }
}

#[test]
fn the_host_s_symbol_comes_before_a_named_provider_s() {
    let apps = apps();
    let provider = load(&apps, "provider", answers(1)).unwrap();
    // SAFETY: the sources of these tests are in these tests.
    let user = unsafe { apps.loader(&WITH_WHICH).needs(&provider).load("user", object(ASKS)) }.unwrap();
    assert_eq!(call(&user, "probe"), 100);
}

#[test]
fn named_providers_are_asked_in_the_order_of_naming() {
    let apps = apps();
    let [one, two] = [1, 2].map(|number| load(&apps, &format!("p{number}"), answers(number)).unwrap());
    for (order, expected) in [([&one, &two], 1), ([&two, &one], 2)] {
        let user = load_with(&apps, "user", object(ASKS), &order).unwrap();
        assert_eq!(call(&user, "probe"), expected);
        assert_eq!(names(user.dependencies()), ["p1", "p2"], "a provider that was named is a provider");
    }
}

#[test]
fn live_extensions_are_asked_in_load_order_after_the_named_ones() {
    let apps = apps();
    // `second` lies in the first slot, but came later.
    let gone = load(&apps, "gone", answers(0)).unwrap();
    let _first = load(&apps, "first", answers(1)).unwrap();
    drop(gone);
    let second = load(&apps, "second", answers(2)).unwrap();
    let user = |named: &[&App<'_>]| {
        let loader = apps.loader(&HOST).search_live(true);
        let loader = named.iter().fold(loader, |loader, provider| loader.needs(provider));
        // SAFETY: the sources of these tests are in these tests.
        let user = unsafe { loader.load("user", object(ASKS)) }.unwrap();
        (call(&user, "probe"), names(user.dependencies()))
    };
    assert_eq!(user(&[]), (1, vec!["first".to_owned()]));
    assert_eq!(user(&[&second]), (2, vec!["second".to_owned()]));
}

#[test]
fn live_extensions_are_asked_only_if_the_caller_wants_it() {
    let apps = apps();
    let _provider = load(&apps, "provider", answers(1)).unwrap();
    let error = load(&apps, "user", object(ASKS)).err().unwrap();
    assert_eq!(error.to_string(), "which: undefined symbol (1 missing in all)");
}

#[test]
fn an_extension_has_as_many_providers_as_it_wants() {
    const MANY: usize = 20;
    let apps = apps();
    let provider =
        |n| load(&apps, &format!("p{n}"), object(&format!("int f{n}(void) {{ return {n}; }}"))).unwrap();
    let providers: Vec<App> = (0..MANY).map(provider).collect();
    let calls: String = (0..MANY).map(|n| format!(" + f{n}()")).collect();
    let externs: String = (0..MANY).map(|n| format!("extern int f{n}(void); ")).collect();
    let source = format!("{externs} int probe(void) {{ return 0{calls}; }}");
    let user = load_with(&apps, "user", object(&source), &providers.iter().collect::<Vec<_>>()).unwrap();
    assert_eq!(call(&user, "probe"), (MANY * (MANY - 1) / 2) as i32);
    assert_eq!(user.dependencies().count(), MANY);
    for provider in providers {
        let refused = provider.unload().unwrap_err();
        assert_eq!(
            refused.error,
            Error::InUse { dependents: 1, objects: 0, calls: 0, first: Name::new(b"user") }
        );
        drop(refused.handle);
    }
    assert_eq!((live(&apps).len(), call(&user, "probe")), (MANY + 1, 190));
    drop(user);
    is_empty(&apps);
}

#[test]
fn a_refused_unload_names_the_dependents_and_changes_nothing() {
    let apps = apps();
    let provider = load(&apps, "provider", answers(7)).unwrap();
    let users = ["b", "a", "c"].map(|name| load_with(&apps, name, object(ASKS), &[&provider]).unwrap());
    let refused = provider.unload().unwrap_err();
    assert_eq!(refused.error, Error::InUse { dependents: 3, objects: 0, calls: 0, first: Name::new(b"b") });
    assert_eq!(names(refused.handle.dependents()), ["b", "a", "c"]);
    assert_eq!((refused.handle.uses(), call(&users[0], "probe")), (1, 7));
    drop(users);
    assert_eq!(refused.handle.dependents().count(), 0);
    assert_eq!(refused.handle.unload().unwrap(), 0);
}

#[test]
fn a_provider_named_twice_is_one_provider() {
    let apps = apps();
    let provider = load(&apps, "provider", answers(7)).unwrap();
    let other = apps.find("provider").unwrap();
    let loader = apps.loader(&HOST).needs(&provider).needs(&other).search_live(true);
    // SAFETY: the sources of these tests are in these tests.
    let user = unsafe { loader.load("user", object(ASKS)) }.unwrap();
    drop(other);
    let expected = Error::InUse { dependents: 1, objects: 0, calls: 0, first: Name::new(b"user") };
    let refused = provider.unload().unwrap_err();
    assert_eq!(refused.error, expected);
    drop(user);
    assert_eq!(refused.handle.unload().unwrap(), 0);
}

#[test]
fn a_provider_whose_handles_are_gone_goes_with_its_last_dependent() {
    let apps = apps();
    let noting =
        "int which(void) { return 7; } __attribute__((destructor)) static void down(void) { note(2); }";
    let provider = load(&apps, "provider", object(noting)).unwrap();
    let [first, last] =
        ["first", "last"].map(|name| load_with(&apps, name, object(ASKS), &[&provider]).unwrap());
    drop(provider);
    drop(first);
    assert_eq!((call(&last, "probe"), noted()), (7, vec![]));
    // It can still be found, and is then in use again.
    assert_eq!(apps.find("provider").map(|found| found.uses()), Some(1));
    assert_eq!(last.unload().unwrap(), 0);
    assert_eq!(noted(), [2]);
    is_empty(&apps);
}

#[test]
fn a_chain_whose_handles_are_gone_falls_dependents_first() {
    let apps = apps();
    let down = |n| {
        format!(
            "__attribute__((destructor)) static void down(void) {{ note({n}); }} int probe(void) {{ return 0; }}"
        )
    };
    let one = load(&apps, "one", object(&down(1))).unwrap();
    let two = load_with(&apps, "two", object(&down(2)), &[&one]).unwrap();
    let three = load_with(&apps, "three", object(&down(3)), &[&two]).unwrap();
    drop((one, two));
    assert_eq!(live(&apps), ["one", "two", "three"]);
    drop(three);
    assert_eq!(noted(), [3, 2, 1]);
    is_empty(&apps);
}

#[test]
fn a_failed_load_leaves_no_provider_counted() {
    let apps = apps();
    let provider = load(&apps, "provider", answers(1)).unwrap();
    let fails =
        object("extern int which(void), nobody(void); int probe(void) { return which() + nobody(); }");
    for _ in 0..100 {
        assert!(load_with(&apps, "user", fails, &[&provider]).is_err());
    }
    assert_eq!(provider.unload().unwrap(), 0);
    is_empty(&apps);
}

#[test]
fn a_load_on_its_way_keeps_its_providers() {
    let apps = apps();
    let provider = load(&apps, "provider", answers(7)).unwrap();
    let source: &mut dyn Source = &mut object(ASKS);
    // SAFETY: the sources of these tests are in these tests.
    let mut begun = unsafe { apps.loader(&HOST).needs(&provider).start("user", source) }.unwrap();
    let refused = provider.unload().unwrap_err();
    assert_eq!(refused.error, Error::InUse { dependents: 0, objects: 0, calls: 1, first: Name::EMPTY });
    drop(refused.handle);
    let user = loop {
        if let std::task::Poll::Ready(user) = begun.step(1) {
            break user.unwrap();
        }
    };
    drop(begun);
    assert_eq!(call(&user, "probe"), 7);
    drop(user);
    is_empty(&apps);
}

#[test]
fn a_loader_or_a_load_that_is_dropped_lets_its_providers_go() {
    let apps = apps();
    let provider = load(&apps, "provider", answers(7)).unwrap();
    drop(apps.loader(&HOST).needs(&provider));
    let source: &mut dyn Source = &mut object(ASKS);
    // SAFETY: the sources of these tests are in these tests.
    drop(unsafe { apps.loader(&HOST).needs(&provider).start("user", source) }.unwrap());
    assert!(apps.loader(&HOST).needs(&provider).verify("user", object(ASKS)).is_ok());
    assert_eq!(provider.unload().unwrap(), 0);
    is_empty(&apps);
}

#[test]
fn what_is_about_to_go_provides_nothing() {
    let apps = apps();
    let provider = load(&apps, "provider", answers(7)).unwrap();
    let guard = provider.downgrade().enter().unwrap();
    assert_eq!(provider.unload_later(), 0);
    // SAFETY: the sources of these tests are in these tests.
    let user = unsafe { apps.loader(&HOST).search_live(true).load("user", object(ASKS)) };
    assert_eq!(user.err().unwrap().to_string(), "which: undefined symbol (1 missing in all)");
    drop(guard);
    is_empty(&apps);
}

#[test]
fn a_provider_of_another_registry_is_refused() {
    let (here, there) = (apps(), apps());
    let provider = load(&there, "provider", answers(7)).unwrap();
    assert_eq!(load_with(&here, "user", object(ASKS), &[&provider]).err(), Some(Error::ForeignProvider));
    assert_eq!(provider.unload().unwrap(), 0);
}

#[test]
fn a_shared_object_depends_as_an_object_does() {
    let apps = apps();
    let provider = load(&apps, "provider", crate::kit::shared("int which(void) { return 9; }")).unwrap();
    let user = load_with(&apps, "user", crate::kit::shared(ASKS), &[&provider]).unwrap();
    assert_eq!(call(&user, "probe"), 9);
    let expected = Error::InUse { dependents: 1, objects: 0, calls: 0, first: Name::new(b"user") };
    assert_eq!(error(provider.unload()), expected);
    drop(user);
    // The refusal gave the handle back, and dropping that was the unload.
    is_empty(&apps);
}

#[test]
fn nothing_is_exported_by_a_host_that_exports_nothing() {
    let apps = apps();
    let error = load_against(&apps, &NOTHING, "user", object(ASKS)).err().unwrap();
    assert_eq!(error.to_string(), "which: undefined symbol (1 missing in all)");
}

#[test]
fn a_long_chain_falls_on_a_short_stack() {
    // Each of its extensions ends inside the end of the one before it.
    let host = llext::Host::without_libc(&NOTHING).unwrap();
    let bytes = object("int probe(void) { return 0; }");
    let mut last: Option<llext::Plugin<'_>> = None;
    for n in 0..llext::host::CAPACITY {
        let loader = last.iter().fold(host.loader(), |loader, provider| loader.needs(provider));
        let name = format!("n{n}");
        // SAFETY: the sources of these tests are in these tests.
        let next = unsafe { loader.load(&name, bytes) }.unwrap();
        last = Some(next);
    }
    assert_eq!(host.registry().iter().count(), llext::host::CAPACITY);
    std::thread::scope(|scope| {
        let drops = std::thread::Builder::new().stack_size(1 << 20).spawn_scoped(scope, || drop(last));
        drops.unwrap().join().unwrap();
    });
    assert_eq!(host.registry().iter().count(), 0);
}
