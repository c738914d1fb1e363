//! Names: one for each extension, reserved while it comes and goes, compared whole.

use crate::kit::{HOST, apps, call, in_use, is_empty, live, load, object};
use llext::error::Name;
use llext::source::{ReadError, ReadOnly, Static};
use llext::{Error, Source};

const ONE: &str = "int probe(void) { return 1; }";
const TWO: &str = "int probe(void) { return 2; }";

#[test]
fn other_bytes_under_a_live_name_are_refused_and_change_nothing() {
    let (apps, one, two) = (apps(), Static(object(ONE)), Static(object(TWO)));
    let app = load(&apps, "blink", one).unwrap();
    let before = in_use(&apps);
    assert_eq!(load(&apps, "blink", two).err(), Some(Error::Exists { name: Name::new(b"blink") }));
    assert_eq!((app.uses(), call(&app, "probe"), in_use(&apps)), (1, 1, before));
}

#[test]
fn bytes_that_may_change_are_other_bytes() {
    let (apps, one) = (apps(), object(ONE));
    let _app = load(&apps, "blink", one).unwrap();
    for again in [load(&apps, "blink", one), load(&apps, "blink", ReadOnly(one))] {
        assert_eq!(again.err(), Some(Error::Exists { name: Name::new(b"blink") }));
    }
}

#[test]
fn the_same_name_is_enough_where_the_caller_says_so() {
    let (apps, one, two) = (apps(), object(ONE), object(TWO));
    let app = load(&apps, "blink", one).unwrap();
    // SAFETY: the sources of these tests are in these tests.
    let same = unsafe { apps.loader(&HOST).same_name_is_enough(true).load("blink", two) }.unwrap();
    assert_eq!((same.is_first(), same.uses(), call(&same, "probe")), (false, 2, 1));
    drop(app);
    assert_eq!(same.unload().unwrap(), 0);
}

#[test]
fn a_live_extension_is_not_read_again() {
    struct Unreadable;
    impl Source for Unreadable {
        fn size(&mut self) -> Result<u64, ReadError> {
            Err(ReadError::Failed { os: 5 })
        }
        fn read_at(&mut self, _: u64, _: &mut [u8]) -> Result<(), ReadError> {
            Err(ReadError::Failed { os: 5 })
        }
    }
    let apps = apps();
    let _app = load(&apps, "blink", object(ONE)).unwrap();
    // SAFETY: the sources of these tests are in these tests.
    let same = unsafe { apps.loader(&HOST).same_name_is_enough(true).load("blink", Unreadable) };
    assert_eq!(same.map(|app| app.uses()).ok(), Some(2));
}

#[test]
fn names_are_compared_whole() {
    let (apps, one, two) = (apps(), object(ONE), object(TWO));
    let names = ["n".repeat(46) + "a", "n".repeat(46) + "b", "n".repeat(46), "n".repeat(15), "N".repeat(15)];
    let apps_by_name =
        names.each_ref().map(|name| load(&apps, name, if name.ends_with('b') { two } else { one }));
    assert!(apps_by_name.iter().all(Result::is_ok));
    assert_eq!(call(&apps.find(&names[0]).unwrap(), "probe"), 1);
    assert_eq!(call(&apps.find(&names[1]).unwrap(), "probe"), 2);
    assert_eq!(live(&apps), names);
    for other in ["n".repeat(14), "n".repeat(16), "n".repeat(48), String::new()] {
        assert!(apps.find(&other).is_none(), "{other}");
    }
}

#[test]
fn a_name_too_long_to_be_kept_is_refused_not_cut() {
    let (apps, one) = (apps(), object(ONE));
    let _app = load(&apps, &"n".repeat(47), one).unwrap();
    let error = load(&apps, &"n".repeat(48), one).err();
    assert_eq!(error, Some(Error::BadExtensionName { found: 48, expected: 47 }));
}

#[test]
fn a_name_is_reserved_from_the_beginning_of_its_load() {
    let (apps, one) = (apps(), object(ONE));
    let source: &mut dyn Source = &mut { one };
    // SAFETY: the sources of these tests are in these tests.
    let begun = unsafe { apps.loader(&HOST).start("blink", source) }.unwrap();
    assert_eq!(load(&apps, "blink", one).err(), Some(Error::Busy { name: Name::new(b"blink") }));
    // A name is reserved, no more: nobody finds it, and nobody visits it.
    assert_eq!((apps.find("blink").is_none(), live(&apps).len()), (true, 0));
    drop(begun);
    assert!(load(&apps, "blink", one).is_ok());
}

#[test]
fn a_failed_load_leaves_its_name_free() {
    let (apps, one) = (apps(), object(ONE));
    for bytes in
        [&b""[..], b"\x7fELF", &one[..one.len() / 2], object("int nobody(void); int (*p)(void) = nobody;")]
    {
        assert!(load(&apps, "blink", bytes).is_err());
        is_empty(&apps);
    }
    assert!(load(&apps, "blink", one).unwrap().is_first());
}

#[test]
fn registries_know_nothing_of_each_other() {
    let (here, there) = (apps(), apps());
    let one = load(&here, "blink", object(ONE)).unwrap();
    let two = load(&there, "blink", object(TWO)).unwrap();
    assert_eq!((call(&one, "probe"), call(&two, "probe")), (1, 2));
    drop(one);
    assert_eq!((live(&here).len(), live(&there).len()), (0, 1));
}
