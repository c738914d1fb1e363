//! Symbols: codes 114 and 120 to 128.

use crate::elf::*;
use crate::stages::{WORLD, World, link, plan, resolve};
use crate::{fails, says};
use llext_link::Error;
use llext_link::elf::Elf64Le;
use llext_link::elf::header::Kind;
use llext_link::elf::symbol::Symbols;
use llext_link::error::Name;
use llext_link::symbol::{Addresses, Assign, BOUND, Mark, View};

const GLOBAL_FUNCTION: u8 = 0x12;
const GLOBAL_NOTYPE: u8 = 0x10;
const UNDEFINED: u16 = 0;
const COMMON: u16 = 0xfff2;

fn with(class: Class, symbols: &[Symbol]) -> Vec<u8> {
    object(class).with_symbols(symbols).bytes()
}

#[test]
fn symbol_names_end_with_nul() {
    for class in BOTH {
        let mut file = object(class).with_symbols(&[("name", GLOBAL_FUNCTION, 1, 0, 0)]);
        file.sections[STRINGS].data.pop();
        let what = "symbol names";
        let text = "symbol names: do not end (found another last byte, expected NUL)";
        says(resolve(class, &file.bytes()), Error::UnterminatedStrings { what }, text);
    }
}

#[test]
fn a_symbol_name_lies_in_its_string_table() {
    for class in BOTH {
        // Of a symbol that is needed, and of one that is defined.
        for section in [UNDEFINED, 1] {
            let mut file = object(class).with_symbols(&[("name", GLOBAL_FUNCTION, section, 0, 0)]);
            let entry = class.pick(16, 24);
            file.sections[SYMBOLS].data[entry..entry + 4].copy_from_slice(&6u32.to_le_bytes());
            says(
                resolve(class, &file.bytes()),
                Error::BadName { what: "symbol", index: 1, offset: 6, size: 6 },
                "symbol 1: name outside its string table (found offset 0x6, expected below 0x6)",
            );
        }
    }
}

#[test]
fn a_symbol_names_a_section_that_exists() {
    for class in BOTH {
        says(
            resolve(class, &with(class, &[("high", GLOBAL_FUNCTION, 7, 0, 0)])),
            Error::BadSymbolSection { symbol: 1, found: 7, count: 7 },
            "symbol 1: no such section (found 7, expected below 7)",
        );
        let reserved = with(class, &[("reserved", GLOBAL_FUNCTION, 0xff02, 0, 0)]);
        let expected = Error::BadSymbolSection { symbol: 1, found: 0xff02, count: 0xff00 };
        fails(resolve(class, &reserved), expected);
        let mut file = object(class).with_symbols(&[("extended", GLOBAL_FUNCTION, 0xffff, 0, 0)]);
        let indexes = [0u32, 0xfff1].into_iter().flat_map(u32::to_le_bytes).collect();
        file.sections.push(Section { kind: SYMTAB_SHNDX, entry: 4, data: indexes, ..Section::default() });
        let expected = Error::BadSymbolSection { symbol: 1, found: 0xfff1, count: 8 };
        fails(resolve(class, &file.bytes()), expected);
    }
}

#[test]
fn a_symbol_lies_in_its_section_or_at_its_end() {
    for class in BOTH {
        says(
            link(class, &with(class, &[("past", GLOBAL_FUNCTION, 1, 17, 0)]), WORLD),
            Error::SymbolOutsideSection { symbol: 1, value: 17, size: 16 },
            "symbol 1: outside its section (found 0x11, expected at most 0x10)",
        );
        assert_eq!(link(class, &with(class, &[("end", GLOBAL_FUNCTION, 1, 16, 0)]), WORLD), Ok(()));
        // gcc's section anchors
        assert_eq!(link(class, &with(class, &[(".LANCHOR0", 0, 1, 17, 0)]), WORLD), Ok(()));
    }
}

#[test]
fn a_symbol_of_a_shared_object_lies_in_its_image() {
    for value in [0xfff, 0x1101] {
        let expected = Error::SymbolOutsideImage { symbol: 1, value, low: 0x1000, high: 0x1100 };
        fails(assigned_in_image(GLOBAL_FUNCTION, value).map(|_| ()), expected);
    }
    assert_eq!(assigned_in_image(GLOBAL_FUNCTION, 0x1100), Ok(0x1100));
    assert_eq!(
        assigned_in_image(GLOBAL_NOTYPE, 0x1101),
        Ok(Mark::unusable()),
        "as a linker's script defines some"
    );
}

