//! The phases of `cargo xtask test`, in the order they run in their lanes.

use std::env::consts::{ARCH, OS};
use std::path::PathBuf;
use std::process::Command;

use super::lanes::Lane;
use super::models;
use super::phase::{Count, Outcome, Phase};
use crate::board::{BOARDS, Board, EXAMPLES, FIRMWARE, barriers, disks};
use crate::error::Result;
use crate::guest::GUESTS;
use crate::process::{find, run, run_and_read};
use crate::project::{OPTIMISED, PRODUCT, WORKSPACE};
use crate::setup::bare::{Compiler, TARGETS};
use crate::setup::has_component;
use crate::{capi, guide, hostile, matrix, oracle, project, size};

pub(super) const PHASES: &[Phase] = &[
    here("format", format),
    here("clippy", clippy),
    here("bare-host", bare_host),
    here("bare-targets", bare_targets),
    here("debug", debug),
    here("release", release),
    here("asan", asan),
    here("models", models::quick),
    here("doc-tests", doc_tests),
    here("docs", docs),
    here("tidy", tidy),
    here("extensions", extensions),
    here("hostile", hostile),
    apart("boards", boards),
    apart("size", size),
    apart("capi", capi),
    apart("oracle", oracle),
    apart("matrix", matrix),
    apart("guide", guide),
    apart("guest", guest),
];

type Run = fn(&str) -> Result<Outcome>;

const fn here(name: &'static str, run: Run) -> Phase {
    Phase { name, lane: Lane::Here, run }
}

/// For phases that build for other machines, in folders that the others do not build in.
const fn apart(name: &'static str, run: Run) -> Phase {
    Phase { name, lane: Lane::Apart, run }
}

/// The phases in which part of a test's name selects.
pub(super) const WITH_TESTS: &[&str] = &["debug", "release", "doc-tests", "tidy", "extensions"];

fn format(_: &str) -> Result<Outcome> {
    if !has_component("fmt") {
        return Ok(Outcome::left_out("rustfmt is missing"));
    }
    let workspace = passes(project::cargo().args(["fmt", "--all", "--check"]));
    let apart = passes(Command::new("rustfmt").args(["--check", "--edition", "2024"]).args(sources_apart()?));
    Ok([workspace, apart].into_iter().map(Outcome::of).sum())
}

/// The Rust files of the folders that are no part of the workspace.
fn sources_apart() -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in ["boards", "extensions", "fuzz"] {
        project::files(&project::root().join(folder), "rs", &mut files)?;
    }
    Ok(files)
}

fn clippy(_: &str) -> Result<Outcome> {
    // A test that is not run with all others is none of all targets.
    let extensions = lint(&["--package=cargo-llext", "--test=extensions", "--all-features"]);
    let all = lint(&["--workspace", "--all-targets", "--all-features"]);
    Ok([all, extensions].into_iter().map(Outcome::of).sum())
}

/// The crates that must build without the standard library.
const BARE: [&str; 5] = [
    "--package=llext-link",
    "--package=llext",
    "--package=llext-sdk",
    "--package=llext-capi",
    "--no-default-features",
];

fn bare_host(_: &str) -> Result<Outcome> {
    let mut cargo = project::cargo();
    cargo.args(["test", "--package=llext", "--no-default-features", "--test=bare", "--test=reads"]);
    Ok([lint(&BARE), tests(&mut cargo, "")].into_iter().map(Outcome::of).sum())
}

/// Targets that are thumbv7m to those crates: nothing there is conditional on what they have more. Boards are built for both.
const ALIKE: [&str; 2] = ["thumbv7em-none-eabihf", "thumbv8m.main-none-eabihf"];

/// With clippy where the target's compiler has one, for all of these at once; else by building.
fn bare_targets(_: &str) -> Result<Outcome> {
    let has_clippy = |target: &&&str| Compiler::find(target).is_some_and(|compiler| compiler.has_clippy());
    let targets = TARGETS.iter().filter(|target| !ALIKE.contains(target));
    let (linted, others): (Vec<&str>, Vec<&str>) = targets.partition(has_clippy);
    let others = each(&others, |target| match Compiler::find(target) {
        None => Ok(Outcome::left_out(format!("there is no Rust for {target}"))),
        Some(compiler) => passes(compiler.cargo()?.arg("check").args(BARE).args(["--target", target])),
    });
    Ok([lint_for(&linted), others].into_iter().map(Outcome::of).sum())
}

