//! `cargo xtask test`: every check there is, phase after phase in two lanes, and a table at the end.

mod lanes;
mod models;
mod phase;
mod phases;

use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::{Result, bail};
use crate::{project, setup};
use lanes::Lane;
use phase::{Count, Outcome, Phase, Report};
use phases::{PHASES, WITH_TESTS};

/// Runs the phases, all of them also when one fails, and says whether all passed. `filter` is part of a phase's
/// name, or else of a test's.
pub(crate) fn test(with_setup: bool, filter: &str) -> Result<bool> {
    let start = Instant::now();
    let mut reports = Vec::new();
    if filter.is_empty() {
        project::build_once();
    }
    if with_setup {
        let run = |_: &str| setup::setup().map(|()| Outcome::default());
        reports.push(Phase { name: "setup", lane: Lane::Here, run }.report(""));
    }
    let (phases, tests) = select(filter);
    reports.extend(lanes::run(&phases, filter, tests)?);
    summarise(&reports, start.elapsed(), tests)
}

/// Runs those of the phases that have a process of their own, and leaves its reports in the file for [`test()`].
pub(crate) fn test_apart(filter: &str, reports: &Path) -> Result<bool> {
    lanes::run_apart(&select(filter).0, reports)
}

/// Runs the models of the registry alone, those whose names begin with `model`; for hours if `long`.
pub(crate) fn models(long: bool, model: &str) -> Result<bool> {
    let start = Instant::now();
    let run = if long { models::long } else { models::quick };
    let report = Phase { name: "models", lane: Lane::Here, run }.report(model);
    summarise(&[report], start.elapsed(), model)
}

/// Which phases a filter means, and what of it is left for them to select tests by.
fn select(filter: &str) -> (Vec<&'static Phase>, &str) {
    let named = |phase: &&Phase| phase.name.contains(filter);
    if PHASES.iter().any(|phase| named(&phase)) {
        return (PHASES.iter().filter(named).collect(), "");
    }
    (PHASES.iter().filter(|phase| WITH_TESTS.contains(&phase.name)).collect(), filter)
}

fn summarise(reports: &[Report], time: Duration, filter: &str) -> Result<bool> {
    println!("\n{:<14} {:>8} {:>8} {:>8}", "phase", "seconds", "passed", "failed");
    for report in reports {
        let Count { passed, failed, .. } = report.outcome.count;
        println!("{:<14} {:>8.1} {passed:>8} {failed:>8}", report.name, report.time.as_secs_f64());
    }
    println!("{:<14} {:>8.1}", "in all", time.as_secs_f64());
    for report in reports {
        report.outcome.left_out.iter().for_each(|why| println!("left out of {}: {why}", report.name));
    }
    setup::missing().iter().for_each(|line| println!("missing: {line}"));
    for report in reports {
        report.outcome.failures.iter().for_each(|failure| println!("failed in {}: {failure}", report.name));
    }
    conclude(reports, filter)
}

fn conclude(reports: &[Report], filter: &str) -> Result<bool> {
    let mut count = Count::default();
    reports.iter().for_each(|report| count.add(report.outcome.count));
    if count.ignored > 0 {
        println!("{} tests are marked to be ignored and did not run", count.ignored);
    }
    println!("{} passed, {} failed", count.passed, count.failed);
    let ran = count.passed + count.failed > 0;
    if !ran && reports.iter().all(|report| report.outcome.left_out.is_empty()) {
        bail!("nothing ran: no phase and no test is named {filter:?}");
    }
    Ok(count.failed == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(filter: &str) -> Vec<&'static str> {
        select(filter).0.iter().map(|phase| phase.name).collect()
    }

    #[test]
    fn a_filter_names_phases_first() {
        assert_eq!(names("tidy"), ["tidy"]);
        assert_eq!(names("").len(), PHASES.len());
        assert_eq!(select("tidy").1, "");
    }

    #[test]
    fn any_other_filter_selects_tests() {
        assert_eq!(names("veneer_is_shared"), WITH_TESTS);
        assert_eq!(select("veneer_is_shared").1, "veneer_is_shared");
    }
}
