//! `cargo xtask matrix [ARCH...]`: the sources in extensions/, built for every architecture in every kind, loaded and
//! called on bare metal in QEMU, judged by their directives.

mod build;
mod fit;
pub(crate) mod harness;
mod report;
mod rows;
mod run;
mod script;
mod story;
mod tools;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::board::{self, Board};
use crate::error::{Error, Result};
use crate::project;
use build::{Built, Job};
use harness::extension::{self, Extension, Language};
use harness::kind::{Compiler, Level, Variant};
use harness::parallel;
use report::{Cell, FAMILIES, Report};
pub(crate) use rows::names;
use rows::{ROWS, Row};
use run::Machine;
use script::{Case, FROM, Verdict};
use story::STORIES;
use tools::Tools;

/// What is wanted.
#[derive(Default)]
pub(crate) struct Options {
    /// The architectures by name; none means all.
    pub(crate) architectures: Vec<String>,
    /// One level of optimisation, and fewer kinds.
    pub(crate) quick: bool,
    pub(crate) json: bool,
    /// Only extensions with this in their name.
    pub(crate) only: Option<String>,
}

impl Options {
    /// What the tests take: not x86-64, for which a test of the tool loads all extensions, in more kinds.
    pub(crate) fn quick() -> Self {
        let others = ROWS.iter().map(|row| row.name.to_owned()).filter(|name| name != "x86_64");
        Self { architectures: others.collect(), quick: true, ..Self::default() }
    }
}

/// What a run came to.
pub(crate) struct Summary {
    /// How many loads did as they should.
    pub(crate) passed: usize,
    /// The others, an item each.
    pub(crate) failures: Vec<String>,
    /// What a missing tool kept from running, a line each.
    pub(crate) left_out: Vec<String>,
}

/// Runs everything and prints the matrix.
pub(crate) fn run(options: &Options) -> Result<Summary> {
    let mut extensions = extension::discover().map_err(Error::new)?;
    extensions.retain(|extension| options.only.as_ref().is_none_or(|only| extension.name.contains(only)));
    let wanted = |row: &&Row| {
        options.architectures.is_empty() || options.architectures.iter().any(|name| name == row.name)
    };
    let mut report = Report { rows: ROWS.iter().filter(wanted).collect(), cells: BTreeMap::new() };
    // Several at once: cargo builds one firmware after the other, and the emulator and the compilers work meanwhile.
    let rows = parallel::map(&report.rows, |row| {
        Architecture { row, extensions: &extensions, quick: options.quick }.run()
    });
    for cells in rows {
        let cells = cells?;
        let names = extensions.iter().map(|extension| (&extension.name[..], &extension.name[..]));
        let names = names.chain(STORIES.iter().map(|story| (story.name, story.extension)));
        for ((name, of), cells) in names.zip(cells) {
            if extensions.iter().any(|extension| extension.name == of) {
                report.cells.entry(name.to_owned()).or_default().push(cells);
            }
        }
    }
    if options.json {
        println!("{}", report.json());
    } else {
        print!("{}", report.text());
    }
    Ok(Summary { passed: report.passed(), failures: report.failures(), left_out: report.left_out() })
}

/// The kinds that a quick run leaves out, as it does clang's, and those that no other place than this machine has.
const ONLY_LONG: [&str; 1] = ["o-nopic"];
const ONLY_NATIVE: [&str; 6] = ["o-large", "o-large-pie", "o-large-pic", "so-now", "so-norelro", "so-relr"];

/// One row of data at work.
struct Architecture<'a> {
    row: &'static Row,
    extensions: &'a [Extension],
    quick: bool,
}

/// A variant that is to be made, and where its outcome belongs.
#[derive(Clone, Copy)]
struct Wanted {
    /// The number of the extension, or behind them that of a story.
    line: usize,
    family: usize,
    variant: Variant,
}

