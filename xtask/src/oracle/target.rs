//! What a row of the oracle is made of; the rows are in [`super::rows`].

use llext_link::arch::Arch;

use super::follow::Rules;

/// An architecture.
pub(super) struct Target {
    pub(super) name: &'static str,
    pub(super) wide: bool,
    pub(super) places: Places,
    pub(super) rules: &'static Rules,
    /// Assembly by hand, what no compiler writes: once with `FIRST` for the first linker, once for the others.
    pub(super) assembly: Option<&'static str>,
    pub(super) linkers: &'static [Linker],
    /// What is not made, for a compiler or a core that lacks something.
    pub(super) without: &'static [Without],
    /// The first one's table has every row.
    pub(super) variants: &'static [Variant],
}

/// Where things lie.
pub(super) struct Places {
    /// A file that has addresses in 32 bits.
    pub(super) low: u64,
    /// Any other file.
    pub(super) high: u64,
    /// What no branch reaches from either.
    pub(super) far: u64,
}

/// A source that a compiler cannot make for a variant, or with a model.
pub(super) struct Without {
    /// The compiler's name in this project.
    pub(super) compiler: &'static str,
    /// What the variant's name begins with, or the model's whole name.
    pub(super) variant: &'static str,
    pub(super) source: &'static str,
}

/// What bit 0 of a function's address says.
pub(super) enum Modes {
    /// Nothing.
    One,
    /// Both instruction sets call one another; the file's own has this bit.
    Both(u64),
    /// All is Thumb code.
    Thumb,
}

/// Who links besides us.
pub(super) struct Linker {
    /// The program and its first arguments.
    pub(super) program: &'static [&'static str],
    pub(super) options: &'static [&'static str],
    /// The section at whose start it defines `_GLOBAL_OFFSET_TABLE_`.
    pub(super) got: &'static str,
    /// Whether it makes stubs for far calls.
    pub(super) makes_stubs: bool,
}

/// One instruction set or ABI of an architecture.
pub(super) struct Variant {
    pub(super) name: &'static str,
    pub(super) arch: &'static Arch,
    pub(super) modes: Modes,
    pub(super) compilers: &'static [Compiler],
    pub(super) models: &'static [Model],
    /// Links shared objects: by GNU ld, by LLD.
    pub(super) shared: &'static [&'static [&'static str]],
    /// What Rust calls it.
    pub(super) rust: Option<&'static str>,
}

/// A C compiler: its name in this project, the program and its first arguments.
pub(super) struct Compiler {
    pub(super) name: &'static str,
    pub(super) program: &'static [&'static str],
}

/// A way to reach code and data.
pub(super) struct Model {
    pub(super) name: &'static str,
    pub(super) flags: &'static [&'static str],
    /// The compilers that know it.
    pub(super) compilers: &'static [&'static str],
    /// Whether shared objects are made of it.
    pub(super) shared: bool,
    /// Whether the sources in extensions/ are made of it, too.
    pub(super) extensions: bool,
}

impl Target {
    /// The whole table.
    pub(super) fn arch(&self) -> &'static Arch {
        self.variants[0].arch
    }
}

impl Variant {
    /// Bit 0 of the address of the function with this hash. Where a linker must not make stubs, none may be needed to
    /// change instruction sets.
    pub(super) fn code_bit(&self, hash: u64, makes_stubs: bool) -> u64 {
        match self.modes {
            Modes::One => 0,
            Modes::Both(_) if makes_stubs => hash >> 40 & 1,
            Modes::Both(own) => own,
            Modes::Thumb => 1,
        }
    }
}

impl Without {
    pub(super) const fn new(compiler: &'static str, variant: &'static str, source: &'static str) -> Self {
        Self { compiler, variant, source }
    }
}

impl Compiler {
    pub(super) const fn gcc(program: &'static [&'static str]) -> Self {
        Self { name: "gcc", program }
    }

    pub(super) const fn clang(program: &'static [&'static str]) -> Self {
        Self { name: "clang", program }
    }
}

impl Model {
    /// Known to both compilers.
    pub(super) const fn both(name: &'static str, flags: &'static [&'static str]) -> Self {
        Self { name, flags, compilers: &["gcc", "clang"], shared: false, extensions: true }
    }

    /// Known to gcc only.
    pub(super) const fn gcc(name: &'static str, flags: &'static [&'static str]) -> Self {
        Self { name, flags, compilers: &["gcc"], shared: false, extensions: true }
    }

    /// Known to clang only.
    pub(super) const fn clang(name: &'static str, flags: &'static [&'static str]) -> Self {
        Self { name, flags, compilers: &["clang"], shared: false, extensions: true }
    }

    /// Known to both compilers; shared objects are made of it.
    pub(super) const fn shared(name: &'static str, flags: &'static [&'static str]) -> Self {
        Self { shared: true, ..Self::both(name, flags) }
    }

    /// Known to both compilers; only generated sources are made of it.
    pub(super) const fn generated(name: &'static str, flags: &'static [&'static str]) -> Self {
        Self { extensions: false, ..Self::both(name, flags) }
    }

    /// Position-independent code.
    pub(super) const PIC: Self = Self::shared("pic", &["-fPIC"]);

    /// A section for each function and variable.
    pub(super) const SECTIONS: Self = Self::both("sections", &["-ffunction-sections", "-fdata-sections"]);
}
