//! What another instance is made of: code 446, and what is found only while it is made.

use crate::common::probe;
use crate::files::{dynamic, set_word, shared, verify};
use crate::{host, says};
use llext::error::Name;
use llext::{Error, Host, Plugin};
use llext_link::Error as LinkError;

fn first<'h>(host: &'h Host, keep: bool, bytes: &[u8]) -> Plugin<'h> {
    // SAFETY: the sources are in this file.
    unsafe { host.loader().keep_initial_data(keep).load("first", bytes) }.unwrap()
}

#[test]
fn what_an_instance_is_made_of_was_kept() {
    let (host, bytes) = (host(), shared("unkept", "int probe(void) { return 42; }", &[]));
    let left = first(&host, false, &bytes);
    let text = "first: cannot be instantiated (expected a shared object loaded with keep_initial_data(true))";
    // SAFETY: it is refused.
    let right = unsafe { host.loader().instantiate("right", &left) };
    says(right, Error::NotInstantiable { name: Name::new(b"first") }, text);
}

/// A file whose constants were changed by relocations, though it does not say so: an instance would begin with them.
#[test]
fn what_is_constant_in_an_instance_is_so_in_the_first() {
    let source = "int value = 3; int probe(void) { return value; }";
    let flags = ["-fno-pic", "-mcmodel=large", "-Wl,-z,notext"];
    let (host, mut bytes) = (host(), shared("text", source, &flags));
    assert!(matches!(verify(&host, &bytes), Err(Error::Link(LinkError::TextRelocations))));
    // DT_TEXTREL becomes DT_DEBUG, which means nothing here; and DF_TEXTREL goes.
    let (tag, flags) = (dynamic(&bytes, 22) - 8, dynamic(&bytes, 30));
    set_word(&mut bytes, tag, 21);
    set_word(&mut bytes, flags, 0);
    let left = first(&host, true, &bytes);
    assert_eq!(probe(&left), 3);
    // SAFETY: it is refused.
    let right = unsafe { host.loader().instantiate("right", &left) };
    says(right, LinkError::TextRelocations, &LinkError::TextRelocations.to_string());
    assert!(host.find("right").is_none());
}
