//! An ELF file as the commands look at it. The file may be hostile: every read goes through `object`'s checked readers.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::path::Path;

use object::read::elf::ProgramHeader;
use object::{
    Endianness, File, Object, ObjectKind, ObjectSection, ObjectSymbol, ObjectSymbolTable, Relocation,
    RelocationFlags, RelocationTarget, SectionFlags, SectionIndex, SymbolFlags, SymbolIndex, SymbolKind, elf,
};
use serde::Serialize;

use crate::error::Error;
use crate::words::Words;

/// The section in which an extension lists what it exports: entries of a name's and an object's address.
pub(crate) const TABLE: &[u8] = b".exported_sym";

/// The sections in which a host lists what it exports, in the same form.
pub(crate) const HOST_TABLES: [&[u8]; 2] = [b".llext.exports", b"llext_exports"];

/// The sections in which a host lists its exports by SLID: made so, prepared so, LLEXT's own where its names are apart.
const SLID_TABLES: [&[u8]; 3] = [b".llext.slids", b"llext_slids", b"llext_const_symbol_area"];

/// The section of names that become SLIDs when the host is prepared: its linker gives them no memory.
pub(crate) const SLID_NAMES: &[u8] = b"llext_exports_strtab";

/// `SHF_LLEXT_PREPARATION_DONE`, of the bits that the gABI leaves to systems: the table is sorted.
pub(crate) const PREPARED: u64 = 0x0800_0000;

/// A parsed file, and how messages call it.
pub(crate) struct Extension<'d> {
    pub(crate) path: String,
    pub(crate) file: File<'d>,
}

/// A place in a section.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    pub(crate) section: SectionIndex,
    pub(crate) offset: u64,
}

/// Something a file offers under a name.
pub(crate) struct Export {
    pub(crate) name: String,
    /// Where it lies, unless the file was linked to a fixed address outside its sections.
    pub(crate) spot: Option<Spot>,
    /// The symbol at that place, where one is named.
    pub(crate) symbol: Option<SymbolIndex>,
    /// Its address, in a file that is linked for fixed addresses. Of a Thumb function it is odd.
    pub(crate) address: Option<u64>,
}

/// Something a file needs from outside.
#[derive(Serialize)]
pub(crate) struct Import {
    pub(crate) name: String,
    /// Whether the extension does without it.
    pub(crate) weak: bool,
    /// Its SLID, if it was given one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) slid: Option<String>,
}

/// Reads a whole file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(Error::unreadable(path))
}

impl<'d> Extension<'d> {
    pub(crate) fn parse(path: &str, bytes: &'d [u8]) -> Result<Self, Error> {
        let file = File::parse(bytes).map_err(Error::malformed(Path::new(path)))?;
        Ok(Self { path: path.to_owned(), file })
    }

    fn malformed(&self, reason: object::Error) -> Error {
        Error::malformed(Path::new(&self.path))(reason)
    }

    /// Whether the file is partially linked: relocations name symbols, addresses count from sections.
    pub(crate) fn relocatable(&self) -> bool {
        self.file.kind() == ObjectKind::Relocatable
    }

    /// Whether the file is linked for fixed addresses.
    pub(crate) fn is_fixed(&self) -> bool {
        self.file.kind() == ObjectKind::Executable
    }

    /// The memory of a file that is linked for fixed addresses: where it runs, and where its contents are put before.
    pub(crate) fn memory(&self) -> Vec<Range<u64>> {
        match &self.file {
            File::Elf32(file) => loads(file.elf_program_headers(), file.endian()),
            File::Elf64(file) => loads(file.elf_program_headers(), file.endian()),
            _ => Vec::new(),
        }
    }

    /// `e_machine`.
    pub(crate) fn machine(&self) -> elf::Machine {
        match &self.file {
            File::Elf32(file) => file.elf_header().e_machine.get(file.endian()),
            File::Elf64(file) => file.elf_header().e_machine.get(file.endian()),
            _ => elf::EM_NONE,
        }
    }

    /// A section's name.
    pub(crate) fn section_name(&self, index: SectionIndex) -> Option<String> {
        let section = self.file.section_by_index(index).ok()?;
        Some(String::from_utf8_lossy(section.name_bytes().ok()?).into_owned())
    }

    /// Whether the file lists its exports itself.
    pub(crate) fn has_table(&self) -> bool {
        self.file.section_by_name_bytes(TABLE).is_some()
    }

    /// What the file offers: its table, else its global symbols.
    pub(crate) fn exports(&self) -> Result<Vec<Export>, Error> {
        if self.has_table() { self.table(TABLE) } else { Ok(self.global_symbols()) }
    }

    /// What the file offers as a host; `None` when it has no host's table.
    pub(crate) fn host_exports(&self) -> Result<Option<Vec<Export>>, Error> {
        let mut found = None;
        for name in HOST_TABLES.into_iter().filter(|name| self.file.section_by_name_bytes(name).is_some()) {
            found.get_or_insert_with(Vec::new).extend(self.table(name)?);
        }
        Ok(found)
    }

