//! The command line, which has to bear with what `cargo test` passes to every test.

use std::path::PathBuf;

/// What to do.
pub(crate) struct Options {
    pub(crate) seed: u64,
    /// This case alone.
    pub(crate) case: Option<usize>,
    /// Only files whose name contains the text.
    pub(crate) filter: Option<String>,
    /// Where to write which cases are under way: the process that runs them.
    pub(crate) progress: Option<PathBuf>,
}

const USAGE: &str = "usage: mutations [--seed N] [--case N] [NAME]";

/// The hidden option.
pub(crate) const PROGRESS: &str = "--progress";

pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Options, String> {
    let mut arguments = arguments.into_iter();
    let mut options = Options { seed: 1, case: None, filter: None, progress: None };
    let number = |text: Option<String>| text.and_then(|text| text.parse().ok()).ok_or(USAGE);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--seed" => options.seed = number(arguments.next())?,
            "--case" => options.case = Some(number(arguments.next())? as usize),
            "--filter" => options.filter = Some(arguments.next().ok_or(USAGE)?),
            PROGRESS => options.progress = Some(arguments.next().ok_or(USAGE)?.into()),
            "--nocapture" | "--no-capture" | "--quiet" | "-q" => {}
            _ if argument.starts_with('-') => return Err(format!("{argument}: unknown option\n{USAGE}")),
            _ => options.filter = Some(argument),
        }
    }
    Ok(options)
}
