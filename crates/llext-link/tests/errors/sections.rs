//! Sections of an object: codes 110 to 118, and the tables that lie outside the file.

use crate::elf::*;
use crate::stages::{header, plan, resolve, scan};
use crate::{fails, says};
use llext_link::Error;
use llext_link::elf::exported::ExportScan;
use llext_link::elf::{Elf32Le, Elf64Le};

/// An object in which one section is changed.
fn with(class: Class, section: usize, change: impl Fn(&mut Section)) -> Vec<u8> {
    let mut file = object(class);
    change(&mut file.sections[section]);
    file.bytes()
}

#[test]
fn tables_hold_whole_entries_of_their_size() {
    for class in BOTH {
        for (index, expected) in [(SYMBOLS, class.pick(16, 24)), (RELOCATIONS, class.pick(8, 24))] {
            let bad = |found| Error::BadEntrySize { section: index as u32, found, expected };
            let half = with(class, index, |section| section.entry = expected / 2);
            fails(scan(class, &half), bad(expected / 2));
            let double = with(class, index, |section| section.entry = expected * 2);
            fails(scan(class, &double), bad(expected * 2));
            let cut = with(class, index, |section| section.size = Some(expected + 1));
            fails(scan(class, &cut), bad(expected + 1));
            let none = |section: &mut Section| (section.entry, section.size) = (0, Some(expected));
            fails(scan(class, &with(class, index, none)), bad(0));
        }
        let extended = Section { kind: SYMTAB_SHNDX, entry: 4, size: Some(6), ..Section::default() };
        says(
            scan(class, &object(class).with_section(extended).bytes()),
            Error::BadEntrySize { section: 6, found: 6, expected: 4 },
            "section 6: bad entry size (found 0x6, expected 0x4)",
        );
    }
}

#[test]
fn sections_are_aligned_to_powers_of_two_up_to_64_kib() {
    for class in BOTH {
        for found in [3, 0x1_0001, 0x2_0000] {
            let bytes = with(class, DATA, |section| section.align = found);
            fails(scan(class, &bytes), Error::BadAlignment { section: 2, found });
        }
        for align in [0, 1, 0x1_0000] {
            assert!(scan(class, &with(class, DATA, |section| section.align = align)).is_ok());
        }
        says(
            scan(class, &with(class, TEXT, |section| section.align = 24)),
            Error::BadAlignment { section: 1, found: 24 },
            "section 1: bad alignment (found 0x18, expected a power of two up to 0x10000)",
        );
    }
}

#[test]
fn links_lead_to_sections_of_the_right_kind() {
    for class in BOTH {
        let (symbols, relocations) = (SYMBOLS as u32, RELOCATIONS as u32);
        let bad = |section, found, expected| Error::BadLink { section, found, expected };
        for found in [0, 7] {
            let bytes = with(class, SYMBOLS, |section| section.link = found);
            fails(scan(class, &bytes), bad(symbols, found, "its string table"));
        }
        let bytes = with(class, SYMBOLS, |section| section.link = TEXT as u32);
        fails(scan(class, &bytes), bad(symbols, 1, "a string table"));
        let bytes = with(class, RELOCATIONS, |section| section.link = STRINGS as u32);
        fails(scan(class, &bytes), bad(relocations, 4, "the symbol table"));
        for found in [0, 7, relocations] {
            let bytes = with(class, RELOCATIONS, |section| section.info = found);
            fails(scan(class, &bytes), bad(relocations, found, "the section to relocate"));
        }
    }
    says(
        scan(Wide, &with(Wide, SYMBOLS, |section| section.link = TEXT as u32)),
        Error::BadLink { section: 3, found: 1, expected: "a string table" },
        "section 3: bad link (found section 1, expected a string table)",
    );
}

