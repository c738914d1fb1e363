//! The story of a run: find the sources, build them, load what was built in child processes, report.

mod batch;
mod build;
mod case;
mod child;
mod directive;
mod extension;
mod facts;
mod host;
mod kind;
mod maps;
mod options;
mod parallel;
mod patch;
mod report;
mod tools;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use self::build::{Builder, Built};
use self::case::Case;
use self::extension::Extension;
use self::facts::Facts;
use self::kind::{NATIVE, Variant};
use self::options::Task;
use self::report::{Outcome, Report};
use self::tools::Tools;

/// What the program does; its status says whether nothing failed.
pub(super) fn main() -> ExitCode {
    let task = options::parse(std::env::args().skip(1));
    let done = task.and_then(|task| match task {
        Task::List => list(),
        Task::Child { cases, results } => child::run(&cases, &results),
        Task::Test { filter } => test(filter.as_deref()),
    });
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn list() -> Result<bool, String> {
    for extension in extension::discover()? {
        println!("{}: {}", extension.name, extension.directives.about);
    }
    Ok(true)
}

/// The whole story. True when nothing failed.
fn test(filter: Option<&str>) -> Result<bool, String> {
    let all = extension::discover()?;
    let wanted = |extension: &&Extension| filter.is_none_or(|filter| extension.name.contains(filter));
    let extensions: Vec<&Extension> = all.iter().filter(wanted).collect();
    let tools = Tools::find();
    let builder = Builder::new(&tools, target_folder()?);
    let wanted: Vec<(usize, Variant)> = variants(&extensions, &tools);
    let built =
        parallel::map(&wanted, |(index, variant)| build_and_check(&builder, extensions[*index], variant));
    // From here on every file exists and holds what its extension is there to show.
    let outcomes = run_all(&extensions, &wanted, built, &builder.target);
    let report = Report { extensions: &extensions, outcomes: &outcomes, tools: &tools };
    report.print();
    Ok(report.failed() == 0)
}

/// Beside what cargo builds.
fn target_folder() -> Result<PathBuf, String> {
    let target =
        Path::new(env!("CARGO_TARGET_TMPDIR")).parent().ok_or("cargo's target folder has no parent")?;
    let folder = target.join("extensions");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

/// Everything this machine can make.
fn variants(extensions: &[&Extension], tools: &Tools) -> Vec<(usize, Variant)> {
    let each = extensions.iter().enumerate();
    each.flat_map(|(index, extension)| extension.variants(NATIVE).map(move |variant| (index, variant)))
        .filter(|(_, variant)| tools.can_make(variant))
        .collect()
}

fn build_and_check(builder: &Builder<'_>, extension: &Extension, variant: &Variant) -> Result<Built, String> {
    let built = builder.build(extension, variant)?;
    let claims = extension.directives.shows(variant);
    if claims.is_empty() {
        return Ok(built);
    }
    let facts = Facts::read(&built.file)?;
    let untrue: Vec<String> = claims.into_iter().filter(|claim| !facts.bear_out(claim)).collect();
    if untrue.is_empty() { Ok(built) } else { Err(format!("the file does not show {}", untrue.join(" "))) }
}

/// How many cases a child process gets.
const BATCH: usize = 120;

fn run_all(
    extensions: &[&Extension],
    wanted: &[(usize, Variant)],
    built: Vec<Result<Built, String>>,
    folder: &Path,
) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let mut cases = Vec::new();
    for ((index, variant), built) in wanted.iter().zip(built) {
        let failures = built.as_ref().err().map(|error| (variant.to_string(), error.clone()));
        let new = built.iter().flat_map(|built| Case::of(extensions[*index], *variant, built));
        cases.extend(new.map(|case| (outcomes.len(), case)));
        outcomes.push(Outcome {
            extension: *index,
            variant: *variant,
            passed: 0,
            failures: failures.into_iter().collect(),
        });
    }
    let (owners, cases): (Vec<usize>, Vec<Case<'_>>) = cases.into_iter().unzip();
    let batches: Vec<&[Case<'_>]> = cases.chunks(BATCH).collect();
    let verdicts = parallel::map(&batches, |batch| batch::run(batch, folder));
    for ((owner, case), verdict) in owners.into_iter().zip(&cases).zip(verdicts.into_iter().flatten()) {
        match verdict {
            Ok(()) => outcomes[owner].passed += 1,
            Err(what) => {
                outcomes[owner].failures.push((format!("{}/{}", case.variant, case.from.name()), what))
            }
        }
    }
    outcomes
}
