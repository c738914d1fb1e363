//! `llext run FILE|DIR...`: loads extensions into this process, calls a function, unloads them.

pub(crate) mod call;
#[cfg(target_os = "linux")]
mod fault;
#[cfg(target_os = "linux")]
pub(crate) mod invoke;
#[cfg(target_os = "linux")]
pub(crate) mod process;
#[cfg(target_os = "linux")]
pub(crate) mod session;
#[cfg(target_os = "linux")]
mod symbols;

use std::path::PathBuf;

use crate::Ended;
use crate::build;
use crate::cli::{BuildOptions, Run};
use crate::error::Error;
use crate::terminal::Terminal;

/// Builds what is a folder or a source, then loads all and calls what was asked for.
pub(crate) fn run(arguments: &Run, terminal: &Terminal) -> Result<Ended, Error> {
    let call = call::Call::parse(&arguments.call, arguments.returns)?;
    let files = files_of(&arguments.paths, &arguments.options, terminal)?;
    run_files(files, call, arguments, terminal)
}

/// The files that were named, and those built of the folders and sources that were.
pub(crate) fn files_of(
    paths: &[PathBuf],
    options: &BuildOptions,
    terminal: &Terminal,
) -> Result<Vec<PathBuf>, Error> {
    let file = |path: &PathBuf| match path.is_dir() || build::is_source(path) {
        true => build::run_at(path, options, terminal).map(|built| built.file),
        false => Ok(path.clone()),
    };
    paths.iter().map(file).collect()
}

#[cfg(target_os = "linux")]
fn run_files(
    files: Vec<PathBuf>,
    call: Option<call::Call>,
    arguments: &Run,
    terminal: &Terminal,
) -> Result<Ended, Error> {
    let plan = process::Plan { files, call, unload: arguments.unload.clone(), no_libc: arguments.no_libc };
    process::run(&plan, terminal)
}

#[cfg(not(target_os = "linux"))]
fn run_files(_: Vec<PathBuf>, _: Option<call::Call>, _: &Run, _: &Terminal) -> Result<Ended, Error> {
    Err(Error::CannotRunHere { system: std::env::consts::OS })
}
