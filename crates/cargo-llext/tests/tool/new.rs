//! new: projects that build and run as they are.

use std::fs;

use crate::support::{Place, sdk, strings};

#[test]
fn a_rust_project_builds_and_runs() {
    let place = Place::new();
    let said = place.done("new fresh-rust");
    assert_eq!(said.out, "fresh-rust/Cargo.toml\nfresh-rust/src/lib.rs\nfresh-rust/.gitignore\n");
    assert_eq!(place.done("run fresh-rust --call probe -q").out, "probe() = 1\n");
    assert_eq!(place.done("run fresh-rust --release --call add 1 2 -q").out, "add(1, 2) = 3\n");
}

#[test]
fn a_c_project_builds_and_runs() {
    let place = Place::new();
    let said = place.done("new fresh-c --lang c");
    assert_eq!(said.out, "fresh-c/src/fresh-c.c\nfresh-c/.gitignore\n");
    assert_eq!(place.done("run fresh-c --call probe -q").out, "probe() = 1\n");
    assert_eq!(place.done("run fresh-c --call add 1 2 -q").out, "add(1, 2) = 3\n");
}

#[test]
fn the_sdk_is_the_one_that_is_named_or_the_checkouts() {
    let place = Place::new();
    let dependency = format!("llext-sdk = {{ path = \"{}\" }}", sdk().display());
    place.done("new one");
    place.done(&format!("new two --sdk {}", sdk().display()));
    for project in ["one", "two"] {
        assert!(fs::read_to_string(place.path(project).join("Cargo.toml")).unwrap().contains(&dependency));
    }
    place.refused("new three --sdk nowhere", "E0752");
}

#[test]
fn inside_a_workspace_it_is_one_of_its_own() {
    let place = Place::new();
    place.write("Cargo.toml", "[workspace]\nmembers = []\n");
    place.done("new inner");
    assert!(fs::read_to_string(place.path("inner/Cargo.toml")).unwrap().ends_with("\n[workspace]\n"));
    let other = Place::new();
    other.done("new outer");
    assert!(!fs::read_to_string(other.path("outer/Cargo.toml")).unwrap().contains("[workspace]"));
}

#[test]
fn programs_are_told_what_was_made() {
    let made = Place::new().json("new fresh");
    assert_eq!((&made["folder"], strings(&made["files"]).len()), (&"fresh".into(), 3));
}

#[test]
fn bad_names_and_places_are_refused() {
    let place = Place::new();
    for name in ["1st", "a.b", "über", "test", "core", ".."] {
        place.refused(&format!("new {name}"), "E0750");
    }
    place.write("taken/file", "");
    place.refused("new taken", "E0751");
    place.write("file", "");
    place.refused("new file/inner", "E0701");
}
