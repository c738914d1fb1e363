//! The models of the registry's races, under each checker, and the registry with its words behind locks.

use super::phase::Outcome;
use super::phases::{each, tests};
use crate::error::Result;
use crate::matrix::harness::parallel;
use crate::{process, project};
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
    // Builds share nothing, and each begins with one processor's work. One that fails says so when it is to run.
    parallel::map(CHECKERS, |checker| process::run(checker.cargo().arg("--no-run")));
    let models = each(CHECKERS, |checker| tests(&mut checker.command(model), ""))?;
    let locked =
        Outcome::of(if model.is_empty() { tests(&mut locked(), "") } else { Ok(Outcome::default()) });
    Ok([models, locked].into_iter().sum())
}

/// Hours.
pub(super) fn long(model: &str) -> Result<Outcome> {
    each(CHECKERS, |checker| tests(checker.command(model).envs(checker.long.iter().copied()), ""))
}

impl Checker {
    fn command(&self, model: &str) -> Command {
        let mut cargo = self.cargo();
        cargo.args(["--", "--nocapture"]).arg(format!("registry::models::{model}"));
        cargo
    }

    fn cargo(&self) -> Command {
        let mut cargo = with_cfg(self.name);
        cargo.args(["--profile=models", "--lib"]);
        cargo
    }
}

/// What processors without atomics of 64 bits use, tested on this one.
fn locked() -> Command {
    let mut cargo = with_cfg("llext_locked_words");
    cargo.args(["--lib", "--test=registry"]);
    cargo
}

/// A `cargo test` of the run time, built with `--cfg` of this name, in a folder of its own: such a build shares nothing.
/// Clippy does not see it, so here the compiler's warnings are errors.
fn with_cfg(name: &str) -> Command {
    let mut cargo = project::cargo();
    cargo
        .env("RUSTFLAGS", format!("--cfg {name} -Dwarnings"))
        .env("CARGO_TARGET_DIR", project::target().join("models").join(name));
    cargo.args(["test", "--package=llext", "--all-features", "--no-fail-fast"]);
    cargo
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checker_runs_the_models_that_are_named_and_nothing_else() {
        for checker in CHECKERS {
            let command = checker.command("names");
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
