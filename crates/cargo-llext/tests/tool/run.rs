//! run: load, call, unload.

use crate::fixture;
use crate::support::{Place, names, sdk, strings};

/// A C extension of this name, built.
fn build(place: &Place, name: &str, source: &str) {
    place.write(&format!("{name}.c"), source);
    place.done(&format!("build {name}.c -o {name}.llext"));
}

const MANY: &str = "#include <stdio.h>\n#include <string.h>\n\
    int add(int a, int b) { return a + b; }\n\
    long sum(long a, long b, long c, long d, long e, long f) { return a + b + c + d + e + f; }\n\
    unsigned all(void) { return ~0u; }\n\
    double half(int a) { return a / 2.0; }\n\
    float quarter(int a) { return a / 4.0f; }\n\
    int length(const char *text) { return (int)strlen(text); }\n\
    const char *greet(void) { return \"hello\\n\"; }\n\
    void *nothing(void) { return 0; }\n\
    _Bool yes(void) { return 1; }\n\
    void say(const char *text) { printf(\"said %s\\n\", text); }\n";

#[test]
fn results_are_shown_as_the_type_that_is_asked_for() {
    let place = Place::new();
    build(&place, "many", MANY);
    for (call, result) in [
        ("add 1 2", "add(1, 2) = 3"),
        ("add -5 0x10", "add(-5, 0x10) = 11"),
        ("sum 1 2 3 4 5 6", "sum(1, 2, 3, 4, 5, 6) = 21"),
        ("sum 1 2 3 4 5 8589934592 --returns i64", "sum(1, 2, 3, 4, 5, 8589934592) = 8589934607"),
        ("all", "all() = -1"),
        ("all --returns i32", "all() = -1"),
        ("all --returns u32", "all() = 4294967295"),
        ("all --returns u8", "all() = 255"),
        ("half 3 --returns f64", "half(3) = 1.5"),
        ("quarter 3 --returns f32", "quarter(3) = 0.75"),
        ("length four", "length(\"four\") = 4"),
        ("length str:12345", "length(\"12345\") = 5"),
        ("greet --returns str", "greet() = \"hello\\n\""),
        ("nothing --returns str", "nothing() = null"),
        ("nothing --returns ptr", "nothing() = 0x0"),
        ("yes --returns bool", "yes() = true"),
    ] {
        assert_eq!(place.done(&format!("run -q many.llext --call {call}")).out, format!("{result}\n"));
    }
    assert_eq!(
        place.done("run -q many.llext --call say x --returns void").out,
        "said x\nsay(\"x\") = void\n"
    );
}

#[test]
fn what_was_done_is_told() {
    let place = Place::new();
    build(&place, "many", MANY);
    let said = place.done("run many.llext --call add 1 2");
    assert_eq!(said.out, "add(1, 2) = 3\n");
    for part in ["Loaded many (exports 10, imports 2,", "code ", "data ", "Unloaded many"] {
        assert!(said.err.contains(part), "{part}: {}", said.err);
    }
    assert_eq!(place.done("run -q many.llext").err, "");
}

#[test]
fn what_was_loaded_before_a_failure_is_unloaded_and_told() {
    let place = Place::new();
    build(&place, "many", MANY);
    let said = place.refused("run many.llext --call missing", "E0424");
    assert!(said.err.contains("Unloaded many"), "{}", said.err);
    let said = place.refused("run many.llext nowhere.llext", "E0700");
    assert!(said.err.contains("Unloaded many"), "{}", said.err);
}

#[test]
fn programs_read_one_object_whatever_the_extension_prints() {
    let place = Place::new();
    build(&place, "many", MANY);
    let story = place.json("run many.llext --call say x --returns void");
    assert_eq!((&story["call"], &story["value"]), (&"say(\"x\")".into(), &serde_json::Value::Null));
    assert_eq!((names(&story["loaded"]), strings(&story["unloaded"])), (vec!["many"], vec!["many"]));
    assert!(story["loaded"][0]["regions"][0]["address"].as_str().unwrap().starts_with("0x"));
    assert_eq!(place.json("run many.llext --call add 2 2")["value"], 4);
    assert_eq!(place.json("run many.llext").get("value"), None);
}

