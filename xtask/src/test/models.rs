//! The models of the registry's races, under each checker, and the registry with its words behind locks.

use super::phase::Outcome;
use super::phases::{each, tests};
use crate::error::Result;
use crate::process::output;
use crate::project;
use std::process::Command;

/// A program that tries schedules, and what it is told in its environment when it may take its time.
struct Checker {
    name: &'static str,
    long: &'static [(&'static str, &'static str)],
}

const CHECKERS: &[Checker] = &[
    // 255 interruptions are as many as it can be told; no model has so many.
    Checker { name: "loom", long: &[("LOOM_MAX_PREEMPTIONS", "255"), ("LOOM_MAX_DURATION", "600")] },
    Checker { name: "shuttle", long: &[("LLEXT_SCHEDULES", "1000000"), ("LLEXT_PCT_DEPTH", "4")] },
];

/// A minute or two; `model` is the beginning of the names of those that run.
pub(super) fn quick(model: &str) -> Result<Outcome> {
    let models = each(CHECKERS, |checker| tests(&mut checker.command(model)?, ""))?;
    let locked = if model.is_empty() {
        locked().and_then(|mut cargo| tests(&mut cargo, ""))
    } else {
        Ok(Outcome::default())
    };
    Ok([models, Outcome::of(locked)].into_iter().sum())
}

/// Hours.
pub(super) fn long(model: &str) -> Result<Outcome> {
    each(CHECKERS, |checker| tests(checker.command(model)?.envs(checker.long.iter().copied()), ""))
}

impl Checker {
    fn command(&self, model: &str) -> Result<Command> {
        let mut cargo = with_cfg(self.name)?;
        cargo
            .args(["--profile=models", "--lib", "--", "--nocapture"])
            .arg(format!("registry::models::{model}"));
        Ok(cargo)
    }
}

/// What processors without atomics of 64 bits use, tested on this one.
fn locked() -> Result<Command> {
    let mut cargo = with_cfg("llext_locked_words")?;
    cargo.args(["--lib", "--test=registry"]);
    Ok(cargo)
}

/// A `cargo test` of the run time, built with `--cfg` of this name. For a target that is named, so that macros and what
/// builds them are built without, once. Clippy does not see it, so here the compiler's warnings are errors.
fn with_cfg(name: &str) -> Result<Command> {
    let mut cargo = project::cargo();
    cargo.env("RUSTFLAGS", format!("--cfg {name} -Dwarnings"));
    cargo.args(["test", "--package=llext", "--all-features", "--no-fail-fast"]);
    cargo.args(["--target", &output(Command::new("rustc").args(["--print", "host-tuple"]))?]);
    Ok(cargo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checker_runs_the_models_that_are_named_and_nothing_else() {
        for checker in CHECKERS {
            let command = checker.command("names").unwrap();
            let arguments: Vec<_> = command.get_args().collect();
            assert!(arguments.ends_with(&[
                "--".as_ref(),
                "--nocapture".as_ref(),
                "registry::models::names".as_ref()
            ]));
            let flags =
                command.get_envs().find(|(name, _)| *name == "RUSTFLAGS").and_then(|(_, flags)| flags);
            assert_eq!(flags, Some(format!("--cfg {} -Dwarnings", checker.name).as_ref()));
        }
    }
}
