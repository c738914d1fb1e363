//! The same object, linked by GNU ld at the same addresses: every loaded byte is the same.

use std::process::Command;

use object::{Object, ObjectSection, ObjectSymbol, SectionFlags, elf};

use super::{cc, linked, place};
use crate::support::Place;

/// The sections of the object itself: what the link makes besides is no other linker's.
fn own<'d>(file: &object::File<'d>) -> Vec<(String, u64, Vec<u8>)> {
    let of_llext = |name: &str| name.starts_with(".llext.") || name == ".common" || name == ".exported_sym";
    let loaded = file.sections().filter(|section| {
        let SectionFlags::Elf { sh_flags, .. } = section.flags() else { panic!() };
        sh_flags.contains(elf::SHF_ALLOC) && !of_llext(section.name().unwrap())
    });
    loaded
        .map(|section| {
            let contents = section.data().unwrap().to_vec();
            (section.name().unwrap().to_owned(), section.address(), contents)
        })
        .collect()
}

/// Links `object` with GNU ld where `file` has its sections.
fn by_gnu_ld(place: &Place, object: &str, file: &object::File<'_>) -> Vec<u8> {
    let placed = own(file).into_iter().map(|(name, at, _)| format!("{name} {at:#x} : {{ *({name}) }}\n"));
    let common = file.section_by_name(".common").map_or(0x1f00_0000, |section| section.address());
    let script = placed.collect::<String>() + &format!(".common {common:#x} : {{ *(COMMON) }}\n");
    place.write("ld.x", format!("SECTIONS {{\n{script}/DISCARD/ : {{ *(*) }}\n}}\n"));
    let mut ld = Command::new("ld");
    ld.args([
        "-T",
        "ld.x",
        object,
        "-o",
        "theirs.elf",
        "--just-symbols=firmware.elf",
        "-e",
        "0",
        "--no-warn-rwx-segments",
    ]);
    assert!(ld.current_dir(place.path("")).status().unwrap().success());
    std::fs::read(place.path("theirs.elf")).unwrap()
}

fn compare(place: &Place, object: &str) {
    let (_, ours) = linked(place);
    let ours = object::File::parse(&*ours).unwrap();
    let theirs = by_gnu_ld(place, object, &ours);
    let theirs = object::File::parse(&*theirs).unwrap();
    let own = own(&ours);
    assert!(own.iter().any(|(name, ..)| name == ".text") && own.iter().any(|(name, ..)| name == ".data"));
    for (name, address, contents) in own {
        let other = theirs.section_by_name(&name).unwrap();
        assert_eq!(other.address(), address, "{name}");
        assert_eq!(other.data().unwrap(), contents, "{name}");
    }
    for name in ["answer", "shared", "through", "ticks", "scale"] {
        let address = |file: &object::File<'_>| file.symbol_by_name(name).unwrap().address();
        assert_eq!(address(&ours), address(&theirs), "{name}");
    }
}

#[test]
fn gnu_ld_makes_the_same_bytes() {
    compare(&place(), "app.o");
}

#[test]
fn of_large_code_and_of_common_symbols_too() {
    let place = place();
    for options in [&["-mcmodel=large"][..], &["-fcommon", "-O2"], &["-O0"]] {
        cc(&place, &[&["-c", "-fno-pic", "app.c", "-o", "app.o"], options].concat());
        compare(&place, "app.o");
    }
}
