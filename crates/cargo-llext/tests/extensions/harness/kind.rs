//! The kinds of file an extension is made into, and the selectors by which directives name them.

use std::fmt;

/// What the last step of a build leaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// What a compiler writes.
    Object,
    /// What `ld -r` writes.
    Partial(PartialLinker),
    /// What `-shared` writes, with these options for GNU ld and for LLD.
    Shared { gnu: &'static [&'static str], lld: &'static [&'static str] },
}

/// Who links partially.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum PartialLinker {
    /// GNU ld.
    Gnu,
    /// The `rust-lld` of the Rust toolchain, which also drops what nothing needs.
    RustLld,
}

/// One column of the matrix.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    /// Options for gcc and clang.
    pub(crate) c: &'static [&'static str],
    /// Options for rustc, or why it does not make this kind.
    pub(crate) rust: Result<&'static [&'static str], &'static str>,
    /// Whether assembly comes out differently from other kinds of the same form.
    pub(crate) assembly: bool,
    pub(crate) levels: &'static [Level],
}

/// How much the compiler optimises.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    O0,
    O2,
    Os,
}

/// The compilers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compiler {
    Gcc,
    Clang,
    Rustc,
}

const ALL_LEVELS: &[Level] = &[Level::O0, Level::O2, Level::Os];
const TWO_LEVELS: &[Level] = &[Level::O0, Level::O2];
const O2: &[Level] = &[Level::O2];
const SECTIONS: &[&str] = &["-ffunction-sections", "-fdata-sections"];

/// Every kind, in the order of the matrix's columns.
pub(crate) const KINDS: &[Kind] = &[
    object("o-default", &[], Ok(&[]), true, ALL_LEVELS),
    object("o-nopic", &["-fno-pic"], Ok(&["-Crelocation-model=static"]), false, TWO_LEVELS),
    object(
        "o-large",
        &["-fno-pic", "-mcmodel=large"],
        Ok(&["-Crelocation-model=static", "-Ccode-model=large"]),
        false,
        TWO_LEVELS,
    ),
    object(
        "o-large-pie",
        &["-mcmodel=large"],
        Ok(&["-Crelocation-model=pie", "-Ccode-model=large"]),
        false,
        TWO_LEVELS,
    ),
    object("o-large-pic", &["-fPIC", "-mcmodel=large"], Ok(&["-Ccode-model=large"]), false, TWO_LEVELS),
    object("o-sections", SECTIONS, Err("rustc always makes a section for each function"), false, O2),
    partial("r-ld", PartialLinker::Gnu, Err("GNU ld keeps references that rustc's libraries cannot fill")),
    partial("r-lld", PartialLinker::RustLld, Ok(&[])),
    shared("so-default", &[], &[], TWO_LEVELS),
    shared("so-now", &["-Wl,-z,now"], &["-Wl,-z,now"], O2),
    shared("so-norelro", &["-Wl,-z,norelro"], &["-Wl,-z,norelro"], O2),
    shared("so-relr", &["-Wl,-z,pack-relative-relocs"], &["-Wl,--pack-dyn-relocs=relr"], O2),
];

const fn object(
    name: &'static str,
    c: &'static [&'static str],
    rust: Result<&'static [&'static str], &'static str>,
    assembly: bool,
    levels: &'static [Level],
) -> Kind {
    Kind { name, form: Form::Object, c, rust, assembly, levels }
}

const fn partial(
    name: &'static str,
    linker: PartialLinker,
    rust: Result<&'static [&'static str], &'static str>,
) -> Kind {
    Kind { name, form: Form::Partial(linker), c: SECTIONS, rust, assembly: true, levels: O2 }
}

const fn shared(
    name: &'static str,
    gnu: &'static [&'static str],
    lld: &'static [&'static str],
    levels: &'static [Level],
) -> Kind {
    Kind { name, form: Form::Shared { gnu, lld }, c: &["-fPIC"], rust: Ok(&[]), assembly: true, levels }
}

impl Kind {
    /// The part of the name before the dash: `o`, `r` or `so`.
    pub(crate) fn family(&self) -> &'static str {
        self.name.split('-').next().unwrap_or(self.name)
    }

    /// What a file of this kind ends in.
    pub(crate) fn suffix(&self) -> &'static str {
        if matches!(self.form, Form::Shared { .. }) { "so" } else { "o" }
    }
}

impl Level {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::O0 => "O0",
            Self::O2 => "O2",
            Self::Os => "Os",
        }
    }
}

impl Compiler {
    pub(crate) const ALL: [Self; 3] = [Self::Gcc, Self::Clang, Self::Rustc];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gcc => "gcc",
            Self::Clang => "clang",
            Self::Rustc => "rustc",
        }
    }
}

/// Where extensions run: the words by which selectors mean it.
pub(crate) type Place = &'static [&'static str];

/// This machine's own processes.
pub(crate) const NATIVE: Place = &["native", "x86_64"];

/// The words of all places: this machine; what every other has in common; architectures and their families.
const PLACES: Place = &[
    "native", "pool", "arm", "v6-m", "v7-m", "v7e-m", "v8-m", "a32", "aarch64", "riscv", "riscv32",
    "riscv64", "x86", "x86_64",
];

/// One way to build an extension: a kind by a compiler at a level, for a place.
#[derive(Clone, Copy)]
pub(crate) struct Variant {
    pub(crate) kind: &'static Kind,
    pub(crate) compiler: Compiler,
    pub(crate) level: Level,
    pub(crate) place: Place,
}

impl Variant {
    /// Every combination, whether an extension has it or not.
    pub(crate) fn all(place: Place) -> impl Iterator<Item = Self> {
        KINDS.iter().flat_map(move |kind| {
            Compiler::ALL.into_iter().flat_map(move |compiler| {
                kind.levels.iter().map(move |&level| Self { kind, compiler, level, place })
            })
        })
    }

    fn answers_to(&self, word: &str) -> bool {
        [self.kind.name, self.kind.family(), self.compiler.name(), self.level.name()].contains(&word)
            || self.place.contains(&word)
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.kind.name, self.compiler.name(), self.level.name())
    }
}

/// Which variants a directive speaks of: any of these alternatives, each a conjunction of words.
#[derive(Clone, Default)]
pub(crate) struct Selector(Vec<Vec<String>>);

impl Selector {
    /// Reads `gcc+o !r-ld`: alternatives apart by spaces, what must hold together joined by `+`, `!` before what must not.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let alternatives: Vec<Vec<String>> =
            text.split_whitespace().map(|words| words.split('+').map(str::to_owned).collect()).collect();
        match alternatives.iter().flatten().find(|word| !is_known(word)) {
            Some(word) => Err(format!("no kind, compiler, level or place is called {word:?}")),
            None => Ok(Self(alternatives)),
        }
    }

    /// No alternatives at all select everything.
    pub(crate) fn selects(&self, variant: &Variant) -> bool {
        let holds = |word: &String| match word.strip_prefix('!') {
            Some(word) => !variant.answers_to(word),
            None => variant.answers_to(word),
        };
        self.0.is_empty() || self.0.iter().any(|words| words.iter().all(holds))
    }
}

fn is_known(word: &str) -> bool {
    let word = word.strip_prefix('!').unwrap_or(word);
    Variant::all(PLACES).any(|variant| variant.answers_to(word))
}
