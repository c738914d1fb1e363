//! The catalogue of bad inputs: rows of recipes, each with what must come of it.

mod container;
mod dynamic;
mod functions;
mod instructions;
mod recipe;
mod relocations;
mod sections;
mod symbols;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

pub(crate) use recipe::set_dynamic;
use recipe::{Expect, Good, Recipe};
pub(crate) use symbols::add as add_symbols;

use crate::host::{Pretender, bases};
use crate::sample::HOST;
use crate::target;
use crate::trial::{From, Room};

const GROUPS: &[&[Recipe]] = &[
    container::RECIPES,
    sections::RECIPES,
    symbols::RECIPES,
    relocations::RECIPES,
    instructions::RECIPES,
    dynamic::RECIPES,
    functions::RECIPES,
];

/// What is odd and must load follows the last row of the catalogue.
const ODD: u8 = 79;

/// Rows whose files are no matter of bytes, or that have nothing to act on yet: each says why.
const APART: &[(u8, &str)] = &[
    (
        63,
        "pending: constructors that misbehave: with contained running; what they return is tested in crates/llext",
    ),
    (65, "pending: stack and heap requests: with the manifest"),
    (66, "pending: signatures"),
    (67, "in `surroundings`: a source that changes between reads"),
    (68, "in `surroundings`: a source that fails at every read"),
    (69, "in `surroundings`: a source that is short at every read"),
    (70, "in `surroundings`: a source whose size changes"),
    (71, "in `surroundings`: a file that is cut while it is loaded; none is ever mapped"),
    (72, "in `surroundings`: a source that would block at every read"),
    (73, "in `surroundings`: a memory that fails at every reservation"),
    (74, "in `surroundings`: a pool of every size that is too small"),
    (75, "in `surroundings`: units with too few regions, and regions that are powers of two"),
    (76, "in `surroundings`: a registry without a free slot"),
    (77, "in crates/llext/tests/errors: more uses than can be counted"),
    (78, "in boards/budgets.txt: bytes of stack, measured on every board by `cargo xtask size`"),
];

/// What came of the catalogue.
#[derive(Default)]
struct Sums {
    recipes: usize,
    files: usize,
    cases: usize,
    most_work: u64,
    differing: Vec<String>,
}

/// Runs every recipe for this build's architecture; true when none differs. `wanted` is part of a recipe's text.
pub(crate) fn run(folder: &Path, wanted: &str) -> Result<bool, String> {
    let names: HashSet<Vec<u8>> = HashSet::from([HOST.as_bytes().to_vec()]);
    let host = Pretender { names: &names, base: bases()[0], has_libraries: false };
    let path = folder.join(format!("{}.catalogue", std::process::id()));
    let sources = [From::Lent, From::Read, From::File(&path)];
    let mut room = Room::new(64 << 20)?;
    let (mut rows, mut sums) = (BTreeMap::new(), Sums::default());
    for recipe in GROUPS.iter().copied().flatten().filter(|recipe| recipe.what.contains(wanted)) {
        let before = sums.cases;
        cook(recipe, &host, &sources, &mut room, &mut sums);
        *rows.entry(recipe.row).or_insert(0) += sums.cases - before;
    }
    // It may never have been made.
    let _ = std::fs::remove_file(&path);
    if wanted.is_empty() {
        print_rows(&rows);
    }
    println!(
        "catalogue for {}: {} rows, {} recipes, {} files, {} cases, {} differ; at most {} branches",
        target::native().name,
        rows.len(),
        sums.recipes,
        sums.files,
        sums.cases,
        sums.differing.len(),
        sums.most_work
    );
    sums.differing.iter().for_each(|line| println!("FAIL: {line}"));
    Ok(sums.differing.is_empty() && sums.cases > 0)
}

fn print_rows(rows: &BTreeMap<u8, usize>) {
    for row in 1..=ODD {
        let apart = APART.iter().find(|(number, _)| *number == row);
        let name = if row == ODD { "J".to_owned() } else { row.to_string() };
        match (rows.get(&row), apart) {
            (Some(0), _) => println!("row {name:>2}: nothing of it is possible for this architecture"),
            (Some(cases), _) => println!("row {name:>2}: {cases} cases"),
            (None, Some((_, why))) => println!("row {name:>2}: {why}"),
            (None, None) => unreachable!("a test counts the rows"),
        }
    }
}

/// Every file of a recipe, of every form, from every source.
fn cook(recipe: &Recipe, host: &Pretender<'_>, sources: &[From<'_>], room: &mut Room, sums: &mut Sums) {
    sums.recipes += 1;
    for form in recipe.forms {
        let good = Good { target: target::native(), form: *form };
        for (number, bytes) in good.files(&recipe.make).into_iter().enumerate() {
            sums.files += 1;
            let mut differing = BTreeMap::new();
            for from in sources {
                sums.cases += 1;
                let answer = room.run(&bytes, *from, host);
                let found = match answer {
                    Ok(answer) => {
                        sums.most_work = sums.most_work.max(answer.work);
                        match answer.said {
                            Ok(_) if recipe.expect == Expect::Loads => continue,
                            Err(error) if recipe.expect == Expect::Refused(error.name()) => continue,
                            Ok(_) => "loads".to_owned(),
                            Err(error) => format!("{}: {error}", error.name()),
                        }
                    }
                    Err(what) => what,
                };
                differing.entry(found).or_insert_with(Vec::new).push(from.name());
            }
            for (found, from) in differing {
                let Recipe { row, what, expect, .. } = recipe;
                let (form, from) = (form.name(), from.join(", "));
                sums.differing.push(format!(
                    "row {row}, {what}, {form}, file {number}, {from}: {expect:?}, found {found}"
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_recipes_or_says_why_not() {
        for row in 1..ODD {
            let has_recipes = GROUPS.iter().copied().flatten().any(|recipe| recipe.row == row);
            let is_apart = APART.iter().any(|(number, _)| *number == row);
            assert!(has_recipes != is_apart, "row {row}");
        }
    }

    #[test]
    fn every_expected_error_exists() {
        let all = || llext::Error::ALL.iter().chain(llext_link::Error::ALL);
        for recipe in GROUPS.iter().copied().flatten() {
            if let Expect::Refused(name) = recipe.expect {
                assert!(all().any(|row| row.name == name), "{name}");
            }
        }
    }
}
