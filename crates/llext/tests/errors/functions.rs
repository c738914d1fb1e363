//! What runs before an extension is live and before it goes: codes 430 and 431.

use crate::common::load;
use crate::files::{contents, dynamic, object, section, set_word, shared, verify, word};
use crate::{error_of, host, says};
use llext::Error;
use llext::error::Name;

/// The error is about function `index` of `array`.
#[track_caller]
fn is_outside(error: Error, array: &'static str, index: u32) -> u64 {
    let Error::FunctionOutsideText { array: found_array, index: found_index, found } = error else {
        panic!("{error}");
    };
    assert_eq!((found_array, found_index), (array, index));
    let text = format!("{array}: function {index} outside the extension's code (found {found:#x})");
    assert_eq!(error.to_string(), text);
    found
}

#[test]
fn an_initialisation_may_say_no() {
    let host = host();
    for status in [7, -1] {
        let source = format!("int llext_init(void) {{ return {status}; }}");
        let text = format!("init: llext_init returned {status} (expected 0)");
        for bytes in [object("init", &source), shared("init", &source, &[])] {
            assert!(verify(&host, &bytes).is_ok());
            says(
                load(&host, "init", &bytes[..]),
                Error::InitFailed { name: Name::new(b"init"), status },
                &text,
            );
            assert!(host.find("init").is_none());
        }
    }
}

#[test]
fn constructors_and_destructors_lie_in_the_code() {
    let host = host();
    for array in ["preinit_array", "init_array", "fini_array"] {
        let source = format!(
            "static int data = 1; static void up(void) {{}}
             __attribute__((section(\".{array}\"), used)) static void *functions[] = {{up, &data}};"
        );
        is_outside(error_of(verify(&host, &object(array, &source))), array, 1);
        if array != "preinit_array" {
            is_outside(error_of(verify(&host, &shared(array, &source, &[]))), array, 1);
        }
    }
}

#[test]
fn a_constructor_at_address_zero_is_none() {
    let source = "__attribute__((section(\".init_array\"), used)) static void *functions[] = {0};";
    assert_eq!(is_outside(error_of(verify(&host(), &object("zero", source))), "init_array", 0), 0);
}

#[test]
fn arrays_of_functions_hold_whole_aligned_words() {
    let host = host();
    let source = "static void up(void) {} asm(\".section .init_array,\\\"aw\\\"; .quad up; .long 0\");";
    let error = error_of(verify(&host, &object("half", &format!("{source} void (*use)(void) = up;"))));
    is_outside(error, "init_array", 1);
    // Of a shared object the linker sees to the size; here the array begins four bytes later.
    let source = "__attribute__((constructor)) void up(void) {}";
    let mut bytes = shared("odd", source, &[]);
    let at = dynamic(&bytes, 25);
    let address = word(&bytes, at);
    set_word(&mut bytes, at, address + 4);
    let found = is_outside(error_of(verify(&host, &bytes)), "init_array", 1);
    assert_eq!(found % 8, 4);
}

#[test]
fn the_first_and_the_last_function_of_a_shared_object_lie_in_its_code() {
    let host = host();
    let source = "void up(void) {} void down(void) {} int data = 1;";
    for (tag, name) in [(12, "DT_INIT"), (13, "DT_FINI")] {
        let mut bytes = shared("first", source, &["-Wl,-init=up", "-Wl,-fini=down"]);
        assert!(verify(&host, &bytes).is_ok());
        let (at, data) = (dynamic(&bytes, tag), word(&bytes, section(&bytes, ".data") + 16));
        set_word(&mut bytes, at, data);
        let found = is_outside(error_of(verify(&host, &bytes)), name, 0);
        assert_eq!(found & 0xfff, data & 0xfff);
    }
}

/// An indirect function, and a pointer to it that is a resolver's slot.
const CHOSEN: &str = "static int one(void) { return 1; }
    static void *choose(void) { return one; }
    __attribute__((ifunc(\"choose\"), visibility(\"hidden\"))) int chosen(void);
    int data = 1; const int constant = 2; int (*slot)(void) = chosen;
    int probe(void) { return slot() + data + constant; }";

/// Where the relocation lies that asks a resolver: type 37.
fn resolved(bytes: &[u8]) -> usize {
    let start = contents(bytes, ".rela.dyn");
    (start..).step_by(24).find(|at| word(bytes, at + 8) == 37).unwrap()
}

#[test]
fn a_resolver_lies_in_the_code() {
    let host = host();
    let mut bytes = shared("resolver", CHOSEN, &[]);
    assert!(load(&host, "sound", &bytes[..]).is_ok());
    let (at, data) = (resolved(&bytes), word(&bytes, section(&bytes, ".data") + 16));
    set_word(&mut bytes, at + 16, data);
    is_outside(error_of(load(&host, "resolver", &bytes[..])), "resolver", 0);
    assert!(host.find("resolver").is_none());
}

#[test]
fn a_resolver_s_slot_can_be_written() {
    let host = host();
    let mut bytes = shared("slot", CHOSEN, &[]);
    let (at, text) = (resolved(&bytes), word(&bytes, section(&bytes, ".text") + 16));
    set_word(&mut bytes, at, text);
    let error = error_of(load(&host, "slot", &bytes[..]));
    let expected = format!("resolver's slot: not writable (found {text:#x}, expected a writable segment)");
    says(Err::<(), _>(error), Error::SlotNotWritable { found: text }, &expected);
}

#[test]
fn the_hooks_of_the_sdk_lie_in_the_code() {
    let host = host();
    for name in ["llext_init", "llext_fini"] {
        let bytes = object(name, &format!("int {name} = 5; int probe(void) {{ return 1; }}"));
        is_outside(error_of(load(&host, "hook", &bytes[..])), name, 0);
    }
}
