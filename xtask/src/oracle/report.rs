//! What a run found: a row for each architecture, then the differences.

use std::collections::BTreeMap;
use std::fmt::Write;

use llext_link::arch::Expr;
use serde_json::{Value, json};

use super::case::Outcome;
use super::compare::Difference;
use super::target::Target;
use crate::error::Error;

/// The tests of what no file shows.
const GOLDEN: &str = include_str!("../../../crates/llext-link/tests/relocate/golden.rs");

/// Everything that is known of one architecture.
pub(super) struct Row {
    pub(super) target: &'static Target,
    /// Files that both linked.
    objects: usize,
    /// Those of them without a difference.
    pub(super) alike: usize,
    types: BTreeMap<u32, usize>,
    unseen: Vec<String>,
    differences: Vec<(String, Difference)>,
    /// Cases that a tool or llext-link refused.
    failures: Vec<(String, String)>,
    pub(super) left_out: Vec<String>,
}

impl Row {
    pub(super) fn new(target: &'static Target, left_out: Vec<String>) -> Self {
        Self {
            target,
            objects: 0,
            alike: 0,
            types: BTreeMap::new(),
            unseen: Vec::new(),
            differences: Vec::new(),
            failures: Vec::new(),
            left_out,
        }
    }

    pub(super) fn add(&mut self, case: String, outcome: Result<Outcome, Error>) {
        match outcome {
            Ok(outcome) => {
                self.objects += 1;
                self.alike += usize::from(outcome.differences.is_empty());
                for (r_type, count) in outcome.types {
                    *self.types.entry(r_type).or_insert(0) += count;
                }
                let found = outcome.differences.into_iter().map(|difference| (case.clone(), difference));
                self.differences.extend(found);
            }
            Err(error) => self.failures.push((case, error.to_string())),
        }
    }

    /// After the last case: the types that no file had. If all files were there, each must be refused, or have a test
    /// by hand.
    pub(super) fn finish(&mut self, all: bool) {
        self.differences.sort_by(|(one, _), (other, _)| one.cmp(other));
        let arch = self.target.arch();
        for howto in arch.howtos.iter().filter(|howto| !self.types.contains_key(&howto.r_type.into())) {
            let name = arch.relocation(howto.r_type.into()).to_string();
            if all && howto.expr != Expr::Refused && !GOLDEN.contains(&format!("\"{name}\"")) {
                self.failures.push((name.clone(), "no file has it, and no golden test".to_owned()));
            }
            self.unseen.push(name);
        }
        self.failures.sort();
    }

    fn failed(&self) -> usize {
        self.differences.len() + self.failures.len()
    }

    /// The files that failed or differ, a line each.
    pub(super) fn failures(&self) -> Vec<String> {
        let differ = self.differences.iter().map(|(case, _)| case);
        let mut cases: Vec<&String> = self.failures.iter().map(|(case, _)| case).chain(differ).collect();
        cases.dedup();
        cases.into_iter().map(|case| format!("{}: {case}", self.target.name)).collect()
    }

    fn relocations(&self) -> usize {
        self.types.values().sum()
    }

    fn json(&self) -> Value {
        let name = |number: &u32| self.target.arch().relocation(*number).to_string();
        let types: BTreeMap<String, usize> = self.types.iter().map(|(n, count)| (name(n), *count)).collect();
        let differences = self.differences.iter().map(|(case, difference)| {
            let Difference { linker, section, offset, relocation, ours, theirs } = difference;
            let (relocation, symbol) = relocation.clone().unwrap_or_default();
            json!({
                "case": case, "linker": linker, "section": section, "offset": offset, "relocation": relocation,
                "symbol": symbol, "ours": ours, "theirs": theirs,
            })
        });
        let failures = self.failures.iter().map(|(case, why)| json!({ "case": case, "why": why }));
        json!({
            "architecture": self.target.name,
            "objects": self.objects,
            "relocations": self.relocations(),
            "types": types,
            "unseen": self.unseen,
            "differences": differences.collect::<Vec<_>>(),
            "failures": failures.collect::<Vec<_>>(),
            "left_out": self.left_out,
        })
    }
}

/// The whole report as one JSON object.
pub(super) fn json(rows: &[Row]) -> String {
    let rows: Vec<Value> = rows.iter().map(Row::json).collect();
    format!("{:#}", json!({ "architectures": rows }))
}

/// The whole report as text.
pub(super) fn text(rows: &[Row], verbose: bool) -> String {
    let mut text = String::new();
    let head = ["objects", "relocations", "types", "unseen", "differences"];
    let _ = write!(text, "{:<10}", "");
    head.iter().for_each(|word| _ = write!(text, " {word:>11}"));
    text.push('\n');
    for row in rows {
        let numbers = [row.objects, row.relocations(), row.types.len(), row.unseen.len(), row.failed()];
        let _ = write!(text, "{:<10}", row.target.name);
        numbers.iter().for_each(|number| _ = write!(text, " {number:>11}"));
        text.push('\n');
    }
    for row in rows {
        details(&mut text, row, verbose);
    }
    text
}

/// How many of each are shown without `--verbose`.
const SHOWN: usize = 20;

fn details(text: &mut String, row: &Row, verbose: bool) {
    let name = row.target.name;
    let limit = if verbose { usize::MAX } else { SHOWN };
    if verbose && !row.unseen.is_empty() {
        let _ = writeln!(text, "{name}: tested by hand only: {}", row.unseen.join(" "));
    }
    for line in &row.left_out {
        let _ = writeln!(text, "left out of {line}");
    }
    for (case, why) in row.failures.iter().take(limit) {
        let _ = writeln!(text, "{name}: {case} failed: {why}");
    }
    for (case, difference) in row.differences.iter().take(limit) {
        let Difference { linker, section, offset, relocation, ours, theirs } = difference;
        let (relocation, symbol) = relocation.clone().unwrap_or(("no relocation".into(), "-".into()));
        let _ = writeln!(
            text,
            "{name}: {case}: {section}+{offset:#x} {relocation} {symbol}: ours {ours}, {linker}'s {theirs}"
        );
    }
    let hidden = row.failures.len().saturating_sub(limit) + row.differences.len().saturating_sub(limit);
    if hidden > 0 {
        let _ = writeln!(text, "{name}: {hidden} more (--verbose shows all)");
    }
}
