//! Running other programs: compilers, linkers, cargo.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output};

use crate::error::Error;
use crate::terminal::Terminal;

/// Runs a program to its end, its output shown as it comes.
pub(crate) fn run(command: &mut Command, terminal: &Terminal) -> Result<ExitStatus, Error> {
    terminal.detail("Running", line(command));
    command.status().map_err(|error| missing(command, &error))
}

/// Runs a program to its end and returns what it wrote.
pub(crate) fn output(command: &mut Command, terminal: &Terminal) -> Result<Output, Error> {
    terminal.detail("Running", line(command));
    command.output().map_err(|error| missing(command, &error))
}

/// The refusal when a program could not be started.
pub(crate) fn missing(command: &Command, error: &io::Error) -> Error {
    Error::MissingProgram { program: name(command), reason: error.to_string() }
}

/// The command's program, for messages.
pub(crate) fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

/// The whole command, for messages.
pub(crate) fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// The program an environment variable names, or else the usual one.
pub(crate) fn from_environment(variable: &str, usual: &str) -> OsString {
    std::env::var_os(variable).filter(|value| !value.is_empty()).unwrap_or_else(|| usual.into())
}

/// Where a program lies on PATH.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| is_file(path))
}

fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file())
}
