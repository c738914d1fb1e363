//! `cargo xtask oracle [ARCH...]`: every architecture's relocations against an independent linker, byte for byte.
//!
//! Real sources are compiled for every architecture, linked at fixed addresses by llext-link and by GNU ld and LLD, and
//! every loaded section is compared; shared objects against a second implementation of their relocations.

mod applier;
mod build;
mod case;
mod compare;
mod copy;
mod externals;
mod follow;
mod generate;
mod image;
mod ours;
mod plan;
mod report;
mod rows;
mod shared;
mod source;
mod target;
mod theirs;
mod tools;
mod view;

use std::fs;
use std::io::IsTerminal;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::error::Result;
use crate::project;
use case::{Case, Outcome};
use report::Row;
use rows::TARGETS;
use target::Target;
pub(crate) use tools::program;

/// What is wanted.
#[derive(Default)]
pub(crate) struct Options {
    /// The architectures by name; none means all.
    pub(crate) architectures: Vec<String>,
    /// A selection that takes little time.
    pub(crate) quick: bool,
    pub(crate) verbose: bool,
    pub(crate) json: bool,
    /// Only cases with this in their name.
    pub(crate) only: Option<String>,
}

/// What a run came to.
pub(crate) struct Summary {
    /// How many files both linked alike.
    pub(crate) compared: usize,
    /// The others, a line each.
    pub(crate) failures: Vec<String>,
    /// What a missing tool kept from being compared, a line each.
    pub(crate) left_out: Vec<String>,
}

impl Options {
    /// What the tests take: some of everything, for all architectures.
    pub(crate) fn quick() -> Self {
        Self { quick: true, ..Self::default() }
    }
}

/// The names of all architectures.
pub(crate) fn names() -> Vec<&'static str> {
    TARGETS.iter().map(|target| target.name).collect()
}

/// Runs the comparison and prints what it found.
pub(crate) fn run(options: &Options) -> Result<Summary> {
    let mut rows = Vec::new();
    for target in TARGETS.iter().filter(|target| wants(options, target)) {
        rows.push(architecture(target, options)?);
    }
    if options.json {
        println!("{}", report::json(&rows));
    } else {
        print!("{}", report::text(&rows, options.verbose));
    }
    Ok(Summary {
        compared: rows.iter().map(|row| row.alike).sum(),
        failures: rows.iter().flat_map(Row::failures).collect(),
        left_out: rows.into_iter().flat_map(|row| row.left_out).collect(),
    })
}

fn wants(options: &Options, target: &Target) -> bool {
    options.architectures.is_empty() || options.architectures.iter().any(|name| name == target.name)
}

fn architecture(target: &'static Target, options: &Options) -> Result<Row> {
    let plan = plan::plan(target, options.quick)?;
    let mut cases = plan.cases;
    if let Some(only) = &options.only {
        cases.retain(|case| case.to_string().contains(only));
    }
    let mut row = Row::new(target, plan.left_out);
    let old = project::target().join("oracle").join(target.name);
    if old.exists() {
        remove(&old)?;
    }
    let bar = progress(target.name, cases.len() as u64);
    for (case, outcome) in run_all(&cases, &bar) {
        row.add(case, outcome);
    }
    bar.finish_and_clear();
    let all = options.only.is_none() && row.left_out.is_empty();
    row.finish(all);
    Ok(row)
}

/// As many at once as there are cores.
fn run_all(cases: &[Case], bar: &ProgressBar) -> Vec<(String, Result<Outcome>)> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let name = case.to_string();
            bar.set_message(name.clone());
            let outcome = run_case(case, &name);
            bar.inc(1);
            results.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((name, outcome));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// In a folder of its own, which stays when something is wrong.
fn run_case(case: &Case, name: &str) -> Result<Outcome> {
    let folder = project::target().join("oracle").join(case.target.name).join(name);
    let outcome = case.run(&folder);
    if outcome.as_ref().is_ok_and(|outcome| outcome.differences.is_empty()) {
        remove(&folder)?;
    }
    outcome
}

fn remove(folder: &Path) -> Result<()> {
    Ok(fs::remove_dir_all(folder)?)
}

/// A bar on standard error, seen only where that is a terminal.
fn progress(what: &'static str, steps: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::hidden());
    }
    let bar = ProgressBar::new(steps).with_prefix(what);
    if let Ok(style) = ProgressStyle::with_template("{prefix:>12} [{bar:24}] {pos}/{len} {wide_msg}") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
