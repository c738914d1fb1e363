//! The table of errors, and how names are shown.

use llext_link::Error;
use llext_link::error::{Name, RelocationType, SymbolRef};

fn is_copy<T: Copy>() {}

#[test]
fn numbers_are_unique_and_ascending_and_from_100_to_399() {
    let codes: Vec<u16> = Error::ALL.iter().map(|row| row.code).collect();
    assert!(codes.windows(2).all(|two| two[0] < two[1]), "{codes:?}");
    assert!(codes.iter().all(|code| (100..400).contains(code)), "{codes:?}");
}

#[test]
fn every_error_has_a_name_of_its_own_a_meaning_and_a_cure() {
    for (index, row) in Error::ALL.iter().enumerate() {
        assert!(row.meaning.trim().ends_with('.') && row.meaning.len() > 10, "{row:?}");
        assert!(row.cure.len() > 10 && !row.cure.ends_with('.'), "{row:?}");
        assert!(Error::ALL[..index].iter().all(|other| other.name != row.name), "{row:?}");
    }
}

#[test]
fn an_error_is_small_and_copied() {
    is_copy::<Error>();
    assert!(size_of::<Error>() <= 96, "{} bytes", size_of::<Error>());
}

#[test]
fn a_name_shows_control_bytes_as_escapes() {
    for (name, shown) in [
        (&b"blink"[..], "blink"),
        (b"", ""),
        (b"a\x1b[31mb", "a\\u{1b}[31mb"),
        (b"two\nlines\r", "two\\nlines\\r"),
        (b"\x7f\0", "\\u{7f}\\u{0}"),
        (b"\xffx\xc3", "\\xffx\\xc3"),
        ("grün".as_bytes(), "grün"),
        ("\u{9b}31m".as_bytes(), "\\u{9b}31m"),
    ] {
        assert_eq!(Name::new(name).to_string(), shown);
        assert_eq!(Name::new(name).as_bytes(), name);
    }
    assert_eq!(format!("{:?}", Name::new(b"a\n")), "\"a\\n\"");
}

#[test]
fn a_long_name_is_cut_and_says_so() {
    let longest = [b'n'; Name::CAPACITY];
    assert_eq!(Name::new(&longest).to_string(), "n".repeat(47));
    for len in [48, 255, 256, 70_000] {
        let long = Name::new(&vec![b'n'; len]);
        assert_eq!(long.to_string(), "n".repeat(47) + "...");
        assert_eq!(long.as_bytes(), longest);
    }
    assert_ne!(Name::new(&longest), Name::new(&[b'n'; 48]));
    let inside = [&[b'n'; 46][..], "ü".as_bytes()].concat();
    assert_eq!(Name::new(&inside).to_string(), "n".repeat(46) + "\\xc3...");
}

#[test]
fn a_symbol_is_shown_by_its_name_or_else_by_its_number() {
    let mut symbol = SymbolRef::new(7);
    assert_eq!(symbol.to_string(), "symbol 7");
    symbol.name = Name::new(b"led_set");
    assert_eq!(symbol.to_string(), "led_set");
}

#[test]
fn a_relocation_is_shown_by_its_psabi_name_or_else_by_its_numbers() {
    for (machine, number, shown) in [
        (62, 2, "R_X86_64_PC32"),
        (62, 200, "relocation type 200 of x86_64"),
        (40, 10, "R_ARM_THM_CALL"),
        (40, 200, "relocation type 200 of arm"),
        (8, 4, "relocation type 4 of machine 8"),
    ] {
        assert_eq!(RelocationType { machine, number }.to_string(), shown);
    }
}

#[test]
fn only_errors_about_a_symbol_can_be_told_its_name() {
    let (symbol, relocation) = (SymbolRef::new(1), RelocationType { machine: 62, number: 2 });
    let mut far = Error::RelocationOverflow { relocation, place: 0, value: 1, symbol };
    far.symbol_mut().unwrap().name = Name::new(b"far");
    assert!(far.to_string().starts_with("far: R_X86_64_PC32"), "{far}");
    assert_eq!(Error::TextRelocations.symbol_mut(), None);
}
