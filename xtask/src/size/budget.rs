//! How large the loader may be: `boards/budgets.txt`, a line a target.

use std::fs;

use super::Findings;
use crate::error::{Result, bail};
use crate::project;

const FILE: &str = "boards/budgets.txt";

/// A line: target, bytes of code and constants, bytes of stack.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Budget {
    target: String,
    loader_text: u32,
    stack: u32,
}

pub(super) fn read() -> Result<Vec<Budget>> {
    parse(&fs::read_to_string(project::root().join(FILE))?)
}

fn parse(text: &str) -> Result<Vec<Budget>> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(line).collect()
}

fn line(line: &str) -> Result<Budget> {
    let words: Vec<_> = line.split_whitespace().collect();
    let [target, loader_text, stack] = words[..] else { bail!("{FILE}: not a budget: {line:?}") };
    Ok(Budget { target: target.to_owned(), loader_text: loader_text.parse()?, stack: stack.parse()? })
}

/// Fails if something costs more than it may, or nothing says how much it may cost.
pub(super) fn check(budgets: &[Budget], found: &Findings) -> Result<()> {
    let Some(budget) = budgets.iter().find(|budget| budget.target == found.target) else {
        bail!("{FILE} has no budget for {}", found.target)
    };
    let (text, stack) = (found.loader_text(), found.stack);
    if text > budget.loader_text {
        bail!("{}: the loader has {text} bytes, its budget is {}", found.target, budget.loader_text);
    }
    if stack > budget.stack {
        bail!("{}: the loader takes {stack} bytes of stack, its budget is {}", found.target, budget.stack);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::firmware::Sizes;
    use super::*;
    use crate::board::BOARDS;

    fn found(text: u32, stack: u32) -> Findings {
        let full = Sizes { text, ..Sizes::default() };
        Findings {
            target: "thumbv7m",
            empty: Sizes::default(),
            full,
            stack,
            objects: None,
            functions: Vec::new(),
            panics: Vec::new(),
        }
    }

    #[test]
    fn what_costs_more_is_found() {
        let budgets = parse("# target text stack\n\nthumbv7m 8192 2048\n").unwrap();
        assert!(check(&budgets, &found(8192, 2048)).is_ok());
        assert!(check(&budgets, &found(8193, 2048)).is_err());
        assert!(check(&budgets, &found(8192, 2049)).is_err());
        assert!(check(&[], &found(1, 1)).is_err());
        assert!(parse("thumbv7m 8192").is_err());
    }

    #[test]
    fn every_target_has_a_budget() {
        let budgets = read().unwrap();
        for board in BOARDS {
            let name = super::super::processor(board);
            assert!(budgets.iter().any(|budget| budget.target == name), "{name}");
        }
    }
}
