//! Groups: what the host lets one extension use and denies another.

use crate::kit::{App, Apps, apps, call, is_empty, load_against, object, shared};
use llext::Error;
use llext::error::Name;
use llext::export::{Exports, Group};

extern "C" fn led() -> i32 {
    1
}
extern "C" fn erase() -> i32 {
    2
}
extern "C" fn send() -> i32 {
    4
}

llext::exports! { static FREE; fn led() -> i32; }
llext::exports! { static FLASH; fn erase() -> i32; }
llext::exports! { static RADIO; fn send() -> i32; }

fn load_allowing<'r>(apps: &'r Apps, allowed: &[&str], bytes: &'static [u8]) -> Result<App<'r>, Error> {
    let host: [&dyn Exports; 3] = [&FREE, &Group::new("flash", &FLASH), &Group::new("radio", &RADIO)];
    // SAFETY: the sources of these tests are in these tests.
    unsafe { apps.loader(&host).allow(allowed).load("app", bytes) }
}

const USES: &str = "extern int led(void), erase(void), send(void);
    int probe(void) { return led() + erase() + send(); }";

/// As an object and as a shared object.
fn both(source: &str) -> [&'static [u8]; 2] {
    [object(source), shared(source)]
}

#[test]
fn all_groups_are_allowed_unless_the_host_says_otherwise() {
    let (apps, host) = (apps(), [&Group::new("flash", &FLASH) as &dyn Exports, &FREE, &RADIO]);
    for bytes in both(USES) {
        let app = load_against(&apps, &host, "app", bytes).unwrap();
        assert_eq!(call(&app, "probe"), 7);
    }
}

#[test]
fn a_symbol_of_an_allowed_group_is_provided() {
    let apps = apps();
    for bytes in both(USES) {
        assert_eq!(call(&load_allowing(&apps, &["radio", "flash"], bytes).unwrap(), "probe"), 7);
    }
}

#[test]
fn a_denied_symbol_is_named_with_its_group_and_nothing_is_left() {
    let apps = apps();
    for bytes in both(USES) {
        let denied = |name: &[u8], group| Some(Error::Denied { name: Name::new(name), group });
        assert_eq!(load_allowing(&apps, &["flash"], bytes).err(), denied(b"send", "radio"));
        assert_eq!(load_allowing(&apps, &["radio", "led"], bytes).err(), denied(b"erase", "flash"));
        let error = load_allowing(&apps, &["flash"], bytes).unwrap_err();
        let text = "send: not allowed (found in group \"radio\", expected one of the allowed groups)";
        assert_eq!(error.to_string(), text);
        is_empty(&apps);
    }
}

#[test]
fn symbols_in_no_group_are_always_allowed() {
    let apps = apps();
    for bytes in both("extern int led(void); int probe(void) { return led(); }") {
        assert_eq!(call(&load_allowing(&apps, &[], bytes).unwrap(), "probe"), 1);
    }
}

#[test]
fn a_weak_symbol_of_a_denied_group_is_0() {
    let source = "extern int led(void); extern int send(void) __attribute__((weak));
        int (*const volatile pointer)(void) = send; int probe(void) { return (send ? send() : 32) + (pointer ? 8 : 16); }";
    let apps = apps();
    for bytes in both(source) {
        assert_eq!(call(&load_allowing(&apps, &["flash"], bytes).unwrap(), "probe"), 48);
        assert_eq!(call(&load_allowing(&apps, &["radio"], bytes).unwrap(), "probe"), 12);
    }
}

#[test]
fn what_is_denied_does_not_come_from_another_extension() {
    let apps = apps();
    let provider = load_against(&apps, &FREE, "provider", object("int send(void) { return 8; }")).unwrap();
    let host = [&Group::new("radio", &RADIO)];
    let user = object("extern int send(void); int probe(void) { return send(); }");
    // SAFETY: the sources of these tests are in these tests.
    let denied = unsafe { apps.loader(&host).allow(&[]).needs(&provider).load("app", user) };
    assert_eq!(denied.err(), Some(Error::Denied { name: Name::new(b"send"), group: "radio" }));
    assert_eq!(provider.unload().unwrap(), 0);
}

#[test]
fn the_extension_s_own_symbol_is_not_the_host_s() {
    let apps = apps();
    let bytes =
        object("__attribute__((noinline)) int erase(void) { return 9; } int probe(void) { return erase(); }");
    assert_eq!(call(&load_allowing(&apps, &[], bytes).unwrap(), "probe"), 9);
}

#[test]
fn verifying_tells_what_is_denied() {
    let (apps, host) = (apps(), [&Group::new("flash", &FLASH)]);
    let bytes = object("extern int erase(void); int probe(void) { return erase(); }");
    let verified = apps.loader(&host).allow(&["radio"]).verify("app", bytes);
    assert_eq!(verified.err(), Some(Error::Denied { name: Name::new(b"erase"), group: "flash" }));
    assert!(apps.loader(&host).allow(&["flash"]).verify("app", bytes).is_ok());
}
