//! run, of extensions that need each other.

use std::fs;
use std::path::Path;

use crate::support::{Place, names, sdk, statuses, strings};

pub(crate) const BASE: &str = "int base(void) { return 40; }\n";
pub(crate) const MATH: &str = "#include <stdio.h>\n#include <llext/extension.h>\n\
    LLEXT_NEEDS(\"base\");\nint base(void);\n\
    __attribute__((destructor)) static void bye(void) { puts(\"math ends\"); }\n\
    int multiply(int a, int b) { return a * b; }\nint forty(void) { return base(); }\n";
pub(crate) const APP: &str = "#include <stdio.h>\n#include <llext/extension.h>\n\
    LLEXT_NEEDS(\"math\");\nint multiply(int a, int b);\n\
    __attribute__((destructor)) static void bye(void) { puts(\"app ends\"); }\n\
    int area(int a, int b) { return multiply(a, b); }\n";

/// `app` needs `math`, which needs `base`.
fn place() -> Place {
    let place = Place::new();
    place.build_each(&[("base", BASE), ("math", MATH), ("app", APP)]);
    place
}

#[test]
fn what_is_needed_is_loaded_from_the_files_own_folder() {
    let place = place();
    let said = place.done("run app.llext --call area 6 7");
    assert_eq!(said.out, "area(6, 7) = 42\napp ends\nmath ends\n");
    let loaded = statuses(&said.err, "Loaded");
    assert!(loaded[0].starts_with("base (") && loaded[0].ends_with("needed by math)"), "{loaded:?}");
    assert!(loaded[1].starts_with("math (") && loaded[1].ends_with("needed by app)"), "{loaded:?}");
    assert!(loaded[2].starts_with("app (exports 1, imports 2"), "{loaded:?}");
    assert_eq!(statuses(&said.err, "Unloaded"), ["app", "math", "base"]);

    let folder = place.path("");
    let story = Place::new().json(&format!("run {}app.llext", folder.display()));
    assert_eq!(names(&story["loaded"]), ["base", "math", "app"]);
    assert_eq!(story["loaded"][1]["needed_by"], "app");
    assert_eq!(story["loaded"][2].get("needed_by"), None);
    assert_eq!(strings(&story["unloaded"]), ["app", "math", "base"]);
}

#[test]
fn files_that_are_named_come_first_in_any_order() {
    let place = place();
    place.write("other/base.c", "int base(void) { return 1; }\n");
    place.done("build other/base.c -o other/base.llext");
    assert_eq!(place.done("run -q other/base.llext math.llext --call forty").out, "forty() = 1\nmath ends\n");
    let story = place.json("run math.llext other/base.llext --call base");
    assert_eq!((names(&story["loaded"]), &story["value"]), (vec!["base", "math", "base"], &1.into()));
    let again = &story["loaded"][2];
    assert_eq!((&story["loaded"][0]["first"], &again["first"]), (&true.into(), &false.into()));
    assert_eq!(again["uses"], 1);
    // The handle of the provider is given up first, and again once nobody needs it.
    assert_eq!(strings(&story["unloaded"]), ["math", "base"]);
    assert_eq!(story.get("error"), None);
}

#[test]
fn a_file_that_is_named_twice_has_two_uses() {
    let place = place();
    let said = place.done("run base.llext base.llext --call base");
    assert_eq!(said.out, "base() = 40\n");
    assert_eq!(statuses(&said.err, "Loaded")[1], "base again (uses 2)");
    assert_eq!(statuses(&said.err, "Released"), ["base (1 use remains)"]);
    assert_eq!(statuses(&said.err, "Unloaded"), ["base"]);
    let story = place.json("run base.llext base.llext base.llext");
    let uses = [&story["loaded"][0]["uses"], &story["loaded"][1]["uses"], &story["loaded"][2]["uses"]];
    assert_eq!(uses, [1, 2, 3]);
    assert_eq!(strings(&story["unloaded"]), ["base"]);
}

#[test]
fn an_unload_is_refused_while_others_need_it() {
    let place = place();
    for line in ["run math.llext app.llext --unload math", "run app.llext --unload math"] {
        let said = place.refused(line, "E0425");
        assert!(said.err.contains("\n  needed by: app\n"), "{}", said.err);
        let story = place.run(&format!("{line} --json")).json();
        assert_eq!(strings(&story["unloaded"]), ["app", "math", "base"]);
        assert_eq!(story["error"]["code"], "E0425");
    }
    let said = place.done("run math.llext app.llext --unload app --unload math");
    assert_eq!(statuses(&said.err, "Unloaded"), ["app", "math", "base"]);
    let said = place.run("run app.llext --unload nobody").refused("E0744");
    assert_eq!(statuses(&said.err, "Unloaded"), ["app", "math", "base"]);
}

