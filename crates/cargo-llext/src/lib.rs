//! The host tool of llext: makes, builds, runs and examines extensions.
//!
//! A command is a module with a `run` function that takes its arguments and the terminal, and returns what it found as
//! a value that can be shown as text or as JSON. Whatever is refused is an error with a stable code.

mod build;
mod check;
mod cli;
mod completions;
mod demangle;
mod discarded;
mod elf;
mod error;
mod explain;
mod host;
#[cfg(test)]
mod hostile;
mod inspect;
mod link;
mod needs;
mod new;
mod plan;
mod prepare;
mod process;
mod repl;
mod run;
mod size;
mod slid;
mod table;
mod terminal;
mod words;

use std::process::ExitCode;

use crate::cli::{Cli, Command};
use crate::error::Error;
use crate::terminal::Terminal;

/// Runs the tool on this process's arguments: 0 when done, 1 when refused, 2 when asked wrongly.
pub fn main() -> ExitCode {
    let cli = match Cli::from_arguments(std::env::args_os()) {
        Ok(cli) => cli,
        Err(usage) => usage.exit(),
    };
    let terminal = Terminal::install(&cli.global);
    match perform(cli.command, terminal) {
        Ok(Ended::Done) => ExitCode::SUCCESS,
        Ok(Ended::Refused) => ExitCode::FAILURE,
        Err(error) => {
            terminal.refuse(&error);
            ExitCode::FAILURE
        }
    }
}

/// How a command ended that reported its refusals itself.
enum Ended {
    Done,
    Refused,
}

fn perform(command: Command, terminal: &Terminal) -> Result<Ended, Error> {
    let done = match command {
        Command::New(arguments) => terminal.show(&new::run(&arguments, terminal)?),
        Command::Build(arguments) => terminal.show(&build::run(&arguments, terminal)?),
        Command::Run(arguments) => return run::run(&arguments, terminal),
        Command::Repl(arguments) => return repl::run(&arguments, terminal),
        Command::Inspect(arguments) => terminal.show(&inspect::run(&arguments)?),
        Command::Link(arguments) => terminal.show(&link::run(&arguments)?),
        Command::Size(arguments) => terminal.show(&size::run(&arguments, terminal)?),
        Command::Check(arguments) => check::run(&arguments, terminal),
        Command::Slid(arguments) => terminal.show(&slid::run(&arguments)?),
        Command::Prepare(arguments) => terminal.show(&prepare::run(&arguments)?),
        Command::Discarded(arguments) => terminal.show(&discarded::run(&arguments)?),
        Command::Explain(arguments) => terminal.show(&explain::run(&arguments)?),
        Command::Completions(arguments) => terminal.show(&completions::run(&arguments)),
    };
    done.map(|()| Ended::Done)
}
