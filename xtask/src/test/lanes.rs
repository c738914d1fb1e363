//! Two lanes of phases at once: what builds for this machine, and what builds for others. They build in folders of their
//! own, and where one waits for a single processor the other has work.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::phase::{Count, Outcome, Phase, Report};
use crate::error::{Result, bail};
use crate::project;

/// Where a phase runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lane {
    /// In this process.
    Here,
    /// In a process of its own, which is silent until the others are over.
    Apart,
}

/// Runs `phases`, which `given` selected, those apart meanwhile if there are others; `filter` selects tests.
pub(super) fn run(phases: &[&Phase], given: &str, filter: &str) -> Result<Vec<Report>> {
    let (apart, here): (Vec<&Phase>, Vec<&Phase>) =
        phases.iter().partition(|phase| phase.lane == Lane::Apart);
    if here.is_empty() || apart.is_empty() {
        return Ok(phases.iter().map(|phase| phase.report(filter)).collect());
    }
    let other = Other::start(&apart, given)?;
    let mut reports: Vec<Report> = here.iter().map(|phase| phase.report(filter)).collect();
    let failed =
        |error| vec![Report { name: "apart", time: Duration::ZERO, outcome: Outcome::of(Err(error)) }];
    reports.extend(other.end().unwrap_or_else(failed));
    Ok(reports)
}

/// What the process of its own does: runs the phases apart, and writes its reports of them to a file.
pub(super) fn run_apart(phases: &[&Phase], reports: &Path) -> Result<bool> {
    let apart = phases.iter().filter(|phase| phase.lane == Lane::Apart);
    let ended: Vec<Value> = apart.map(|phase| written(&phase.report(""))).collect();
    fs::write(reports, Value::from(ended).to_string())?;
    Ok(true)
}

/// The process of its own.
struct Other {
    child: Child,
    phases: Vec<&'static str>,
    folder: PathBuf,
}

impl Other {
    fn start(apart: &[&Phase], given: &str) -> Result<Self> {
        let folder = project::target().join("lane");
        fs::create_dir_all(&folder)?;
        let said = File::create(folder.join("said"))?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["test", "--no-setup", given, "--apart"]).arg(folder.join("reports"));
        command.stdin(Stdio::null()).stderr(said.try_clone()?).stdout(said);
        let phases: Vec<_> = apart.iter().map(|phase| phase.name).collect();
        let (names, said) = (phases.join(", "), folder.join("said"));
        println!("meanwhile, shown when the others are over (till then in {}): {names}", said.display());
        Ok(Self { child: command.spawn()?, phases, folder })
    }

    /// Waits for it, and shows what it said.
    fn end(mut self) -> Result<Vec<Report>> {
        let status = self.child.wait()?;
        io::copy(&mut File::open(self.folder.join("said"))?, &mut io::stdout())?;
        if !status.success() {
            bail!("the phases {} ended with {status}", self.phases.join(", "));
        }
        let reports: Value = serde_json::from_slice(&fs::read(self.folder.join("reports"))?)?;
        let reports = reports.as_array().into_iter().flatten();
        Ok(self.phases.iter().zip(reports).map(|(name, report)| read(name, report)).collect())
    }
}

fn written(report: &Report) -> Value {
    let Outcome { count: Count { passed, failed, ignored }, failures, left_out } = &report.outcome;
    json!([report.time.as_secs_f64(), passed, failed, ignored, failures, left_out])
}

fn read(name: &'static str, report: &Value) -> Report {
    let number = |at: usize| report[at].as_u64().unwrap_or_default() as usize;
    let lines = |at: usize| {
        let lines = report[at].as_array().into_iter().flatten().filter_map(Value::as_str);
        lines.map(str::to_owned).collect()
    };
    let count = Count { passed: number(1), failed: number(2), ignored: number(3) };
    let outcome = Outcome { count, failures: lines(4), left_out: lines(5) };
    Report { name, time: Duration::from_secs_f64(report[0].as_f64().unwrap_or_default()), outcome }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_reads_as_it_was_written() {
        let outcome = Outcome {
            count: Count { passed: 3, failed: 1, ignored: 2 },
            failures: vec!["test a ... FAILED".to_owned()],
            left_out: vec!["b: no \"QEMU\"".to_owned(), "c".to_owned()],
        };
        let report = Report { name: "boards", time: Duration::from_millis(1500), outcome };
        let again = read("boards", &serde_json::from_str(&written(&report).to_string()).unwrap());
        assert_eq!((again.time, again.outcome.count), (report.time, report.outcome.count));
        assert_eq!(again.outcome.failures, report.outcome.failures);
        assert_eq!(again.outcome.left_out, report.outcome.left_out);
    }
}
