//! Damages every extension that the harness builds, in many ways, and links each damaged file without running it.
//!
//! What must hold: the loader answers with success or with an error, after bounded work; it writes nothing outside what
//! it reserved; and nothing remains. The damage is the same in every run; `--case N` repeats one case.

mod corpus;
mod harness;
mod mutation;
mod places;
mod plan;
mod random;
mod single;
mod tally;
mod watch;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use indicatif::{ProgressBar, ProgressStyle};

use crate::host::{Pretender, bases};
use crate::options::{Options, Scale};
use crate::target;
use crate::trial::{Answer, From, Room};
use corpus::Sample;
use plan::{Plan, Way};
use tally::Tally;
use watch::Progress;

/// Runs `part`, in a process of its own; true when nothing went wrong.
pub(crate) fn run(part: &'static str, options: &Options) -> Result<bool, String> {
    if let Some(path) = &options.progress {
        let progress = Progress::open(path)?;
        let samples = corpus::collect(options)?;
        return Run::new(part, options, &samples)?.all(&progress);
    }
    match options.case {
        Some(case) => {
            let samples = corpus::collect(options)?;
            Run::new(part, options, &samples)?.alone(case, options)
        }
        None => watch::over(part, &std::env::args().skip(1).collect::<Vec<_>>(), &options.folder),
    }
}

/// How many cases a thread takes at a time.
const BATCH: usize = 64;
/// How many single faults are tried at least, for all architectures, and which of those in a short run: each so manieth.
const SINGLE: usize = 5_000_000;
const EACH: usize = 50;
/// Of all cases so many parts are of an architecture that runs here, and of any of the three others.
const SHARES: (usize, usize, usize) = (2, 1, 5);
/// How many random ones: in a short and in a full run, and in a long one.
const RANDOM: usize = 1_000_000;
const LONG: usize = 10_000_000;

/// Everything that is fixed before the first case.
struct Run<'a> {
    part: &'static str,
    samples: &'a [Sample],
    plan: Plan,
    seed: u64,
    /// Each so manieth case is run.
    each: usize,
    filter: &'a str,
    /// Where the host of each file lies, and whether it links there when intact.
    intact: Vec<(usize, bool)>,
    /// The size of the largest file.
    most: usize,
}

impl<'a> Run<'a> {
    fn new(part: &'static str, options: &'a Options, samples: &'a [Sample]) -> Result<Self, String> {
        let (own, other, all) = SHARES;
        let share = |cases: usize| cases / all * if target::runs_here() { own } else { other };
        let is_single = part == "single";
        let way = match (is_single, options.scale) {
            (true, _) => Way::Single { wanted: share(SINGLE) },
            (false, Scale::Long) => Way::Random { wanted: share(LONG), seed: options.seed },
            (false, _) => Way::Random { wanted: share(RANDOM), seed: options.seed },
        };
        let each = if is_single && options.scale == Scale::Short { EACH } else { 1 };
        let most = samples.iter().map(|sample| sample.bytes.len()).max().unwrap_or(0);
        let mut room = Room::new(most)?;
        let intact = samples.iter().map(|sample| intact(sample, &mut room)).collect::<Result<_, _>>()?;
        let (plan, filter, seed) = (Plan::new(way, samples), &options.filter[..], options.seed);
        Ok(Self { part, samples, plan, seed, each, filter, intact, most })
    }