impl Architecture<'_> {
    /// The cells of each extension, then of each story.
    fn run(&self) -> Result<Vec<[Cell; 3]>> {
        let mut cells = vec![<[Cell; 3]>::default(); self.extensions.len() + STORIES.len()];
        if let Some(missing) = self.board()?.missing() {
            cells.iter_mut().flatten().for_each(|cell| cell.lacks.push(missing.clone()));
            return Ok(cells);
        }
        let (tools, folder) = (Tools::of(self.row), self.folder()?);
        let wanted = self.plan(&tools, &mut cells);
        let make = |wanted: &Wanted| {
            let (extension, variant) = (&self.extensions[wanted.line], &wanted.variant);
            Job { row: self.row, tools: &tools, extension, variant, folder: &folder }.run()
        };
        let made = parallel::map(&wanted, make);
        let mut cases = Vec::new();
        for (wanted, built) in wanted.iter().zip(made) {
            let cell = &mut cells[wanted.line][wanted.family];
            match built {
                Ok(built) => self.add_cases(wanted, &built, cell, &mut cases)?,
                Err(error) => cell.failures.push((wanted.variant.to_string(), error.to_string())),
            }
        }
        for (wanted, case, verdict) in self.execute(cases)? {
            let cell = &mut cells[wanted.line][wanted.family];
            match verdict {
                Ok(()) => cell.passed += 1,
                Err(what) => cell.failures.push((case.name, what)),
            }
        }
        self.explain_stories(&mut cells);
        Ok(cells)
    }

    /// A story that was not told has its extension's reasons.
    fn explain_stories(&self, cells: &mut [[Cell; 3]]) {
        for (line, story) in (self.extensions.len()..).zip(STORIES) {
            let Some(own) = self.extensions.iter().position(|extension| extension.name == story.extension)
            else {
                continue;
            };
            let own = cells[own].clone();
            for (cell, own) in cells[line].iter_mut().zip(own) {
                cell.reasons.extend(own.reasons);
                cell.lacks.extend(own.lacks);
            }
        }
    }

    fn board(&self) -> Result<&'static Board> {
        board::of_target(self.row.target)
    }

    fn folder(&self) -> Result<PathBuf> {
        let folder = project::target().join("matrix").join(self.row.name);
        fs::create_dir_all(&folder)?;
        Ok(folder.canonicalize()?)
    }

    /// What can be made, and the reasons why not more.
    fn plan(&self, tools: &Tools, cells: &mut [[Cell; 3]]) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        for (index, extension) in self.extensions.iter().enumerate() {
            for variant in Variant::all(self.row.place).filter(|variant| self.takes(extension, variant)) {
                let family = FAMILIES.iter().position(|family| *family == variant.kind.family());
                let family = family.expect("every kind belongs to a family");
                let cell = &mut cells[index][family];
                if let Some(reason) = why_not(extension, &variant) {
                    cell.reasons.push(reason);
                } else if let Some(lack) =
                    tools.lacks(self.row, &variant, extension.language == Language::Cpp)
                {
                    cell.lacks.push(lack);
                } else {
                    wanted.push(Wanted { line: index, family, variant });
                }
            }
        }
        wanted
    }

    fn takes(&self, extension: &Extension, variant: &Variant) -> bool {
        let is_long = ONLY_LONG.contains(&variant.kind.name)
            || variant.level != Level::O2
            || variant.compiler == Compiler::Clang;
        extension.speaks_to(variant) && !ONLY_NATIVE.contains(&variant.kind.name) && !(self.quick && is_long)
    }

    fn add_cases(
        &self,
        wanted: &Wanted,
        built: &Built,
        cell: &mut Cell,
        cases: &mut Vec<(Wanted, Case)>,
    ) -> Result<()> {
        let mut needed = 0;
        for file in built.needs.iter().map(|(_, file)| file).chain([&built.file]) {
            needed += fit::needed(&fs::read(file)?);
        }
        if needed > self.row.memory {
            cell.reasons.push(format!("it needs more memory than {} bytes", self.row.memory));
            return Ok(());
        }
        let extension = &self.extensions[wanted.line];
        let lends = self.row.lends && fs::metadata(&built.file)?.len() <= self.row.memory;
        for from in FROM.into_iter().filter(|from| lends || *from == "file") {
            cases.push((*wanted, Case::new(extension, &wanted.variant, built, from)));
        }
        for (line, story) in (self.extensions.len()..).zip(STORIES) {
            let told = |(other, _): &(Wanted, Case)| other.line == line && other.family == wanted.family;
            if story.extension == extension.name && !cases.iter().any(told) {
                let from = if lends { FROM[0] } else { "file" };
                let name = format!("{} from {from}", wanted.variant);
                cases.push((Wanted { line, ..*wanted }, story.case(name, built, from)));
            }
        }
        Ok(())
    }

    /// In two runs: objects go to two pools, shared objects to one.
    fn execute(&self, cases: Vec<(Wanted, Case)>) -> Result<Vec<(Wanted, Case, Verdict)>> {
        let board = self.board()?;
        let firmware = board.build_firmware(&["--features=suite"])?;
        let command = || board.emulator(&firmware);
        let folder = self.folder()?;
        let (shared, objects): (Vec<_>, Vec<_>) =
            cases.into_iter().partition(|(wanted, _)| FAMILIES[wanted.family] == "so");
        let pools = [("split", objects), ("unified", shared)];
        let verdicts = parallel::map(&pools, |(pool, cases)| {
            let cases: Vec<&Case> = cases.iter().map(|(_, case)| case).collect();
            Machine { command: &command, pool, folder: folder.join(pool) }.run(&cases)
        });
        let mut done = Vec::new();
        for ((_, cases), verdicts) in pools.into_iter().zip(verdicts) {
            done.extend(
                cases.into_iter().zip(verdicts?).map(|((wanted, case), verdict)| (wanted, case, verdict)),
            );
        }
        Ok(done)
    }
}

/// Why a variant is not for this place.
fn why_not(extension: &Extension, variant: &Variant) -> Option<String> {
    if let Some(reason) = extension.why_not(variant) {
        return Some(reason.to_owned());
    }
    let wants_libc = extension.directives.says_of_libc(variant) == Some(true);
    wants_libc.then(|| "it calls the C library, which boards lack".to_owned())
}
