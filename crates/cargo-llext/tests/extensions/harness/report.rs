//! The matrix of extensions and kinds, what failed, and why cells are empty.

use std::collections::BTreeMap;

use super::case::From;
use super::extension::Extension;
use super::kind::{KINDS, Kind, NATIVE, Variant};
use super::tools::Tools;

/// What came of one extension in one variant.
pub(crate) struct Outcome {
    pub(crate) extension: usize,
    pub(crate) variant: Variant,
    /// How many loads did as they should.
    pub(crate) passed: usize,
    /// What went wrong, each with where it did.
    pub(crate) failures: Vec<(String, String)>,
}

/// Everything a run found out.
pub(crate) struct Report<'a> {
    pub(crate) extensions: &'a [&'a Extension],
    pub(crate) outcomes: &'a [Outcome],
    pub(crate) tools: &'a Tools,
}

impl Report<'_> {
    pub(crate) fn passed(&self) -> usize {
        self.outcomes.iter().map(|outcome| outcome.passed).sum()
    }

    pub(crate) fn failed(&self) -> usize {
        self.outcomes.iter().map(|outcome| outcome.failures.len()).sum()
    }

    pub(crate) fn print(&self) {
        self.print_matrix();
        self.print_reasons();
        self.print_failures();
        self.print_missing();
        println!("\n{} passed, {} failed", self.passed(), self.failed());
    }

    fn print_matrix(&self) {
        let width = self.extensions.iter().map(|extension| extension.name.len()).max().unwrap_or(0);
        print!("{:width$}", "");
        KINDS.iter().for_each(|kind| print!("  {}", kind.name));
        println!();
        for (index, extension) in self.extensions.iter().enumerate() {
            print!("{:width$}", extension.name);
            for kind in KINDS {
                print!("  {:>width$}", self.cell(index, kind), width = kind.name.len());
            }
            println!();
        }
    }

    fn cell(&self, extension: usize, kind: &Kind) -> String {
        let of_cell =
            |outcome: &&Outcome| outcome.extension == extension && outcome.variant.kind.name == kind.name;
        let outcomes: Vec<&Outcome> = self.outcomes.iter().filter(of_cell).collect();
        let mark = if self.lacks_tools(self.extensions[extension], kind) { "*" } else { "" };
        if outcomes.iter().any(|outcome| !outcome.failures.is_empty()) {
            return format!("FAIL{mark}");
        }
        match outcomes.iter().map(|outcome| outcome.passed).sum() {
            0 => mark.to_owned(),
            passed => format!("{passed}{mark}"),
        }
    }

    fn lacks_tools(&self, extension: &Extension, kind: &Kind) -> bool {
        extension
            .variants(NATIVE)
            .any(|variant| variant.kind.name == kind.name && !self.tools.can_make(&variant))
    }

    fn print_reasons(&self) {
        let mut reasons: BTreeMap<&str, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
        for extension in self.extensions {
            for kind in KINDS {
                if let Some(reason) = empty_because(extension, kind) {
                    reasons.entry(reason).or_default().entry(&extension.name).or_default().push(kind.name);
                }
            }
        }
        if !reasons.is_empty() {
            println!("\nEmpty cells:");
        }
        for (reason, cells) in reasons {
            println!("  {reason}: {}", by_kinds(&cells));
        }
    }

    /// One line for each thing that went wrong, however often it did.
    fn print_failures(&self) {
        let mut places: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for outcome in self.outcomes {
            for (place, what) in &outcome.failures {
                let name = self.extensions[outcome.extension].name.as_str();
                places.entry((name, what)).or_default().push(place);
            }
        }
        if !places.is_empty() {
            println!("\nFailures:");
        }
        for ((name, what), places) in places {
            println!("  {name}: {what}\n    in {}", gathered(&places).join(", "));
        }
    }

    fn print_missing(&self) {
        let missing = self.tools.missing();
        if !missing.is_empty() {
            println!(
                "\n* = not made by all its compilers. Not found on this machine: {}",
                missing.join(", ")
            );
        }
    }
}

/// Why no compiler that knows the language makes this kind; `None` when one does.
fn empty_because<'a>(extension: &'a Extension, kind: &Kind) -> Option<&'a str> {
    let mut variants =
        Variant::all(NATIVE).filter(|variant| variant.kind.name == kind.name && extension.speaks_to(variant));
    let first = variants.next()?;
    let reason = extension.why_not(&first)?;
    variants.all(|variant| extension.why_not(&variant).is_some()).then_some(reason)
}

/// Where something happened from every source, the variant alone says so.
fn gathered(places: &[&str]) -> Vec<String> {
    let mut sources: Vec<(&str, Vec<&str>)> = Vec::new();
    for place in places {
        let (variant, from) = place.split_once('/').unwrap_or((place, ""));
        match sources.last_mut() {
            Some((last, all)) if *last == variant => all.push(from),
            _ => sources.push((variant, vec![from])),
        }
    }
    let text = |(variant, from): &(&str, Vec<&str>)| match from.len() {
        len if len == From::ALL.len() || from[0].is_empty() => (*variant).to_owned(),
        _ => format!("{variant} from {}", from.join(" and ")),
    };
    sources.iter().map(text).collect()
}

/// Extensions that lack the same kinds stand together.
fn by_kinds(cells: &BTreeMap<&str, Vec<&str>>) -> String {
    let mut names: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (name, kinds) in cells {
        names.entry(shortened(kinds)).or_default().push(name);
    }
    let groups: Vec<String> =
        names.iter().map(|(kinds, names)| format!("{} ({kinds})", names.join(", "))).collect();
    groups.join("; ")
}

/// The names of kinds, whole families by the family's name.
fn shortened(kinds: &[&str]) -> String {
    let whole = |family: &str| {
        let mut members = KINDS.iter().filter(|kind| kind.family() == family);
        members.all(|kind| kinds.contains(&kind.name))
    };
    let family = |kind: &&str| kind.split('-').next().map_or(String::new(), str::to_owned);
    let mut names: Vec<String> = kinds
        .iter()
        .map(|kind| if whole(&family(kind)) { family(kind) } else { (*kind).to_owned() })
        .collect();
    names.dedup();
    names.join(" ")
}
