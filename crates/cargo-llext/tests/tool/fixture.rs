//! ELF files made by hand, so that tests know every byte of them.

use object::write::{Object, Relocation, SectionId, Symbol, SymbolId, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionFlags, SectionKind, SymbolFlags,
    SymbolKind, SymbolScope, elf,
};

/// An x86-64 object in the making.
pub(crate) struct Fixture {
    object: Object<'static>,
    text: SectionId,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
        let text = object.section_id(object::write::StandardSection::Text);
        Self { object, text }
    }

    /// A function of one `ret` instruction and `size - 1` further bytes.
    pub(crate) fn function(&mut self, name: &str, size: u64) -> SymbolId {
        let code = vec![0xc3; size as usize];
        let symbol = self.symbol(name, SymbolSection::Undefined, SymbolScope::Linkage);
        self.object.add_symbol_data(symbol, self.text, &code, 16);
        symbol
    }

    /// Variables without contents.
    pub(crate) fn bss(&mut self, size: u64) {
        let bss = self.object.section_id(object::write::StandardSection::UninitializedData);
        self.object.append_section_bss(bss, size, 8);
    }

    /// A symbol that somebody else defines.
    pub(crate) fn import(&mut self, name: &str, weak: bool) -> SymbolId {
        let symbol = self.symbol(name, SymbolSection::Undefined, SymbolScope::Unknown);
        self.object.symbol_mut(symbol).weak = weak;
        symbol
    }

    fn symbol(&mut self, name: &str, section: SymbolSection, scope: SymbolScope) -> SymbolId {
        let kind = SymbolKind::Text;
        let (name, value, size, weak) = (name.into(), 0, 0, false);
        let scope = if scope == SymbolScope::Linkage { SymbolScope::Dynamic } else { scope };
        self.object.add_symbol(Symbol {
            name,
            value,
            size,
            kind,
            scope,
            weak,
            section,
            flags: SymbolFlags::None,
        })
    }

    /// A call of a symbol at an offset of the text.
    pub(crate) fn call(&mut self, offset: u64, symbol: SymbolId) {
        let flags = RelocationFlags::Elf { r_type: elf::R_X86_64_PLT32 };
        let relocation = Relocation { offset, symbol, addend: -4, flags };
        self.object.add_relocation(self.text, relocation).unwrap();
    }

    /// A table of exports in a section of this name: where they are called, and what they are.
    pub(crate) fn table(&mut self, section: &str, exports: &[(&str, SymbolId)]) {
        let names = self.object.section_id(object::write::StandardSection::ReadOnlyString);
        let table = self.object.add_section(Vec::new(), section.into(), SectionKind::Data);
        self.object.section_mut(table).flags =
            SectionFlags::Elf { sh_type: elf::SHT_PROGBITS, sh_flags: elf::SHF_ALLOC | elf::SHF_WRITE };
        self.object.append_section_data(table, &vec![0; exports.len() * 16], 8);
        let strings = self.object.section_symbol(names);
        for (at, (name, symbol)) in (0..).step_by(16).zip(exports) {
            let name = self.object.append_section_data(names, format!("{name}\0").as_bytes(), 1);
            self.pointer(table, at, strings, name as i64);
            self.pointer(table, at + 8, *symbol, 0);
        }
    }

    fn pointer(&mut self, section: SectionId, offset: u64, symbol: SymbolId, addend: i64) {
        let flags = RelocationFlags::Elf { r_type: elf::R_X86_64_64 };
        self.object.add_relocation(section, Relocation { offset, symbol, addend, flags }).unwrap();
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.object.write().unwrap()
    }
}

/// An extension that exports `probe` and `add`, and needs `printf`, two mangled functions and perhaps `tune`.
pub(crate) fn extension() -> Vec<u8> {
    let mut fixture = Fixture::new();
    let (probe, add) = (fixture.function("probe", 16), fixture.function("add_two_numbers", 48));
    fixture.bss(100);
    for (offset, name) in [(1, "printf"), (20, "_ZN4draw4LineEii"), (28, "_RNvC4core5panic")] {
        let symbol = fixture.import(name, false);
        fixture.call(offset, symbol);
    }
    let weak = fixture.import("tune", true);
    fixture.call(40, weak);
    fixture.table(".exported_sym", &[("probe", probe), ("add", add)]);
    fixture.bytes()
}
