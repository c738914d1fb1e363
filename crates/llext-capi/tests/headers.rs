//! The headers in include/: that they compile without a warning in every dialect, and say what the library has.

use llext_capi::{errno, layout};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A compiler.
struct Compiler {
    /// What it may be called.
    names: &'static [&'static str],
    options: &'static [&'static str],
    /// 0 where addresses have 32 bits, 1 where they have 64.
    wide: usize,
    /// Whose error numbers its `errno.h` has: Linux's or newlib's, if it has one.
    numbers: Option<usize>,
}

/// Without a C library there is no `ssize_t`.
const FREE: &[&str] = &["-ffreestanding", "-DLLEXT_NO_SYS_TYPES"];

const COMPILERS: [Compiler; 5] = [
    Compiler { names: &["gcc"], options: &[], wide: 1, numbers: Some(0) },
    Compiler { names: &["gcc"], options: &["-m32", FREE[0], FREE[1]], wide: 0, numbers: None },
    Compiler { names: &["clang", "clang-22"], options: &[], wide: 1, numbers: Some(0) },
    Compiler { names: &["arm-none-eabi-gcc"], options: &["-mcpu=cortex-m3"], wide: 0, numbers: Some(1) },
    Compiler { names: &["riscv64-unknown-elf-gcc"], options: FREE, wide: 1, numbers: None },
];
const LANGUAGES: [(&str, &str); 4] = [("c", "c99"), ("c", "c11"), ("c", "c17"), ("c++", "c++17")];
const STRICT: [&str; 4] = ["-Wall", "-Wextra", "-Werror", "-pedantic"];

/// Every header by both of its names, and every macro that initialises or exports.
const USES: &str = r#"
#include <stddef.h>
#include <zephyr/llext/elf.h>
#include <zephyr/llext/symbol.h>
#include <zephyr/llext/llext.h>
#include <zephyr/llext/loader.h>
#include <zephyr/llext/buf_loader.h>
#include <zephyr/llext/fs_loader.h>
#include <zephyr/llext/semihost_loader.h>
#include <zephyr/llext/inspect.h>
#include <llext/elf.h>
#include <llext/symbol.h>
#include <llext/llext.h>
#include <llext/loader.h>
#include <llext/buf_loader.h>
#include <llext/fs_loader.h>
#include <llext/semihost_loader.h>
#include <llext/inspect.h>
#include <llext/hooks.h>
static const uint8_t bytes[4] = { 0 };
struct llext_buf_loader temporary = LLEXT_TEMPORARY_BUF_LOADER(bytes, sizeof(bytes));
struct llext_buf_loader persistent = LLEXT_PERSISTENT_BUF_LOADER(bytes, sizeof(bytes));
struct llext_buf_loader writable = LLEXT_WRITABLE_BUF_LOADER(bytes, sizeof(bytes));
struct llext_buf_loader buffer = LLEXT_BUF_LOADER(bytes, sizeof(bytes));
struct llext_fs_loader file = LLEXT_FS_LOADER("/ext.llext");
struct llext_semihost_loader computer_s = LLEXT_SEMIHOST_LOADER("ext.llext");
struct llext_load_param param = LLEXT_LOAD_PARAM_DEFAULT;
LLEXT_RODATA_NO_RELOC extern const int kept;
extern int offered;
int offered;
EXPORT_SYMBOL(offered);
EXPORT_GROUP_SYMBOL_NAMED(DEVICE, offered, device);
"#;

fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// Compiles what `source` gives with everything that is installed, in every language.
fn compiles(name: &str, source: impl Fn(&Compiler, bool) -> String) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../include");
    let mut compiled = 0;
    for compiler in &COMPILERS {
        let installed = |name: &&&str| succeeds(Command::new(name).arg("--version"));
        let Some(program) = compiler.names.iter().find(installed) else {
            leave_out(&format!("{} is not installed", compiler.names[0]));
            continue;
        };
        for (language, standard) in LANGUAGES {
            let command = || {
                let mut command = Command::new(program);
                command.args(compiler.options).args(["-x", language]).arg(format!("-std={standard}"));
                command
            };
            if !succeeds(command().args(["-fsyntax-only", "/dev/null"])) {
                leave_out(&format!("{program} has no {standard} for {:?}", compiler.options));
                continue;
            }
            let file = folder.join("headers.c");
            std::fs::write(&file, source(compiler, language == "c++")).unwrap();
            let mut command = command();
            command.args(STRICT).arg("-I").arg(&include).arg("-c").arg(&file).arg("-o").arg(folder.join("o"));
            let done = command.output().unwrap();
            assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
            compiled += 1;
        }
    }
    assert!(compiled > 0, "a C compiler is installed");
}

/// Declares what can only be if `condition` holds, also in C99.
fn assertion(at: usize, condition: &str, is_cpp: bool) -> String {
    match is_cpp {
        true => format!("static_assert({condition}, \"\");\n"),
        false => format!("extern char assertion_{at}[({condition}) ? 1 : -1];\n"),
    }
}

#[test]
fn they_compile_in_every_dialect_without_a_warning() {
    compiles("uses", |_, _| USES.to_owned());
}

#[test]
fn sizes_and_offsets_are_the_library_s_for_32_and_64_bits() {
    compiles("layout", |compiler, is_cpp| {
        let mut source = USES.to_owned();
        for (at, row) in layout::ROWS.iter().enumerate() {
            let condition = format!("{} == {}", row.c, row.values[compiler.wide]);
            source.write_str(&assertion(at, &condition, is_cpp)).unwrap();
        }
        source
    });
}

#[test]
fn error_numbers_are_those_of_errno_h() {
    compiles("errno", |compiler, is_cpp| {
        let Some(library) = compiler.numbers else { return "extern int nothing;\n".to_owned() };
        let mut source = "#include <errno.h>\n".to_owned();
        for (at, (name, values)) in errno::NUMBERS.iter().enumerate() {
            let condition = format!("{name} == {}", values[library]);
            source.write_str(&assertion(at, &condition, is_cpp)).unwrap();
        }
        source
    });
}

#[test]
fn the_example_for_c_users_compiles() {
    let page = include_str!("../../../docs/from-llext.md");
    let example = page.split("```c\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    compiles("example", |_, _| example.to_owned());
}

/// All files of a folder with this suffix.
fn text(folder: &str, suffix: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.extension().is_some_and(|own| own == suffix));
    files.map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

fn names<'a>(found: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names: Vec<&str> = found.filter(|name| name.starts_with("llext_")).collect();
    names.sort_unstable();
    names
}

#[test]
fn the_headers_declare_what_the_library_has_and_nothing_else() {
    let (library, headers) = (text("src", "rs"), text("../../include/llext", "h"));
    let defined = library.split("extern \"C\" fn ").skip(1).filter_map(|rest| rest.split('(').next());
    let prototypes = headers.lines().filter(|line| {
        !line.starts_with([' ', '\t', '#', '/'])
            && !line.starts_with("static")
            && !line.starts_with("typedef")
    });
    let declared = prototypes.filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next());
    let (defined, declared) = (names(defined), names(declared));
    assert_eq!(defined, declared);
    assert!(defined.len() >= 30, "{defined:?}");
}

/// Where the harness does not capture it: the task runner says so at its end.
fn leave_out(why: &str) {
    let _ = std::io::Write::write_fmt(&mut std::io::stdout(), format_args!("left out: {why}\n"));
}
