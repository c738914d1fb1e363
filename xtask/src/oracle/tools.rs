//! Running compilers and linkers: quietly, and with what they said when one fails.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::{Result, bail};
use crate::process::{find, find_newest};

/// A program of a row: `clang` and `ld.lld` are taken as the newest of those that carry a version.
pub(crate) fn program(name: &str) -> Option<std::path::PathBuf> {
    match name {
        "clang" | "ld.lld" => find_newest(name),
        _ => find(name),
    }
}

/// Runs a program of a row with the first arguments of that row, in `folder`.
pub(super) fn run(row: &[&str], arguments: &[String], folder: &Path) -> Result<()> {
    let Some((name, first)) = row.split_first() else { bail!("no program") };
    let Some(path) = program(name) else { bail!("{name} is missing") };
    let mut command = Command::new(path);
    command.args(first).args(arguments).current_dir(folder).stdin(Stdio::null());
    let output = command.env("LC_ALL", "C").output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said: Vec<&str> = said.lines().take(8).collect();
        bail!("{name} {} {}: {}", first.join(" "), arguments.join(" "), said.join("\n"));
    }
    Ok(())
}