#[test]
fn what_cannot_be_had_is_named_with_who_needs_it() {
    let place = place();
    let base = place.path("base.llext");
    fs::remove_file(&base).unwrap();
    let said = place.refused("run app.llext", "E0153");
    assert!(
        said.err.contains("math.llext: base: needed library is not there\n  needed by: app"),
        "{}",
        said.err
    );
    assert!(!said.err.contains("app.llext:"), "{}", said.err);

    place.build_each(&[("base", "int tune(void);\nint base(void) { return tune(); }\n")]);
    let said = place.refused("run app.llext", "E0125");
    assert!(
        said.err.contains("base.llext: tune: ") && said.err.contains("\n  missing: tune\n  needed by: math")
    );

    let circle = "#include <llext/extension.h>\nLLEXT_NEEDS(\"app\");\nint base(void) { return 1; }\n";
    place.build_each(&[("base", circle)]);
    place.refused("run app.llext", "E0441");
}

#[test]
fn what_was_loaded_for_a_load_that_failed_goes_again() {
    let place = place();
    place.build_each(&[("app", &APP.replace("multiply", "divide"))]);
    let said = place.run("run app.llext").refused("E0125");
    assert_eq!(statuses(&said.err, "Unloaded"), ["math", "base"]);
    assert_eq!(said.out, "math ends\n");
}

/// The shared objects of a library and its user, as compilers and linkers make them.
#[test]
fn shared_objects_name_what_they_need() {
    let place = Place::new();
    place.write("numbers.c", "int seven(void) { return 7; }\n");
    place.write("user.c", "int seven(void);\nint probe(void) { return 6 * seven(); }\n");
    for options in [["numbers.c", "-o", "libnumbers.so", "-O1"], ["user.c", "libnumbers.so", "-o", "user.so"]]
    {
        let mut cc = std::process::Command::new("cc");
        cc.args(["-shared", "-fPIC"]).args(options).current_dir(place.path(""));
        assert!(cc.status().unwrap().success());
    }
    let story = place.json("run user.so --call probe");
    assert_eq!((names(&story["loaded"]), &story["value"]), (vec!["libnumbers", "user"], &42.into()));
    fs::create_dir(place.path("other")).unwrap();
    fs::rename(place.path("libnumbers.so"), place.path("other/libnumbers.so")).unwrap();
    place.refused("run user.so --call probe", "E0153");
    place.done("run other/libnumbers.so user.so --call probe");
    place.done("run user.so other/libnumbers.so --call seven");
}

#[test]
fn what_a_shared_object_calls_itself_counts() {
    let place = Place::new();
    place.write("numbers.c", "int seven(void) { return 7; }\n");
    let user = "#include <llext/extension.h>\nLLEXT_NEEDS(\"heptad\");\nint seven(void);\n\
        int probe(void) { return 6 * seven(); }\n";
    place.build_each(&[("user", user)]);
    let mut cc = std::process::Command::new("cc");
    cc.args(["-shared", "-fPIC", "numbers.c", "-o", "numbers.so", "-Wl,-soname,heptad"]);
    assert!(cc.current_dir(place.path("")).status().unwrap().success());
    place.refused("run user.llext", "E0153");
    assert_eq!(place.done("run -q numbers.so user.llext --call probe").out, "probe() = 42\n");
    assert_eq!(place.done("run -q user.llext numbers.so --call seven").out, "seven() = 7\n");
}

/// The project's own extensions, in C and in Rust.
#[test]
fn rust_and_c_need_each_other() {
    let extensions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../extensions").canonicalize().unwrap();
    assert!(sdk().starts_with(extensions.parent().unwrap()));
    let (extensions, place) = (extensions.display(), Place::new());
    for name in ["math", "app"] {
        place.done(&format!("build {extensions}/registry-demo/{name}.c -o {name}.llext"));
    }
    let both = format!("run -q math.llext {extensions}/registry-demo-rust app.llext --call");
    assert_eq!(place.done(&format!("{both} volume 2 3")).out, "volume(2, 3) = 12\n");
    let rust = format!("run math.llext {extensions}/registry-demo-rust --call power 2 10");
    assert_eq!(place.json(&rust)["value"], 1024);
}
