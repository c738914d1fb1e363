//! What a linked firmware consists of.

use object::{Object, ObjectSection, ObjectSymbol, SectionFlags, SymbolKind};

use crate::error::{Result, bail};

/// What was read.
pub(super) struct Firmware {
    pub(super) sizes: Sizes,
    /// The largest first.
    pub(super) functions: Vec<Function>,
}

/// Bytes, by what they are for.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Sizes {
    /// Code.
    pub(super) text: u32,
    /// What is only read, vectors and export tables included.
    pub(super) rodata: u32,
    /// What is written, and has a value to begin with.
    pub(super) data: u32,
    /// What is written, and begins as zero or as anything.
    pub(super) bss: u32,
}

/// A function, or data with a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) size: u32,
}

impl Sizes {
    pub(super) fn flash(&self) -> u32 {
        self.text + self.rodata
    }
}

pub(super) fn read(bytes: &[u8]) -> Result<Firmware> {
    let file = object::File::parse(bytes)?;
    let mut sizes = Sizes::default();
    for section in file.sections().filter(|section| !section.name().is_ok_and(is_what_is_left)) {
        if let Some(kind) = kind(section.flags(), section.file_range().is_some()) {
            *kind(&mut sizes) += u32::try_from(section.size())?;
        }
    }
    let mut functions = Vec::new();
    for symbol in file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text) {
        let name = format!("{:#}", rustc_demangle::demangle(symbol.name()?));
        functions.push(Function { name, size: u32::try_from(symbol.size())? });
    }
    if functions.is_empty() {
        bail!("the firmware has no symbols");
    }
    functions.sort_by_key(|function| std::cmp::Reverse(function.size));
    Ok(Firmware { sizes, functions })
}

/// Sections by which linker scripts say who gets the RAM that nothing else wants.
fn is_what_is_left(name: &str) -> bool {
    matches!(name, ".stack" | ".heap")
}

/// Where a section is counted, if it is part of the running firmware.
fn kind(flags: SectionFlags, in_file: bool) -> Option<fn(&mut Sizes) -> &mut u32> {
    use object::elf::{SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE};
    let SectionFlags::Elf { sh_flags, .. } = flags else { return None };
    let has = |flag| sh_flags.contains(flag);
    match (has(SHF_ALLOC), has(SHF_EXECINSTR), has(SHF_WRITE), in_file) {
        (false, ..) => None,
        (_, true, ..) => Some(|sizes| &mut sizes.text),
        (_, _, false, _) => Some(|sizes| &mut sizes.rodata),
        (_, _, true, true) => Some(|sizes| &mut sizes.data),
        (_, _, true, false) => Some(|sizes| &mut sizes.bss),
    }
}
