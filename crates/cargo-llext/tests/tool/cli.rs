//! What users of cargo subcommands expect of any command.

use predicates::str::contains;

use crate::fixture;
use crate::support::{Place, Said};

#[test]
fn asked_wrongly_is_status_2_and_says_how_to_ask() {
    let place = Place::new();
    for line in [
        "",
        "fly",
        "run",
        "check a.llext",
        "explain",
        "inspect",
        "new",
        "size a b",
        "build --release --profile x",
    ] {
        let said = place.run(line).expect(2);
        assert!(said.err.contains("Usage:"), "{line}: {}", said.err);
        assert!(said.out.is_empty(), "{line}: {}", said.out);
    }
    place.run("explain E0125 -q -v").expect(2);
    place.run("build folder --manifest-path folder/Cargo.toml").expect(2);
    place.run("run a --returns u32").expect(2);
    place.run("run a --call f 1 2 3 4 5 6 7").expect(2);
}

#[test]
fn the_word_that_cargo_adds_is_accepted() {
    let mut command = assert_cmd::cargo::cargo_bin_cmd!("cargo-llext");
    command.args(["llext", "explain", "E0125"]).assert().success().stdout(contains("UndefinedSymbols"));
    let mut command = assert_cmd::cargo::cargo_bin_cmd!("cargo-llext");
    command
        .args(["llext", "build", "--help"])
        .assert()
        .success()
        .stdout(contains("Usage: cargo llext build"));
    let mut command = assert_cmd::cargo::cargo_bin_cmd!("llext");
    command.args(["build", "--help"]).assert().success().stdout(contains("Usage: llext build"));
}

#[test]
fn help_and_version_are_results() {
    let place = Place::new();
    assert!(place.done("--help").out.contains("Commands:"));
    assert_eq!(place.done("--version").out.trim(), concat!("llext ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn codes_of_every_part_are_explained() {
    let place = Place::new();
    insta::assert_snapshot!(place.done("explain E0125").out, @r"
    E0125 UndefinedSymbols
      Symbols that the file needs are provided by nobody.
      cure: export it from the host, load the extension that provides it first, or drop the call
    ");
    assert!(place.done("explain 420").out.starts_with("E0420 Exists"));
    assert!(place.done("explain e0728").out.starts_with("E0728 NothingExported"));
    assert_eq!(place.json("explain E0728")["name"], "NothingExported");
    for unknown in ["E0001", "E9999", "nonsense", "E99999999"] {
        place.refused(&format!("explain {unknown}"), "E0760");
    }
}

#[test]
fn every_shell_has_completions() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = place.done(&format!("completions {shell}")).out;
        assert!(["llext", "repl", "unload"].iter().all(|word| script.contains(word)), "{shell}");
        assert_eq!(place.json(&format!("completions {shell}"))["shell"], shell);
    }
    place.run("completions tcsh").expect(2);
}

#[test]
fn colour_is_for_terminals_or_on_demand() {
    let place = Place::new();
    place.write("a.llext", fixture::extension());
    let colours = |said: &Said| (said.out.contains('\x1b'), said.err.contains('\x1b'));
    assert_eq!(colours(&place.run("inspect a.llext")), (false, false));
    assert_eq!(colours(&place.run("inspect a.llext --color always")), (true, false));
    assert_eq!(colours(&place.run("inspect missing --color always")), (false, true));
    assert_eq!(colours(&place.run("inspect missing --color never")), (false, false));
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let place = Place::new();
    place.write("text", "hello");
    place.write("cut", &fixture::extension()[..100]);
    for command in ["inspect", "size"] {
        assert!(
            place.refused(&format!("{command} missing"), "E0700").err.contains("missing: cannot be read")
        );
        place.refused(&format!("{command} text"), "E0702");
        place.refused(&format!("{command} cut"), "E0702");
    }
    place.refused("check missing --against text", "E0700");
    place.refused("check text --against text", "E0702");
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_failure() {
    use std::process::{Command, Stdio};
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("llext"))
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}
