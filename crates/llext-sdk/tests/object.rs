//! What lies in the objects of extensions that were built against this crate, by cargo and for this machine.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use entries::{Entry, entries};
use object::read::archive::ArchiveFile;
use object::{File, Object, ObjectSection, ObjectSymbol, SectionFlags, SectionIndex, SectionKind, elf};

mod entries;

/// The static library that cargo makes of the extension in `folder`.
fn build(folder: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let done = Command::new(env!("CARGO"))
        .args(["build", "--release", "--locked", "--manifest-path"])
        .arg(root.join(folder).join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let name = Path::new(folder).file_name().unwrap().to_str().unwrap().replace('-', "_");
    std::fs::read(target.join("release").join(format!("lib{name}.a"))).unwrap()
}

/// The one object of a static library that has exports: what the extension itself and this crate became.
fn object_of(library: &[u8]) -> File<'_> {
    let archive = ArchiveFile::parse(library).unwrap();
    let members = archive.members().map(|member| member.unwrap().data(library).unwrap());
    let mut objects = members
        .filter_map(|data| File::parse(data).ok())
        .filter(|file| file.section_by_name(".exported_sym").is_some());
    let object = objects.next().expect("an object with exports");
    assert!(objects.next().is_none(), "fat link-time optimisation makes one object");
    object
}

fn is_code(file: &File<'_>, section: SectionIndex) -> bool {
    file.section_by_index(section).unwrap().kind() == SectionKind::Text
}

fn names(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|(name, _)| name.as_str()).collect()
}

fn undefined<'a>(file: &File<'a>) -> BTreeSet<&'a str> {
    let undefined = file.symbols().filter(|symbol| symbol.is_undefined());
    undefined.map(|symbol| symbol.name().unwrap()).filter(|name| !name.is_empty()).collect()
}

#[test]
fn the_hello_extension_has_three_entries_a_note_and_needs_nothing() {
    let library = build("../../extensions/hello-rust");
    let file = object_of(&library);

    let entries = entries(&file, ".exported_sym");
    assert_eq!(names(&entries), ["add", "llext_init", "probe"]);
    assert!(entries.iter().all(|(_, section)| is_code(&file, *section)));
    assert_eq!(undefined(&file), BTreeSet::new());
    check_notes(&file, &NOTES[..1]);
}

/// Owner size 6, the description's size and type, the owner padded to words; then version 1, or a name that is needed.
const NOTES: [&[u8]; 3] = [
    b"\x06\0\0\0\x04\0\0\0\x01\0\0\0llext\0\0\0\x01\0\0\0",
    b"\x06\0\0\0\x05\0\0\0\x02\0\0\0llext\0\0\0math\0\0\0\0",
    b"\x06\0\0\0\x07\0\0\0\x02\0\0\0llext\0\0\0gfx-2d\0\0",
];

/// The sections of notes hold these and no others.
fn check_notes(file: &File<'_>, expected: &[&[u8]]) {
    let mut found = Vec::new();
    for section in file.sections().filter(|section| section.name() == Ok(".note.llext")) {
        found.push(section.data().unwrap());
        assert_eq!(section.align(), 4);
        assert!(matches!(section.flags(), SectionFlags::Elf { sh_type: elf::SHT_NOTE, .. }));
    }
    let found = found.concat();
    for note in expected {
        assert!(found.windows(note.len()).any(|bytes| bytes == *note), "{note:?} in {found:?}");
    }
    assert_eq!(found.len(), expected.concat().len());
}

#[test]
fn what_the_sdk_asks_of_the_host_is_undefined_in_an_extension_that_uses_it() {
    let library = build("tests/everything");
    let file = object_of(&library);

    let entries = entries(&file, ".exported_sym");
    assert_eq!(names(&entries), ["CALLS", "digits", "element", "llext_fini", "llext_init"]);
    for (name, section) in &entries {
        assert_eq!(is_code(&file, *section), name != "CALLS", "{name}");
    }
    let own =
        ["TICKS", "__dso_handle", "led_set", "llext_alloc", "llext_dealloc", "llext_log", "llext_panic"];
    // What core itself leaves to be linked: functions that compiler_builtins brings.
    let memory = ["memcpy", "memmove", "memset", "memcmp", "bcmp"];
    let found = undefined(&file);
    assert!(own.iter().all(|name| found.contains(name)), "{found:?}");
    let more: Vec<_> = found.iter().filter(|name| !own.contains(name) && !memory.contains(name)).collect();
    assert!(more.is_empty(), "{more:?}");
    check_notes(&file, &NOTES);
}