    /// The SLIDs that the file offers as a host.
    ///
    /// # Errors
    /// [`Error::ForSlids`] if it has none yet.
    pub(crate) fn host_slids(&self) -> Result<HashSet<String>, Error> {
        let (mut slids, words) = (HashSet::new(), Words::of(&self.file));
        let has_names = self.file.section_by_name_bytes(SLID_NAMES).is_some();
        for name in SLID_TABLES.into_iter().filter(|name| name.starts_with(b".") || has_names) {
            let Some(section) = self.file.section_by_name_bytes(name) else { continue };
            if !name.starts_with(b".") && section.size() > 0 && flags(&section).0 & PREPARED == 0 {
                return Err(Error::ForSlids { path: self.path.clone() });
            }
            let bytes = section.data().map_err(|reason| self.malformed(reason))?;
            let entries = bytes.chunks_exact(2 * words.size());
            slids.extend(entries.filter_map(|entry| words.read(entry, 0)).map(|slid| words.show(slid)));
        }
        Ok(slids)
    }

    /// What the file needs from outside, in the order of its symbol table.
    pub(crate) fn imports(&self) -> Vec<Import> {
        let undefined =
            |symbol: &object::Symbol<'_, '_>| symbol.is_undefined() && symbol.name_bytes() != Ok(b"");
        let words = Words::of(&self.file);
        let import = |symbol: object::Symbol<'_, '_>| Import {
            name: name_of(&symbol),
            weak: symbol.is_weak(),
            slid: (symbol.address() != 0).then(|| words.show(symbol.address())),
        };
        self.linking_symbols().filter(undefined).map(import).collect()
    }

    /// How many relocations of each type a load would apply.
    pub(crate) fn relocations(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        let mut count = |relocation: &Relocation| {
            *counts.entry(self.relocation_name(relocation)).or_insert(0) += 1;
        };
        if self.relocatable() {
            let loaded = self.file.sections().filter(is_allocated);
            loaded.flat_map(|section| section.relocations()).for_each(|(_, relocation)| count(&relocation));
        } else {
            self.file
                .dynamic_relocations()
                .into_iter()
                .flatten()
                .for_each(|(_, relocation)| count(&relocation));
        }
        counts
    }

    fn relocation_name(&self, relocation: &Relocation) -> String {
        let RelocationFlags::Elf { r_type, .. } = relocation.flags() else { return "?".to_owned() };
        elf::machine_names(self.machine())
            .r
            .name(r_type)
            .map_or_else(|| format!("type {}", r_type.0), str::to_owned)
    }

    /// The symbols that linking looks at: the dynamic ones of a linked file.
    fn linking_symbols(&self) -> Box<dyn Iterator<Item = object::Symbol<'d, '_>> + '_> {
        if self.relocatable() { Box::new(self.file.symbols()) } else { Box::new(self.file.dynamic_symbols()) }
    }

    fn global_symbols(&self) -> Vec<Export> {
        let offered = |symbol: &object::Symbol<'_, '_>| {
            let SymbolFlags::Elf { st_other, .. } = symbol.flags() else { return false };
            let visible =
                matches!(elf::SymbolOther(st_other.0).visibility(), elf::STV_DEFAULT | elf::STV_PROTECTED);
            visible && symbol.is_global() && !symbol.is_undefined() && symbol.name_bytes() != Ok(b"")
        };
        let export = |symbol: object::Symbol<'_, '_>| Export {
            name: name_of(&symbol),
            spot: self.spot_of_symbol(&symbol, 0),
            symbol: Some(symbol.index()),
            address: self.is_fixed().then_some(symbol.address()),
        };
        self.linking_symbols().filter(offered).map(export).collect()
    }

    /// The entries of every section of this name.
    fn table(&self, name: &[u8]) -> Result<Vec<Export>, Error> {
        let mut exports = Vec::new();
        for section in self.file.sections().filter(|section| section.name_bytes() == Ok(name)) {
            let bytes = section.data().map_err(|reason| self.malformed(reason))?;
            let pointers = Pointers::of(self, &section);
            let word = if self.file.is_64() { 8 } else { 4 };
            for entry in 0..bytes.len() / (2 * word) {
                let bad = |what| Error::BadExportTable { path: self.path.clone(), entry, what };
                let offset = (entry * 2 * word) as u64;
                let (spot, _) = pointers.at(offset, bytes);
                let name = spot.and_then(|spot| self.string_at(spot)).ok_or_else(|| bad("name"))?;
                let at = offset + word as u64;
                let (spot, symbol) = pointers.at(at, bytes);
                let address = pointers.stored(at, bytes).filter(|_| self.is_fixed());
                exports.push(Export { name, spot, symbol, address });
            }
        }
        Ok(exports)
    }

    /// The text at a place, up to its NUL.
    pub(crate) fn string_at(&self, spot: Spot) -> Option<String> {
        let bytes = self.file.section_by_index(spot.section).ok()?.data().ok()?;
        let rest = bytes.get(usize::try_from(spot.offset).ok()?..)?;
        let end = rest.iter().position(|byte| *byte == 0)?;
        Some(String::from_utf8_lossy(rest.get(..end)?).into_owned())
    }

    fn spot_of_symbol(&self, symbol: &object::Symbol<'_, '_>, addend: i64) -> Option<Spot> {
        let section = symbol.section_index()?;
        let base = self.file.section_by_index(section).ok()?.address();
        // A Thumb function's address is odd, its place is not.
        let thumb = u64::from(self.machine() == elf::EM_ARM && symbol.kind() == SymbolKind::Text);
        Some(Spot {
            section,
            offset: (symbol.address() & !thumb).wrapping_sub(base).wrapping_add_signed(addend),
        })
    }

    pub(crate) fn spot_of_address(&self, address: u64) -> Option<Spot> {
        let holds = |section: &object::Section<'_, '_>| {
            is_allocated(section) && address.wrapping_sub(section.address()) < section.size()
        };
        let section = self.file.sections().find(holds)?;
        Some(Spot { section: section.index(), offset: address.wrapping_sub(section.address()) })
    }
}

