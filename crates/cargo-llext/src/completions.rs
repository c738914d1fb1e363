//! `llext completions SHELL`: the shell's completion script.

use std::fmt;

use clap::CommandFactory;
use serde::Serialize;

use crate::cli::{Cli, Completions};

#[derive(Serialize)]
pub(crate) struct Script {
    shell: String,
    script: String,
}

pub(crate) fn run(arguments: &Completions) -> Script {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "llext", &mut script);
    Script { shell: arguments.shell.to_string(), script: String::from_utf8_lossy(&script).into_owned() }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.script)
    }
}
