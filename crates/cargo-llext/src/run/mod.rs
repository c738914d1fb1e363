//! `llext run FILE|DIR...`: loads extensions into this process, calls a function, unloads them.

mod call;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod symbols;

use std::path::PathBuf;

use crate::build;
use crate::cli::Run;
use crate::error::Error;
use crate::terminal::Terminal;

/// Builds what is a folder, then loads all and calls what was asked for.
pub(crate) fn run(arguments: &Run, terminal: &Terminal) -> Result<(), Error> {
    let call = call::Call::parse(&arguments.call, arguments.returns)?;
    let mut files = Vec::new();
    for path in &arguments.paths {
        files.push(if path.is_dir() {
            build::run_in(path, &arguments.options, terminal)?.file
        } else {
            path.clone()
        });
    }
    run_files(&files, call.as_ref(), arguments.no_libc, terminal)
}

#[cfg(target_os = "linux")]
fn run_files(
    files: &[PathBuf],
    call: Option<&call::Call>,
    no_libc: bool,
    terminal: &Terminal,
) -> Result<(), Error> {
    process::run(files, call, no_libc, terminal)
}

#[cfg(not(target_os = "linux"))]
fn run_files(_: &[PathBuf], _: Option<&call::Call>, _: bool, _: &Terminal) -> Result<(), Error> {
    Err(Error::CannotRunHere { system: std::env::consts::OS })
}
