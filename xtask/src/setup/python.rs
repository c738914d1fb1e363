//! littlefs-python, in an environment of its own: Debian has no package that makes images of littlefs.

use std::path::PathBuf;
use std::process::Command;

use super::RUSTUP_LIMIT;
use crate::error::Result;
use crate::process::{find, run_within};
use crate::project;

const PACKAGE: &str = "littlefs-python==0.19.0";

fn folder() -> PathBuf {
    project::target().join("python")
}

/// A Python that can make images of littlefs, if it is installed.
pub(crate) fn littlefs() -> Option<PathBuf> {
    let installed = folder().join("bin/littlefs-python").exists();
    installed.then(|| folder().join("bin/python"))
}

/// Installs it, where Python and its index of packages are there; what it could not bring is reported as missing.
pub(super) fn install() {
    if littlefs().is_some() || find("python3").is_none() {
        return;
    }
    if let Err(error) = try_install() {
        println!("setup: {PACKAGE} could not be installed: {error}");
    }
}

fn try_install() -> Result<()> {
    let mut python = Command::new("python3");
    run_within(python.args(["-m", "venv"]).arg(folder()), RUSTUP_LIMIT)?;
    let mut pip = Command::new(folder().join("bin/pip"));
    run_within(pip.args(["install", "--quiet", "--disable-pip-version-check", PACKAGE]), RUSTUP_LIMIT)
}
