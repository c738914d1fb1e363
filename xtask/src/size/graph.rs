//! Who refers to whom in a linked firmware: by the relocations that the linker leaves in it if told `--emit-relocs`, so
//! no instruction has to be understood.
//!
//! A call, a jump and an address taken are the same here: who takes a function's address is held to call it, and so is
//! who refers to data that holds it (a table of rows, a vtable). What is overlooked is a call through a pointer that
//! somebody else put into memory at run time.

use std::collections::{BTreeMap, VecDeque};

use object::elf::{R_ARM_ABS32, SHF_ALLOC};
use object::{
    Architecture, File, Object, ObjectSection, ObjectSymbol, Relocation, RelocationFlags, RelocationTarget,
    Section, SectionFlags, Symbol, SymbolKind,
};

use crate::error::{Error, Result, bail};

/// Functions and data by where they begin. What follows one without a symbol of its own belongs to it.
#[derive(Default)]
pub(super) struct Graph {
    nodes: BTreeMap<u64, Node>,
}

#[derive(Default)]
struct Node {
    /// All that it is called; nothing at the beginning of a section without symbols.
    names: Vec<String>,
    /// Where the nodes begin that it refers to.
    to: Vec<u64>,
}

impl Graph {
    pub(super) fn read(bytes: &[u8]) -> Result<Self> {
        let file = File::parse(bytes)?;
        let mut graph = Self::default();
        let sections: Vec<_> = file.sections().filter(is_loaded).collect();
        sections.iter().for_each(|section| graph.add(section.address(), None));
        for symbol in file.symbols().filter(|symbol| symbol.size() > 0) {
            graph.add(
                address(&file, &symbol),
                Some(format!("{:#}", rustc_demangle::demangle(symbol.name()?))),
            );
        }
        if sections.iter().all(|section| section.relocations().next().is_none()) {
            bail!("the firmware was linked without --emit-relocs");
        }
        for section in &sections {
            for (place, relocation) in section.relocations() {
                graph.refer(place, target(&file, section, place, &relocation)?);
            }
        }
        Ok(graph)
    }

    fn add(&mut self, start: u64, name: Option<String>) {
        self.nodes.entry(start).or_default().names.extend(name);
    }

    /// What lies at `place` refers to what lies at `target`.
    fn refer(&mut self, place: u64, target: u64) {
        let to = self.nodes.range(..=target).next_back().map(|(start, _)| *start);
        let from = self.nodes.range_mut(..=place).next_back().map(|(_, node)| node);
        if let (Some(from), Some(to)) = (from, to) {
            from.to.push(to);
        }
    }

    /// How `root` gets to what `is_goal`: by name, a way for each node that refers to such a one. Fails without a `root`.
    pub(super) fn ways(&self, root: &str, is_goal: fn(&str) -> bool) -> Result<Vec<String>> {
        let is =
            |start: u64, goal: &dyn Fn(&str) -> bool| self.nodes[&start].names.iter().any(|name| goal(name));
        let roots: Vec<_> =
            self.nodes.keys().copied().filter(|start| is(*start, &|name| name == root)).collect();
        if roots.is_empty() {
            bail!("the firmware has no {root}");
        }
        let mut came_from: BTreeMap<u64, Option<u64>> = roots.iter().map(|root| (*root, None)).collect();
        let (mut queue, mut ways) = (VecDeque::from(roots), Vec::new());
        while let Some(at) = queue.pop_front() {
            let targets = &self.nodes[&at].to;
            if let Some(goal) = targets.iter().find(|target| is(**target, &is_goal)) {
                ways.push(self.way(&came_from, at, *goal));
            }
            for target in targets.iter().filter(|target| !is(**target, &is_goal)) {
                if !came_from.contains_key(target) {
                    came_from.insert(*target, Some(at));
                    queue.push_back(*target);
                }
            }
        }
        Ok(ways)
    }

    fn way(&self, came_from: &BTreeMap<u64, Option<u64>>, last: u64, goal: u64) -> String {
        let back = std::iter::successors(Some(last), |at| came_from[at]);
        let mut nodes: Vec<u64> = std::iter::once(goal).chain(back).collect();
        nodes.reverse();
        let names: Vec<_> = nodes.iter().map(|start| self.nodes[start].names.join(" = ")).collect();
        names.join("\n  -> ")
    }
}

fn is_loaded(section: &Section<'_, '_>) -> bool {
    matches!(section.flags(), SectionFlags::Elf { sh_flags, .. } if sh_flags.contains(SHF_ALLOC))
}

/// Where a symbol lies: in Arm's files the lowest bit of a function's address says in which instruction set it is.
fn address(file: &File<'_>, symbol: &Symbol<'_, '_>) -> u64 {
    let is_arm = file.architecture() == Architecture::Arm;
    symbol.address() & if is_arm && symbol.kind() == SymbolKind::Text { !1 } else { !0 }
}

/// The address that a relocation speaks of.
fn target(file: &File<'_>, section: &Section<'_, '_>, place: u64, relocation: &Relocation) -> Result<u64> {
    let RelocationTarget::Symbol(index) = relocation.target() else { bail!("a relocation without a symbol") };
    let symbol = file.symbol_by_index(index)?;
    if !relocation.has_implicit_addend() || symbol.kind() != SymbolKind::Section {
        return Ok(address(file, &symbol).wrapping_add_signed(relocation.addend()));
    }
    // By now the place holds the sum of both.
    let RelocationFlags::Elf { r_type: R_ARM_ABS32 } = relocation.flags() else {
        bail!("at {place:#x}: {:?} against a section cannot be followed", relocation.flags())
    };
    let word = section.data_range(place, 4)?.and_then(|bytes| bytes.first_chunk());
    let word = word.ok_or_else(|| Error::new(format!("{place:#x}: no bytes")))?;
    Ok(u32::from_le_bytes(*word).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `load` takes the address of a table, which holds the address of `row`, which calls `panic`; `main` calls that too.
    fn sample() -> Graph {
        let mut graph = Graph::default();
        let names = ["load", "table", "row", "panic", "main"];
        for (start, name) in (0..).step_by(16).zip(names) {
            graph.add(start, Some(name.to_owned()));
        }
        for (place, target) in [(4, 16), (24, 32), (40, 52), (72, 48), (36, 32)] {
            graph.refer(place, target);
        }
        graph
    }

    #[test]
    fn a_way_through_data_is_found() {
        let ways = sample().ways("load", |name| name == "panic").unwrap();
        assert_eq!(ways, ["load\n  -> table\n  -> row\n  -> panic"]);
    }

    #[test]
    fn what_only_others_reach_is_not() {
        assert!(sample().ways("panic", |name| name == "row").unwrap().is_empty());
        assert_eq!(sample().ways("row", |name| name == "panic").unwrap().len(), 1);
        assert_eq!(sample().ways("load", |name| name == "main").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_root_that_is_not_there_is_an_error() {
        assert!(sample().ways("start", |_| false).is_err());
    }
}
