//! Names, handles and dependents: codes 420 to 425.

use crate::common::{load, probe, start};
use crate::files::{object, shared};
use crate::{host, says};
use llext::error::Name;
use llext::lock::StdRawMutex;
use llext::registry::MAX_NAME;
use llext::{Error, Pool, Registry};
use std::mem::MaybeUninit;

const PROBE: &str = "int probe(void) { return 42; }";

#[test]
fn a_name_belongs_to_one_live_extension() {
    let (host, first) = (host(), object("exists", PROBE));
    let second = first.clone();
    let live = load(&host, "blink", &first[..]).unwrap();
    let expected = Error::Exists { name: Name::new(b"blink") };
    let text = "blink: live already, and this file is not known to be the same";
    says(load(&host, "blink", &second[..]), expected, text);
    says(host.loader().verify("blink", &second[..]), expected, text);
    assert_eq!(probe(&live), 42);
}

#[test]
fn a_name_being_loaded_is_busy() {
    let (host, bytes) = (host(), object("busy", PROBE));
    let mut source = &bytes[..];
    let load_of_another = start(&host, "blink", &mut source);
    let expected = Error::Busy { name: Name::new(b"blink") };
    says(load(&host, "blink", &bytes[..]), expected, "blink: coming up or going");
    drop(load_of_another);
    assert!(load(&host, "blink", &bytes[..]).is_ok());
}

#[test]
fn a_load_that_ended_is_not_stepped_again() {
    let (host, bytes) = (host(), object("ended", PROBE));
    let mut source = &bytes[..];
    let mut load = start(&host, "blink", &mut source);
    while load.step(u32::MAX).is_pending() {}
    let std::task::Poll::Ready(again) = load.step(1) else { panic!("it has ended") };
    says(again, Error::LoadEnded, "load: has ended");
}

#[test]
fn a_registry_has_so_many_slots() {
    let mut memory = vec![MaybeUninit::uninit(); 1 << 16];
    let registry = Registry::<_, StdRawMutex, 1>::new(Pool::unified(&mut memory));
    let bytes = object("full", PROBE);
    // SAFETY: the source is in this test.
    let live = unsafe { registry.loader(&crate::NOTHING).load("one", &bytes[..]) }.unwrap();
    let two = registry.loader(&crate::NOTHING).verify("two", &bytes[..]);
    says(two, Error::RegistryFull { slots: 1 }, "registry: full (all 1 slots are taken)");
    drop(live);
    assert!(registry.loader(&crate::NOTHING).verify("two", &bytes[..]).is_ok());
}

#[test]
fn a_name_has_1_to_47_bytes() {
    let (host, bytes) = (host(), object("lengths", PROBE));
    for (name, found) in [("", 0), (&*"n".repeat(48), 48), (&*"ü".repeat(24), 48)] {
        let text = format!("name: bad length (found {found} bytes, expected 1 to 47)");
        says(host.loader().verify(name, &bytes[..]), Error::BadExtensionName { found, expected: 47 }, &text);
        let cure = Error::BadExtensionName { found, expected: MAX_NAME as u32 }.cure();
        assert_eq!(cure, format!("give it a name of 1 to {MAX_NAME} bytes"));
    }
}

#[test]
fn what_is_not_exported_is_not_found() {
    let (host, bytes) = (host(), object("found", PROBE));
    let plugin = load(&host, "found", &bytes[..]).unwrap();
    for (name, shown) in [("prob", "prob"), ("", ""), ("probe\0", "probe\\u{0}"), ("a\nb", "a\\nb")] {
        let expected = Error::SymbolNotFound { name: Name::new(name.as_bytes()) };
        says(plugin.address(name), expected, &format!("{shown}: not exported by the extension"));
        // SAFETY: there is no such export, so it has any type.
        let object = unsafe { plugin.object::<u8>(name) };
        assert_eq!(object.err(), Some(expected));
    }
}

#[test]
fn what_lies_nowhere_is_not_found() {
    let source = "asm(\".globl nothing, seven\\n.set nothing, 0\\n.set seven, 7\");";
    let (host, bytes) = (host(), shared("nowhere", source, &[]));
    let plugin = load(&host, "nowhere", &bytes[..]).unwrap();
    assert_eq!(plugin.address("seven"), Ok(7));
    let expected = Error::SymbolNotFound { name: Name::new(b"nothing") };
    assert_eq!(plugin.address("nothing"), Err(expected));
    // SAFETY: nothing is called.
    let function = unsafe { plugin.symbol::<extern "C" fn()>("nothing") };
    assert_eq!(function.err(), Some(expected));
}

#[test]
fn an_extension_in_use_stays() {
    let host = host();
    let one = object("provider", "int one(void) { return 1; }");
    let user = object("user", "extern int one(void); int probe(void) { return one(); }");
    let provider = load(&host, "provider", &one[..]).unwrap();
    // SAFETY: the source is in this test.
    let load_user = |name| unsafe { host.loader().needs(&provider).load(name, &user[..]) };
    let first = load_user("first").unwrap();
    let second = load_user("second").unwrap();
    let refused = host.find("provider").map(|second_handle| second_handle.unload());
    assert_eq!(refused.unwrap().unwrap(), 1);
    assert_eq!((probe(&first), probe(&second)), (1, 1));
    let refused = provider.unload().unwrap_err();
    let expected = Error::InUse { dependents: 2, objects: 0, calls: 0, first: Name::new(b"first") };
    says(
        Err::<(), _>(refused.error),
        expected,
        "extension: in use by \"first\" and 1 more (found dependents 2, host objects 0, calls or loads 0; expected none)",
    );
    drop((first, second));
    assert_eq!(refused.handle.unload().ok(), Some(0));
}

#[test]
fn an_extension_that_is_called_stays_and_a_call_has_no_name() {
    let (host, bytes) = (host(), object("called", PROBE));
    let plugin = load(&host, "called", &bytes[..]).unwrap();
    let call = plugin.downgrade().enter().unwrap();
    let refused = plugin.unload().unwrap_err();
    let expected = Error::InUse { dependents: 0, objects: 0, calls: 1, first: Name::EMPTY };
    let text = "extension: in use (found dependents 0, host objects 0, calls or loads 1; expected none)";
    says(Err::<(), _>(refused.error), expected, text);
    drop(call);
    assert_eq!(refused.handle.unload().ok(), Some(0));
}
