//! Hostile files, failing surroundings: nothing breaks, nothing is lost. Run it by `cargo xtask hostile`.

/// What needs the system that the files are made and loaded on.
macro_rules! here {
    ($($item:item)*) => {
        $(#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "x86")))] $item)*
    };
}

here! {
    mod catalogue;
    mod counter;
    mod cycles;
    mod elf;
    mod faults;
    mod fence;
    mod guarded;
    mod heap;
    mod host;
    mod options;
    mod sample;
    mod surroundings;
    mod target;
    mod trial;
    mod work;
}

use std::process::ExitCode;

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "x86"))))]
fn main() -> ExitCode {
    println!("left out: this takes Linux on x86");
    ExitCode::SUCCESS
}

here! {
    /// Runs the parts that were asked for, and says whether nothing failed.
    fn main() -> ExitCode {
        match options::parse(std::env::args().skip(1)).and_then(|options| run(&options)) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::from(2)
            }
        }
    }

    fn run(options: &options::Options) -> Result<bool, String> {
        trial::hear_panics();
        let folder = &options.folder;
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut all = true;
        for part in options::PARTS {
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
}
