//! One phase of the tests: how it runs, and how it is counted.

use std::iter::Sum;
use std::time::{Duration, Instant};

use super::lanes::Lane;
use crate::error::Result;

/// A named step of `cargo xtask test`.
pub(super) struct Phase {
    pub(super) name: &'static str,
    pub(super) lane: Lane,
    /// Given part of a test's name, or nothing to run all.
    pub(super) run: fn(filter: &str) -> Result<Outcome>,
}

/// How a phase ended.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) count: Count,
    /// What failed, a line each.
    pub(super) failures: Vec<String>,
    /// What was not carried out, and why, a line each.
    pub(super) left_out: Vec<String>,
}

/// Tests, where a phase without tests in it is one itself.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Count {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) ignored: usize,
}

/// A phase that is over.
pub(super) struct Report {
    pub(super) name: &'static str,
    pub(super) time: Duration,
    pub(super) outcome: Outcome,
}

impl Phase {
    /// Runs it, and prints what fails.
    pub(super) fn report(&self, filter: &str) -> Report {
        println!("\n=== {} ===", self.name);
        let start = Instant::now();
        let outcome = Outcome::of((self.run)(filter));
        for failure in &outcome.failures {
            println!("{} failed: {failure}", self.name);
        }
        Report { name: self.name, time: start.elapsed(), outcome }
    }
}

impl Outcome {
    pub(super) fn passed() -> Self {
        Self { count: Count { passed: 1, ..Count::default() }, ..Self::default() }
    }

    /// Of one suite among several with tests of the same names.
    pub(super) fn of_suite(mut self, name: &str) -> Self {
        let lines = self.failures.iter_mut().chain(&mut self.left_out);
        lines.for_each(|line| *line = format!("the suite {name}: {line}"));
        self
    }

    pub(super) fn left_out(why: impl Into<String>) -> Self {
        Self { left_out: vec![why.into()], ..Self::default() }
    }

    /// An error that stopped a phase is one failed test.
    pub(super) fn of(result: Result<Self>) -> Self {
        result.unwrap_or_else(|error| {
            let mut outcome = Self::default();
            outcome.count.failed = 1;
            outcome.failures.push(error.to_string());
            outcome
        })
    }
}

impl Sum for Outcome {
    fn sum<I: Iterator<Item = Self>>(outcomes: I) -> Self {
        outcomes.fold(Self::default(), |mut sum, outcome| {
            sum.count.add(outcome.count);
            sum.failures.extend(outcome.failures);
            sum.left_out.extend(outcome.left_out);
            sum
        })
    }
}

impl Count {
    pub(super) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }

    /// What a summary counts: `test result: ok. 3 passed; 0 failed; 1 ignored; ...` of Rust's own harness, and
    /// `3 passed, 0 failed` of ours.
    pub(super) fn of_line(line: &str) -> Option<Self> {
        let counts = match line.strip_prefix("test result: ") {
            Some(result) => result.split_once(". ")?.1,
            None => line,
        };
        let number = |word: &str| {
            let part = counts.split([';', ',']).find(|part| part.trim().ends_with(word))?;
            part.trim().strip_suffix(word)?.trim().parse().ok()
        };
        let ignored = number("ignored").unwrap_or(0);
        Some(Self { passed: number("passed")?, failed: number("failed")?, ignored })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn the_harness_summary_is_counted() {
        let line =
            "test result: FAILED. 12 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1s";
        assert_eq!(Count::of_line(line), Some(Count { passed: 12, failed: 2, ignored: 1 }));
        assert_eq!(Count::of_line("7 passed, 0 failed"), Some(Count { passed: 7, failed: 0, ignored: 0 }));
    }

    #[test]
    fn other_lines_count_nothing() {
        assert_eq!(Count::of_line("test result of the day: 3 passed"), None);
        assert_eq!(Count::of_line("test a::b ... ok"), None);
        assert_eq!(Count::of_line("hello.c: 3 passed, 1 failed"), None);
    }

    #[test]
    fn lines_of_a_suite_say_so() {
        let failures = vec!["test a ... FAILED".to_owned()];
        let outcome = Outcome { failures, ..Outcome::left_out("b: no threads") }.of_suite("slid");
        assert_eq!(outcome.failures, ["the suite slid: test a ... FAILED"]);
        assert_eq!(outcome.left_out, ["the suite slid: b: no threads"]);
    }

    #[test]
    fn outcomes_add_up_and_an_error_is_one_failure() {
        let results = [Ok(Outcome::passed()), Err(Error::new("no")), Ok(Outcome::left_out("no tool"))];
        let sum: Outcome = results.into_iter().map(Outcome::of).sum();
        assert_eq!(sum.count, Count { passed: 1, failed: 1, ignored: 0 });
        assert_eq!((sum.failures, sum.left_out), (vec!["no".to_owned()], vec!["no tool".to_owned()]));
    }
}
