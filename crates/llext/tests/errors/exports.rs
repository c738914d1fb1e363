//! What an extension exports: codes 432 and 433.

use crate::files::{object, section, set_word, shared, verify, word};
use crate::{error_of, host, says};
use llext::Error;
use llext::error::Name;

/// A source with this in its table of exports, after a sound entry.
fn exporting(entries: &str) -> String {
    format!(
        "struct entry {{ const void *name; const void *address; }};
         int probe(void) {{ return 1; }}
         __attribute__((section(\".exported_sym\"), used))
         static const struct entry table[] = {{ {{\"probe\", probe}}, {entries} }};"
    )
}

#[test]
fn the_name_of_an_export_lies_in_the_image() {
    let host = host();
    let source = exporting("{(void *)0x1234, probe}");
    for bytes in [object("name", &source), shared("name", &source, &[])] {
        let text = "exports: bad entry 1 (found 0x1234)";
        says(verify(&host, &bytes), Error::BadExports { index: 1, found: 0x1234 }, text);
    }
}

/// The index is empty while names are checked, and would end any name.
#[test]
fn the_name_of_an_export_does_not_lie_in_the_index() {
    let host = host();
    let named = |at: u32| {
        let source = format!(
            "int probe(void) {{ return 1; }}
             asm(\".section .exported_sym,\\\"a\\\"; .balign 8; table: .quad table + {at}, probe; .text\");"
        );
        object(&format!("named_{at}"), &source)
    };
    // The table begins the constants, and two buckets end them.
    let [_, _, constants, _] = verify(&host, &named(0)).unwrap().parts;
    for at in [constants - 8, constants - 1] {
        let error = error_of(verify(&host, &named(at)));
        assert!(matches!(error, Error::BadExports { index: 0, .. }), "{error}");
    }
}

#[test]
fn the_address_of_an_export_lies_in_the_image() {
    let host = host();
    let source = exporting("{\"second\", probe}, {\"third\", (void *)0x77}");
    for bytes in [object("address", &source), shared("address", &source, &[])] {
        let text = "exports: bad entry 2 (found 0x77)";
        says(verify(&host, &bytes), Error::BadExports { index: 2, found: 0x77 }, text);
    }
}

/// Address 0 was once taken for one of a part that is not there: a function pointer must not be null.
#[test]
fn nothing_is_exported_from_address_zero() {
    let host = host();
    let source = exporting("{\"second\", 0}");
    for bytes in [object("null", &source), shared("null", &source, &[])] {
        says(
            verify(&host, &bytes),
            Error::BadExports { index: 1, found: 0 },
            "exports: bad entry 1 (found 0x0)",
        );
    }
}

#[test]
fn a_table_of_exports_is_aligned() {
    let source = "int probe(void) { return 1; } const char name[] = \"probe\";
        asm(\".section .exported_sym,\\\"aw\\\"; .balign 1; .long 0; .quad name, probe\");";
    // The section is moved in the image: four bytes that are no entry stand first.
    let mut bytes = shared("misaligned", source, &[]);
    let at = section(&bytes, ".exported_sym");
    let (address, size) = (word(&bytes, at + 16), word(&bytes, at + 32));
    set_word(&mut bytes, at + 16, address + 4);
    set_word(&mut bytes, at + 32, size - 4);
    let error = error_of(verify(&host(), &bytes));
    let Error::BadExports { index: 1, found } = error else { panic!("{error}") };
    assert_ne!(found % 8, 0);
}

#[test]
fn a_table_of_exports_lies_in_the_image() {
    let host = host();
    let mut bytes = shared("outside", &exporting(""), &[]);
    assert!(verify(&host, &bytes).is_ok());
    let at = section(&bytes, ".exported_sym");
    let sound = word(&bytes, at + 16);
    for (address, size) in [(0x1000_0000, 16), (sound, 0x1000_0000), (u64::MAX, 16)] {
        set_word(&mut bytes, at + 16, address);
        set_word(&mut bytes, at + 32, size);
        let text = format!("exports: bad entry 0 (found {address:#x})");
        says(verify(&host, &bytes), Error::BadExports { index: 0, found: address }, &text);
    }
}

#[test]
fn names_made_to_collide_are_not_indexed() {
    // `bA` and `ab` have one hash, and so has every row of nine of them.
    let name = |number: u32| -> String {
        (0..9).map(|bit| if number >> bit & 1 == 0 { "bA" } else { "ab" }).collect()
    };
    let source: String = (0..400).map(|number| format!("int {} = 1;", name(number))).collect();
    let error = error_of(verify(&host(), &object("crowded", &source)));
    let Error::BadExports { index, found: 0 } = error else { panic!("{error}") };
    assert!((200..400).contains(&index), "{error}");
}

#[test]
fn an_export_has_a_name_of_its_own() {
    let host = host();
    let expected = Error::DuplicateExport { name: Name::new(b"probe") };
    let source = exporting("{\"second\", probe}, {\"probe\", probe}");
    for bytes in [object("twice", &source), shared("twice", &source, &[])] {
        says(verify(&host, &bytes), expected, "probe: exported twice (expected once)");
    }
    // Two global symbols, the second renamed.
    let mut bytes = object("globals", "int probe = 1; int prob2 = 2;");
    let at = bytes.windows(7).position(|name| name == b"\0prob2\0").unwrap();
    bytes[at + 5] = b'e';
    says(verify(&host, &bytes), expected, "probe: exported twice (expected once)");
}

#[test]
fn a_listed_export_is_not_cut_short() {
    let source = "__attribute__((section(\".exported_sym\"), used)) static const char part[12] = {0};";
    let bytes = object("cut", source);
    let error = error_of(verify(&host(), &bytes));
    says(Err::<(), _>(error), Error::BadExports { index: 0, found: 12 }, "exports: bad entry 0 (found 0xc)");
}
