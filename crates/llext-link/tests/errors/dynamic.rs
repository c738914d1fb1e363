//! The dynamic section of a shared object, and notes: codes 116, 120, 151, 152, 160 and 161.

use crate::elf::*;
use crate::{fails, says};
use llext_link::Error;
use llext_link::addr::Extent;
use llext_link::elf::dynamic::Dynamic;
use llext_link::elf::note::check_abi;
use llext_link::elf::segment::Span;
use llext_link::elf::{Elf32Be, Elf32Le, Elf64Le};

const HASH: u64 = 4;
const STRTAB_AT: u64 = 5;
const SYMTAB_AT: u64 = 6;
const STRSZ: u64 = 10;
const SYMENT: u64 = 11;
const INIT: u64 = 12;
const PLTREL: u64 = 20;
const GNU_HASH: u64 = 0x6fff_fef5;

/// The image begins at this address.
const BASE: u64 = 0x1000;
/// How large it is: the dynamic section first, tables from `TABLES` on.
const SIZE: usize = 0x400;
const TABLES: u64 = 0x200;

/// Reads a dynamic section with these entries; `tables` lie at [`TABLES`] in the image.
fn parse(class: Class, entries: &[(u64, u64)], tables: &[u8]) -> Result<Dynamic, Error> {
    let mut image = vec![0; SIZE];
    let words = entries.iter().flat_map(|(tag, value)| [class.word(*tag), class.word(*value)]);
    let section: Vec<u8> = words.flatten().collect();
    image[..section.len()].copy_from_slice(&section);
    image[TABLES as usize..][..tables.len()].copy_from_slice(tables);
    let section = Extent { offset: 0, size: TABLES as u32 };
    let span = Span { base: BASE, size: SIZE as u32, dynamic: Some(section), ..Span::default() };
    match class {
        Narrow => {
            let dynamic = Dynamic::parse::<Elf32Le>(&image, &span)?;
            dynamic.symbols::<Elf32Le>(&image).map(|_| dynamic)
        }
        Wide => {
            let dynamic = Dynamic::parse::<Elf64Le>(&image, &span)?;
            dynamic.symbols::<Elf64Le>(&image).map(|_| dynamic)
        }
    }
}

#[test]
fn a_shared_object_has_a_dynamic_section() {
    let text = "dynamic section: missing (found none, expected one)";
    let expected = Error::MissingTable { what: "dynamic section" };
    says(Dynamic::parse::<Elf64Le>(&[0; 64], &Span::default()), expected, text);
    fails(Dynamic::parse::<Elf32Le>(&[0; 64], &Span::default()), expected);
    for class in BOTH {
        assert!(parse(class, &[], &[]).is_ok());
    }
}

#[test]
fn a_table_with_a_size_has_a_place() {
    for class in BOTH {
        fails(parse(class, &[(STRSZ, 8)], &[]), Error::MissingTable { what: "DT_STRTAB" });
        fails(parse(class, &[(28, 8)], &[]), Error::MissingTable { what: "DT_FINI_ARRAY" });
    }
}

#[test]
fn entries_have_the_sizes_of_the_class() {
    for class in BOTH {
        for (tag, name, size) in [
            (SYMENT, "DT_SYMENT", class.pick(16, 24)),
            (9, "DT_RELAENT", class.pick(12, 24)),
            (19, "DT_RELENT", class.pick(8, 16)),
            (37, "DT_RELRENT", class.pick(4, 8)),
        ] {
            assert!(parse(class, &[(tag, size)], &[]).is_ok());
            fails(parse(class, &[(tag, size + 1)], &[]), Error::BadDynamic { tag: name, found: size + 1 });
        }
    }
    says(
        parse(Wide, &[(SYMENT, 16)], &[]),
        Error::BadDynamic { tag: "DT_SYMENT", found: 16 },
        "dynamic section: bad DT_SYMENT (found 0x10, expected the size of this format's entries)",
    );
}

#[test]
fn tables_lie_in_the_image() {
    for class in BOTH {
        let last = BASE + SIZE as u64;
        for (at, size, tag) in [
            (7, 8, "DT_RELA"),
            (17, 18, "DT_REL"),
            (23, 2, "DT_JMPREL"),
            (36, 35, "DT_RELR"),
            (25, 27, "DT_INIT_ARRAY"),
            (26, 28, "DT_FINI_ARRAY"),
            (STRTAB_AT, STRSZ, "DT_STRTAB"),
        ] {
            let bad = |found| Error::BadDynamic { tag, found };
            for address in [0, BASE - 1, last, 0xffff_ffff] {
                fails(parse(class, &[(at, address), (size, 48)], &[]), bad(address));
            }
            fails(parse(class, &[(at, last - 40), (size, 48)], &[]), bad(48));
            if tag != "DT_STRTAB" {
                fails(parse(class, &[(at, BASE + TABLES), (size, 49)], &[]), bad(49));
            }
        }
        for (tag, name) in [
            (INIT, "DT_INIT"),
            (13, "DT_FINI"),
            (HASH, "DT_HASH"),
            (GNU_HASH, "DT_GNU_HASH"),
            (SYMTAB_AT, "DT_SYMTAB"),
        ] {
            fails(parse(class, &[(tag, last)], &[]), Error::BadDynamic { tag: name, found: last });
        }
    }
}