/// A symbol at `value` in an image that was linked at 0x1000 and has 0x100 bytes.
fn assigned_in_image(info: u8, value: u64) -> Result<u64, Error> {
    let file = object(Wide).with_symbols(&[("low", info, 1, value, 0)]);
    let [entries, strings] = [SYMBOLS, STRINGS].map(|section| &file.sections[section].data[..]);
    let symbols = Symbols::<Elf64Le>::new(entries, strings, &[]).unwrap();
    let view = View { kind: Kind::Shared, symbols, sections: &[], names: &[], exports_globals: false };
    let nowhere = Addresses { parts: [0; 4], commons: 0, got: 0, dso_handle: 0, bound: [0; BOUND] };
    let mut values = [0; 2];
    Assign::default().step_shared(&view, &mut values, &nowhere, (0x1000, 0x100, 0), u32::MAX)?;
    Ok(values[1])
}

#[test]
fn indirect_functions_need_a_shared_object() {
    for class in BOTH {
        says(
            resolve(class, &with(class, &[("chosen", 0x1a, 1, 0, 0)])),
            Error::UnsupportedSymbol { symbol: 1, kind: 10 },
            "symbol 1: unsupported type (found 10, expected a function, data, a section or none)",
        );
    }
}

#[test]
fn thread_local_symbols_are_not_looked_up() {
    for class in BOTH {
        let bytes = with(class, &[("errno", 0x16, UNDEFINED, 0, 0)]);
        fails(resolve(class, &bytes), Error::ThreadLocal { what: "symbol", index: 1 });
    }
}

#[test]
fn symbols_that_nobody_provides_are_counted_and_the_first_is_named() {
    for class in BOTH {
        let undefined = |name| (name, 0x10, UNDEFINED, 0, 0);
        let symbols = [("own", GLOBAL_FUNCTION, 1, 0, 0), undefined("led_set"), undefined("led\x1b[2J")];
        says(
            resolve(class, &with(class, &symbols)),
            Error::UndefinedSymbols { count: 2, first: Name::new(b"led_set") },
            "led_set: undefined symbol (2 missing in all)",
        );
        let weak = with(class, &[("maybe", 0x20, UNDEFINED, 0, 0), undefined("led\x1b[2J")]);
        says(
            resolve(class, &weak),
            Error::UndefinedSymbols { count: 1, first: Name::new(b"led\x1b[2J") },
            "led\\u{1b}[2J: undefined symbol (1 missing in all)",
        );
        let world = World { host: &[("led_set", 8)], ..WORLD };
        assert_eq!(link(class, &with(class, &[undefined("led_set")]), world), Ok(()));
    }
}

#[test]
fn common_symbols_are_aligned_to_powers_of_two_up_to_64_kib() {
    for class in BOTH {
        for align in [3, 0x2_0000] {
            let bytes = with(class, &[("fine", 0x11, COMMON, 4, 4), ("common", 0x11, COMMON, align, 4)]);
            fails(resolve(class, &bytes), Error::BadCommon { symbol: 2, align });
        }
        says(
            resolve(class, &with(class, &[("common", 0x11, COMMON, 12, 4)])),
            Error::BadCommon { symbol: 1, align: 12 },
            "symbol 1: bad alignment of a common symbol (found 0xc, expected a power of two up to 0x10000)",
        );
    }
}

#[test]
fn common_symbols_count_for_the_size_of_an_image() {
    for class in BOTH {
        let two = [("a", 0x11, COMMON, 4, 0xffff_fff0), ("b", 0x11, COMMON, 16, 0x20)];
        fails(resolve(class, &with(class, &two)), Error::ImageTooLarge { wanted: 0x1_0000_0010 });
        // Eight bytes of data and sixteen of code, and the alignments of all parts: 1, 8, 16 and 16.
        let one = with(class, &[("a", 0x11, COMMON, 4, 0x8000_0000)]);
        fails(plan(class, &one), Error::ImageTooLarge { wanted: 0x8000_0008 + 16 + 41 });
    }
}

#[test]
fn starts_and_ends_are_looked_for_as_long_as_their_names_are_few() {
    for class in BOTH {
        let symbols = [("__start_nowhere_", 0x20, UNDEFINED, 0, 0); 1025];
        assert!(resolve(class, &with(class, &symbols[1..])).is_ok());
        says(
            resolve(class, &with(class, &symbols)),
            Error::TooManyBoundaries { symbol: 1025, found: 0x4010, expected: 0x4000 },
            "symbol 1025: one `__start_` or `__stop_` too many (found 16400 bytes of such names, expected at most 16384)",
        );
    }
}
