//! What came of the cases, counted.

use std::collections::BTreeMap;
use std::time::Duration;

use llext::Error;

/// How many failures of one kind are told.
const TOLD: usize = 3;

/// Counts of a run, or of a part of it.
#[derive(Default)]
pub(crate) struct Tally {
    ok: usize,
    refused: BTreeMap<(u16, &'static str), usize>,
    /// The cases that went wrong, by what went wrong.
    failures: BTreeMap<String, Vec<usize>>,
    slowest: (Duration, usize),
}

impl Tally {
    pub(crate) fn answer(&mut self, case: usize, refused: Option<Error>, took: Duration) {
        match refused {
            None => self.ok += 1,
            Some(error) => *self.refused.entry((error.code(), error.name())).or_default() += 1,
        }
        self.slowest = self.slowest.max((took, case));
    }

    pub(crate) fn failure(&mut self, case: usize, what: String) {
        self.failures.entry(what).or_default().push(case);
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.ok += other.ok;
        self.slowest = self.slowest.max(other.slowest);
        other.refused.into_iter().for_each(|(code, count)| *self.refused.entry(code).or_default() += count);
        for (what, cases) in other.failures {
            self.failures.entry(what).or_default().extend(cases);
        }
    }

    pub(crate) fn failed(&self) -> usize {
        self.failures.values().map(Vec::len).sum()
    }

    fn held(&self) -> usize {
        self.ok + self.refused.values().sum::<usize>()
    }

    /// Prints all; `describe` says what a case is.
    pub(crate) fn print(&mut self, describe: impl Fn(usize) -> String) {
        println!("{} cases: {} linked, refused:", self.held() + self.failed(), self.ok);
        for ((code, name), count) in &self.refused {
            println!("  E{code:04} {name}: {count}");
        }
        println!("slowest: {:?}, {}", self.slowest.0, describe(self.slowest.1));
        for (what, cases) in &mut self.failures {
            cases.sort_unstable();
            println!("\nFAIL {} times: {what}", cases.len());
            cases.iter().take(TOLD).for_each(|case| println!("  {}", describe(*case)));
        }
        // However many cases there are, this is one test: hundreds of thousands would hide every other.
        let failed = usize::from(self.failed() > 0);
        println!("\n{} passed, {failed} failed", 1 - failed);
    }
}