    /// All cases. True when nothing went wrong.
    fn all(&self, progress: &Progress) -> Result<bool, String> {
        let wanted = |sample: &usize| self.samples[*sample].name.contains(self.filter);
        let samples = (0..self.samples.len()).rev().filter(wanted);
        let cases: Vec<usize> = samples.flat_map(|sample| self.plan.of_sample(sample)).collect();
        let cases: Vec<usize> = cases.into_iter().step_by(self.each).collect();
        let links = self.intact.iter().filter(|(_, links)| *links).count();
        println!(
            "{} for {}, seed {}: {} cases; {} files, {links} of which link when intact",
            self.part,
            target::native().name,
            self.seed,
            cases.len(),
            self.samples.len()
        );
        let bar = ProgressBar::new(cases.len() as u64);
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}, {eta} left");
        bar.set_style(style.map_err(|error| error.to_string())?);
        bar.set_message(self.part);
        let next = AtomicUsize::new(0);
        let workers = thread::available_parallelism().map_or(1, usize::from);
        let (next, cases, bar) = (&next, &cases, &bar);
        let tallies: Vec<Result<Tally, String>> = thread::scope(|scope| {
            let work = |worker| scope.spawn(move || self.work(worker, cases, next, progress, bar));
            let workers: Vec<_> = (0..workers).map(work).collect();
            workers.into_iter().map(|worker| worker.join().expect("panics are caught")).collect()
        });
        bar.finish_and_clear();
        let mut tally = Tally::default();
        for one in tallies {
            tally.add(one?);
        }
        let damaged: std::collections::HashSet<_> =
            cases.iter().map(|case| &self.samples[self.plan.sample_of(*case)].extension).collect();
        println!("{} extensions", damaged.len());
        tally.print(self.part, |case| self.describe(case));
        Ok(tally.failed() == 0 && !cases.is_empty())
    }

    fn work(
        &self,
        worker: usize,
        cases: &[usize],
        next: &AtomicUsize,
        progress: &Progress,
        bar: &ProgressBar,
    ) -> Result<Tally, String> {
        let mut room = Room::new(self.most)?;
        let mut tally = Tally::default();
        while let Some(batch) = cases.get(next.fetch_add(BATCH, Ordering::Relaxed)..) {
            let batch = &batch[..batch.len().min(BATCH)];
            for &case in batch {
                progress.at(worker, Some(case));
                match self.case(case, &mut room) {
                    Ok((answer, size)) => tally.answer(case, answer.said.err(), answer.work, size),
                    Err(what) => tally.failure(case, what),
                }
            }
            bar.inc(batch.len() as u64);
            if batch.is_empty() {
                break;
            }
        }
        progress.at(worker, None);
        Ok(tally)
    }

    /// One case, and how long its file is.
    fn case(&self, case: usize, room: &mut Room) -> Result<(Answer, usize), String> {
        let damaged = self.plan.damaged(case, self.samples);
        let (base, _) = self.intact[damaged.sample];
        let host = Pretender { names: &self.samples[damaged.sample].undefined, base, has_libraries: true };
        let answer = room.run(&damaged.bytes, from(case), &host)?;
        Ok((answer, damaged.bytes.len()))
    }

    /// One case, told in full.
    fn alone(&self, case: usize, options: &Options) -> Result<bool, String> {
        if case >= self.plan.cases() {
            return Err(format!("there are {} cases", self.plan.cases()));
        }
        println!("{}", self.describe(case));
        let damaged = self.plan.damaged(case, self.samples);
        let before = &self.samples[damaged.sample].bytes;
        let changes = before.iter().zip(&damaged.bytes).enumerate().filter(|(_, (old, new))| old != new);
        changes.take(64).for_each(|(at, (old, new))| println!("  {at:#08x}: {old:02x} -> {new:02x}"));
        println!("  {} bytes of {}", damaged.bytes.len(), before.len());
        let path = options.folder.join("damaged");
        std::fs::write(&path, &damaged.bytes).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("  written to {}", path.display());
        let result = self.case(case, &mut Room::new(self.most)?);
        match &result {
            Ok((Answer { said: Ok(_), work }, _)) => println!("linked, {work} branches"),
            Ok((Answer { said: Err(error), work }, _)) => {
                println!("E{:04} {error}, {work} branches", error.code());
            }
            Err(what) => println!("FAIL: {what}"),
        }
        Ok(result.is_ok())
    }

    fn describe(&self, case: usize) -> String {
        let damaged = self.plan.damaged(case, self.samples);
        let name = &self.samples[damaged.sample].name;
        let (part, seed, from) = (self.part, self.seed, from(case).name());
        format!("{part} --seed {seed} --case {case}: {name}, {}, {from}", damaged.how)
    }
}

/// Where the file of a case is loaded from.
fn from(case: usize) -> From<'static> {
    if case % 8 == 7 { From::Read } else { From::Lent }
}

/// Loads the intact file: with the host near, or else far below, if that is what it links with.
fn intact(sample: &Sample, room: &mut Room) -> Result<(usize, bool), String> {
    for base in bases() {
        let host = Pretender { names: &sample.undefined, base, has_libraries: true };
        let answer = room.run(&sample.bytes, From::Lent, &host);
        if answer.map_err(|what| format!("{}, intact: {what}", sample.name))?.said.is_ok() {
            return Ok((base, true));
        }
    }
    Ok((bases()[0], false))
}