/// The pointers that a section holds, with their relocations done on paper.
struct Pointers<'e, 'd> {
    extension: &'e Extension<'d>,
    relocations: HashMap<u64, Relocation>,
}

impl<'e, 'd> Pointers<'e, 'd> {
    fn of(extension: &'e Extension<'d>, section: &object::Section<'d, '_>) -> Self {
        let (base, size) = (section.address(), section.size());
        let relocations = if extension.relocatable() {
            section.relocations().collect()
        } else {
            let all = extension.file.dynamic_relocations().into_iter().flatten();
            all.map(|(address, relocation)| (address.wrapping_sub(base), relocation))
                .filter(|(offset, _)| *offset < size)
                .collect()
        };
        Self { extension, relocations }
    }

    /// What the pointer at `offset` of the section's bytes points to: a place, and the symbol it names.
    fn at(&self, offset: u64, bytes: &[u8]) -> (Option<Spot>, Option<SymbolIndex>) {
        let stored = self.stored(offset, bytes).unwrap_or(0);
        let Some(relocation) = self.relocations.get(&offset) else {
            let fixed = !self.extension.relocatable();
            return (fixed.then(|| self.extension.spot_of_address(stored)).flatten(), None);
        };
        let implicit = if relocation.has_implicit_addend() { stored as i64 } else { 0 };
        let addend = relocation.addend().wrapping_add(implicit);
        match relocation.target() {
            RelocationTarget::Symbol(index) => self.through_symbol(index, addend),
            _ => (self.extension.spot_of_address(addend as u64), None),
        }
    }

    fn through_symbol(&self, index: SymbolIndex, addend: i64) -> (Option<Spot>, Option<SymbolIndex>) {
        let file = &self.extension.file;
        let table =
            if self.extension.relocatable() { file.symbol_table() } else { file.dynamic_symbol_table() };
        let symbol = table.and_then(|table| table.symbol_by_index(index).ok());
        let spot = symbol.and_then(|symbol| self.extension.spot_of_symbol(&symbol, addend));
        (spot, Some(index))
    }

    fn stored(&self, offset: u64, bytes: &[u8]) -> Option<u64> {
        let rest = bytes.get(usize::try_from(offset).ok()?..)?;
        let little = self.extension.file.endianness() == Endianness::Little;
        if self.extension.file.is_64() {
            let word = *rest.first_chunk()?;
            return Some(if little { u64::from_le_bytes(word) } else { u64::from_be_bytes(word) });
        }
        let word = *rest.first_chunk()?;
        Some(u64::from(if little { u32::from_le_bytes(word) } else { u32::from_be_bytes(word) }))
    }
}

/// The memory of `PT_LOAD` segments.
fn loads<H: ProgramHeader>(headers: &[H], endian: H::Endian) -> Vec<Range<u64>> {
    let loads = headers.iter().filter(|header| header.p_type(endian) == elf::PT_LOAD);
    let ranges = loads.flat_map(|header| {
        let [start, loaded]: [u64; 2] = [header.p_vaddr(endian).into(), header.p_paddr(endian).into()];
        let [size, filled]: [u64; 2] = [header.p_memsz(endian).into(), header.p_filesz(endian).into()];
        [start..start.saturating_add(size), loaded..loaded.saturating_add(filled)]
    });
    ranges.filter(|range| !range.is_empty()).collect()
}

/// Whether a load gives the section memory.
pub(crate) fn is_allocated<'d>(section: &impl ObjectSection<'d>) -> bool {
    flags(section).contains(elf::SHF_ALLOC)
}

/// `sh_flags`.
pub(crate) fn flags<'d>(section: &impl ObjectSection<'d>) -> elf::SectionFlags {
    match section.flags() {
        SectionFlags::Elf { sh_flags, .. } => sh_flags,
        _ => elf::SectionFlags(0),
    }
}

/// `sh_type`.
pub(crate) fn section_type<'d>(section: &impl ObjectSection<'d>) -> elf::SectionType {
    match section.flags() {
        SectionFlags::Elf { sh_type, .. } => sh_type,
        _ => elf::SHT_NULL,
    }
}

fn name_of(symbol: &object::Symbol<'_, '_>) -> String {
    String::from_utf8_lossy(symbol.name_bytes().unwrap_or_default()).into_owned()
}
