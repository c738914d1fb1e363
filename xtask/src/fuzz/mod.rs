//! `cargo xtask fuzz`: the targets of fuzz/ under libFuzzer, with AddressSanitizer, debug assertions and overflow checks.
//!
//! The stable compiler does: it has libFuzzer's counters as a pass of LLVM's, and the sanitizer comes with it. So neither
//! cargo-fuzz nor another toolchain is needed.

mod seeds;

use std::collections::VecDeque;
use std::env::consts::{ARCH, OS};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::error::{Result, bail};
use crate::process::{find, run};
use crate::project;

/// The targets, in the order of the stages.
pub(crate) const TARGETS: &[&str] = &["parse", "link", "load", "registry"];

const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// What libFuzzer steers by: edges taken, and what was compared with what.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
                     -Cllvm-args=-sanitizer-coverage-pc-table \
                     -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 -Zsanitizer=address";

/// How often it is said how far a target is.
const PROGRESS: Duration = Duration::from_secs(10);
/// How much of what a failing target says last is shown, lines.
const SHOWN: usize = 40;

/// Fuzzes one target, or all in turn if `target` is empty, each for so many minutes. Whether nothing was found.
pub(crate) fn fuzz(target: &str, minutes: u64) -> Result<bool> {
    if (ARCH, OS) != ("x86_64", "linux") {
        bail!("fuzzing takes Linux on x86-64");
    }
    if let Some(program) = ["cc", "c++"].into_iter().find(|program| find(program).is_none()) {
        bail!("{program} is missing, which builds libFuzzer: `cargo xtask setup` installs gcc and g++");
    }
    seeds::make(&folder("seeds"))?;
    let programs = build()?;
    let mut ends = Vec::new();
    for target in TARGETS.iter().filter(|name| target.is_empty() || **name == target) {
        ends.push(Run::new(target, minutes)?.run(&programs)?);
    }
    println!("\n{:<10} {:>12} {:>8} {:>8} {:>9}", "target", "executions", "seconds", "edges", "findings");
    for End { target, executions, seconds, edges, found } in &ends {
        println!("{target:<10} {executions:>12} {seconds:>8} {edges:>8} {:>9}", u8::from(*found));
    }
    Ok(ends.iter().all(|end| !end.found))
}

/// The folder of the programs.
fn build() -> Result<PathBuf> {
    let mut cargo = project::cargo();
    cargo.current_dir(project::root().join("fuzz")).args(["build", "--release", "--target", TRIPLE]);
    cargo.env("RUSTFLAGS", FLAGS).env("RUSTC_BOOTSTRAP", "1").env("CARGO_TARGET_DIR", folder("build"));
    run(&mut cargo)?;
    Ok(folder("build").join(TRIPLE).join("release"))
}

fn folder(name: &str) -> PathBuf {
    project::target().join("fuzz").join(name)
}

/// One target while it runs.
struct Run {
    target: &'static str,
    limit: Duration,
    start: Instant,
    executions: u64,
    edges: u64,
    /// What it said last, but for its progress.
    said: VecDeque<String>,
}

/// How a target ended.
struct End {
    target: &'static str,
    executions: u64,
    seconds: u64,
    edges: u64,
    found: bool,
}

impl Run {
    fn new(target: &'static str, minutes: u64) -> Result<Self> {
        for name in ["corpus", "findings"] {
            fs::create_dir_all(folder(name).join(target))?;
        }
        let limit = Duration::from_secs(minutes * 60);
        Ok(Self { target, limit, start: Instant::now(), executions: 0, edges: 0, said: VecDeque::new() })
    }

    fn command(&self, programs: &Path) -> Command {
        let mut command = Command::new(programs.join(self.target));
        let place = folder("findings").join(self.target);
        command
            .arg(format!("-max_total_time={}", self.limit.as_secs()))
            .arg(format!("-artifact_prefix={}/", place.display()))
            .args(["-max_len=16384", "-timeout=20", "-rss_limit_mb=4096", "-print_final_stats=1"]);
        // What is found new goes into the first.
        command.arg(folder("corpus").join(self.target)).arg(folder("seeds").join(self.target));
        command.arg(project::root().join("fuzz/corpus").join(self.target));
        command
    }

    fn run(mut self, programs: &Path) -> Result<End> {
        let mut child = self.command(programs).stdin(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let output = BufReader::new(child.stderr.take().expect("standard error is piped"));
        let mut next = PROGRESS;
        for line in output.split(b'\n') {
            self.hear(&String::from_utf8_lossy(&line?));
            if self.start.elapsed() >= next {
                next += PROGRESS;
                println!("{}", self.progress());
            }
        }
        let found = !child.wait()?.success();
        if found {
            self.said.iter().for_each(|line| println!("{line}"));
            println!(
                "{}: found; the input lies in {}",
                self.target,
                folder("findings").join(self.target).display()
            );
        }
        let Self { target, executions, edges, start, .. } = self;
        Ok(End { target, executions, seconds: start.elapsed().as_secs(), edges, found })
    }

    /// `#4096 NEW cov: 771 ft: 1591 ...` is progress; `stat::number_of_executed_units: 4711` is the sum.
    fn hear(&mut self, line: &str) {
        if let Some(sum) = line.strip_prefix("stat::number_of_executed_units:") {
            self.executions = sum.trim().parse().unwrap_or(self.executions);
        } else if let Some(progress) = line.strip_prefix('#') {
            let mut words = progress.split_whitespace();
            let count = words.next().and_then(|count| count.parse().ok());
            self.executions = count.unwrap_or(self.executions);
            let edges = words.skip_while(|word| *word != "cov:").nth(1).and_then(|edges| edges.parse().ok());
            self.edges = edges.unwrap_or(self.edges);
        } else {
            self.said.push_back(line.to_owned());
            self.said.drain(..self.said.len().saturating_sub(SHOWN));
        }
    }

    fn progress(&self) -> String {
        let left = self.limit.saturating_sub(self.start.elapsed()).as_secs();
        let Self { target, executions, edges, .. } = self;
        format!("{target}: {executions} executions, {edges} edges, {left} s left")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_a_program() {
        let manifest = fs::read_to_string(project::root().join("fuzz/Cargo.toml")).unwrap();
        let names = manifest.split("[[bin]]\nname = \"").skip(1).map(|rest| rest.split('"').next().unwrap());
        assert_eq!(names.collect::<Vec<_>>(), TARGETS);
    }

    #[test]
    fn what_libfuzzer_says_is_understood() {
        let mut run = Run::new("parse", 1).unwrap();
        run.hear("#87696\tREDUCE cov: 771 ft: 1591 corp: 306/25Kb lim: 219 exec/s: 17539");
        assert_eq!((run.executions, run.edges, run.said.len()), (87696, 771, 0));
        run.hear("thread '<unnamed>' panicked at subjects/parse.rs:1:1:");
        run.hear("stat::number_of_executed_units: 87842");
        assert_eq!((run.executions, run.edges, run.said.len()), (87842, 771, 1));
    }
}
