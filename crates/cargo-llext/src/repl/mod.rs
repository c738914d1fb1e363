//! `llext repl [FILE...]`: loads, calls and unloads extensions at a prompt, or as lines from a pipe say.

#[cfg(target_os = "linux")]
mod command;
#[cfg(target_os = "linux")]
mod complete;
#[cfg(target_os = "linux")]
mod lines;
#[cfg(target_os = "linux")]
mod performer;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
mod tree;

use crate::Ended;
use crate::cli::Repl;
use crate::error::Error;
use crate::terminal::Terminal;

/// Loads the files, then does what each line says, and unloads everything.
#[cfg(target_os = "linux")]
pub(crate) fn run(arguments: &Repl, terminal: &Terminal) -> Result<Ended, Error> {
    use crate::run::{files_of, process};
    let files = files_of(&arguments.paths, &arguments.options, terminal)?;
    if terminal.json() {
        // Extensions may print: programs that read our objects must not read that.
        terminal.keep_results_apart()?;
    }
    let host = process::host(arguments.no_libc)?;
    let mut performer = performer::Performer::new(host, &files, terminal);
    for file in &files {
        performer.load(file, None);
    }
    let mut lines = lines::Lines::new(host, terminal)?;
    while let Some(line) = lines.next()? {
        if performer.perform(&line).is_break() {
            break;
        }
    }
    performer.end();
    let is_refused = performer.refused() > 0 && !lines.are_typed();
    Ok(if is_refused { Ended::Refused } else { Ended::Done })
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn run(_: &Repl, _: &Terminal) -> Result<Ended, Error> {
    Err(Error::CannotRunHere { system: std::env::consts::OS })
}
