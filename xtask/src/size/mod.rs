//! `cargo xtask size`: how much flash, RAM and stack the loader costs the smallest firmware of each target. What it adds
//! is the difference between two: one that loads, and one that has the same files in it and loads nothing.

mod budget;
mod firmware;
mod graph;
mod panics;
mod report;

use std::fs;
use std::time::Duration;

use crate::board::{BOARDS, Board, DEMO};
use crate::error::{Result, bail};
use crate::process;
use firmware::{Function, Sizes};

const EMPTY: &[&str] = &[];
const LOADER: &[&str] = &["--features=loader,common/shared"];
const OBJECTS: &[&str] = &["--features=loader"];

/// It loads two small files.
const LIMIT: Duration = Duration::from_secs(60);

/// What was found out about one target.
pub(crate) struct Findings {
    /// The part of the target's name that says which processor it is.
    target: &'static str,
    empty: Sizes,
    full: Sizes,
    /// Without shared objects, if that was asked for.
    objects: Option<Sizes>,
    /// The bytes of stack that loading, calling and unloading take.
    stack: u32,
    /// The functions that loading adds, largest first.
    functions: Vec<Function>,
    /// How loading gets to a panic, a way each.
    panics: Vec<String>,
}

pub(crate) fn names() -> Vec<&'static str> {
    BOARDS.iter().map(processor).collect()
}

/// Prints what these targets cost, or every one that can be built and run here.
pub(crate) fn size(only: &[String], as_json: bool) -> Result<()> {
    let mut findings = Vec::new();
    let asked = |board: &&Board| only.is_empty() || only.iter().any(|name| name == processor(board));
    for board in BOARDS.iter().filter(asked) {
        match board.missing() {
            Some(missing) => eprintln!("left out: {}: {missing}", processor(board)),
            None => {
                let mut found = measure(board)?;
                found.objects = Some(firmware::read(&fs::read(board.build_firmware(OBJECTS)?)?)?.sizes);
                findings.push(found);
            }
        }
    }
    println!("{}", if as_json { report::json(&findings) } else { report::table(&findings) });
    Ok(())
}

/// Fails if the loader has grown beyond the budget of this board's target, or formats, or can panic.
pub(crate) fn check(board: &Board) -> Result<()> {
    let findings = measure(board)?;
    println!("{}", report::table(std::slice::from_ref(&findings)));
    findings.check_formatting()?;
    panics::check(&findings.panics)?;
    panics::check_demo(&fs::read(board.build_firmware(DEMO)?)?)?;
    budget::check(&budget::read()?, &findings)
}

fn measure(board: &Board) -> Result<Findings> {
    board.build_extensions()?;
    let empty = firmware::read(&fs::read(board.build_firmware(EMPTY)?)?)?;
    let file = board.build_firmware(LOADER)?;
    let bytes = fs::read(&file)?;
    let (full, panics) = (firmware::read(&bytes)?, panics::of_loader(&bytes)?);
    let printed = process::output_within(&mut board.emulator(&file), LIMIT)?;
    let Ok(stack) = printed.trim().parse() else { bail!("{}: it printed {printed:?}", board.target) };
    let functions = full.functions.into_iter().filter(|function| !empty.functions.contains(function));
    let functions = functions.collect();
    Ok(Findings {
        target: processor(board),
        empty: empty.sizes,
        full: full.sizes,
        objects: None,
        stack,
        functions,
        panics,
    })
}

impl Findings {
    /// What loading adds to flash: code and constants.
    fn loader_text(&self) -> u32 {
        self.full.flash().saturating_sub(self.empty.flash())
    }

    /// What loading adds where shared objects are left out.
    fn loader_text_of_objects(&self) -> Option<u32> {
        self.objects.map(|objects| objects.flash().saturating_sub(self.empty.flash()))
    }

    fn check_formatting(&self) -> Result<()> {
        match self.functions.iter().find(|function| function.name.contains("core::fmt")) {
            Some(function) => bail!("{}: the loader formats, by {}", self.target, function.name),
            None => Ok(()),
        }
    }
}

fn processor(board: &Board) -> &'static str {
    board.target.split('-').next().unwrap_or(board.target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str) -> Findings {
        let function = Function { name: name.to_owned(), size: 8 };
        let full = Sizes { text: 100, rodata: 20, ..Sizes::default() };
        let empty = Sizes { text: 30, rodata: 10, ..Sizes::default() };
        Findings {
            target: "thumbv7m",
            empty,
            full,
            objects: None,
            stack: 1,
            functions: vec![function],
            panics: Vec::new(),
        }
    }

    #[test]
    fn the_loader_is_the_difference() {
        assert_eq!(with("f").loader_text(), 80);
    }

    #[test]
    fn formatting_is_found() {
        assert!(with("llext_link::relocate").check_formatting().is_ok());
        assert!(with("<u32 as core::fmt::Display>::fmt").check_formatting().is_err());
    }
}
