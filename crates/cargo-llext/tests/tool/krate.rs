//! build, of crates.

use std::fs;

use crate::support::{Place, Said, names, sdk, strings};

/// A crate of this name with a library of this text, and more lines in its manifest.
fn write_crate(place: &Place, name: &str, manifest: &str, library: &str) {
    let sdk = sdk();
    let text = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [dependencies]\nllext-sdk = {{ path = \"{}\" }}\n\n{manifest}\n",
        sdk.display()
    );
    place.write(&format!("{name}/Cargo.toml"), text);
    place.write(&format!("{name}/src/lib.rs"), format!("#![no_std]\n{library}\n"));
}

const PROBE: &str = "#[llext_sdk::export]\nextern \"C\" fn probe() -> i32 { 1 }";

fn file(place: &Place, name: &str) -> String {
    let built = place.json(&format!("build {name}"));
    built["file"].as_str().unwrap().to_owned()
}

#[test]
fn only_exports_are_global_and_nothing_is_lost() {
    let place = Place::new();
    let exports: String = (0..40)
        .map(|index| format!("#[llext_sdk::export]\nextern \"C\" fn probe_{index}() -> i32 {{ {index} }}\n"))
        .collect();
    write_crate(&place, "many-exports", "[profile.dev]\ncodegen-units = 16\n", &exports);
    let facts = place.json(&format!("inspect {}", file(&place, "many-exports")));
    assert_eq!(names(&facts["exports"]).len(), 40);
    assert_eq!(facts["imports"], serde_json::json!([]));
    let sections = names(&facts["sections"]);
    assert!(sections.contains(&".note.llext"), "{sections:?}");
    for useless in [".llvmbc", ".llvmcmd", ".comment", ".eh_frame"] {
        assert!(!sections.contains(&useless), "{sections:?}");
    }
}

#[test]
fn small_stays_small() {
    let place = Place::new();
    write_crate(&place, "tiny", "[profile.release]\nopt-level = \"s\"\n", PROBE);
    let built = place.json("build tiny --release");
    assert!(built["bytes"].as_u64().unwrap() < 1500, "{built:#}");
}

#[test]
fn options_reach_cargo() {
    let place = Place::new();
    let library = "use llext_sdk as _;\n#[cfg(feature = \"loud\")]\n#[llext_sdk::export]\n\
        extern \"C\" fn probe() -> i32 { if cfg!(debug_assertions) { 2 } else { 3 } }";
    let manifest = "[features]\nloud = []\n[profile.quick]\ninherits = \"release\"\n";
    write_crate(&place, "choosy", manifest, library);
    place.refused("build choosy", "E0728");
    let options =
        ["--features loud", "-F loud --release", "--all-features --profile quick", "--features loud -j 1"];
    for (options, value) in options.into_iter().zip([2, 3, 3, 2]) {
        let said = place.done(&format!("run choosy {options} --call probe -q"));
        assert_eq!(said.out, format!("probe() = {value}\n"), "{options}");
    }
    place.refused("build choosy --no-default-features --offline", "E0728");
    fs::remove_file(place.path("choosy/Cargo.lock")).unwrap();
    assert!(place.refused("build choosy --locked", "E0721").err.contains("--locked"));
}

#[test]
fn compiler_arguments_reach_rustc() {
    let place = Place::new();
    let library = "#[llext_sdk::export]\nextern \"C\" fn probe() -> i32 { if cfg!(fast) { 2 } else { 3 } }";
    write_crate(&place, "flagged", "[lints.rust]\nunexpected_cfgs = \"allow\"\n", library);
    place.done("build flagged -o fast.llext -- --cfg fast");
    assert_eq!(place.done("run fast.llext --call probe -q").out, "probe() = 2\n");
    assert_eq!(place.done("run flagged --call probe -q").out, "probe() = 3\n");
}

#[test]
fn a_package_of_a_workspace_is_chosen() {
    let place = Place::new();
    place.write("Cargo.toml", "[workspace]\nmembers = [\"left\", \"right\"]\nresolver = \"3\"\n");
    write_crate(&place, "left", "", PROBE);
    write_crate(&place, "right", "", PROBE);
    place.refused("build", "E0712");
    place.refused("build -p middle", "E0713");
    assert_eq!(place.json("build -p right")["name"], "right");
    assert_eq!(place.json("build left")["name"], "left");
    assert_eq!(place.json("build --manifest-path right/Cargo.toml")["name"], "right");
    let inside = place.tool().current_dir(place.path("left/src")).args(["build", "--json"]).assert();
    assert_eq!(Said::of(inside).json()["name"], "left");
}

#[test]
fn promised_exports_are_required() {
    let place = Place::new();
    write_crate(&place, "promising", "[package.metadata.llext]\nexports = [\"probe\", \"other\"]\n", PROBE);
    let said = place.refused("build promising", "E0729");
    assert!(said.err.contains("does not export other (found probe)"), "{}", said.err);
}

#[test]
fn the_interface_is_required() {
    let place = Place::new();
    let library = "unsafe extern \"C\" { fn led_set(on: bool); fn led_get() -> bool; }\n\
        #[llext_sdk::export]\nextern \"C\" fn probe() { unsafe { led_set(!led_get()) } }";
    write_crate(&place, "wanting", "[package.metadata.llext]\ninterface = \"board.txt\"\n", library);
    place.write("wanting/board.txt", "led_set\nled_get\n");
    assert_eq!(strings(&place.json("build wanting")["imports"]), ["led_get", "led_set"]);
    place.write("wanting/board.txt", "led_set\n");
    let said = place.refused("build wanting", "E0730");
    assert!(said.err.contains("led_get"), "{}", said.err);
}

#[test]
fn the_target_comes_from_the_command_line_or_the_manifest() {
    let place = Place::new();
    let here = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    write_crate(&place, "aiming", &format!("[package.metadata.llext]\ntarget = \"{here}\"\n"), PROBE);
    let said = place.done("build aiming -v");
    assert!(said.err.contains(&format!("--target {here}")), "{}", said.err);
    let said = place.refused("build aiming --target no-such-target", "E0721");
    assert!(said.err.contains("no-such-target"), "{}", said.err);
}

#[test]
fn slips_in_the_manifest_are_refused() {
    let place = Place::new();
    write_crate(&place, "slipping", "[package.metadata.llext]\nexport = [\"probe\"]\n", PROBE);
    assert!(place.refused("build slipping", "E0714").err.contains("`export`"));
    place.write("broken/Cargo.toml", "[package\n");
    place.refused("build broken", "E0711");
    place.refused("build --manifest-path nowhere/Cargo.toml", "E0700");
}

#[test]
fn a_program_is_no_extension() {
    let place = Place::new();
    write_crate(&place, "program", "", PROBE);
    fs::rename(place.path("program/src/lib.rs"), place.path("program/src/main.rs")).unwrap();
    place.refused("build program", "E0715");
}

#[test]
fn a_crate_that_does_not_compile_is_refused() {
    let place = Place::new();
    write_crate(&place, "wrong", "", "fn probe() -> i32 { }");
    let said = place.refused("build wrong", "E0721");
    assert!(said.err.contains("mismatched types"), "{}", said.err);
}

#[cfg(unix)]
#[test]
fn a_cargo_without_a_library_is_refused() {
    let place = Place::new();
    write_crate(&place, "unbuilt", "", PROBE);
    let cargo = place.script("cargo", &format!("[ \"$1\" = rustc ] || exec {} \"$@\"", env!("CARGO")));
    let said = Said::of(place.tool().args(["build", "unbuilt"]).env("CARGO", cargo).assert());
    said.refused("E0725");
}
