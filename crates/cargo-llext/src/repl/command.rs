//! What can be said at the prompt.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use crate::cli::{MAX_ARGUMENTS, Returns};
use crate::error::Error;

/// Loads, calls and unloads extensions.
#[derive(Debug, Parser)]
#[command(name = "", no_binary_name = true, disable_help_flag = true, disable_version_flag = true)]
#[command(help_template = "{subcommands}", subcommand_required = true)]
pub(super) struct Line {
    #[command(subcommand)]
    command: Command,
}

// Completion goes by the names of the arguments: `name`, `function`, `file`, `alias`.
#[derive(Debug, PartialEq, Eq, Subcommand)]
#[command(disable_help_flag = true)]
pub(super) enum Command {
    /// Show what is loaded, in load order
    List {
        /// As a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Show where an extension lies, who uses it and whom it needs
    Info {
        /// An extension that is loaded
        #[arg(value_name = "NAME")]
        name: String,
        /// As a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Show who needs whom, as a tree
    Deps {
        /// Only this extension, what it needs and who needs it
        #[arg(value_name = "NAME")]
        name: Option<String>,
        /// As a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Load a file, and before it what it needs; once more is one use more
    Load {
        /// An object or shared object
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// `as NAME`: under another name than the file's
        #[arg(value_names = ["as", "NAME"], num_args = 2)]
        alias: Vec<String>,
    },
    /// Give one use up; the last one ends the extension
    Unload {
        /// An extension that is loaded
        #[arg(value_name = "NAME")]
        name: String,
        /// If others need it, let it go with the last of them
        #[arg(long, conflicts_with = "within")]
        later: bool,
        /// If others need it, wait so many milliseconds for them to go
        #[arg(long, value_name = "MS")]
        within: Option<u64>,
    },
    /// Call a function, with up to six integers and strings as arguments
    Call {
        /// An extension, and what it exports
        #[arg(value_name = "NAME.FUNCTION")]
        function: String,
        /// Integers may be negative, and hexadecimal as 0x10; all else is text, and str:5 is the text 5
        #[arg(value_name = "ARG", allow_negative_numbers = true)]
        arguments: Vec<String>,
        /// What the function returns
        #[arg(long, value_name = "TYPE", default_value = "int")]
        returns: Returns,
    },
    /// Show what an extension exports, and where
    Symbols {
        /// An extension that is loaded
        #[arg(value_name = "NAME")]
        name: String,
        /// As a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Show which extension lies at an address
    Find {
        /// A number such as 0x7f0000001000
        #[arg(value_name = "ADDRESS")]
        address: String,
        /// As a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Unload everything and end
    #[command(visible_alias = "exit")]
    Quit,
}

/// What a line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// It is empty, or a remark.
    Nothing,
    Help(String),
    Command(Command),
}

/// All commands, their arguments and their help.
pub(super) fn definition() -> clap::Command {
    let mut definition = Line::command();
    definition.build();
    definition
}

/// Reads a line as a shell does: words, quotes, and # before a remark.
pub(super) fn parse(line: &str) -> Result<Asked, Error> {
    let bad = |reason: &str| Error::BadCommand { line: line.trim().to_owned(), reason: reason.to_owned() };
    let words = shlex::split(line).ok_or_else(|| bad("a quote is not closed"))?;
    if words.is_empty() {
        return Ok(Asked::Nothing);
    }
    match Line::try_parse_from(words) {
        Ok(Line { command: Command::Load { alias, .. } })
            if alias.first().is_some_and(|word| word != "as") =>
        {
            Err(bad("expected `load FILE as NAME`"))
        }
        Ok(Line { command: Command::Call { arguments, .. } }) if arguments.len() > MAX_ARGUMENTS => {
            Err(bad(&format!("expected at most {MAX_ARGUMENTS} arguments for the function")))
        }
        Ok(line) => Ok(Asked::Command(line.command)),
        Err(error) if error.kind() == ErrorKind::DisplayHelp => Ok(Asked::Help(error.to_string())),
        Err(error) => Err(bad(&reason(&error))),
    }
}

/// The first paragraph of what clap says, in one line.
fn reason(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.trim_start_matches("error: ");
    let lines = text.lines().take_while(|line| !line.is_empty()).map(str::trim);
    lines.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(line: &str) -> Command {
        match parse(line) {
            Ok(Asked::Command(command)) => command,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_definition_is_consistent() {
        Line::command().debug_assert();
    }

    #[test]
    fn words_are_those_of_a_shell() {
        let (file, alias) = ("a b.llext".into(), vec!["as".to_owned(), "c".to_owned()]);
        assert_eq!(command("load 'a b.llext' as c # twice"), Command::Load { file, alias });
        assert_eq!(parse("  # a remark").unwrap(), Asked::Nothing);
        assert_eq!(parse("").unwrap(), Asked::Nothing);
        let arguments = vec!["-1".to_owned(), "two words".to_owned()];
        let (function, returns) = ("a.f".to_owned(), Returns::U8);
        assert_eq!(
            command("call a.f -1 \"two words\" --returns u8"),
            Command::Call { function, arguments, returns }
        );
    }

    #[test]
    fn what_cannot_be_understood_says_why() {
        for (line, reason) in [
            ("load 'a", "load 'a: a quote is not closed"),
            ("load a in b", "load a in b: expected `load FILE as NAME`"),
            (
                "call a.f 1 2 3 4 5 6 7",
                "call a.f 1 2 3 4 5 6 7: expected at most 6 arguments for the function",
            ),
            ("fly", "fly: unrecognized subcommand 'fly'"),
            ("unload", "unload: the following required arguments were not provided: <NAME>"),
        ] {
            assert_eq!(parse(line).unwrap_err().to_string(), reason);
        }
        assert!(parse("unload a --later --within 5").is_err());
        assert!(parse("unload a --within soon").is_err());
    }

    #[test]
    fn help_tells_all_commands_or_one() {
        let Ok(Asked::Help(all)) = parse("help") else { panic!() };
        assert!(["list", "unload", "quit", "help"].iter().all(|name| all.contains(name)), "{all}");
        let Ok(Asked::Help(one)) = parse("help unload") else { panic!() };
        assert!(one.contains("--within <MS>"), "{one}");
    }
}
