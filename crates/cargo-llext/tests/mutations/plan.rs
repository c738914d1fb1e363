//! Which case is what: a number for each.

use std::collections::HashMap;
use std::ops::Range;

use super::corpus::Sample;
use super::mutation;
use super::random::Random;

/// How many cases are random damage, at least.
const WANTED: usize = 400_000;
/// Every file is damaged that often, at least.
const LEAST: usize = 6;
/// How many files of each kind are cut at every length: the smallest.
const CUT_PER_KIND: usize = 3;
/// No file larger than that is cut at every length.
const CUT_SIZE: usize = 4096;

/// All cases of a run.
pub(crate) struct Plan {
    pub(crate) seed: u64,
    parts: Vec<Part>,
}

/// The cases of one sample.
struct Part {
    first: usize,
    /// The first of them cut the file at the length of their number.
    cuts: usize,
    all: usize,
}

/// One damaged file.
pub(crate) struct Damaged {
    pub(crate) sample: usize,
    pub(crate) how: &'static str,
    pub(crate) bytes: Vec<u8>,
}

impl Plan {
    pub(crate) fn new(seed: u64, samples: &[Sample]) -> Self {
        // A case takes time by the size of its file, and some of its own.
        let share = |sample: &Sample| 1.0 / (sample.bytes.len() as f64 + 4096.0);
        let total: f64 = samples.iter().map(share).sum();
        let mut cut: HashMap<&str, usize> = HashMap::new();
        let mut parts = Vec::new();
        let mut first = 0;
        for sample in samples {
            let of_kind = cut.entry(sample.kind).or_default();
            let is_cut = *of_kind < CUT_PER_KIND && sample.bytes.len() <= CUT_SIZE;
            *of_kind += usize::from(is_cut);
            let cuts = if is_cut { sample.bytes.len() } else { 0 };
            let random = (WANTED as f64 * share(sample) / total).ceil() as usize;
            let all = cuts + random.max(LEAST);
            parts.push(Part { first, cuts, all });
            first += all;
        }
        Self { seed, parts }
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
        let part = &self.parts[sample];
        let Sample { bytes, places, .. } = &samples[sample];
        let number = case - part.first;
        if number < part.cuts {
            return Damaged { sample, how: "truncated", bytes: bytes[..number].to_vec() };
        }
        let mut bytes = bytes.clone();
        let how = mutation::apply(&mut bytes, places, &mut Random::new(self.seed, case as u64));
        Damaged { sample, how, bytes }
    }
}