#[test]
fn later_files_use_earlier_ones_and_go_first() {
    let place = Place::new();
    build(&place, "base", "int base(void) { return 40; }\n");
    build(&place, "user", "int base(void);\nint probe(void) { return base() + 2; }\n");
    assert_eq!(place.done("run -q base.llext user.llext --call probe").out, "probe() = 42\n");
    assert_eq!(strings(&place.json("run base.llext user.llext")["unloaded"]), ["user", "base"]);
    let said = place.refused("run user.llext --call probe", "E0125");
    assert!(said.err.contains("missing: base"), "{}", said.err);
}

#[test]
fn a_source_is_built_first() {
    let place = Place::new();
    place.write("one.c", "int probe(void) { return 1; }\n");
    assert_eq!(place.done("run -q one.c --call probe").out, "probe() = 1\n");
    place.write("two.c", "int probe(void) { return }\n");
    place.refused("run two.c", "E0722");
}

/// A number says for which processor a file is, and a name what that is.
#[cfg(target_arch = "x86_64")]
#[test]
fn a_file_for_another_processor_is_named() {
    let place = Place::new();
    let mut bytes = fixture::extension();
    bytes[18..20].copy_from_slice(&183u16.to_le_bytes());
    place.write("arm64.llext", &bytes);
    let said = place.refused("run arm64.llext", "E0103");
    assert!(said.err.contains("\n  found: EM_AARCH64\n  expected: EM_X86_64\n"), "{}", said.err);
    bytes[4..6].copy_from_slice(&[1, 2]);
    place.write("other.llext", &bytes);
    let said = place.refused("run other.llext", "E0102");
    let lines = "\n  found: 32-bit big-endian\n  expected: 64-bit little-endian\n";
    assert!(said.err.contains(lines), "{}", said.err);
}

#[test]
fn constructors_and_destructors_run() {
    let place = Place::new();
    let source = "#include <stdio.h>\n\
        __attribute__((constructor)) static void hello(void) { puts(\"hello\"); }\n\
        __attribute__((destructor)) static void bye(void) { puts(\"bye\"); }\n\
        int probe(void) { return 1; }\n";
    build(&place, "polite", source);
    assert_eq!(place.done("run -q polite.llext --call probe").out, "hello\nprobe() = 1\nbye\n");
}

#[test]
fn the_c_library_can_be_left_out() {
    let place = Place::new();
    build(&place, "many", MANY);
    let said = place.refused("run --no-libc many.llext", "E0125");
    assert!(said.err.contains("missing: printf") && said.err.contains("missing: strlen"), "{}", said.err);
}

#[test]
fn what_cannot_be_run_is_refused() {
    let place = Place::new();
    build(&place, "many", MANY);
    place.refused("run missing.llext", "E0700");
    place.write("text.llext", "hello ".repeat(20));
    place.refused("run text.llext", "E0100");
    place.write("cut.llext", &fixture::extension()[..30]);
    place.refused("run cut.llext", "E0101");
    place.refused("run many.llext --call no_such_function", "E0424");
    place.refused("run many.llext --call add 1 99999999999999999999", "E0742");
    place.write("empty/readme", "");
    place.refused("run empty", "E0710");
}

#[test]
fn a_panic_is_a_refusal_that_says_where() {
    let place = Place::new();
    let manifest = format!(
        "[package]\nname = \"panicking\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
         [dependencies]\nllext-sdk = {{ path = \"{}\", features = [\"alloc\", \"log\"] }}\nlog = \"0.4\"\n",
        sdk().display()
    );
    place.write("panicking/Cargo.toml", manifest);
    let library = "#![no_std]\nextern crate alloc;\n\
        #[llext_sdk::init]\nfn init() { llext_sdk::log_to_host(log::LevelFilter::Info); }\n\
        #[llext_sdk::export]\nextern \"C\" fn probe(index: usize) -> i32 {\n\
        let all = alloc::vec![1, 2, 3];\n\
        log::info!(\"looking at {index}\");\n\
        all[index]\n}\n";
    place.write("panicking/src/lib.rs", library);
    let said = place.done("run panicking --call probe 2");
    assert_eq!(said.out, "probe(2) = 3\n");
    assert!(said.err.contains("Info panicking: looking at 2"), "{}", said.err);
    let said = place.refused("run panicking --call probe 3", "E0743");
    assert!(said.err.contains("src/lib.rs:9"), "{}", said.err);
}
