//! What can be asked on the command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, ValueHint};

use crate::link::Wanted;

/// As many words as every supported ABI passes in registers or on the stack alike.
pub(crate) const MAX_ARGUMENTS: usize = 6;

/// Makes, builds, runs and examines native code that llext loads at run time.
///
/// Exit status: 0 done, 1 refused (with a code that `llext explain` knows), 2 asked wrongly.
#[derive(Debug, Parser)]
#[command(name = "llext", version, max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command understands.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Global {
    /// Print one JSON object on standard output and nothing else
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say more: the commands that are run, and why
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Print results and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// When to colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a project that `llext build` builds and `llext run` runs
    New(New),
    /// Build a crate or C sources into one self-contained, stripped file
    Build(Build),
    /// Load extensions into this process, call a function, unload them
    Run(Run),
    /// Load, call and unload extensions at a prompt, or as the lines of standard input say
    Repl(Repl),
    /// Show what a file holds and what a load would make of it
    Inspect(Inspect),
    /// Show what fills a file
    Size(Size),
    /// Show every symbol an extension needs that a host does not provide
    Check(Check),
    /// Give an extension numbers (SLIDs) beside the names of what it needs, for a host without names
    Slid(Slid),
    /// Sort the table of exports of a firmware that was linked, by name or by SLID
    Prepare(Prepare),
    /// Show the exports of groups that a firmware was built without
    Discarded(Discarded),
    /// Link an extension for fixed addresses of a firmware, for a device that only maps or copies it
    Link(Link),
    /// Explain an error code
    Explain(Explain),
    /// Print a shell's completion script
    ///
    /// It completes `llext`, the tool's own name. For bash:
    /// llext completions bash > ~/.local/share/bash-completion/completions/llext
    #[command(verbatim_doc_comment)]
    Completions(Completions),
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The project's folder; its last part is the extension's name
    #[arg(value_name = "NAME", value_hint = ValueHint::DirPath)]
    pub(crate) path: PathBuf,
    /// The language of the first source
    #[arg(long, default_value = "rust")]
    pub(crate) lang: Language,
    /// Use the llext-sdk in this folder instead of the published one
    #[arg(long, value_name = "PATH", value_hint = ValueHint::DirPath)]
    pub(crate) sdk: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    Rust,
    C,
}

#[derive(Debug, Args)]
pub(crate) struct Build {
    /// A crate or folder of C sources (default: this folder), or C, C++, assembly, object and archive files
    #[arg(value_name = "DIR|FILES", value_hint = ValueHint::AnyPath, conflicts_with = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Given to rustc or to the C compiler
    #[arg(last = true, value_name = "COMPILER ARGUMENTS")]
    pub(crate) compiler: Vec<OsString>,
    /// Where to write the extension (default: target/llext/NAME.llext)
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) options: BuildOptions,
    #[command(flatten, next_help_heading = "Building")]
    pub(crate) manifest: clap_cargo::Manifest,
}

/// How to build: what `build` and `run` share.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct BuildOptions {
    /// Keep the names of local symbols, for `size` and for debuggers (the file grows)
    #[arg(long, help_heading = "Building")]
    pub(crate) symbols: bool,
    /// Build with the release profile
    #[arg(short, long, help_heading = "Building", conflicts_with = "profile")]
    pub(crate) release: bool,
    /// Build with this profile
    #[arg(long, value_name = "NAME", help_heading = "Building")]
    pub(crate) profile: Option<String>,
    /// Build for this target triple
    #[arg(long, value_name = "TRIPLE", help_heading = "Building")]
    pub(crate) target: Option<String>,
    /// Build this package of the workspace
    #[arg(short, long, value_name = "NAME", help_heading = "Building")]
    pub(crate) package: Option<String>,
    #[command(flatten, next_help_heading = "Features")]
    pub(crate) features: clap_cargo::Features,
    /// Use this many processes
    #[arg(short, long, value_name = "N", help_heading = "Building")]
    pub(crate) jobs: Option<u16>,
    /// Require that Cargo.lock stays unchanged
    #[arg(long, help_heading = "Building")]
    pub(crate) locked: bool,
    /// Use no network
    #[arg(long, help_heading = "Building")]
    pub(crate) offline: bool,
    /// The same as --locked and --offline
    #[arg(long, help_heading = "Building")]
    pub(crate) frozen: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Extensions, or projects and C sources to build first; a later one may use what an earlier one exports
    ///
    /// What a file needs by name is loaded before it: from these files, else from its own folder.
    #[arg(required = true, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,
    /// Call this function of the last one, with up to six integers and strings as arguments
    ///
    /// It stands behind the files: what follows the name is arguments. Integers may be negative, and hexadecimal as 0x10; all else is text, and str:5 is the text 5.
    #[arg(long, num_args = 1.., value_names = ["NAME", "ARG"], allow_negative_numbers = true)]
    pub(crate) call: Vec<String>,
    /// What the function returns
    #[arg(long, value_name = "TYPE", default_value = "int", requires = "call")]
    pub(crate) returns: Returns,
    /// Unload this extension before all others; may be repeated. It is refused while others need it
    #[arg(long, value_name = "NAME")]
    pub(crate) unload: Vec<String>,
    /// Leave the process's C library out of what extensions may use
    #[arg(long)]
    pub(crate) no_libc: bool,
    #[command(flatten)]
    pub(crate) options: BuildOptions,
}

