//! build, of C sources.

use serde_json::Value;

use crate::fixture::Fixture;
use crate::support::{Place, Said, names, strings};

const TWO_EXPORTS: &str = "#include <llext/extension.h>\n\
    int helper(int);\n\
    int unused(void) { return 9; }\n\
    int probe(void) { return helper(1); }\n\
    static int hidden(void) { return 5; }\n\
    LL_EXTENSION_SYMBOL(probe);\n\
    LL_EXTENSION_SYMBOL_NAMED(hidden, shown);\n";
const HELPER: &str = "int helper(int value) { return value + 1; }\n";

fn section_names(facts: &Value) -> Vec<&str> {
    names(&facts["sections"])
}

#[test]
fn several_sources_become_one_file_with_its_exports_alone() {
    let place = Place::new();
    place.write("one.c", TWO_EXPORTS);
    place.write("two.c", HELPER);
    let said = place.done("build one.c two.c");
    assert_eq!(said.out, "./target/llext/one.llext\n");
    assert!(said.err.contains("Built one"), "{}", said.err);

    let facts = place.json("inspect target/llext/one.llext");
    let mut exports = names(&facts["exports"]);
    exports.sort_unstable();
    assert_eq!(exports, ["probe", "shown"]);
    assert_eq!(facts["imports"], serde_json::json!([]));
    let sections = section_names(&facts);
    assert!(sections.contains(&".exported_sym") && sections.contains(&".text"), "{sections:?}");
    for useless in [".comment", ".note.GNU-stack", ".debug_info", ".group"] {
        assert!(!sections.contains(&useless), "{sections:?}");
    }
}

#[test]
fn local_names_are_kept_on_demand() {
    let place = Place::new();
    place.write("one.c", TWO_EXPORTS);
    place.write("two.c", "__attribute__((noinline)) int helper(int value) { return value * value + 1; }\n");
    place.done("build one.c two.c -o small.llext");
    place.done("build one.c two.c -o large.llext --symbols");
    let symbols = |file: &str| place.json(&format!("size {file}"));
    assert!(names(&symbols("large.llext")["symbols"]).contains(&"helper"));
    assert!(!names(&symbols("small.llext")["symbols"]).contains(&"helper"));
    assert!(!names(&symbols("large.llext")["symbols"]).contains(&"unused"), "it was not garbage-collected");
}

#[test]
fn without_a_table_visible_globals_are_the_exports() {
    let place = Place::new();
    place.write(
        "plain.c",
        "int shown(void) { return 1; }\n\
         __attribute__((visibility(\"hidden\"))) int hidden(void) { return 2; }\n\
         static int local(void) { return 3; }\n\
         int user(void) { return hidden() + local(); }\n",
    );
    let built = place.json("build plain.c");
    assert_eq!(strings(&built["exports"]), ["shown", "user"]);
}

#[test]
fn what_only_the_run_time_finds_is_kept() {
    let place = Place::new();
    place.write(
        "kept.c",
        "#include <llext/extension.h>\n\
         static int constructed;\n\
         __attribute__((constructor)) static void first(void) { constructed += 1; }\n\
         __attribute__((constructor(200))) static void early(void) { constructed += 10; }\n\
         __attribute__((section(\"records\"), used)) static const int record = 7;\n\
         extern const int __start_records[], __stop_records[];\n\
         int probe(void) { return constructed * 100 + (int)(__stop_records - __start_records) * 10 + *__start_records; }\n\
         LL_EXTENSION_SYMBOL(probe);\n",
    );
    place.done("build kept.c");
    assert_eq!(place.done("run target/llext/kept.llext --call probe -q").out, "probe() = 1117\n");
}

#[test]
fn assembly_objects_archives_and_folders_are_taken() {
    let place = Place::new();
    place.write("project/src/one.c", TWO_EXPORTS);
    place.write("project/include/value.h", "#define VALUE 41\n");
    place.write("project/two.c", "#include <value.h>\nint helper(int value) { return value + VALUE; }\n");
    place.write("project/data.s", ".data\n.globl spare\nspare: .byte 1\n");
    let built = place.json("build project");
    assert_eq!((&built["name"], built["exports"].as_array().unwrap().len()), (&"project".into(), 2));
    assert_eq!(place.done("run project --call probe -q").out, "probe() = 42\n");

    let mut fixture = Fixture::new();
    fixture.function("from_object", 4);
    place.write("given.o", fixture.bytes());
    let built = place.json("build given.o -o out/given.llext");
    assert_eq!(
        (&built["file"], strings(&built["exports"])),
        (&"out/given.llext".into(), vec!["from_object"])
    );
    let archive = std::process::Command::new("ar")
        .arg("rc")
        .args([place.path("lib.a"), place.path("given.o")])
        .status();
    assert!(archive.unwrap().success());
    assert_eq!(strings(&place.json("build lib.a")["exports"]), ["from_object"]);
}

