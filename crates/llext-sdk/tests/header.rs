//! `llext/extension.h`: that it compiles without a warning, and what it puts into which section.

use std::path::{Path, PathBuf};
use std::process::Command;

use entries::entries;
use object::{File, Object, ObjectSection, SectionFlags, elf};

mod entries;

/// Compilers, each under the names it may be installed by.
const COMPILERS: [&[&str]; 3] = [&["gcc"], &["clang", "clang-22"], &["arm-none-eabi-gcc"]];
const LANGUAGES: [&[&str]; 4] =
    [&["-std=c99"], &["-std=c11"], &["-x", "c++", "-std=c++11"], &["-x", "c++", "-std=c++17"]];
const MODELS: [&[&str]; 4] = [&["-O0"], &["-O2", "-fPIC"], &["-O2", "-fno-pic"], &["-Os", "-fdata-sections"]];
const STRICT: [&str; 5] = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-ffreestanding"];

/// Calls `check` with the object of every compiler, language and model, and says which compilers are not installed.
fn with_every_object(name: &str, defines: &[&str], check: impl Fn(&File<'_>)) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let mut checked = 0;
    for names in COMPILERS {
        let Some(compiler) = names.iter().find(|name| is_installed(name)) else {
            leave_out(&format!("{} is not installed", names[0]));
            continue;
        };
        for (language, model) in
            languages(compiler).flat_map(|language| MODELS.map(|model| (language, model)))
        {
            let options = [language, model, &STRICT, defines].concat();
            let object = compile(compiler, &options, &folder.join("header.o"));
            check(&File::parse(&*object).unwrap());
            checked += 1;
        }
    }
    assert!(checked > 0, "a C compiler is installed");
}

fn is_installed(compiler: &str) -> bool {
    Command::new(compiler).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// The languages a compiler is installed for: GCC's C++ is a package of its own.
fn languages(compiler: &str) -> impl Iterator<Item = &'static [&'static str]> {
    let probe = Command::new(compiler).args(["-x", "c++", "-fsyntax-only", "/dev/null"]).output();
    let count = if probe.is_ok_and(|output| output.status.success()) { 4 } else { 2 };
    LANGUAGES.into_iter().take(count)
}

fn compile(compiler: &str, options: &[&str], output: &Path) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let done = Command::new(compiler)
        .args(options)
        .arg("-I")
        .arg(root.join("../../include"))
        .arg("-c")
        .arg(root.join("tests/header.c"))
        .arg("-o")
        .arg(output)
        .output()
        .unwrap();
    assert!(done.status.success(), "{compiler} {options:?}: {}", String::from_utf8_lossy(&done.stderr));
    std::fs::read(output).unwrap()
}

/// The names in a table, where they can be read from the relocations, and else as many empty ones.
fn names(file: &File<'_>, table: &str) -> Vec<String> {
    if file.is_64() {
        return entries(file, table).into_iter().map(|(name, _)| name).collect();
    }
    let bytes = file.sections().filter(|section| section.name() == Ok(table)).map(|section| section.size());
    vec![String::new(); bytes.sum::<u64>() as usize / 8]
}

fn assert_names(file: &File<'_>, table: &str, expected: &[&str]) {
    let names = names(file, table);
    assert_eq!(names.len(), expected.len(), "{names:?}");
    assert!(
        names.iter().zip(expected).all(|(name, expected)| name.is_empty() || name == expected),
        "{names:?}"
    );
}

#[test]
fn an_extension_exports_every_symbol_and_carries_the_note() {
    with_every_object("extension", &[], |file| {
        let all = ["add", "count", "device_unit", "device_y", "origin", "shown", "table"];
        assert_names(file, ".exported_sym", &all);
        assert_names(file, "llext_exports", &[]);
        assert!(file.section_by_name("llext_discarded").is_none());
        let note = file.section_by_name(".note.llext").unwrap();
        assert_eq!(note.data().unwrap(), b"\x06\0\0\0\x04\0\0\0\x01\0\0\0llext\0\0\0\x01\0\0\0");
        assert!(matches!(note.flags(), SectionFlags::Elf { sh_type: elf::SHT_NOTE, .. }));
    });
}

#[test]
fn the_note_can_be_left_out() {
    with_every_object("without_note", &["-DLLEXT_NO_ABI_NOTE"], |file| {
        assert!(file.section_by_name(".note.llext").is_none());
    });
}

#[test]
fn what_is_needed_is_a_note_each() {
    with_every_object("needs", &["-DNEEDS"], |file| {
        let section = file.section_by_name(".note.llext").unwrap();
        let notes = section.data().unwrap();
        let expected: [&[u8]; 4] = [
            b"\x06\0\0\0\x04\0\0\0\x01\0\0\0llext\0\0\0\x01\0\0\0",
            b"\x06\0\0\0\x05\0\0\0\x02\0\0\0llext\0\0\0math\0\0\0\0",
            b"\x06\0\0\0\x0a\0\0\0\x02\0\0\0llext\0\0\0gfx-2d.so\0\0\0",
            b"\x06\0\0\0\x04\0\0\0\x02\0\0\0llext\0\0\0abc\0",
        ];
        for note in expected {
            assert!(notes.windows(note.len()).any(|found| found == note), "{note:?} in {notes:?}");
        }
        assert_eq!(notes.len(), expected.concat().len());
        assert_eq!(section.align(), 4);
        assert!(matches!(section.flags(), SectionFlags::Elf { sh_type: elf::SHT_NOTE, .. }));
    });
}

#[test]
fn a_host_offers_what_it_exports_and_the_groups_it_chose() {
    let defines = ["-DLLEXT_HOST_BUILD", "-DCONFIG_LLEXT_EXPORT_SYMBOL_GROUP_LIBC=1"];
    with_every_object("host", &defines, |file| {
        assert_names(file, "llext_exports", &["count", "origin", "table"]);
        assert!(file.section_by_name(".note.llext").is_none());
        let left_out = file.section_by_name("llext_discarded").unwrap();
        assert_eq!(left_out.data().unwrap(), b"DEVICE\0device_unit\0DEVICE\0device_y\0");
        let SectionFlags::Elf { sh_flags, .. } = left_out.flags() else { panic!("ELF") };
        assert_eq!(sh_flags.0 & elf::SHF_ALLOC.0, 0, "it takes no memory");
    });
}

/// `llext_exports_strtab` is dropped from the host by its linker script: nothing else may refer to it.
#[test]
fn a_host_keeps_names_apart_that_become_slids() {
    let defines = [
        "-DLLEXT_HOST_BUILD",
        "-DCONFIG_LLEXT_EXPORT_BUILTINS_BY_SLID",
        "-DCONFIG_LLEXT_EXPORT_SYMBOL_GROUP_LIBC=1",
    ];
    with_every_object("slids", &defines, |file| {
        assert_names(file, "llext_slids", &["count", "origin", "table"]);
        assert_names(file, "llext_exports", &[]);
        let names = file.sections().filter(|section| section.name() == Ok("llext_exports_strtab"));
        let names: Vec<u8> = names.flat_map(|section| section.data().unwrap().to_vec()).collect();
        for name in ["count", "origin", "table"] {
            let name = [name.as_bytes(), b"\0"].concat();
            assert!(names.windows(name.len()).any(|found| found == name), "{name:?} in {names:?}");
        }
    });
}

/// Where the harness does not capture it: the task runner says so at its end.
fn leave_out(why: &str) {
    let _ = std::io::Write::write_fmt(&mut std::io::stdout(), format_args!("left out: {why}\n"));
}
