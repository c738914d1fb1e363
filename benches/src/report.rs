//! What was measured: a table for people, one JSON object for programs.

use crate::measure::{PHASES, Times};
use crate::memory::Use;
use crate::workload::Workload;
use std::fmt::Write as _;

/// The row all others are compared with.
const YARDSTICK: &str = "dlopen";

/// What was found out about one workload.
pub(crate) struct Findings {
    /// The workload.
    pub(crate) workload: Workload,
    /// How often it was measured.
    pub(crate) rounds: usize,
    /// Each row's times.
    pub(crate) times: Vec<Times>,
    /// What llext holds for the object.
    pub(crate) memory: Use,
}

/// One object: times by phase, workload and row, then memory by workload.
pub(crate) fn json(findings: &[Findings]) -> String {
    let phases = PHASES.iter().enumerate().map(|(phase, name)| {
        let workloads = object(findings.iter().map(|found| {
            let rows = found
                .times
                .iter()
                .map(|times| (times.row, format!("{{\"median_ns\": {}}}", times.median(phase))));
            (found.workload.shape.name, object(rows))
        }));
        (*name, workloads)
    });
    let memory = object(findings.iter().map(|found| {
        let Use { live, peak } = found.memory;
        let loaded = found.workload.object.loaded;
        let bytes = format!("{{\"live\": {live}, \"peak\": {peak}, \"loaded\": {loaded}}}");
        (found.workload.shape.name, bytes)
    }));
    object(phases.chain([("memory", memory)]))
}

fn object<'n>(members: impl Iterator<Item = (&'n str, String)>) -> String {
    let members: Vec<_> = members.map(|(name, value)| format!("\"{name}\": {value}")).collect();
    format!("{{{}}}", members.join(", "))
}

/// Everything, in columns, with the gate's verdicts last.
pub(crate) fn table(findings: &[Findings], conditions: &str) -> String {
    let mut text = format!("{conditions}\n");
    for found in findings {
        times(&mut text, found);
    }
    text.push('\n');
    memory(&mut text, findings);
    text.push('\n');
    findings.iter().for_each(|found| gate(&mut text, found));
    text
}

fn times(text: &mut String, found: &Findings) {
    let Workload { shape, object, shared, .. } = &found.workload;
    line(
        text,
        format_args!(
            "\n{}: {} functions; relocations: {} in the object, {} in the shared object; {} rounds\n",
            shape.name, shape.functions, object.relocations, shared.relocations, found.rounds
        ),
    );
    line(
        text,
        format_args!(
            "{:<16}{:>14}{:>14}{:>10}{:>10}{:>14}{:>10}{:>14}{:>10}",
            "median us",
            "load",
            "(fastest)",
            "x dlopen",
            "ns/reloc",
            "look-up",
            "x dlopen",
            "unload",
            "x dlopen"
        ),
    );
    for row in &found.times {
        let relocations =
            if row.row.ends_with("_o") || row.row.ends_with("_o_file") { object } else { shared };
        let per_relocation = row.median(0) as f64 / relocations.relocations as f64;
        line(
            text,
            format_args!(
                "{:<16}{:>14.1}{:>14.1}{:>10.2}{:>10.1}{:>14.1}{:>10.2}{:>14.1}{:>10.2}",
                row.row,
                micros(row.median(0)),
                micros(row.fastest(0)),
                ratio(found, row.row, 0),
                per_relocation,
                micros(row.median(1)),
                ratio(found, row.row, 1),
                micros(row.median(2)),
                ratio(found, row.row, 2),
            ),
        );
    }
}

fn memory(text: &mut String, findings: &[Findings]) {
    line(
        text,
        format_args!(
            "{:<16}{:>14}{:>14}{:>14}{:>14}",
            "llext_o, bytes", "loaded", "live", "peak", "live - loaded"
        ),
    );
    for found in findings {
        let Use { live, peak } = found.memory;
        let loaded = found.workload.object.loaded;
        let over = live as i64 - loaded as i64;
        line(
            text,
            format_args!("{:<16}{loaded:>14}{live:>14}{peak:>14}{over:>14}", found.workload.shape.name),
        );
    }
}

/// What llext_o is held to: times dlopen, and nanoseconds a relocation where there are enough of them to say.
fn gate(text: &mut String, found: &Findings) {
    let (times_dlopen, per_relocation) = match found.workload.shape.name {
        "b" | "c" => (0.5, None),
        "d" => (0.8, Some(25.0)),
        _ => return,
    };
    verdict(text, found, "x dlopen", ratio(found, "llext_o", 0), times_dlopen);
    if let Some(allowed) = per_relocation {
        let nanoseconds = median(found, "llext_o", 0) as f64 / found.workload.object.relocations as f64;
        verdict(text, found, "ns a relocation", nanoseconds, allowed);
    }
}

fn verdict(text: &mut String, found: &Findings, unit: &str, measured: f64, allowed: f64) {
    let word = if measured <= allowed { "held" } else { "missed" };
    let name = found.workload.shape.name;
    line(text, format_args!("gate {name}: llext_o {measured:.2} {unit}, {allowed} allowed: {word}"));
}

fn ratio(found: &Findings, row: &str, phase: usize) -> f64 {
    median(found, row, phase) as f64 / median(found, YARDSTICK, phase) as f64
}

fn median(found: &Findings, row: &str, phase: usize) -> u64 {
    let times = found.times.iter().find(|times| times.row == row);
    times.map_or(0, |times| times.median(phase))
}

fn micros(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1000.0
}

fn line(text: &mut String, content: std::fmt::Arguments<'_>) {
    writeln!(text, "{content}").expect("a String takes everything");
}
