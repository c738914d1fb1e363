//! The story of a run: collect the intact files, damage and link them on all processors, report.

use std::cell::RefCell;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::corpus::{self, Sample};
use super::guarded::Store;
use super::options::{self, Options};
use super::plan::Plan;
use super::tally::Tally;
use super::trial::{self, Answer, Pretender, Trial};
use super::watch::{self, Progress};

/// What the program does; its status says whether nothing failed.
pub(super) fn main() -> ExitCode {
    match options::parse(std::env::args().skip(1)).and_then(|options| start(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn start(options: &Options) -> Result<bool, String> {
    if let Some(path) = &options.progress {
        let progress = Progress::open(path)?;
        let samples = corpus::collect()?;
        return Run::new(options, &samples)?.all(&progress);
    }
    match options.case {
        Some(case) => {
            let samples = corpus::collect()?;
            Run::new(options, &samples)?.alone(case)
        }
        None => watch::over(&std::env::args().skip(1).collect::<Vec<_>>(), &corpus::target_folder()?),
    }
}

/// How many cases a thread takes at a time.
const BATCH: usize = 64;

/// Everything that is fixed before the first case.
struct Run<'a> {
    samples: &'a [Sample],
    plan: Plan,
    filter: Option<&'a str>,
    /// What is known of each intact file.
    intact: Vec<Intact>,
}

/// Where the host of a file lies, and whether it links there.
#[derive(Clone, Copy)]
struct Intact {
    base: usize,
    links: bool,
}

/// A load that takes longer hangs: what is watched for here is no speed, on however slow a machine.
const HANG: Duration = Duration::from_secs(30);

impl<'a> Run<'a> {
    fn new(options: &'a Options, samples: &'a [Sample]) -> Result<Self, String> {
        trial::hear_panics();
        let plan = Plan::new(options.seed, samples);
        let store = RefCell::new(Store::new()?);
        let intact = samples.iter().map(|sample| intact(sample, &store)).collect::<Result<_, _>>()?;
        Ok(Self { samples, plan, filter: options.filter.as_deref(), intact })
    }

    /// All cases. True when nothing went wrong.
    fn all(&self, progress: &Progress) -> Result<bool, String> {
        let links = self.intact.iter().filter(|intact| intact.links).count();
        println!(
            "seed {}: {} cases of {} files, {links} of which link when intact",
            self.plan.seed,
            self.plan.cases(),
            self.samples.len()
        );
        let wanted =
            |sample: &usize| self.filter.is_none_or(|text| self.samples[*sample].name.contains(text));
        let samples = (0..self.samples.len()).rev().filter(wanted);
        let cases: Vec<usize> = samples.flat_map(|sample| self.plan.of_sample(sample)).collect();
        let next = AtomicUsize::new(0);
        let workers = thread::available_parallelism().map_or(1, usize::from);
        let (next, cases) = (&next, &cases);
        let tallies: Vec<Result<Tally, String>> = thread::scope(|scope| {
            let workers =
                (0..workers).map(|worker| scope.spawn(move || self.work(worker, cases, next, progress)));
            let workers: Vec<_> = workers.collect();
            workers.into_iter().map(|worker| worker.join().expect("panics are caught")).collect()
        });
        let mut tally = Tally::default();
        for one in tallies {
            tally.add(one?);
        }
        tally.print(|case| self.describe(case));
        Ok(tally.failed() == 0)
    }

    fn work(
        &self,
        worker: usize,
        cases: &[usize],
        next: &AtomicUsize,
        progress: &Progress,
    ) -> Result<Tally, String> {
        let store = RefCell::new(Store::new()?);
        let mut tally = Tally::default();
        while let Some(batch) = cases.get(next.fetch_add(BATCH, Ordering::Relaxed)..) {
            for &case in batch.iter().take(BATCH) {
                progress.at(worker, Some(case));
                match self.case(case, &store) {
                    Ok(answer) => tally.answer(case, answer.said.err(), answer.took),
                    Err(what) => tally.failure(case, what),
                }
            }
        }
        progress.at(worker, None);
        Ok(tally)
    }

    /// One case.
    fn case(&self, case: usize, store: &RefCell<Store>) -> Result<Answer, String> {
        let damaged = self.plan.damaged(case, self.samples);
        let intact = self.intact[damaged.sample];
        let host = Pretender { names: &self.samples[damaged.sample].undefined, base: intact.base };
        let trial = Trial { store, host, bytes: &damaged.bytes, is_lent: case % 8 != 7 };
        let answer = trial.run()?;
        if answer.took > HANG { Err("hangs".to_owned()) } else { Ok(answer) }
    }

    /// One case, told in full.
    fn alone(&self, case: usize) -> Result<bool, String> {
        if case >= self.plan.cases() {
            return Err(format!("there are {} cases", self.plan.cases()));
        }
        println!("{}", self.describe(case));
        let damaged = self.plan.damaged(case, self.samples);
        let before = &self.samples[damaged.sample].bytes;
        let changes = before.iter().zip(&damaged.bytes).enumerate().filter(|(_, (old, new))| old != new);
        changes.take(64).for_each(|(at, (old, new))| println!("  {at:#08x}: {old:02x} -> {new:02x}"));
        println!("  {} bytes of {}", damaged.bytes.len(), before.len());
        let folder = corpus::target_folder()?.join("damaged");
        std::fs::write(&folder, &damaged.bytes).map_err(|error| format!("{}: {error}", folder.display()))?;
        println!("  written to {}", folder.display());
        let result = self.case(case, &RefCell::new(Store::new()?));
        match &result {
            Ok(Answer { said: Ok(_), took }) => println!("linked in {took:?}"),
            Ok(Answer { said: Err(error), took }) => println!("E{:04} {error}, in {took:?}", error.code()),
            Err(what) => println!("FAIL: {what}"),
        }
        Ok(result.is_ok())
    }

    fn describe(&self, case: usize) -> String {
        let damaged = self.plan.damaged(case, self.samples);
        let source = if case % 8 != 7 { "lent" } else { "read-only" };
        let name = &self.samples[damaged.sample].name;
        format!("--seed {} --case {case}: {name}, {}, {source}", self.plan.seed, damaged.how)
    }
}

/// Loads the intact file: with the host near, or else far below, if that is what it links with.
fn intact(sample: &Sample, store: &RefCell<Store>) -> Result<Intact, String> {
    let mut found = None;
    for base in trial::bases() {
        let host = Pretender { names: &sample.undefined, base };
        let trial = Trial { store, host, bytes: &sample.bytes, is_lent: true };
        let answer = trial.run().map_err(|what| format!("{}, intact: {what}", sample.name))?;
        let intact = Intact { base, links: answer.said.is_ok() };
        if intact.links {
            return Ok(intact);
        }
        found.get_or_insert(intact);
    }
    Ok(found.expect("there are two bases"))
}