#[test]
fn arguments_and_variables_reach_the_compiler() {
    let place = Place::new();
    place.write("one.c", "int probe(void) { return VALUE + MORE; }\n");
    let said = place
        .tool()
        .args(["run", ".", "--call", "probe", "-q"])
        .env("CFLAGS", "-DVALUE=40 -DMORE=2")
        .assert();
    said.success().stdout("probe() = 42\n");
    let said = place.done("build -v one.c -- -DVALUE=1 -DMORE=1");
    assert!(said.err.contains("Running cc -c -O2") && said.err.contains("-DMORE=1"), "{}", said.err);
    let compiler = place.script("odd-cc", "exec cc \"$@\" -DMORE=5");
    let mut command = place.tool();
    command.args(["build", "one.c", "--target", "some-odd.target", "--", "-DVALUE=1"]);
    command.env("CC_some_odd_target", compiler).assert().success();
}

#[test]
fn quiet_says_the_result_only() {
    let place = Place::new();
    place.write("one.c", HELPER);
    let said = place.done("build -q one.c");
    assert_eq!((said.out.as_str(), said.err.as_str()), ("./target/llext/one.llext\n", ""));
}

#[test]
fn what_is_no_source_is_refused() {
    let place = Place::new();
    place.refused("build", "E0710");
    place.write("empty/readme", "");
    place.refused("build empty", "E0710");
    place.write("one.c", HELPER);
    place.write("notes.txt", "");
    place.refused("build one.c notes.txt", "E0716");
    place.refused("build missing.c", "E0700");
    for option in ["-p name", "--features a", "--all-features", "--no-default-features", "--profile small"] {
        place.refused(&format!("build one.c {option}"), "E0717");
    }
    place.refused("build one.c -o one.c/under", "E0701");
}

#[test]
fn a_source_that_does_not_compile_is_refused() {
    let place = Place::new();
    place.write("bad.c", "int probe(void) { return }\n");
    place.write("good.c", HELPER);
    let said = place.refused("build good.c bad.c", "E0722");
    assert!(said.err.contains("bad.c"), "{}", said.err);
    assert!(!place.path("target/llext/good.llext").exists());
}

#[test]
fn a_missing_compiler_is_refused() {
    let place = Place::new();
    place.write("one.c", HELPER);
    let said = Said::of(place.tool().args(["build", "one.c"]).env("CC", "no-such-compiler").assert());
    assert!(said.refused("E0720").err.contains("no-such-compiler"));
}

#[test]
fn nothing_exported_is_refused() {
    let place = Place::new();
    place.write("one.c", "static int probe(void) { return 1; }\nstatic int (*user)(void) = probe;\n");
    place.refused("build one.c", "E0728");
}

#[test]
fn objects_that_cannot_be_linked_are_refused() {
    let place = Place::new();
    place.write("one.c", HELPER);
    place.write("garbage.o", "not an object");
    place.refused("build one.c garbage.o", "E0726");
    place.write("twice.c", HELPER);
    let said = place.refused("build one.c twice.c", "E0723");
    assert!(said.err.contains("duplicate symbol"), "{}", said.err);
}

/// What gcc leaves for its own linking once was a file that loads and holds nothing.
#[cfg(target_os = "linux")]
#[test]
fn intermediate_code_is_refused() {
    let place = Place::new();
    place.write("one.c", HELPER);
    let said = place.run("build one.c -- -flto").refused("E0726");
    assert!(said.err.contains("one.c: cannot be rewritten ("), "{}", said.err);
    place.done("build one.c -- -flto -ffat-lto-objects");
}

/// A rustc that knows no sysroot, so that the linker comes from PATH.
#[cfg(unix)]
fn with_linker(place: &Place, object: &str) -> assert_cmd::Command {
    let mut command = place.tool();
    command.args(["build", object]).env("RUSTC", "false").env("CC", "true").env("PATH", place.path("bin"));
    command
}

#[cfg(unix)]
#[test]
fn a_missing_linker_is_refused() {
    let place = Place::new();
    let mut fixture = Fixture::new();
    fixture.function("probe", 4);
    place.write("one.o", fixture.bytes());
    place.script("bin/true", "exit 0");
    let said = Said::of(with_linker(&place, "one.o").assert());
    assert!(said.refused("E0724").err.contains("rust-lld"));
}

/// The linker here is one that loses an entry, as some have been seen to do.
#[cfg(unix)]
#[test]
fn exports_lost_by_the_linker_are_noticed() {
    let place = Place::new();
    let object = |count: usize| {
        let mut fixture = Fixture::new();
        let probe = fixture.function("probe", 4);
        fixture.table(".exported_sym", &[("one", probe), ("two", probe)][..count]);
        fixture.bytes()
    };
    place.write("two.o", object(2));
    let lost = place.write("one.o", object(1));
    place.script("bin/true", "exit 0");
    let copy = format!("while [ \"$1\" != -o ]; do shift; done; exec /bin/cp {} \"$2\"", lost.display());
    place.script("bin/ld.lld", &copy);
    let said = Said::of(with_linker(&place, "two.o").assert());
    assert!(said.refused("E0727").err.contains("found 1, expected 2"));
}
