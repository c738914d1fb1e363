//! Runs the parts that were asked for, one after the other.

use std::process::ExitCode;

use crate::options::{self, Options, PARTS};
use crate::{catalogue, cycles, faults, surroundings, trial, work};

/// What the program does; its status says whether nothing failed.
pub(crate) fn main() -> ExitCode {
    match options::parse(std::env::args().skip(1)).and_then(|options| run(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options) -> Result<bool, String> {
    trial::hear_panics();
    let folder = &options.folder;
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut all = true;
    for part in PARTS {
        if options.parts.is_empty() || options.parts.iter().any(|wanted| wanted == part) {
            all &= match *part {
                "catalogue" => catalogue::run(folder, &options.filter)?,
                "surroundings" => surroundings::run(folder)?,
                "work" => work::run()?,
                "cycles" => cycles::run(options.scale, folder)?,
                _ => faults::run(part, options)?,
            };
        }
    }
    Ok(all)
}
