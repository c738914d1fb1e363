//! Who keeps an extension, how far it has come, and what it may use: codes 426 to 442.

use crate::common::{load, probe};
use crate::files::object;
use crate::{error_of, host, says};
use llext::error::Name;
use llext::export::Group;
use llext::loader::MAX_DEPTH;
use llext::registry::{MAX_HOLDS, MAX_USES};
use llext::{Error, Host, Phase, Plugin};

const PROBE: &str = "int probe(void) { return 42; }";

#[test]
fn an_extension_is_held_so_often() {
    let (host, bytes) = (host(), object("held", PROBE));
    let plugin = load(&host, "held", &bytes[..]).unwrap();
    let guards: Vec<_> = (0..MAX_HOLDS).map(|_| plugin.downgrade().enter().unwrap()).collect();
    let text = format!("use count: full (expected at most {MAX_USES} handles, {MAX_HOLDS} holds)");
    says(plugin.downgrade().enter(), Error::TooManyUses, &text);
    drop(guards);
    assert!(plugin.downgrade().enter().is_ok());
}

#[test]
fn a_provider_lives_in_the_same_registry() {
    let (here, there, bytes) = (host(), host(), object("foreign", PROBE));
    let provider = load(&there, "provider", &bytes[..]).unwrap();
    let loader = here.loader().needs(&provider);
    says(loader.verify("user", &bytes[..]), Error::ForeignProvider, "extension: lives in another registry");
    assert_eq!(probe(&provider), 42);
}

#[test]
fn what_is_gone_is_neither_entered_nor_owned() {
    let (host, bytes) = (host(), object("died", PROBE));
    let plugin = load(&host, "died", &bytes[..]).unwrap();
    let weak = plugin.downgrade();
    drop(plugin);
    says(weak.enter(), Error::Died, "extension: gone");
    says(weak.upgrade(), Error::Died, "extension: gone");
    says(weak.own("timer"), Error::Died, "extension: gone");
}

#[test]
fn a_step_is_taken_from_where_it_begins() {
    let (host, bytes) = (host(), object("phase", PROBE));
    let plugin = load(&host, "phase", &bytes[..]).unwrap();
    let expected = Error::WrongPhase { name: Name::new(b"phase"), found: Phase::Up, expected: Phase::Loaded };
    says(plugin.bringup(), expected, "phase: wrong phase (found Up, expected Loaded)");
    assert_eq!(plugin.phase(), Phase::Up);
}

extern "C" fn erase() -> i32 {
    1
}
llext::exports! { static FLASH; fn erase() -> i32; }

#[test]
fn a_symbol_s_group_is_allowed() {
    static GROUP: Group<&llext::export::ExportTable> = Group::new("flash", &FLASH);
    let host = Host::without_libc(&GROUP).unwrap();
    let bytes = object("denied", "extern int erase(void); int probe(void) { return erase() + 41; }");
    let expected = Error::Denied { name: Name::new(b"erase"), group: "flash" };
    let text = "erase: not allowed (found in group \"flash\", expected one of the allowed groups)";
    says(host.loader().allow(&["radio"]).verify("denied", &bytes[..]), expected, text);
    // SAFETY: the source is in this test.
    let allowed = unsafe { host.loader().allow(&["radio", "flash"]).load("denied", &bytes[..]) };
    assert_eq!(probe(&allowed.unwrap()), 42);
}

/// An object that needs the extensions called `names`.
fn needing(names: &[String]) -> Vec<u8> {
    let header = concat!(env!("CARGO_MANIFEST_DIR"), "/../../include/llext/extension.h");
    let needs: String = names.iter().map(|name| format!("LLEXT_NEEDS(\"{name}\");\n")).collect();
    object(&format!("needs_{}", names.join("_")), &format!("#include \"{header}\"\n{needs}{PROBE}"))
}

/// Loads `bytes` under this name; each need is an object that needs what `then` says.
fn chain<'h>(
    host: &'h Host,
    name: &str,
    bytes: &[u8],
    then: &dyn Fn(&str) -> String,
) -> Result<Plugin<'h>, Error> {
    type Need<'n, 'h> = llext::loader::Need<
        'n,
        'h,
        llext::memory::Linux,
        llext::lock::StdRawMutex,
        { llext::host::CAPACITY },
    >;
    fn bring<'h>(
        host: &'h Host,
        need: &Need<'_, 'h>,
        then: &dyn Fn(&str) -> String,
    ) -> Result<Plugin<'h>, Error> {
        let bytes = needing(&[then(need.name())]);
        let mut next = |need: &Need<'_, 'h>| bring(host, need, then);
        // SAFETY: the source is in this test.
        unsafe { need.loader(host.exports()).on_needed(&mut next).load(need.name(), &bytes[..]) }
    }
    let mut first = |need: &Need<'_, 'h>| bring(host, need, then);
    // SAFETY: the source is in this test.
    unsafe { host.loader().on_needed(&mut first).load(name, bytes) }
}

#[test]
fn extensions_do_not_need_each_other_in_a_circle() {
    let host = host();
    let other = |name: &str| if name == "a" { "b".to_owned() } else { "a".to_owned() };
    let expected = Error::Cycle { name: Name::new(b"a") };
    let circle = chain(&host, "a", &needing(&["b".to_owned()]), &other);
    says(circle, expected, "a: needed by what it needs itself");
    assert_eq!(host.registry().iter().count(), 0);
}

#[test]
fn a_chain_of_needs_has_an_end() {
    let host = host();
    let next = |name: &str| format!("n{}", name[1..].parse::<u32>().unwrap() + 1);
    let found = error_of(chain(&host, "n0", &needing(&["n1".to_owned()]), &next));
    let last = format!("n{MAX_DEPTH}");
    assert_eq!(found, Error::TooDeep { name: Name::new(last.as_bytes()), expected: MAX_DEPTH });
    let text = format!("{last}: needed by too long a chain (expected at most {MAX_DEPTH})");
    says(Err::<(), _>(found), found, &text);
    assert_eq!(host.registry().iter().count(), 0);
}
