//! What the run time adds to the linker: the processor, libraries, the names of symbols, the ABI.

use crate::files::{dynamic, object, set_word, shared, verify, word};
use crate::{error_of, host, says};
use llext::Error;
use llext::error::Name;
use llext_link::Error as Link;
use llext_link::error::{RelocationType, SymbolRef};

const PROBE: &str = "int probe(void) { return 42; }";

#[test]
fn another_processor_is_the_wrong_machine() {
    let host = host();
    for mut bytes in [object("machine", PROBE), shared("machine", PROBE, &[])] {
        bytes[18..20].copy_from_slice(&183u16.to_le_bytes());
        says(
            verify(&host, &bytes),
            Link::WrongMachine { found: 183, expected: 62 },
            "header: wrong machine (found 183, expected 62)",
        );
    }
}

#[test]
fn what_the_linker_finds_keeps_its_number_and_cure() {
    let host = host();
    let error = error_of(verify(&host, b"#!/bin/sh\nexit 0"));
    let link = Link::NotElf { found: *b"#!/b" };
    assert_eq!(error, Error::Link(link));
    assert_eq!((error.code(), error.name(), error.cure()), (100, "NotElf", link.cure()));
    assert_eq!(error.to_string(), link.to_string());
}

#[test]
fn a_needed_library_is_a_live_extension_or_the_host_s() {
    let host = host();
    shared("library", PROBE, &["-Wl,-soname,libprobe.so.1"]);
    let library = format!("{}/error_library_so/output", env!("CARGO_TARGET_TMPDIR"));
    let mut bytes = shared("needs", "int other(void) { return 1; }", &["-Wl,--no-as-needed", &library]);
    says(
        verify(&host, &bytes),
        Link::MissingDependency { name: Name::new(b"libprobe.so.1") },
        "libprobe.so.1: needed library is not there",
    );
    let needed = dynamic(&bytes, 1);
    // Past the names, and at one of them but for the upper half.
    for found in [0x10_0000, word(&bytes, needed) | 1 << 32] {
        set_word(&mut bytes, needed, found);
        let text = format!(
            "dynamic section: bad DT_NEEDED (found {found:#x}, expected the offset of a name in DT_STRTAB)"
        );
        says(verify(&host, &bytes), Link::BadDynamic { tag: "DT_NEEDED", found }, &text);
    }
}

#[test]
fn errors_about_a_symbol_name_it() {
    let host = host();
    let unloaded = "asm(\".section .apart,\\\"\\\",@progbits; .globl secret; secret: .long 1;\"
        \".data; .quad secret\");";
    says(
        verify(&host, &object("unloaded", unloaded)),
        Link::SymbolNotLoaded { symbol: named(&object("unloaded", unloaded), "secret"), offset: 0 },
        "secret: used by a relocation at 0x0, but its section is not loaded",
    );
    let size = object("size", "int probe; asm(\".data; .long 0; .long probe@SIZE\");");
    let relocation = RelocationType { machine: 62, number: 32 };
    says(
        verify(&host, &size),
        Link::UnsupportedRelocation { relocation, symbol: named(&size, "probe"), offset: 4 },
        "probe: unsupported relocation R_X86_64_SIZE32 at 0x4",
    );
    let short = object("short", "int probe; asm(\".data; .short probe\");");
    let error = error_of(verify(&host, &short));
    let Error::Link(Link::RelocationOverflow { relocation, place, value, symbol }) = error else {
        panic!("{error}");
    };
    assert_eq!((relocation.number, symbol), (12, named(&short, "probe")));
    assert!(place % 2 == 0 && value > 0xffff, "{error}");
    let text = format!("probe: R_X86_64_16 does not reach from {place:#x} (found {value:#x})");
    assert_eq!(error.to_string(), text);
}

/// A symbol of an object, as an error has it.
fn named(bytes: &[u8], name: &str) -> SymbolRef {
    use object::{Object, ObjectSymbol};
    let file = object::File::parse(bytes).unwrap();
    let symbol = file.symbols().find(|symbol| symbol.name() == Ok(name)).unwrap();
    SymbolRef { index: symbol.index().0 as u32, name: Name::new(name.as_bytes()) }
}

#[test]
fn a_text_that_would_be_relocated_is_refused() {
    let source = "asm(\".text; .quad elsewhere\");";
    let bytes = shared("textrel", source, &["-Wl,-z,notext"]);
    let text = "dynamic section: text relocations (found DT_TEXTREL, expected none)";
    says(verify(&host(), &bytes), Link::TextRelocations, text);
}

#[test]
fn an_extension_for_a_newer_abi_is_refused() {
    let source = "asm(\".section .note.llext,\\\"a\\\",@note; .long 6, 4, 1; .asciz \\\"llext\\\"; .balign 4; .long 9\");
        int probe(void) { return 1; }";
    for bytes in [object("abi", source), shared("abi", source, &[])] {
        let text = "note: ABI too new (found 9, expected at most 1)";
        says(verify(&host(), &bytes), Link::AbiTooNew { found: 9, expected: 1 }, text);
    }
}
