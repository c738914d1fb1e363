//! What an extension needs by name: kept by a build, shown by inspect, required by check.

use crate::support::{Place, names, sdk};

const MATH: &str = "int multiply(int a, int b) { return a * b; }\n";
const APP: &str = "#include <llext/extension.h>\nLLEXT_NEEDS(\"math\");\nint multiply(int a, int b);\n\
    int area(int a, int b) { return multiply(a, b); }\nEXPORT_SYMBOL(area);\n";

fn place() -> Place {
    let place = Place::new();
    for (name, source) in [("math", MATH), ("app", APP)] {
        place.write(&format!("{name}.c"), source);
        place.done(&format!("build {name}.c -o {name}.llext"));
    }
    place
}

#[test]
fn a_build_keeps_what_is_needed_and_inspect_tells() {
    let place = place();
    let said = place.done("inspect app.llext");
    assert!(said.out.contains("\nneeds 1\n  math (note)\n"), "{}", said.out);
    let needs = &place.json("inspect app.llext")["needs"];
    assert_eq!(*needs, serde_json::json!([{ "name": "math", "by": "note" }]));
    assert!(!place.done("inspect math.llext").out.contains("needs"));
    assert_eq!(place.json("inspect math.llext")["needs"], serde_json::json!([]));
}

#[test]
fn a_crate_says_it_with_the_sdk() {
    let place = Place::new();
    let manifest = format!(
        "[package]\nname = \"needing\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
         [dependencies]\nllext-sdk = {{ path = \"{}\" }}\n",
        sdk().display()
    );
    place.write("needing/Cargo.toml", manifest);
    let library = "#![no_std]\nllext_sdk::needs!(\"math\");\nllext_sdk::needs!(\"libgfx.so\");\n\
        #[llext_sdk::export]\nextern \"C\" fn probe() {}\n";
    place.write("needing/src/lib.rs", library);
    place.done("build needing -o needing.llext");
    let facts = place.json("inspect needing.llext");
    let mut found = names(&facts["needs"]);
    found.sort_unstable();
    assert_eq!(found, ["libgfx.so", "math"]);
}

#[test]
fn check_misses_extensions_that_nobody_is() {
    let place = place();
    place.write("math.txt", "multiply\n");
    let said = place.refused("check app.llext --against math.txt", "E0733");
    assert_eq!(names(&said.json()["missing_needs"]), ["math"]);
    assert!(said.err.contains("app.llext: needs math (found math.txt)"), "{}", said.err);
    let said = place.run("check app.llext --against math.txt");
    assert_eq!(said.out, "missing extension math (note)\n");
    place.write("math.txt", "multiply\nmath # a library\n");
    place.done("check app.llext --against math.txt");
    let said = place.done("check app.llext --against math.llext");
    assert_eq!(said.out, "ok app.llext: all 1 imports and 1 needs are provided by math.llext\n");
    place.write("nothing.txt", "");
    let said = place.refused("check app.llext --against nothing.txt", "E0730");
    assert_eq!(names(&said.json()["missing_needs"]), ["math"]);
}

/// A shared object has `DT_NEEDED` and segments of notes.
#[cfg(target_os = "linux")]
#[test]
fn shared_objects_say_it_in_two_ways() {
    let place = place();
    let compile = |options: &[&str], source: &str, product: &str| {
        let include = concat!("-I", env!("CARGO_MANIFEST_DIR"), "/include");
        let mut cc = std::process::Command::new("cc");
        cc.args(["-shared", "-fPIC", "-nostdlib", "-Wl,-z,undefs", include]).args(["-o", product, source]);
        assert!(cc.args(options).current_dir(place.path("")).status().unwrap().success());
    };
    compile(&["-Wl,-soname,numbers"], "math.c", "libmath.so");
    compile(&["libmath.so"], "app.c", "app.so");
    let needs = &place.json("inspect app.so")["needs"];
    let expected = [("numbers", "DT_NEEDED"), ("math", "note")];
    let expected = expected.map(|(name, by)| serde_json::json!({ "name": name, "by": by }));
    assert_eq!(needs.as_array().unwrap(), &expected);
    let said = place.refused("check app.so --against libmath.so", "E0733");
    assert_eq!(names(&said.json()["missing_needs"]), ["math"]);
    place.done("check app.so --against libmath.so --against math.llext");
}

/// Whoever is linked with the C library has all of it.
#[cfg(target_os = "linux")]
#[test]
fn a_program_brings_the_libraries_that_it_is_linked_with() {
    let place = Place::new();
    place.write("app.c", "int probe(void) { return 1; }\n");
    let program = "#define LLEXT_HOST_BUILD\n#include <llext/extension.h>\nint x;\nEXPORT_SYMBOL(x);\n\
        int main(void) { return x; }\n";
    place.write("host.c", program);
    let include = concat!("-I", env!("CARGO_MANIFEST_DIR"), "/include");
    for options in [
        ["-shared", "-fPIC", "-Wl,--no-as-needed", "app.c", "-lm", "-o", "app.so"],
        [include, "-O1", "-pie", "-fPIE", "host.c", "-o", "host"],
    ] {
        let mut cc = std::process::Command::new("cc");
        assert!(cc.args(options).current_dir(place.path("")).status().unwrap().success());
    }
    place.write("list.txt", "free\n");
    let said = place.refused("check app.so --against list.txt", "E0733");
    assert_eq!(names(&said.json()["missing_needs"]), ["libm.so.6", "libc.so.6"]);
    place.done("check app.so --against host");
}
