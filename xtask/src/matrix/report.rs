//! The matrix of extensions, architectures and kinds, and why cells are empty.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::rows::Row;

/// The families of kinds: the columns of each architecture.
pub(super) const FAMILIES: [&str; 3] = ["o", "r", "so"];

/// One cell.
#[derive(Clone, Default)]
pub(super) struct Cell {
    /// How many loads did as they should.
    pub(super) passed: usize,
    /// What went wrong, each with where it did.
    pub(super) failures: Vec<(String, String)>,
    /// Why there is not more in it.
    pub(super) reasons: Vec<String>,
    /// What this machine lacks to make all of it.
    pub(super) lacks: Vec<String>,
}

/// The extensions by name; each has a cell for each architecture and family.
pub(super) struct Report {
    pub(super) rows: Vec<&'static Row>,
    pub(super) cells: BTreeMap<String, Vec<[Cell; 3]>>,
}

impl Report {
    pub(super) fn passed(&self) -> usize {
        self.all().map(|(_, _, _, cell)| cell.passed).sum()
    }

    /// What went wrong: once for each thing, however often it did.
    pub(super) fn failures(&self) -> Vec<String> {
        let mut places: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
        for (name, row, _, cell) in self.all() {
            for (place, what) in &cell.failures {
                places.entry((name, what)).or_default().push(format!("{} {place}", row.name));
            }
        }
        places
            .into_iter()
            .map(|((name, what), places)| format!("{name}: {what}\n    in {}", places.join(", ")))
            .collect()
    }

    /// What missing tools kept from running, a line each.
    pub(super) fn left_out(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .all()
            .flat_map(|(_, row, _, cell)| cell.lacks.iter().map(|what| format!("{}: {what}", row.name)))
            .collect();
        lines.sort();
        lines.dedup();
        lines
    }

    fn all(&self) -> impl Iterator<Item = (&str, &'static Row, &'static str, &Cell)> {
        self.cells.iter().flat_map(|(name, rows)| {
            self.rows.iter().zip(rows).flat_map(move |(row, cells)| {
                FAMILIES.into_iter().zip(cells).map(move |(family, cell)| (name.as_str(), *row, family, cell))
            })
        })
    }

    pub(super) fn text(&self) -> String {
        let width = self.cells.keys().map(String::len).max().unwrap_or(0);
        let letters = self.letters();
        let mut text = format!("{:width$}", "");
        self.rows.iter().for_each(|row| text += &format!("  {:<11}", row.name));
        text += &format!("\n{:width$}", "");
        self.rows.iter().for_each(|_| {
            FAMILIES.iter().enumerate().for_each(|(at, family)| text += &format!("{}{family:>3}", gap(at)))
        });
        for (name, rows) in &self.cells {
            text += &format!("\n{name:width$}");
            for cells in rows {
                for (at, cell) in cells.iter().enumerate() {
                    text += &format!("{}{:>3}", gap(at), show(cell, &letters));
                }
            }
        }
        text += "\n";
        let mut legend: Vec<_> = letters.iter().map(|(reason, letter)| (letter, reason)).collect();
        legend.sort();
        if !legend.is_empty() {
            text += "\nNumbers are loads that did as they should. Other cells are empty because:\n";
        }
        legend.into_iter().for_each(|(letter, reason)| text += &format!("  {letter}  {reason}\n"));
        text + &format!("\n{} passed, {} failed\n", self.passed(), self.failures().len())
    }

    /// A letter for each reason that a cell is empty for, the most frequent first.
    fn letters(&self) -> BTreeMap<&str, String> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        self.all()
            .filter_map(|(_, _, _, cell)| cell.empty_because())
            .for_each(|why| *counts.entry(why).or_default() += 1);
        let mut reasons: Vec<_> = counts.into_iter().collect();
        reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(*count), *reason));
        reasons.into_iter().enumerate().map(|(index, (reason, _))| (reason, letter(index))).collect()
    }

    pub(super) fn json(&self) -> Value {
        let mut extensions = serde_json::Map::new();
        for (name, row, family, cell) in self.all() {
            let value = match cell.empty_because() {
                Some(reason) => json!({ "reason": reason }),
                None => json!({ "passed": cell.passed, "failed": cell.failures.len() }),
            };
            extensions.entry(name).or_insert_with(|| json!({}))[row.name][family] = value;
        }
        json!({ "passed": self.passed(), "failed": self.failures().len(), "extensions": extensions })
    }
}

impl Cell {
    /// The first reason of a cell in which nothing ran.
    fn empty_because(&self) -> Option<&str> {
        let ran = self.passed + self.failures.len() > 0;
        let reasons = self.lacks.iter().chain(&self.reasons);
        if ran { None } else { reasons.map(String::as_str).next().or(Some("no compiler knows the language")) }
    }
}

/// Architectures stand apart from each other.
fn gap(at: usize) -> &'static str {
    if at == 0 { "  " } else { " " }
}

fn show(cell: &Cell, letters: &BTreeMap<&str, String>) -> String {
    match cell.empty_because() {
        Some(reason) => letters[reason].clone(),
        None if !cell.failures.is_empty() => "BAD".to_owned(),
        None => cell.passed.to_string(),
    }
}

/// `a` to `z`, then `aa`.
fn letter(index: usize) -> String {
    let own = char::from(b'a' + (index % 26) as u8);
    if index < 26 { own.to_string() } else { letter(index / 26 - 1) + &own.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_cell_has_its_reason_beside_it() {
        let passed = Cell { passed: 2, reasons: vec!["not all".to_owned()], ..Cell::default() };
        let empty = Cell { reasons: vec!["first".to_owned(), "second".to_owned()], ..Cell::default() };
        let failed = Cell { failures: vec![("here".to_owned(), "wrong".to_owned())], ..Cell::default() };
        let cells = BTreeMap::from([("a".to_owned(), vec![[passed, empty, failed]])]);
        let report = Report { rows: vec![&super::super::rows::ROWS[0]], cells };
        let text = report.text();
        assert!(text.contains("\na    2   a BAD\n") && text.contains("\n  a  first\n"), "{text}");
        assert!(text.ends_with("2 passed, 1 failed\n"));
        assert_eq!(report.json()["extensions"]["a"]["v6-m"]["r"]["reason"], "first");
    }

    #[test]
    fn letters_go_on_after_z() {
        assert_eq!([0, 25, 26, 51, 52].map(letter), ["a", "z", "aa", "az", "ba"]);
    }
}