fn lint_for(targets: &[&str]) -> Result<Outcome> {
    if !targets.is_empty() {
        let mut cargo = Compiler::Own.cargo()?;
        cargo.arg("clippy").args(BARE).args(targets.iter().flat_map(|target| ["--target", target]));
        run(cargo.args(["--", "-Dwarnings"]))?;
    }
    Ok(Outcome { count: Count { passed: targets.len(), ..Count::default() }, ..Outcome::default() })
}

fn debug(filter: &str) -> Result<Outcome> {
    all_tests("test", &WORKSPACE, filter)
}

fn release(filter: &str) -> Result<Outcome> {
    all_tests(OPTIMISED, &PRODUCT, filter)
}

/// All but the matrix of extensions, which has a phase of its own.
fn all_tests(profile: &str, packages: &[&str], filter: &str) -> Result<Outcome> {
    tests(cargo_test(profile).args(packages).args(["--tests", "--examples"]), filter)
}

/// The registry under AddressSanitizer, which comes with the stable compiler. (Its sister for threads does not see what
/// the standard library does, and reports races where there are none.)
fn asan(_: &str) -> Result<Outcome> {
    const TARGET: &str = "x86_64-unknown-linux-gnu";
    if (ARCH, OS) != ("x86_64", "linux") {
        return Ok(Outcome::left_out(format!("it runs on {TARGET}")));
    }
    let mut cargo = cargo_test("test");
    cargo.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", "-Zsanitizer=address --cfg asan");
    // In a folder of its own: what is told that the compiler may be told more is built again, and again without.
    let folder = project::target().join("asan");
    tests(
        cargo.args(["--package=llext", "--test=registry", "--target", TARGET, "--target-dir"]).arg(folder),
        "",
    )
}

fn doc_tests(filter: &str) -> Result<Outcome> {
    tests(cargo_test("test").args(WORKSPACE).arg("--doc"), filter)
}

fn docs(_: &str) -> Result<Outcome> {
    let mut cargo = project::cargo();
    cargo.env("RUSTDOCFLAGS", "-Dwarnings");
    passes(cargo.args(["doc", "--workspace", "--no-deps", "--all-features"]))
}

fn tidy(filter: &str) -> Result<Outcome> {
    tests(cargo_test("tasks").arg("--package=xtask"), filter)
}

fn extensions(filter: &str) -> Result<Outcome> {
    if find("gcc").is_none() {
        return Ok(Outcome::left_out("gcc is missing"));
    }
    let profiles: [(_, &[&str]); 2] = [("test", &WORKSPACE), (OPTIMISED, &PRODUCT)];
    each(&profiles, |(profile, packages)| {
        tests(cargo_test(profile).args(*packages).args(["--test", "extensions"]), filter)
    })
}

/// libllext.a for every target, and its suite in C.
fn capi(_: &str) -> Result<Outcome> {
    let libraries = each(&capi::TARGETS, |target| match Compiler::find(target) {
        None => Ok(Outcome::left_out(format!("there is no Rust for {target}"))),
        Some(_) => capi::library(target, capi::Build::BARE).map(|_| Outcome::passed()),
    });
    let suites = each(capi::SUITES, |suite| match suite.missing() {
        Some(missing) => Ok(Outcome::left_out(format!("the suite {}: {missing}", suite.name))),
        None => tests(&mut suite.program()?, "").map(|outcome| outcome.of_suite(suite.name)),
    });
    let package = match capi::package::missing() {
        Some(missing) => Ok(Outcome::left_out(missing)),
        None => capi::package::test().map(|()| Outcome::passed()),
    };
    let for_board = match capi::package::misses_for_board() {
        Some(missing) => Ok(Outcome::left_out(missing)),
        None => capi::package::test_for_board().map(|()| Outcome::passed()),
    };
    Ok([libraries, suites, package, for_board].into_iter().map(Outcome::of).sum())
}

/// Every file that was compared is a test.
fn oracle(_: &str) -> Result<Outcome> {
    let oracle::Summary { compared, failures, left_out } = oracle::run(&oracle::Options::quick())?;
    let count = Count { passed: compared, failed: failures.len(), ignored: 0 };
    Ok(Outcome { count, failures, left_out })
}

/// What every run can afford of it.
fn hostile(_: &str) -> Result<Outcome> {
    each(hostile::BUILDS, |build| match build.missing() {
        Some(missing) => Ok(Outcome::left_out(format!("{}: {missing}", build.arch))),
        None => build.run(&["--short".into()]).map(|()| Outcome::passed()),
    })
}

/// Every load that did as it should is a test.
fn matrix(_: &str) -> Result<Outcome> {
    let matrix::Summary { passed, failures, left_out } = matrix::run(&matrix::Options::quick())?;
    let count = Count { passed, failed: failures.len(), ignored: 0 };
    Ok(Outcome { count, failures, left_out })
}

