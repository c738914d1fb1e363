//! The command line.

use std::path::PathBuf;

/// How much is done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// What every run of the tests can afford.
    Short,
    Full,
    Long,
}

/// What to do.
pub(crate) struct Options {
    /// The parts to run; all when there are none.
    pub(crate) parts: Vec<String>,
    pub(crate) scale: Scale,
    pub(crate) seed: u64,
    /// This case alone.
    pub(crate) case: Option<usize>,
    /// Only files, or recipes, whose name contains the text.
    pub(crate) filter: String,
    /// Where files are made.
    pub(crate) folder: PathBuf,
    /// Where the extensions are made for this machine, unless they were: cargo-llext's tests make the same.
    pub(crate) extensions: PathBuf,
    /// Where to write which cases are under way: the process that runs them.
    pub(crate) progress: Option<PathBuf>,
}

/// Every part, in the order they run.
pub(crate) const PARTS: &[&str] = &["catalogue", "surroundings", "work", "single", "random", "cycles"];

/// The hidden option.
pub(crate) const PROGRESS: &str = "--progress";

fn usage() -> String {
    format!(
        "usage: llext-hostile [{}]... [--short | --long] [--seed N] [--case N] [--filter TEXT] [--folder PATH] [--extensions PATH]",
        PARTS.join(" | ")
    )
}

pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Options, String> {
    let mut arguments = arguments.into_iter();
    let mut options = Options {
        parts: Vec::new(),
        scale: Scale::Full,
        seed: 1,
        case: None,
        filter: String::new(),
        folder: std::env::temp_dir(),
        extensions: std::env::temp_dir().join("extensions"),
        progress: None,
    };
    let number = |text: Option<String>| text.and_then(|text| text.parse().ok()).ok_or_else(usage);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--short" => options.scale = Scale::Short,
            "--long" => options.scale = Scale::Long,
            "--seed" => options.seed = number(arguments.next())?,
            "--case" => options.case = Some(number(arguments.next())? as usize),
            "--filter" => options.filter = arguments.next().ok_or_else(usage)?,
            "--folder" => options.folder = arguments.next().ok_or_else(usage)?.into(),
            "--extensions" => options.extensions = arguments.next().ok_or_else(usage)?.into(),
            PROGRESS => options.progress = Some(arguments.next().ok_or_else(usage)?.into()),
            part if PARTS.contains(&part) => options.parts.push(argument),
            _ => return Err(format!("{argument}: unknown\n{}", usage())),
        }
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_options_are_told_apart() {
        let words = ["single", "--case", "7", "random", "--short"].map(str::to_owned);
        let options = parse(words).unwrap();
        assert_eq!((options.parts.len(), options.case, options.scale == Scale::Short), (2, Some(7), true));
        assert!(parse(["other".to_owned()]).is_err());
    }
}
