//! The command line, and the story of one run.

use crate::report::{self, Findings};
use crate::workload::Workload;
use crate::{measure, memory, scope};
use llext_bench::shape::{SHAPES, Shape};
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
usage: llext-bench [--only a,b,c,d] [--rounds N] [--json]

  --only     the workloads to measure; all four if not given
  --rounds   counted rounds; 301 for a, b and c, and 61 for d, if not given
  --json     one JSON object on standard output, and nothing else";

struct Options {
    shapes: Vec<Shape>,
    rounds: Option<usize>,
    json: bool,
}

/// Runs what the command line asks for: 0 done, 1 failed, 2 not understood.
pub(crate) fn main() -> ExitCode {
    let options = match parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(reason) => {
            eprintln!("{reason}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(text) => {
            println!("{}", text.trim_end());
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options { shapes: SHAPES.to_vec(), rounds: None, json: false };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--json" => options.json = true,
            "--only" => options.shapes = shapes(&value(&word, &mut words)?)?,
            "--rounds" => options.rounds = Some(rounds(&value(&word, &mut words)?)?),
            _ => return Err(format!("`{word}` is not an option")),
        }
    }
    Ok(options)
}

fn value(option: &str, words: &mut impl Iterator<Item = String>) -> Result<String, String> {
    words.next().ok_or_else(|| format!("{option} needs a value"))
}

fn shapes(list: &str) -> Result<Vec<Shape>, String> {
    let named = |name| SHAPES.into_iter().find(|shape| shape.name == name);
    list.split(',').map(|name| named(name).ok_or_else(|| format!("`{name}` is not a workload"))).collect()
}

fn rounds(number: &str) -> Result<usize, String> {
    number
        .parse()
        .ok()
        .filter(|&rounds| rounds > 0)
        .ok_or_else(|| format!("`{number}` is not a number of rounds"))
}

fn run(options: &Options) -> Result<String, String> {
    let cache = cache()?;
    // Everything is compiled before anything is measured.
    let workloads: Vec<_> =
        options.shapes.iter().map(|&shape| Workload::prepare(shape, &cache)).collect::<Result<_, _>>()?;
    let core = measure::pin_to_one_core()?;
    let priority = if measure::go_first() { "ahead of other programs" } else { "beside other programs" };
    let findings: Vec<_> =
        workloads.into_iter().map(|workload| find_out(workload, options.rounds)).collect::<Result<_, _>>()?;
    if options.json {
        return Ok(report::json(&findings));
    }
    let conditions = format!(
        "Interleaved medians on core {core}, {priority}. Each result was called and checked. dlopen searches {}.",
        scope::of_this_program()?
    );
    Ok(report::table(&findings, &conditions))
}

fn find_out(workload: Workload, rounds: Option<usize>) -> Result<Findings, String> {
    let rounds = rounds.unwrap_or(if workload.shape.name == "d" { 61 } else { 301 });
    let times = measure::measure(&workload, rounds)?;
    let memory = memory::measure(&workload)?;
    Ok(Findings { workload, rounds, times, memory })
}

/// A folder under the target directory this program was built into.
fn cache() -> Result<PathBuf, String> {
    let program = std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let target = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists());
    Ok(target.ok_or("this program lies outside cargo's target directory")?.join("bench-workloads"))
}
