//! What came of the cases, counted.

use std::collections::BTreeMap;

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
    /// The most branches for a byte, in thousandths, and in all, each with its case.
    dearest: (u64, usize),
    longest: (u64, usize),
}

impl Tally {
    pub(crate) fn answer(&mut self, case: usize, refused: Option<Error>, work: u64, size: usize) {
        match refused {
            None => self.ok += 1,
            Some(error) => *self.refused.entry((error.code(), error.name())).or_default() += 1,
        }
        // A short file has the costs of every load, too: they are no matter of its bytes.
        let each = work * 1000 / (size as u64 + 1000);
        self.dearest = self.dearest.max((each, case));
        self.longest = self.longest.max((work, case));
    }

    pub(crate) fn failure(&mut self, case: usize, what: String) {
        self.failures.entry(what).or_default().push(case);
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.ok += other.ok;
        self.dearest = self.dearest.max(other.dearest);
        self.longest = self.longest.max(other.longest);
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
    pub(crate) fn print(&mut self, part: &str, describe: impl Fn(usize) -> String) {
        println!("{} cases: {} linked, refused:", self.held() + self.failed(), self.ok);
        for ((code, name), count) in &self.refused {
            println!("  E{code:04} {name}: {count}");
        }
        let (longest, dearest) = (self.longest, self.dearest);
        println!("most work: {} branches, {}", longest.0, describe(longest.1));
        let each = dearest.0 as f64 / 1000.0;
        println!("most work for its size: {each:.1} branches a byte, {}", describe(dearest.1));
        for (what, cases) in &mut self.failures {
            cases.sort_unstable();
            println!("\nFAIL {} times: {what}", cases.len());
            cases.iter().take(TOLD).for_each(|case| println!("  {}", describe(*case)));
        }
        println!("{part}: {} cases, {} failed", self.held() + self.failed(), self.failed());
    }
}