fn boards(_: &str) -> Result<Outcome> {
    let storage = match disks::tests_miss() {
        Some(missing) => Ok(Outcome::left_out(format!("file systems: {missing}"))),
        None => disks::tests().and_then(|mut command| tests(&mut command, "")),
    };
    let boards = each_board(BOARDS, |board| board.run(None));
    let barriers = each(BOARDS, |board| match barriers::missing(board) {
        Some(missing) => Ok(Outcome::left_out(format!("barriers of {}: {missing}", board.target))),
        None => barriers::check(board).map(|()| Outcome::passed()),
    });
    let examples = each_board(EXAMPLES, Board::run_example);
    let in_c = each(FIRMWARE, |firmware| match firmware.missing() {
        Some(missing) => Ok(Outcome::left_out(format!("{}: {missing}", firmware.name))),
        None => firmware.run().map(|()| Outcome::passed()),
    });
    Ok([storage, boards, barriers, examples, in_c].into_iter().map(Outcome::of).sum())
}

/// docs/from-nothing.md, followed.
fn guide(_: &str) -> Result<Outcome> {
    match guide::missing() {
        Some(missing) => Ok(Outcome::left_out(missing)),
        None => guide::follow().map(|()| Outcome::passed()),
    }
}

/// What the loader costs each target, against its budget.
fn size(_: &str) -> Result<Outcome> {
    each_board(BOARDS, size::check)
}

/// The files that `cargo xtask bench --boards` counts are loaded, called and unloaded on each of its boards.
fn guest(_: &str) -> Result<Outcome> {
    each(&GUESTS, |guest| match guest.missing() {
        Some(missing) => Ok(Outcome::left_out(missing)),
        None => guest.count().map(|_| Outcome::passed()),
    })
}

fn each_board(boards: &[Board], run: impl Fn(&Board) -> Result<()>) -> Result<Outcome> {
    each(boards, |board| match board.missing() {
        Some(missing) => Ok(Outcome::left_out(format!("{} ({}): {missing}", board.name, board.target))),
        None => run(board).map(|()| Outcome::passed()),
    })
}

/// A command that is one test.
fn passes(command: &mut Command) -> Result<Outcome> {
    run(command).map(|()| Outcome::passed())
}

fn lint(what: &[&str]) -> Result<Outcome> {
    if !has_component("clippy") {
        return Ok(Outcome::left_out("clippy is missing"));
    }
    passes(project::cargo().arg("clippy").args(what).args(["--", "-Dwarnings"]))
}

fn cargo_test(profile: &str) -> Command {
    let mut cargo = project::cargo();
    cargo.args(["test", "--all-features", "--no-fail-fast", "--profile", profile]);
    cargo
}

/// What a line says of a test that was not run, or not in full, and why.
fn left_out(line: &str) -> Option<String> {
    if let Some(why) = line.strip_prefix("left out: ") {
        return Some(why.to_owned());
    }
    let (name, why) = line.strip_prefix("test ")?.split_once(" ... ignored, ")?;
    Some(format!("{name}: {why}"))
}

/// A `cargo test`, whose results are counted. A test program that dies without a result is one that failed.
pub(super) fn tests(command: &mut Command, filter: &str) -> Result<Outcome> {
    if !filter.is_empty() {
        command.arg(filter);
    }
    let mut outcome = Outcome::default();
    let ended = run_and_read(command, |line| {
        outcome.count.add(Count::of_line(line).unwrap_or_default());
        if line.starts_with("test ") && line.ends_with(" FAILED") {
            outcome.failures.push(line.to_owned());
        }
        let why = left_out(line).filter(|why| !outcome.left_out.contains(why));
        outcome.left_out.extend(why);
    });
    if let Err(error) = ended {
        outcome.failures.push(error.to_string());
        outcome.count.failed = outcome.count.failed.max(1);
    }
    Ok(outcome)
}

/// One after the other: the failure of one does not keep the others from running.
pub(super) fn each<T>(things: &[T], run: impl Fn(&T) -> Result<Outcome>) -> Result<Outcome> {
    Ok(things.iter().map(|thing| Outcome::of(run(thing))).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_test_says_why_it_was_not_run_is_told() {
        let line = "test threads_at_once ... ignored, there are no threads";
        assert_eq!(left_out(line).as_deref(), Some("threads_at_once: there are no threads"));
        assert_eq!(left_out("left out: gcc is missing").as_deref(), Some("gcc is missing"));
        assert_eq!(left_out("test a ... ok"), None);
        assert_eq!(left_out("test a ... ignored"), None);
    }
}
