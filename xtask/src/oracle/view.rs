//! A relocatable file as the oracle sees it: read by the `object` crate, and so by no line of llext-link.

use object::{Object, ObjectSection, ObjectSymbol, RelocationFlags, RelocationTarget, SectionFlags, elf};

use crate::error::{Result, bail};

/// A section that a load gives memory.
pub(super) struct Section {
    pub(super) index: usize,
    pub(super) name: String,
    pub(super) code: bool,
    pub(super) bytes: Vec<u8>,
}

/// A symbol, as far as placing it needs.
pub(super) struct Symbol {
    pub(super) index: usize,
    pub(super) name: String,
    pub(super) undefined: bool,
    pub(super) weak: bool,
    /// The section it lies in, and where.
    pub(super) place: Option<(usize, u64)>,
}

/// A relocation of a loaded section.
#[derive(Clone, Copy)]
pub(super) struct Relocation {
    pub(super) section: usize,
    pub(super) offset: u64,
    pub(super) r_type: u32,
    pub(super) symbol: usize,
    /// `None` when it is in the field.
    pub(super) addend: Option<i64>,
}

/// The file.
pub(super) struct View {
    pub(super) machine: u16,
    pub(super) wide: bool,
    pub(super) sections: Vec<Section>,
    /// By index.
    pub(super) symbols: Vec<Symbol>,
    /// By section, then in the file's order.
    pub(super) relocations: Vec<Relocation>,
}

impl View {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        let file = object::File::parse(bytes)?;
        let machine = match &file {
            object::File::Elf32(file) => file.elf_header().e_machine.get(file.endian()),
            object::File::Elf64(file) => file.elf_header().e_machine.get(file.endian()),
            _ => bail!("not an ELF file"),
        };
        let mut view = Self {
            machine: machine.0,
            wide: file.is_64(),
            sections: Vec::new(),
            symbols: vec![Symbol::null()],
            relocations: Vec::new(),
        };
        for symbol in file.symbols() {
            view.add_symbol(&symbol)?;
        }
        for section in file.sections().filter(|section| flags(section).contains(elf::SHF_ALLOC)) {
            view.add_section(&section)?;
        }
        Ok(view)
    }

    fn add_symbol<'d>(&mut self, symbol: &impl ObjectSymbol<'d>) -> Result<()> {
        let index = symbol.index().0;
        if index != self.symbols.len() {
            bail!("symbol {index} is out of order");
        }
        self.symbols.push(Symbol {
            index,
            name: String::from_utf8_lossy(symbol.name_bytes().unwrap_or_default()).into_owned(),
            undefined: symbol.is_undefined(),
            weak: symbol.is_weak(),
            place: symbol.section_index().map(|section| (section.0, symbol.address())),
        });
        Ok(())
    }

    fn add_section<'d>(&mut self, section: &impl ObjectSection<'d>) -> Result<()> {
        let index = section.index().0;
        self.sections.push(Section {
            index,
            name: section.name()?.to_owned(),
            code: flags(section).contains(elf::SHF_EXECINSTR),
            bytes: section.data()?.to_vec(),
        });
        for (offset, relocation) in section.relocations() {
            let RelocationFlags::Elf { r_type, .. } = relocation.flags() else { bail!("no ELF relocation") };
            let symbol = match relocation.target() {
                RelocationTarget::Symbol(symbol) => symbol.0,
                _ => 0,
            };
            let addend = (!relocation.has_implicit_addend()).then(|| relocation.addend());
            self.relocations.push(Relocation { section: index, offset, r_type: r_type.0, symbol, addend });
        }
        Ok(())
    }

    /// The loaded section of this index.
    pub(super) fn section(&self, index: usize) -> Option<&Section> {
        self.sections.iter().find(|section| section.index == index)
    }

    /// The name of a relocation type.
    pub(super) fn type_name(&self, r_type: u32) -> String {
        let names = elf::machine_names(elf::Machine(self.machine));
        let name = names.r.name(elf::RelocationType(r_type));
        name.map_or_else(|| format!("type {r_type}"), str::to_owned)
    }
}

impl Symbol {
    fn null() -> Self {
        Self { index: 0, name: String::new(), undefined: false, weak: false, place: None }
    }
}

fn flags<'d>(section: &impl ObjectSection<'d>) -> elf::SectionFlags {
    match section.flags() {
        SectionFlags::Elf { sh_flags, .. } => sh_flags,
        _ => elf::SectionFlags(0),
    }
}