#[test]
fn zeroed_memory_is_not_relocated() {
    for class in BOTH {
        let mut file = object(class).with_relocations(&[(0, 1, 0, 0)]);
        file.sections[RELOCATIONS].info = DATA as u32;
        (file.sections[DATA].kind, file.sections[DATA].size) = (NOBITS, Some(8));
        let expected = Error::BadLink { section: 5, found: 2, expected: "a section with contents" };
        fails(scan(class, &file.bytes()), expected);
    }
}

#[test]
fn no_section_is_writable_and_executable() {
    for class in BOTH {
        says(
            scan(class, &with(class, TEXT, |section| section.flags |= WRITE)),
            Error::WritableAndExecutable { section: 1 },
            "section 1: writable and executable (found both, expected one)",
        );
    }
}

#[test]
fn thread_local_sections_are_refused() {
    for class in BOTH {
        let bytes = with(class, DATA, |section| section.flags |= 0x400);
        let text = "section 2: thread-local storage (found TLS, expected ordinary data)";
        says(scan(class, &bytes), Error::ThreadLocal { what: "section", index: 2 }, text);
    }
}

#[test]
fn loaded_sections_are_of_a_known_type() {
    for class in BOTH {
        // A string table, a group, a type of an operating system, zeroed code.
        for (kind, section) in [(STRTAB, DATA), (17, DATA), (0x6fff_fff6, DATA), (NOBITS, TEXT)] {
            let bytes = with(class, section, |section| section.kind = kind);
            fails(scan(class, &bytes), Error::UnsupportedSection { section: section as u32, kind });
        }
        says(
            scan(class, &with(class, DATA, |section| section.kind = 17)),
            Error::UnsupportedSection { section: 2, kind: 17 },
            "section 2: unsupported type (found 0x11, expected one that can be loaded)",
        );
    }
}

#[test]
fn an_object_has_a_symbol_table() {
    for class in BOTH {
        let bytes = with(class, SYMBOLS, |section| section.kind = 0);
        let text = "symbol table: missing (found none, expected one)";
        says(scan(class, &bytes), Error::MissingTable { what: "symbol table" }, text);
    }
}

#[test]
fn high_section_indexes_need_their_table() {
    for class in BOTH {
        let bytes = object(class).with_symbols(&[("high", 0x12, 0xffff, 0, 0)]).bytes();
        fails(resolve(class, &bytes), Error::MissingTable { what: "extended section indexes" });
    }
}

#[test]
fn an_object_has_one_symbol_table() {
    for class in BOTH {
        let mut file = object(class);
        let second = file.sections[SYMBOLS].clone();
        file.sections.push(second);
        says(
            scan(class, &file.bytes()),
            Error::DuplicateTable { what: "symbol table", section: 6 },
            "section 6: a second symbol table (found two, expected one)",
        );
    }
}

#[test]
fn loaded_sections_are_not_compressed() {
    for class in BOTH {
        says(
            scan(class, &with(class, DATA, |section| section.flags |= 0x800)),
            Error::Compressed { section: 2 },
            "section 2: compressed (found SHF_COMPRESSED, expected plain bytes)",
        );
    }
}

#[test]
fn contents_lie_inside_the_file() {
    for class in BOTH {
        let wanted = class.pick(0x10_0000, 0x18_0000);
        let extended = Section { kind: SYMTAB_SHNDX, entry: 4, ..Section::default() };
        for (index, what) in [
            (TEXT, "section"),
            (SYMBOLS, "symbol table"),
            (STRINGS, "string table"),
            (RELOCATIONS, "section"),
            (6, "extended section indexes"),
        ] {
            let mut file = object(class).with_section(extended.clone());
            file.sections[index].size = Some(wanted);
            let bytes = file.bytes();
            let Err(Error::Truncated { what: found, offset, wanted: bytes_wanted, size }) =
                scan(class, &bytes)
            else {
                panic!("{what} outside the file was not found");
            };
            assert_eq!((found, bytes_wanted, size), (what, wanted, bytes.len() as u64));
            assert!(offset < size, "{what}");
        }
    }
}

