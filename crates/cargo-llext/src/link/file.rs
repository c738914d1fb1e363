//! The file that is written: an ELF file that readelf, objdump, debuggers and flash programmers know, and llext's notes.

use std::marker::PhantomData;

use llext_link::addr::{Extent, Part, Word};
use llext_link::elf::Format;
use llext_link::elf::note::LinkedTables;
use object::write::elf as write;
use object::{Endianness, FileFlags, Object, ObjectSection, elf};

use crate::elf::{Extension, section_type};
use crate::error::Error;

/// All of a linked file.
pub(crate) struct Image {
    wide: bool,
    endian: Endianness,
    machine: elf::Machine,
    flags: elf::FileFlags,
    /// The build attributes, as the object has them: name, type, contents.
    attributes: Option<(Vec<u8>, elf::SectionType, Vec<u8>)>,
    /// Ascending.
    pub(super) segments: Vec<Segment>,
    pub(super) sections: Vec<Section>,
    pub(super) notes: Vec<u8>,
    /// Local ones first.
    pub(super) symbols: Vec<Symbol>,
    pub(super) stubs: usize,
    pub(super) got_slots: usize,
    pub(super) exports: usize,
    pub(super) imports: usize,
}

/// A part in memory.
pub(super) struct Segment {
    pub(super) part: Part,
    pub(super) address: u64,
    /// Its contents; the rest is zero.
    pub(super) bytes: Vec<u8>,
    pub(super) size: u64,
    pub(super) align: u32,
}

/// A piece of a part that has a name.
pub(super) struct Section {
    /// The number that it had in the object.
    pub(super) of: Option<usize>,
    pub(super) name: Vec<u8>,
    pub(super) kind: elf::SectionType,
    pub(super) flags: elf::SectionFlags,
    pub(super) part: Part,
    pub(super) address: u64,
    pub(super) size: u64,
    pub(super) align: u64,
}

/// A symbol; one that lies in no section has a number for a value.
pub(super) struct Symbol {
    pub(super) name: Vec<u8>,
    /// Its index among the sections.
    pub(super) section: Option<usize>,
    pub(super) value: u64,
    pub(super) size: u64,
    pub(super) info: u8,
    pub(super) other: u8,
}

pub(super) fn is_global(symbol: &Symbol) -> bool {
    symbol.info >> 4 != elf::STB_LOCAL.0
}

impl Section {
    /// One that the link made.
    pub(super) fn made(name: &str, part: Part, address: u64, size: u64, align: u64) -> Self {
        let (kind, flags) = match part {
            Part::Code => (elf::SHT_PROGBITS, elf::SHF_ALLOC.0 | elf::SHF_EXECINSTR.0),
            Part::Data => (elf::SHT_NOBITS, elf::SHF_ALLOC.0 | elf::SHF_WRITE.0),
            _ => (elf::SHT_PROGBITS, elf::SHF_ALLOC.0),
        };
        let (name, flags) = (name.as_bytes().to_vec(), elf::SectionFlags(flags));
        Self { of: None, name, kind, flags, part, address, size, align }
    }
}

/// Where everything lies in the file.
struct Offsets {
    segments: Vec<u64>,
    notes: u64,
    attributes: u64,
}

impl Image {
    /// An empty one, for the processor of `extension`.
    pub(super) fn of(extension: &Extension<'_>) -> Self {
        let kinds = [elf::SHT_ARM_ATTRIBUTES, elf::SHT_RISCV_ATTRIBUTES];
        let attributes = extension.file.sections().find(|section| {
            kinds.contains(&section_type(section))
                && matches!(extension.machine(), elf::EM_ARM | elf::EM_RISCV)
        });
        let contents = |section: object::Section<'_, '_>| {
            let name = section.name_bytes().ok()?.to_vec();
            Some((name, section_type(&section), section.data().ok()?.to_vec()))
        };
        Self {
            wide: extension.file.is_64(),
            endian: extension.file.endianness(),
            machine: extension.machine(),
            flags: match extension.file.flags() {
                FileFlags::Elf { e_flags, .. } => e_flags,
                _ => elf::FileFlags(0),
            },
            attributes: attributes.and_then(contents),
            segments: Vec::new(),
            sections: Vec::new(),
            notes: Vec::new(),
            symbols: Vec::new(),
            stubs: 0,
            got_slots: 0,
            exports: 0,
            imports: 0,
        }
    }

