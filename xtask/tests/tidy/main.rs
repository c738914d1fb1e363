//! Rules of the house that no compiler knows. Each is a function from the project's files to what breaks it,
//! and is itself tested on files that do.

mod code;
mod errors;
mod files;
mod papers;
mod places;
mod rooms;
mod sizes;

use files::{File, project};

#[track_caller]
fn keeps(rule: fn(&[File]) -> Vec<String>) {
    let found = rule(project());
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn the_project_is_read() {
    let has = |path: &str| project().iter().any(|file| file.path == path);
    assert!(has("Cargo.toml") && has("crates/llext-link/src/lib.rs") && has("xtask/tests/tidy/main.rs"));
    assert!(!project().iter().any(|file| file.path.starts_with("target/")));
}

#[test]
fn a_room_uses_only_earlier_rooms() {
    keeps(rooms::order);
}

#[test]
fn files_stay_short() {
    keeps(sizes::lines);
}

#[test]
fn unsafe_stays_in_its_rooms() {
    keeps(places::unsafe_code);
}

#[test]
fn the_processor_is_named_only_where_it_must_be() {
    keeps(places::architecture);
}

#[test]
fn every_error_is_documented() {
    keeps(errors::documented);
}

#[test]
fn every_error_is_met_by_a_test() {
    keeps(errors::tested);
}

#[test]
fn nothing_is_left_half_done() {
    keeps(papers::finished);
}

#[test]
fn one_licence_covers_everything() {
    keeps(papers::licence);
}

#[test]
fn what_docs_parity_names_is_there() {
    keeps(papers::shown);
}

#[test]
fn the_papers_are_there() {
    keeps(papers::present);
}
