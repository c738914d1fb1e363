//! `cargo xtask coverage`: which lines of llext-link the tests and the corpus of fuzz/ run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use serde_json::{Value, json};

use crate::error::{Result, bail};
use crate::process::{find_newest, output, run, run_unseen};
use crate::project;

/// What has to be run, percent of the lines.
const LEAST: f64 = 95.0;

/// The tests that count: those of the linker, and those of the loader that link.
const TESTS: &[&[&str]] = &[
    &["--package=llext-link", "--lib", "--tests"],
    &["--package=llext", "--features=std", "--test=corpus", "--test=errors", "--test=linux"],
];

/// The lines of a file: how many there are, and how many ran.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
struct Lines {
    all: u64,
    run: u64,
}

impl Lines {
    fn percent(self) -> f64 {
        100.0 * self.run as f64 / self.all.max(1) as f64
    }
}

/// Prints a line a file, or one object for programs. Whether enough was run.
pub(crate) fn coverage(as_json: bool) -> Result<bool> {
    let [profdata, cov] = ["llvm-profdata", "llvm-cov"].map(find_newest);
    let (Some(profdata), Some(cov)) = (profdata, cov) else {
        bail!("llvm-profdata and llvm-cov are missing: `cargo xtask setup` installs llvm")
    };
    let folder = project::target().join("coverage");
    let _ = fs::remove_dir_all(folder.join("raw"));
    let programs = run_tests(&folder)?;
    let merged = folder.join("merged.profdata");
    let mut merge = Command::new(profdata);
    merge.args(["merge", "-sparse", "-o"]).arg(&merged).args(files(&folder.join("raw"))?);
    run_unseen(&mut merge)?;
    let mut export = Command::new(cov);
    export.args(["export", "-summary-only", "-instr-profile"]).arg(&merged);
    export.args(programs.iter().flat_map(|program| [Path::new("-object"), program]));
    let files = summary(&serde_json::from_str(&output(&mut export)?)?);
    let sum = files
        .values()
        .fold(Lines::default(), |sum, lines| Lines { all: sum.all + lines.all, run: sum.run + lines.run });
    println!("{}", if as_json { object(&files, sum) } else { table(&files, sum) });
    Ok(sum.percent() >= LEAST)
}

/// Builds the tests with counters, and runs them; the programs.
fn run_tests(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut programs = Vec::new();
    for tests in TESTS {
        let cargo = || {
            let mut cargo = project::cargo();
            cargo.args(["test", "--profile=models"]).args(*tests);
            cargo.env("RUSTFLAGS", "-Cinstrument-coverage").env("CARGO_TARGET_DIR", folder);
            cargo.env("LLVM_PROFILE_FILE", folder.join("raw/%p-%m.profraw"));
            cargo
        };
        run(&mut cargo())?;
        let built = output(cargo().args(["--no-run", "--message-format=json"]))?;
        programs.extend(built.lines().filter_map(program));
    }
    Ok(programs)
}

/// The program that a line of cargo's speaks of, if it does of one.
fn program(line: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    message["executable"].as_str().map(PathBuf::from)
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

/// The linker's own files, but those of tests.
fn summary(exported: &Value) -> BTreeMap<String, Lines> {
    let mut found = BTreeMap::new();
    for file in exported["data"][0]["files"].as_array().into_iter().flatten() {
        let path = file["filename"].as_str().unwrap_or_default();
        let Some((_, name)) = path.split_once("crates/llext-link/src/") else { continue };
        if !name.ends_with("tests.rs") {
            let lines = |what: &str| file["summary"]["lines"][what].as_u64().unwrap_or_default();
            found.insert(name.to_owned(), Lines { all: lines("count"), run: lines("covered") });
        }
    }
    found
}

fn table(files: &BTreeMap<String, Lines>, sum: Lines) -> String {
    let rows = files.iter().map(|(name, lines)| (name.as_str(), *lines)).chain([("in all", sum)]);
    let row = |(name, lines): (&str, Lines)| {
        format!("{name:<24} {:>8} {:>8} {:>8.2} %", lines.all, lines.run, lines.percent())
    };
    let head = format!("{:<24} {:>8} {:>8} {:>10}", "file", "lines", "run", "");
    [head].into_iter().chain(rows.map(row)).collect::<Vec<_>>().join("\n")
}

fn object(files: &BTreeMap<String, Lines>, sum: Lines) -> String {
    let of = |lines: Lines| json!({"lines": lines.all, "run": lines.run, "percent": lines.percent()});
    let files: BTreeMap<_, _> = files.iter().map(|(name, lines)| (name, of(*lines))).collect();
    json!({"files": files, "in_all": of(sum)}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_linker_counts() {
        let file = |name: &str| json!({"filename": format!("/project/crates/{name}"), "summary": {"lines": {"count": 40, "covered": 39}}});
        let names = ["llext-link/src/elf/hash.rs", "llext-link/src/arch/tests.rs", "llext/src/lib.rs"];
        let found = summary(&json!({"data": [{"files": names.map(file)}]}));
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            [("elf/hash.rs".into(), Lines { all: 40, run: 39 })]
        );
    }

    #[test]
    fn a_table_ends_with_the_sum() {
        let files = BTreeMap::from([("addr.rs".to_owned(), Lines { all: 4, run: 3 })]);
        assert!(table(&files, Lines { all: 4, run: 3 }).ends_with("4        3    75.00 %"));
        assert!(object(&files, Lines { all: 4, run: 3 }).contains("75.0"));
    }
}
