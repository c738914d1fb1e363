//! What both checkers have, and how long each of them tries.

#[cfg(loom)]
pub(super) use loom::{
    sync::{Condvar, Mutex},
    thread,
};
#[cfg(shuttle)]
pub(super) use shuttle::{
    sync::{Condvar, Mutex},
    thread,
};

use super::world::{self, Apps};
use crate::sync::lock_words;
use std::eprintln;
use std::string::String;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Checks a story under every schedule that the checker tries, with atomic words and with words behind locks.
pub(super) fn check(story: impl Fn(&'static Apps) + Send + Sync + 'static) {
    let story = Arc::new(story);
    for (words, locked) in [("atomic words", false), ("locked words", true)] {
        lock_words(locked);
        let progress = Arc::new(Progress::new(words));
        let (told, story) = (Arc::clone(&progress), Arc::clone(&story));
        let is_complete = try_all(move || {
            world::run(&*story);
            told.one_more();
        });
        progress.end(is_complete);
    }
}

/// Whether all schedules within the bound were tried. `LOOM_MAX_PREEMPTIONS` is how often threads that could go on may
/// be interrupted, `LOOM_MAX_DURATION` how many seconds a model may take.
#[cfg(loom)]
fn try_all(run: impl Fn() + Send + Sync + 'static) -> bool {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(4);
    builder.max_branches = 10_000;
    let start = Instant::now();
    builder.check(run);
    builder.max_duration.is_none_or(|limit| start.elapsed() < limit)
}

/// `LLEXT_SCHEDULES` is how many random schedules are tried. A tenth of that is tried by priorities, for each number of
/// changes of them up to `LLEXT_PCT_DEPTH`: what needs one thread to stand still for long is found so, not by chance.
#[cfg(shuttle)]
fn try_all(run: impl Fn() + Send + Sync + 'static) -> bool {
    let schedules = number("LLEXT_SCHEDULES").unwrap_or(5_000);
    let run = Arc::new(run);
    let random = Arc::clone(&run);
    shuttle::check_random(move || random(), schedules);
    for depth in 1..=number("LLEXT_PCT_DEPTH").unwrap_or(2) {
        let by_priority = Arc::clone(&run);
        shuttle::check_pct(move || by_priority(), schedules / 10, depth);
    }
    true
}

#[cfg(shuttle)]
fn number(variable: &str) -> Option<usize> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| std::panic!("{variable} is no number: {text}")))
}

/// Runs both at the same time, waits for both.
pub(super) fn both<A: Send + 'static, B>(
    one: impl FnOnce() -> A + Send + 'static,
    other: impl FnOnce() -> B,
) -> (A, B) {
    let one = thread::spawn(one);
    let other = other();
    (one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), other)
}

/// How often progress is told.
const PAUSE: Duration = Duration::from_secs(10);

struct Progress {
    model: String,
    start: Instant,
    schedules: AtomicU64,
    pauses: AtomicU64,
}

impl Progress {
    fn new(words: &str) -> Self {
        let thread = std::thread::current();
        let model = thread.name().and_then(|name| name.rsplit("models::").next()).unwrap_or("a model");
        let model = std::format!("{model}, {words}");
        Self { model, start: Instant::now(), schedules: AtomicU64::new(0), pauses: AtomicU64::new(0) }
    }

    fn one_more(&self) {
        let schedules = self.schedules.fetch_add(1, Ordering::Relaxed) + 1;
        let pauses = self.start.elapsed().as_secs() / PAUSE.as_secs();
        if self.pauses.fetch_max(pauses, Ordering::Relaxed) < pauses {
            eprintln!("{}: {schedules} schedules in {} s", self.model, pauses * PAUSE.as_secs());
        }
    }

    fn end(&self, is_complete: bool) {
        let schedules = self.schedules.load(Ordering::Relaxed);
        let end = if is_complete { "" } else { ", then the time was up" };
        eprintln!("{}: {schedules} schedules{end}", self.model);
        assert!(schedules > 1, "a race has more than one schedule");
    }
}
