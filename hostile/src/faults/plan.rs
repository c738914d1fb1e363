//! Which case is what: a number for each.

use std::collections::HashSet;
use std::ops::Range;

use super::corpus::Sample;
use super::mutation;
use super::random::Random;
use super::single::Singles;

/// Every file is damaged at random that often, at least.
const LEAST: usize = 6;

/// A file of more single faults is damaged at random only: it would be most of the cases, and all alike.
const MOST: usize = 100_000;

/// How files are damaged.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    /// In every single way, so many at least.
    Single { wanted: usize },
    /// At random, so many times at least.
    Random { wanted: usize, seed: u64 },
}

/// All cases of a run.
pub(crate) struct Plan {
    seed: u64,
    parts: Vec<Part>,
}

/// The cases of one sample.
struct Part {
    first: usize,
    /// The single faults, or none where damage is random.
    singles: Option<Singles>,
    all: usize,
}

/// One damaged file.
pub(crate) struct Damaged {
    pub(crate) sample: usize,
    pub(crate) how: &'static str,
    pub(crate) bytes: Vec<u8>,
}

impl Plan {
    pub(crate) fn new(way: Way, samples: &[Sample]) -> Self {
        match way {
            Way::Single { wanted } => Self { seed: 0, parts: number(single(wanted, samples)) },
            Way::Random { wanted, seed } => Self { seed, parts: number(random(wanted, samples)) },
        }
    }

    pub(crate) fn cases(&self) -> usize {
        self.parts.last().map_or(0, |part| part.first + part.all)
    }

    /// The cases of a sample.
    pub(crate) fn of_sample(&self, sample: usize) -> Range<usize> {
        let part = &self.parts[sample];
        part.first..part.first + part.all
    }

    /// Which sample a case damages.
    pub(crate) fn sample_of(&self, case: usize) -> usize {
        self.parts.partition_point(|part| part.first <= case) - 1
    }

    /// The file of a case.
    pub(crate) fn damaged(&self, case: usize, samples: &[Sample]) -> Damaged {
        let sample = self.sample_of(case);
        let Sample { bytes, places, .. } = &samples[sample];
        let mut bytes = bytes.clone();
        let part = &self.parts[sample];
        let how = match &part.singles {
            Some(singles) => singles.apply(case - part.first, &mut bytes),
            None => mutation::apply(&mut bytes, places, &mut Random::new(self.seed, case as u64)),
        };
        Damaged { sample, how, bytes }
    }
}

/// How many cases each sample has, and what they are.
type Share = (usize, Option<Singles>);

fn number(shares: Vec<Share>) -> Vec<Part> {
    let mut first = 0;
    let part = |(all, singles): Share| {
        first += all;
        Part { first: first - all, singles, all }
    };
    shares.into_iter().map(part).collect()
}

/// The smallest file of each extension, then the next of each, until there are enough cases.
fn single(wanted: usize, samples: &[Sample]) -> Vec<Share> {
    let mut shares: Vec<Share> = samples.iter().map(|_| (0, None)).collect();
    let mut cases = 0;
    while cases < wanted {
        let (mut taken, before) = (HashSet::new(), cases);
        for (sample, share) in samples.iter().zip(&mut shares) {
            if cases >= wanted || share.1.is_some() || taken.contains(&sample.extension) {
                continue;
            }
            let singles = Singles::of(sample);
            if singles.count() <= MOST {
                taken.insert(&sample.extension);
                cases += singles.count();
                *share = (singles.count(), Some(singles));
            }
        }
        if cases == before {
            break;
        }
    }
    shares
}

/// A case takes time by the size of its file, and some of its own.
fn random(wanted: usize, samples: &[Sample]) -> Vec<Share> {
    let share = |sample: &Sample| 1.0 / (sample.bytes.len() as f64 + 4096.0);
    let total: f64 = samples.iter().map(share).sum();
    let cases = |sample: &Sample| (wanted as f64 * share(sample) / total).ceil() as usize;
    samples.iter().map(|sample| (cases(sample).max(LEAST), None)).collect()
}
