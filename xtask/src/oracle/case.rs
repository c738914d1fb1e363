//! One comparison: a file made in one way, and who links it besides us.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use super::compare::{self, Difference, Theirs};
use super::copy;
use super::externals::Externals;
use super::follow::{Leads, Site};
use super::ours::{self, Ours};
use super::source::Source;
use super::target::{Compiler, Linker, Model, Target, Variant};
use super::view::View;
use super::{build, shared, theirs};
use crate::error::{Error, Result};

/// What the last step of the build leaves.
#[derive(Clone)]
pub(super) enum Kind {
    Object,
    Partial(&'static [&'static str]),
    Shared(&'static [&'static str]),
}

/// Who compiles.
#[derive(Clone)]
pub(super) enum How {
    C { compiler: &'static Compiler, model: &'static Model },
    Rust { target: &'static str, model: &'static str },
}

/// A file and its comparisons.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) target: &'static Target,
    pub(super) variant: &'static Variant,
    pub(super) how: How,
    pub(super) level: &'static str,
    pub(super) kind: Kind,
    pub(super) sources: Vec<Source>,
    pub(super) linkers: Vec<&'static Linker>,
}

/// What came of a case.
#[derive(Default)]
pub(super) struct Outcome {
    /// How often each type was applied.
    pub(super) types: BTreeMap<u32, usize>,
    pub(super) differences: Vec<Difference>,
}

impl Case {
    /// Builds and links the file in `folder` and compares. An error is a failure of a tool, or of llext-link.
    pub(super) fn run(&self, folder: &Path) -> Result<Outcome> {
        fs::create_dir_all(folder)?;
        let file = build::build(self, folder)?;
        let bytes = fs::read(file)?;
        if let Kind::Shared(_) = self.kind {
            return shared::compare(self, &bytes);
        }
        let view = View::parse(&bytes)?;
        let mut outcome = Outcome::default();
        for relocation in &view.relocations {
            *outcome.types.entry(relocation.r_type).or_insert(0) += 1;
        }
        for linker in &self.linkers {
            outcome.differences.extend(self.link(linker, &view, &bytes, folder)?);
        }
        Ok(outcome)
    }

    fn link(&self, linker: &Linker, view: &View, bytes: &[u8], folder: &Path) -> Result<Vec<Difference>> {
        let externals = Externals::choose(view, self.target, self.variant, linker.makes_stubs);
        let ours = ours::link(bytes, self.target.wide, self.variant.arch, &externals)
            .map_err(|error| Error::new(format!("llext-link refuses: {error}")))?;
        let mut fixed = Vec::new();
        for symbol in view.symbols.iter().filter(|symbol| symbol.place.is_none() && symbol.index > 0) {
            let value = ours.values.get(symbol.index).copied().unwrap_or_default();
            let is_ours = symbol.undefined && symbol.name == "_GLOBAL_OFFSET_TABLE_";
            let is_nowhere = symbol.undefined && value == 0;
            if !is_ours && !is_nowhere {
                fixed.push((symbol.index, value));
            }
        }
        if !linker.makes_stubs {
            self.use_our_stubs(view, &ours, &externals, &mut fixed);
        }
        let functions = compare::branched_to(self.target.rules, view);
        let copy = copy::make(view, bytes, &fixed, &functions);
        let copy = copy.ok_or_else(|| Error::new("the file could not be copied"))?;
        let theirs = theirs::link(linker, &copy, view, &ours, folder)?;
        let theirs = Theirs { linker: linker.program[0], image: &theirs, told: &fixed };
        Ok(compare::compare(self.target.rules, view, &ours, theirs))
    }

    /// Tells the other linker that far functions lie where our stubs for them do.
    fn use_our_stubs(&self, view: &View, ours: &Ours, externals: &Externals, fixed: &mut [(usize, u64)]) {
        for (symbol, value) in fixed.iter_mut().filter(|(symbol, _)| externals.far.contains(symbol)) {
            let mut sites = compare::sites(view, ours, &ours.image);
            let branch = |site: &Site<'_>| {
                let is_branch = self.target.rules.branches.contains(&site.relocation.r_type);
                is_branch && site.relocation.symbol == *symbol
            };
            let found = sites.find(branch).and_then(|site| (self.target.rules.branch)(&site));
            if let Some(Leads::To(stub)) = found.map(|branch| branch.to) {
                *value = stub;
            }
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Object => "o".to_owned(),
            Kind::Partial(linker) => format!("r-{}", linker[0]),
            Kind::Shared(linker) => format!("so-{}", linker[0]),
        };
        let (who, model) = match &self.how {
            How::C { compiler, model } => (compiler.name, model.name),
            How::Rust { model, .. } => ("rustc", *model),
        };
        let name = self.sources.first().map(Source::name).unwrap_or_default();
        let variant = self.variant.name;
        write!(f, "{name}-{kind}-{variant}-{who}-{model}-{}", self.level)
    }
}