    /// The file's bytes.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let written = self.write(&mut write::Writer::new(self.endian, self.wide, &mut bytes));
        written
            .map_err(|reason| Error::BadObject { file: "image".to_owned(), reason: reason.to_string() })?;
        Ok(bytes)
    }

    fn write<'a>(&'a self, writer: &mut write::Writer<'a>) -> object::write::Result<()> {
        writer.reserve_file_header();
        writer.reserve_program_headers(self.segments.len() as u32 + 1);
        let offsets = self.reserve(writer);
        writer.reserve_null_section_index();
        let name = |section: &'a Section, writer: &mut write::Writer<'a>| {
            writer.reserve_section_index();
            writer.add_section_name(&section.name)
        };
        let names: Vec<_> = self.sections.iter().map(|section| name(section, writer)).collect();
        writer.reserve_section_index();
        let note_name = writer.add_section_name(b".note.llext");
        let attributes = self.attributes.as_ref().map(|(name, kind, bytes)| {
            writer.reserve_section_index();
            (writer.add_section_name(name), *kind, bytes)
        });
        writer.reserve_symtab_section_index();
        writer.reserve_strtab_section_index();
        writer.reserve_shstrtab_section_index();
        writer.reserve_null_symbol_index();
        let strings: Vec<_> = self.symbols.iter().map(|symbol| writer.add_string(&symbol.name)).collect();
        for symbol in &self.symbols {
            writer.reserve_symbol_index(symbol.section.map(|index| write::SectionIndex(index as u32 + 1)));
        }
        writer.reserve_symtab();
        writer.reserve_strtab()?;
        writer.reserve_shstrtab()?;
        writer.reserve_section_headers();

        self.write_contents(writer, &offsets)?;
        self.write_symbols(writer, &strings);
        writer.write_strtab();
        writer.write_shstrtab();
        writer.write_null_section_header();
        for (section, name) in self.sections.iter().zip(names) {
            let name = writer.section_name_offset(Some(name));
            writer.write_section_header(&self.section_header(section, name, &offsets));
        }
        let name = writer.section_name_offset(Some(note_name));
        writer.write_section_header(&plain(name, elf::SHT_NOTE, offsets.notes, self.notes.len(), 4));
        if let Some((name, kind, bytes)) = attributes {
            let name = writer.section_name_offset(Some(name));
            writer.write_section_header(&plain(name, kind, offsets.attributes, bytes.len(), 1));
        }
        let locals = self.symbols.iter().filter(|symbol| !is_global(symbol)).count() as u32 + 1;
        writer.write_symtab_section_header(locals);
        writer.write_strtab_section_header();
        writer.write_shstrtab_section_header();
        Ok(())
    }

    /// Each segment lies in the file at an offset that agrees with its address.
    fn reserve(&self, writer: &mut write::Writer<'_>) -> Offsets {
        let mut place = |segment: &Segment| {
            let align = u64::from(segment.align);
            let behind = writer.reserve(0, 1);
            let offset = behind + (segment.address.wrapping_sub(behind) & (align - 1));
            writer.reserve_until(offset);
            writer.reserve(segment.bytes.len() as u64, 1)
        };
        let segments = self.segments.iter().map(&mut place).collect();
        let notes = writer.reserve(self.notes.len() as u64, 4);
        let attributes = self.attributes.as_ref().map_or(0, |(_, _, bytes)| bytes.len() as u64);
        Offsets { segments, notes, attributes: writer.reserve(attributes, 1) }
    }

    fn write_contents(&self, writer: &mut write::Writer<'_>, offsets: &Offsets) -> object::write::Result<()> {
        writer.write_file_header(&write::FileHeader {
            os_abi: elf::ELFOSABI_NONE,
            abi_version: 0,
            e_type: elf::ET_EXEC,
            e_machine: self.machine,
            e_entry: 0,
            e_flags: self.flags,
        })?;
        writer.write_align_program_headers();
        for (segment, offset) in self.segments.iter().zip(&offsets.segments) {
            writer.write_program_header(&program_header(segment, *offset));
        }
        writer.write_program_header(&note_header(offsets.notes, self.notes.len() as u64));
        for (segment, offset) in self.segments.iter().zip(&offsets.segments) {
            writer.pad_until(*offset);
            writer.write(&segment.bytes);
        }
        writer.pad_until(offsets.notes);
        writer.write(&self.notes);
        if let Some((_, _, bytes)) = &self.attributes {
            writer.write(bytes);
        }
        Ok(())
    }

    fn write_symbols(&self, writer: &mut write::Writer<'_>, strings: &[object::write::StringId]) {
        writer.write_null_symbol();
        for (symbol, string) in self.symbols.iter().zip(strings) {
            let st_name = writer.string_offset(Some(*string));
            writer.write_symbol(&write::Sym {
                section: symbol.section.map(|index| index as u32 + 1),
                st_name,
                st_info: elf::SymbolInfo(symbol.info),
                st_other: elf::SymbolOther(symbol.other),
                st_shndx: elf::SHN_ABS,
                st_value: symbol.value,
                st_size: symbol.size,
            });
        }
    }

    fn section_header(&self, section: &Section, sh_name: u32, offsets: &Offsets) -> write::SectionHeader {
        let holds = self.segments.iter().zip(&offsets.segments).find(|(one, _)| one.part == section.part);
        let offset = holds.map_or(0, |(segment, offset)| offset + (section.address - segment.address));
        write::SectionHeader {
            sh_addr: section.address,
            sh_flags: section.flags,
            ..plain(sh_name, section.kind, offset, section.size as usize, section.align)
        }
    }
}

