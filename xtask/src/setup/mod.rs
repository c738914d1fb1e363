//! `cargo xtask setup`: installs what the tests need, and says what it could not.

mod apt;
pub(crate) mod bare;
mod needs;
pub(crate) mod python;

use crate::error::{Error, Result};
use crate::process::succeeds;
use crate::{process, project};
pub(crate) use needs::missing_linker;
use needs::{NEEDS, Need};
use std::process::Command;
use std::time::Duration;

/// Rustup downloads a few megabytes, or finds its servers unreachable; it never needs longer.
const RUSTUP_LIMIT: Duration = Duration::from_secs(120);

/// Installs what is missing. Fails if an installer fails; what has no installer here is only reported.
pub(crate) fn setup() -> Result<()> {
    let components = install_components();
    bare::add_targets_by_rustup();
    let packages = install_packages();
    python::install();
    let targets = bare::build_other_targets();
    report();
    components.and(packages).and(targets)
}

/// What is missing, and what is left out for it: a line each.
pub(crate) fn missing() -> Vec<String> {
    let needs = missing_needs().into_iter().map(|need| format!("{}: {}", need.name, need.without));
    let components = COMPONENTS.iter().filter(|(name, _)| !has_component(name));
    let components = components.map(|(name, without)| format!("cargo {name}: {without}"));
    let targets = bare::TARGETS.iter().filter(|target| bare::Compiler::find(target).is_none());
    let targets = targets.map(|target| format!("Rust for {target}: its checks and its board are left out"));
    let littlefs = python::littlefs().is_none();
    let littlefs = littlefs.then(|| "littlefs-python: the tests of file systems are left out".to_owned());
    needs.chain(littlefs).chain(components).chain(targets).collect()
}

fn install_packages() -> Result<()> {
    let mut missing = missing_needs();
    if bare::wants_debian() {
        missing.push(&needs::DEBIAN_RUST);
    }
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.iter().map(|need| need.name).collect::<Vec<_>>().join(", ");
    println!("setup: missing: {names}");
    apt::install(&missing)
}

fn missing_needs() -> Vec<&'static Need> {
    NEEDS.iter().filter(|need| !(need.present)()).collect()
}

/// Parts of a Rust toolchain that a minimal one lacks, and what is left out without them.
const COMPONENTS: &[(&str, &str)] =
    &[("fmt", "the format check is left out"), ("clippy", "the lint checks are left out")];

pub(crate) fn has_component(name: &str) -> bool {
    succeeds(project::cargo().args([name, "--version"]))
}

fn install_components() -> Result<()> {
    let missing = COMPONENTS.iter().any(|(name, _)| !has_component(name));
    if !missing || process::find("rustup").is_none() {
        return Ok(());
    }
    let mut rustup = Command::new("rustup");
    process::run_within(rustup.args(["component", "add", "rustfmt", "clippy"]), RUSTUP_LIMIT)
        .map_err(|error| Error::new(format!("rustfmt and clippy could not be added: {error}")))
}

fn report() {
    let missing = missing();
    if missing.is_empty() {
        println!("setup: everything the tests need is there");
    }
    for line in missing {
        println!("setup: still missing: {line}");
    }
}
