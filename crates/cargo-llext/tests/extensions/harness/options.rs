//! The harness's command line, which has to bear with what `cargo test` passes to every test.

use std::path::PathBuf;

/// What to do.
pub(crate) enum Task {
    /// Build and run, only extensions whose name contains the text.
    Test { filter: Option<String> },
    /// Name every extension and what it is about.
    List,
    /// What the harness starts itself with: run the cases written in a file.
    Child { cases: PathBuf, results: PathBuf },
}

pub(crate) const USAGE: &str = "usage: extensions [--list] [[--filter] NAME]";

/// The hidden argument.
pub(crate) const CHILD: &str = "--run-cases";

pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Task, String> {
    let mut arguments = arguments.into_iter();
    let mut filter = None;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            CHILD => return child(&mut arguments).ok_or_else(|| USAGE.to_owned()),
            "--list" => return Ok(Task::List),
            "--filter" => filter = Some(arguments.next().ok_or(USAGE)?),
            "--nocapture" | "--no-capture" | "--quiet" | "-q" => {}
            _ if argument.starts_with('-') => return Err(format!("{argument}: unknown option\n{USAGE}")),
            _ => filter = Some(argument),
        }
    }
    Ok(Task::Test { filter })
}

fn child(arguments: &mut impl Iterator<Item = String>) -> Option<Task> {
    Some(Task::Child { cases: arguments.next()?.into(), results: arguments.next()?.into() })
}