#[test]
fn sections_do_not_share_their_contents() {
    for class in BOTH {
        let mut file = object(class);
        let size = file.bytes().len() as u64;
        for section in [TEXT, DATA] {
            file.sections[section].size = Some(size - 200);
        }
        let expected = Error::OverlappingSections { section: 2, found: 2 * (size - 200), expected: size };
        fails(scan(class, &file.bytes()), expected);
    }
}

/// Where the header of a section lies: the headers, with that of the names, end the file.
fn header_of(class: Class, bytes: &[u8], section: usize) -> usize {
    bytes.len() - (7 - section) * class.pick(40, 64)
}

/// The length of the section names of [`object`], a NUL after each; the first two are empty.
const NAMES: u32 = 2 + 6 + 6 + 8 + 8 + 10 + 10;

#[test]
fn a_section_name_lies_in_the_table_of_names() {
    for class in BOTH {
        let mut bytes = object(class).bytes();
        let name = header_of(class, &bytes, DATA);
        bytes[name..name + 4].copy_from_slice(&NAMES.to_le_bytes());
        let expected = Error::BadName { what: "section", index: 2, offset: NAMES, size: NAMES };
        let text = "section 2: name outside its string table (found offset 0x32, expected below 0x32)";
        says(scan(class, &bytes), expected, text);
        fails(find_exports(class, &bytes), expected);
    }
}

#[test]
fn the_table_of_section_names_lies_in_the_file() {
    for class in BOTH {
        let mut bytes = object(class).bytes();
        let size = header_of(class, &bytes, 6) + class.pick(20, 32);
        bytes[size..size + 4].copy_from_slice(&0x10_0000u32.to_le_bytes());
        let size = bytes.len() as u64;
        let offset = header_of(class, &bytes, 0) as u64 - u64::from(NAMES);
        let expected = Error::Truncated { what: "section names", offset, wanted: 0x10_0000, size };
        fails(scan(class, &bytes), expected);
        fails(find_exports(class, &bytes), expected);
    }
}

/// Looks for `.exported_sym`, as it is done for a shared object.
fn find_exports(class: Class, mut bytes: &[u8]) -> Result<Option<(u64, u64)>, Error> {
    let header = header(class, bytes)?;
    let (all, mut scan) = (bytes, ExportScan::default());
    let names = match class {
        Narrow => ExportScan::names::<Elf32Le, _>(&header, &mut bytes)?,
        Wide => ExportScan::names::<Elf64Le, _>(&header, &mut bytes)?,
    };
    let names = names.of(all).unwrap_or_default();
    loop {
        let done = match class {
            Narrow => scan.step::<Elf32Le, _>(&header, &mut bytes, names, u32::MAX)?,
            Wide => scan.step::<Elf64Le, _>(&header, &mut bytes, names, u32::MAX)?,
        };
        if done {
            return Ok(scan.found);
        }
    }
}

#[test]
fn an_image_is_smaller_than_2_gib() {
    let zeroed = |class, size| {
        let bss = Section {
            name: ".bss",
            kind: NOBITS,
            flags: ALLOC | WRITE,
            size: Some(size),
            ..Section::default()
        };
        object(class).with_section(bss).bytes()
    };
    for class in BOTH {
        // Eight bytes of data and sixteen of code, and the alignments of all parts: 1, 8, 16 and 16.
        let rest = 8 + 16 + 41;
        says(
            plan(class, &zeroed(class, 0x8000_0000)),
            Error::ImageTooLarge { wanted: 0x8000_0000 + rest },
            "image: too large (found 0x80000041 bytes, expected less than 0x80000000)",
        );
        fails(plan(class, &zeroed(class, 0x7fff_fff0)), Error::ImageTooLarge { wanted: 0x7fff_fff0 + rest });
    }
    fails(scan(Wide, &zeroed(Wide, 1 << 32)), Error::ImageTooLarge { wanted: 1 << 32 });
}