#[derive(Debug, Args)]
pub(crate) struct Repl {
    /// Extensions to begin with, or projects and C sources to build first
    #[arg(value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,
    /// Leave the process's C library out of what extensions may use
    #[arg(long)]
    pub(crate) no_libc: bool,
    #[command(flatten)]
    pub(crate) options: BuildOptions,
}

/// The C and Rust types a called function may return.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Returns {
    Void,
    Bool,
    #[value(alias = "i32")]
    Int,
    #[value(name = "u32", alias = "unsigned")]
    U32,
    #[value(name = "i8")]
    I8,
    #[value(name = "u8")]
    U8,
    #[value(name = "i16")]
    I16,
    #[value(name = "u16")]
    U16,
    #[value(name = "i64")]
    I64,
    #[value(name = "u64")]
    U64,
    #[value(alias = "long")]
    Isize,
    Usize,
    #[value(name = "f32", alias = "float")]
    F32,
    #[value(name = "f64", alias = "double")]
    F64,
    Str,
    Ptr,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// The file
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Size {
    /// The file
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// How many symbols to show
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    pub(crate) top: usize,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The extension
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// A firmware or program with an export table, another extension, or a list of names; may be repeated
    ///
    /// An extension that the file needs by name must be among them.
    #[arg(long, required = true, value_name = "HOST", value_hint = ValueHint::FilePath)]
    pub(crate) against: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Slid {
    /// The extension
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// Where to write it (default: over the file itself)
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Prepare {
    /// The firmware, linked to its addresses
    #[arg(value_name = "FIRMWARE", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// Write SLIDs over the names: for a firmware that is built so, with CONFIG_LLEXT_EXPORT_BUILTINS_BY_SLID
    #[arg(long)]
    pub(crate) slid: bool,
    /// Write which SLID stands for which name, a line each, unless the firmware was prepared before
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) listing: Option<PathBuf>,
    /// Where to write the firmware (default: over the file itself)
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Discarded {
    /// The firmware, or an object of it
    #[arg(value_name = "FIRMWARE", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Link {
    /// The extension: an object, or several joined
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// Where a region goes: code, constants or data; may be repeated
    ///
    /// A region without an address follows the one before it, in this order.
    #[arg(long, required = true, value_name = "REGION=ADDR")]
    pub(crate) at: Vec<Wanted>,
    /// The firmware as it was linked, with its export table; may be repeated, with other linked extensions
    #[arg(long, required = true, value_name = "FIRMWARE", value_hint = ValueHint::FilePath)]
    pub(crate) against: Vec<PathBuf>,
    /// Where to write what was linked
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A code as errors show it, such as E0125
    pub(crate) code: String,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

impl Cli {
    /// Reads the arguments, of which the first may be the `llext` that cargo puts before a subcommand's own.
    pub(crate) fn from_arguments(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut arguments: Vec<OsString> = arguments.into_iter().collect();
        let mut command = Self::command();
        if arguments.get(1).is_some_and(|first| first == "llext") {
            arguments.remove(1);
            command = command.bin_name("cargo llext");
        }
        let matches = command.try_get_matches_from_mut(arguments)?;
        let cli = Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
        match &cli.command {
            // Were the limit clap's, a seventh argument would be taken for a file.
            Command::Run(run) if run.call.len() > 1 + MAX_ARGUMENTS => {
                let message = format!("--call takes at most {MAX_ARGUMENTS} arguments for the function");
                Err(command.error(ErrorKind::TooManyValues, message))
            }
            _ => Ok(cli),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_leading_word_of_cargo_is_accepted() {
        let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert!(Cli::from_arguments(words("cargo-llext llext explain E0125")).is_ok());
        assert!(Cli::from_arguments(words("llext explain E0125")).is_ok());
        assert!(Cli::from_arguments(words("cargo-llext llext llext explain E0125")).is_err());
    }

    #[test]
    fn a_call_takes_negative_numbers_and_stops_at_options() {
        let line = ["llext", "run", "a", "--call", "add", "-1", "two", "--returns", "i64"];
        let cli = Cli::from_arguments(line.map(OsString::from)).unwrap();
        let Command::Run(run) = cli.command else { panic!() };
        assert_eq!(run.call, ["add", "-1", "two"]);
        assert_eq!(run.returns, Returns::I64);
    }
}