#[test]
fn relocations_are_of_one_kind() {
    for class in BOTH {
        let (rel, rela) = (class.pick(8, 16), class.pick(12, 24));
        let both = [(7, BASE + TABLES), (8, rela), (17, BASE + TABLES), (18, rel)];
        fails(parse(class, &both, &[]), Error::BadDynamic { tag: "DT_REL", found: rel });
        fails(parse(class, &[(PLTREL, 8)], &[]), Error::BadDynamic { tag: "DT_PLTREL", found: 8 });
    }
}

#[test]
fn hash_tables_are_whole() {
    for class in BOTH {
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
        let entries = |tag| [(tag, BASE + TABLES), (SYMTAB_AT, BASE)];
        // No bucket at all; more buckets than the image holds.
        for table in [words(&[0, 1]), words(&[0x1000, 1])] {
            let expected = Error::BadDynamic { tag: "DT_HASH", found: TABLES };
            fails(parse(class, &entries(HASH), &table), expected);
        }
        let table = words(&[1, 1, 3, 6]);
        let expected = Error::BadDynamic { tag: "DT_GNU_HASH", found: TABLES };
        fails(parse(class, &entries(GNU_HASH), &table), expected);
        // A bucket that leads past the chains.
        let table = words(&[1, 1, 1, 6, 0, 0x1000, 0x1000]);
        fails(parse(class, &entries(GNU_HASH), &table), Error::BadDynamic { tag: "DT_SYMTAB", found: 0 });
        // More symbols than the image holds.
        let table = words(&[1, 100]);
        fails(parse(class, &entries(HASH), &table), Error::BadDynamic { tag: "DT_SYMTAB", found: 100 });
    }
}

#[test]
fn text_stays_as_it_is() {
    for class in BOTH {
        for entry in [(22, 0), (30, 4)] {
            let text = "dynamic section: text relocations (found DT_TEXTREL, expected none)";
            says(parse(class, &[entry], &[]), Error::TextRelocations, text);
        }
    }
}

#[test]
fn dynamic_strings_end_with_nul() {
    for class in BOTH {
        let entries = [(STRTAB_AT, BASE + TABLES), (STRSZ, 3)];
        fails(parse(class, &entries, b"abc"), Error::UnterminatedStrings { what: "symbol names" });
    }
}

/// A note of owner `llext`.
fn note(version: u32) -> Vec<u8> {
    [&b"\x06\0\0\0\x04\0\0\0\x01\0\0\0llext\0\0\0"[..], &version.to_le_bytes()].concat()
}

#[test]
fn an_abi_newer_than_this_build_is_refused() {
    let text = "note: ABI too new (found 7, expected at most 1)";
    says(check_abi::<Elf32Le>(&note(7)), Error::AbiTooNew { found: 7, expected: 1 }, text);
    assert_eq!(check_abi::<Elf64Le>(&note(1)), Ok(()));
}

#[test]
fn notes_end_inside_their_section() {
    let twice = [note(1), note(1)].concat();
    let other = |bytes: &[u8]| bytes.iter().map(|byte| if *byte == b'x' { b'y' } else { *byte }).collect();
    let mut notes: Vec<u8> = other(&twice);
    let text =
        "note at 0x0: malformed (found a length or text that cannot be, expected a name and a description)";
    says(check_abi::<Elf64Le>(&notes[24..40]), Error::BadNote { offset: 0 }, text);
    // The first note is no longer ours; the second has a name without an end, or a version of two bytes.
    for (at, value) in [(24, 0xffff_ffff), (28, 2), (28, 0x7fff_ffff), (24, 5000)] {
        notes[..4].copy_from_slice(&5u32.to_le_bytes());
        notes[24..].copy_from_slice(&note(1));
        notes[at..at + 4].copy_from_slice(&u32::to_le_bytes(value));
        fails(check_abi::<Elf64Le>(&notes), Error::BadNote { offset: 24 });
    }
    // Read in the wrong byte order every size is too large.
    fails(check_abi::<Elf32Be>(&note(1)), Error::BadNote { offset: 0 });
}
