//! Which cases there are: everything, or a selection that takes little time.

use super::case::{Case, How, Kind};
use super::source::{self, Source};
use super::target::{Compiler, Linker, Target, Variant, Without};
use super::tools;
use crate::error::Result;
use crate::setup::bare;

const LEVELS: [&str; 4] = ["O0", "O1", "O2", "Os"];

/// The cases of an architecture, and what is left out because a tool is missing.
pub(super) struct Plan {
    pub(super) cases: Vec<Case>,
    pub(super) left_out: Vec<String>,
}

/// Plans `target`.
pub(super) fn plan(target: &'static Target, quick: bool) -> Result<Plan> {
    let mut plan = Plan { cases: Vec::new(), left_out: Vec::new() };
    let extensions = source::extensions()?;
    for (index, variant) in target.variants.iter().enumerate() {
        let mut planner = Planner { target, variant, quick, first: index == 0, plan: &mut plan };
        for compiler in variant.compilers {
            if planner.has(compiler.program) {
                planner.compiler(compiler, &extensions);
            }
        }
        planner.rust(&extensions);
    }
    plan.left_out.sort();
    plan.left_out.dedup();
    Ok(plan)
}

struct Planner<'a> {
    target: &'static Target,
    variant: &'static Variant,
    quick: bool,
    /// Whether this is the architecture's first variant, of which a quick selection takes more.
    first: bool,
    plan: &'a mut Plan,
}

impl Planner<'_> {
    /// Whether a program is there; else that is noted.
    fn has(&mut self, program: &[&str]) -> bool {
        let found = tools::program(program[0]).is_some();
        if !found {
            self.plan.left_out.push(format!("{}: {} is missing", self.target.name, program[0]));
        }
        found
    }

    fn compiler(&mut self, compiler: &'static Compiler, extensions: &[Source]) {
        for (index, model) in self.variant.models.iter().enumerate() {
            if !model.compilers.contains(&compiler.name) {
                continue;
            }
            let how = How::C { compiler, model };
            self.generated(&how, index);
            if model.extensions && (self.first && index == 0 || !self.quick) {
                self.extensions(&how, extensions);
            }
            if model.shared {
                self.shared(&how, extensions);
            }
        }
        if let (Some(text), Some(model)) = (self.target.assembly, self.variant.models.first()) {
            let how = How::C { compiler, model };
            for first in [true, false] {
                self.add(how.clone(), "O2", Kind::Object, vec![Source::Assembly(text, first)]);
                if let Some(case) = self.plan.cases.last_mut() {
                    let is_first = |linker: &&Linker| std::ptr::eq(*linker, &self.target.linkers[0]);
                    case.linkers.retain(|linker| is_first(linker) == first);
                }
            }
        }
    }

    /// Big sources: every level, or one of them in turn.
    fn generated(&mut self, how: &How, turn: usize) {
        let functions = if self.quick { 60 } else { 300 };
        for (index, level) in LEVELS.into_iter().enumerate() {
            if self.quick && index != turn % LEVELS.len() {
                continue;
            }
            let source = |seed: usize| Source::Generated { seed: seed as u64, functions };
            let seed = 1 + turn * 10 + index;
            self.add(how.clone(), level, Kind::Object, vec![source(seed)]);
            let partially = if self.quick { turn == 0 } else { level == "O2" };
            for linker in self.linkers().into_iter().filter(|_| partially) {
                let sources = vec![source(seed + 100), source(seed + 200)];
                self.add(how.clone(), level, Kind::Partial(linker), sources);
            }
        }
    }

    fn extensions(&mut self, how: &How, extensions: &[Source]) {
        let levels = if self.quick { &LEVELS[2..3] } else { &LEVELS[..] };
        for source in extensions.iter().filter(|source| is_c(source) && source.is_for("o")) {
            for level in levels {
                self.add(how.clone(), level, Kind::Object, vec![source.clone()]);
            }
        }
    }

    fn shared(&mut self, how: &How, extensions: &[Source]) {
        for linker in self.variant.shared {
            if !self.has(linker) {
                continue;
            }
            let functions = if self.quick { 40 } else { 200 };
            let generated = Source::Generated { seed: 77, functions };
            self.add(how.clone(), "O2", Kind::Shared(linker), vec![generated]);
            let c = extensions.iter().filter(|source| is_c(source) && source.is_for("so"));
            let (step, most) = match (self.quick, self.first) {
                (false, _) => (1, usize::MAX),
                (true, true) => (8, usize::MAX),
                (true, false) => (1, 0),
            };
            for source in c.step_by(step).take(most) {
                self.add(how.clone(), "O2", Kind::Shared(linker), vec![source.clone()]);
            }
        }
    }

    fn rust(&mut self, extensions: &[Source]) {
        let Some(target) = self.variant.rust else { return };
        let levels = if self.quick { &LEVELS[2..3] } else { &LEVELS[..] };
        if !bare::has_own_library(target) {
            self.plan.left_out.push(format!("{}: there is no Rust for {target}", self.target.name));
            return;
        }
        for source in extensions.iter().filter(|source| matches!(source, Source::Rust(_))) {
            for model in ["static", "pic"] {
                for level in levels {
                    self.add(How::Rust { target, model }, level, Kind::Object, vec![source.clone()]);
                }
            }
        }
    }

    /// The linkers' programs.
    fn linkers(&mut self) -> Vec<&'static [&'static str]> {
        let all = self.target.linkers.iter().map(|linker| linker.program);
        all.filter(|program| tools::program(program[0]).is_some()).collect()
    }

    fn add(&mut self, how: How, level: &'static str, kind: Kind, sources: Vec<Source>) {
        let (target, variant) = (self.target, self.variant);
        let (compiler, model) = match &how {
            How::C { compiler, model } => (compiler.name, model.name),
            How::Rust { model, .. } => ("rustc", *model),
        };
        let is_without = |without: &Without| {
            without.compiler == compiler
                && (variant.name.starts_with(without.variant) || model == without.variant)
                && sources.iter().any(|source| source.name() == without.source)
        };
        if target.without.iter().any(is_without) {
            return;
        }
        let mut linkers = Vec::new();
        for linker in target.linkers {
            if self.has(linker.program) {
                linkers.push(linker);
            }
        }
        if linkers.is_empty() {
            return; // nobody to compare with, and that is noted
        }
        self.plan.cases.push(Case { target, variant, how, level, kind, sources, linkers });
    }
}

fn is_c(source: &Source) -> bool {
    matches!(source, Source::Extension { .. })
}
