//! Where the project lies.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::{env, fs};

use crate::error::Result;
use crate::process;

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies one folder below the workspace")
}

/// The folder of everything built.
pub(crate) fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// Whether cargo keeps nothing for building the same again with small changes.
static BUILDS_ONCE: AtomicBool = AtomicBool::new(false);

/// From here on cargo keeps nothing for building the same again with small changes, which takes a quarter of the time of
/// building it at all.
pub(crate) fn build_once() {
    BUILDS_ONCE.store(true, Ordering::Relaxed);
}

/// The cargo that runs this task, working on this project.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    if BUILDS_ONCE.load(Ordering::Relaxed) {
        cargo.env("CARGO_INCREMENTAL", "0");
    }
    cargo.current_dir(root());
    cargo
}

/// The profile of tests of optimised code: as users' builds are, but that they are made sooner.
pub(crate) const OPTIMISED: &str = "optimised";

/// What all tests are built of. A part of it would be built with fewer features of what it shares with others: again.
pub(crate) const WORKSPACE: [&str; 2] = ["--workspace", "--exclude=xtask"];

/// What is tested optimised as well: all that runs where users are.
pub(crate) const PRODUCT: [&str; 5] = [
    "--package=llext",
    "--package=llext-link",
    "--package=llext-sdk",
    "--package=llext-capi",
    "--package=cargo-llext",
];

/// Whether this process has built the tool. To ask cargo again is to wait for whatever it builds meanwhile.
static HAS_TOOL: Mutex<bool> = Mutex::new(false);

/// The project's own tool, `cargo llext`, as the tests have it: beside any of them, for the features that only tests want.
pub(crate) fn tool() -> Result<PathBuf> {
    let mut has_tool = HAS_TOOL.lock().unwrap_or_else(PoisonError::into_inner);
    if !*has_tool {
        let what = ["--all-features", "--bin=cargo-llext", "--test=ranges", "--profile", OPTIMISED];
        process::run(cargo().arg("build").args(PRODUCT).args(what))?;
        *has_tool = true;
    }
    Ok(target().join(OPTIMISED).join("cargo-llext"))
}

/// Adds every file below `folder` with this extension, leaving out what builds made; none if there is no folder.
pub(crate) fn files(folder: &Path, extension: &str, files: &mut Vec<PathBuf>) -> Result<()> {
    if !folder.is_dir() || folder.ends_with("target") {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            self::files(&path, extension, files)?;
        } else if path.extension().is_some_and(|own| own == extension) {
            files.push(path);
        }
    }
    Ok(())
}