/// The header of a section that takes no memory.
fn plain(
    sh_name: u32,
    sh_type: elf::SectionType,
    offset: u64,
    size: usize,
    align: u64,
) -> write::SectionHeader {
    write::SectionHeader {
        sh_name,
        sh_type,
        sh_flags: elf::SectionFlags(0),
        sh_addr: 0,
        sh_offset: offset,
        sh_size: size as u64,
        sh_link: 0,
        sh_info: 0,
        sh_addralign: align,
        sh_entsize: 0,
    }
}

fn program_header(segment: &Segment, offset: u64) -> write::ProgramHeader {
    write::ProgramHeader {
        p_type: elf::PT_LOAD,
        p_flags: elf::ProgramFlags(match segment.part {
            Part::Code => elf::PF_R.0 | elf::PF_X.0,
            Part::Data => elf::PF_R.0 | elf::PF_W.0,
            _ => elf::PF_R.0,
        }),
        p_offset: offset,
        p_vaddr: segment.address,
        p_paddr: segment.address,
        p_filesz: segment.bytes.len() as u64,
        p_memsz: segment.size,
        p_align: segment.align.into(),
    }
}

/// The notes lie in no memory.
fn note_header(offset: u64, size: u64) -> write::ProgramHeader {
    write::ProgramHeader {
        p_type: elf::PT_NOTE,
        p_flags: elf::PF_R,
        p_offset: offset,
        p_vaddr: 0,
        p_paddr: 0,
        p_filesz: size,
        p_memsz: 0,
        p_align: 4,
    }
}

/// llext's notes in the making: see [`llext_link::elf::note`].
pub(super) struct Notes<F> {
    pub(super) bytes: Vec<u8>,
    format: PhantomData<F>,
}

impl<F> Default for Notes<F> {
    fn default() -> Self {
        Self { bytes: Vec::new(), format: PhantomData }
    }
}

impl<F: Format> Notes<F> {
    pub(super) fn abi(&mut self, version: u32) {
        self.note(1, &Self::words(&[version]));
    }

    pub(super) fn needed(&mut self, name: &[u8]) {
        self.note(2, &[name, b"\0"].concat());
    }

    pub(super) fn tables(&mut self, tables: &LinkedTables) {
        let LinkedTables { exports, index, preinit, init, fini } = *tables;
        let words = [exports, index, preinit, init, fini].map(|Extent { offset, size }| [offset, size]);
        self.note(16, &Self::words(words.as_flattened()));
    }

    pub(super) fn import(&mut self, name: &[u8], address: u64) {
        let little = address.to_le_bytes();
        let mut word = little[..F::Word::SIZE].to_vec();
        if F::DATA != 1 {
            word.reverse();
        }
        self.note(17, &[&word[..], name, b"\0"].concat());
    }

    fn words(words: &[u32]) -> Vec<u8> {
        let order = if F::DATA == 1 { u32::to_le_bytes } else { u32::to_be_bytes };
        words.iter().copied().flat_map(order).collect()
    }

    fn note(&mut self, kind: u32, desc: &[u8]) {
        self.bytes.extend(Self::words(&[6, desc.len() as u32, kind]));
        self.bytes.extend(b"llext\0\0\0");
        self.bytes.extend(desc);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}
