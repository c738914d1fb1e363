//! Small ELF files, made section by section, so that anything about them can be wrong.

use crate::target::Target;

/// Word size of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Narrow,
    Wide,
}
use Class::{Narrow, Wide};

impl Class {
    /// The value for this class.
    pub(crate) fn pick<T>(self, narrow: T, wide: T) -> T {
        if self == Narrow { narrow } else { wide }
    }

    /// The bytes of an address.
    pub(crate) fn word(self) -> usize {
        self.pick(4, 8)
    }

    /// Numbers as wide as an address, as they lie in the file.
    pub(crate) fn words(self, values: &[u64]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes().into_iter().take(self.word())).collect()
    }
}

pub(crate) const NULL: u32 = 0;
pub(crate) const PROGBITS: u32 = 1;
pub(crate) const SYMTAB: u32 = 2;
pub(crate) const STRTAB: u32 = 3;
pub(crate) const RELA: u32 = 4;
pub(crate) const DYNAMIC: u32 = 6;
pub(crate) const NOTE: u32 = 7;
pub(crate) const NOBITS: u32 = 8;
pub(crate) const REL: u32 = 9;
pub(crate) const INIT_ARRAY: u32 = 14;
pub(crate) const SYMTAB_SHNDX: u32 = 18;
pub(crate) const WRITE: u64 = 1;
pub(crate) const ALLOC: u64 = 2;
pub(crate) const EXEC: u64 = 4;

pub(crate) const PT_LOAD: u32 = 1;
pub(crate) const PT_DYNAMIC: u32 = 2;

#[derive(Clone, Default)]
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) kind: u32,
    pub(crate) flags: u64,
    pub(crate) address: u64,
    pub(crate) data: Vec<u8>,
    /// `sh_size` where it is not the length of the data.
    pub(crate) size: Option<u64>,
    pub(crate) link: u32,
    pub(crate) info: u32,
    pub(crate) align: u64,
    pub(crate) entry: u64,
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Segment {
    pub(crate) kind: u32,
    pub(crate) flags: u32,
    pub(crate) address: u64,
    pub(crate) file_size: u64,
    pub(crate) memory_size: u64,
    pub(crate) align: u64,
}

/// A symbol: name, `st_info`, `st_shndx`, `st_value`.
pub(crate) type Symbol<'a> = (&'a [u8], u8, u16, u64);

#[derive(Clone)]
pub(crate) struct File {
    pub(crate) target: &'static Target,
    /// `e_type`.
    pub(crate) kind: u16,
    pub(crate) sections: Vec<Section>,
    pub(crate) segments: Vec<Segment>,
}

/// A table of symbols after the null symbol, and its strings.
pub(crate) fn symbols(class: Class, all: &[Symbol<'_>]) -> (Vec<u8>, Vec<u8>) {
    let (mut table, mut strings) = (vec![0; class.pick(16, 24)], vec![0]);
    for (name, info, section, value) in all {
        let at = if name.is_empty() { 0 } else { strings.len() as u32 };
        if at != 0 {
            strings.extend(name.iter().copied().chain([0]));
        }
        let place = class.words(&[*value, 0]);
        let traits = [&[*info, 0][..], &section.to_le_bytes()].concat();
        table.extend(at.to_le_bytes());
        table.extend(class.pick([&place, &traits], [&traits, &place]).into_iter().flatten());
    }
    (table, strings)
}

/// One relocation as it lies in the file.
pub(crate) fn relocation(target: &Target, offset: u64, r_type: u32, symbol: u64, addend: i64) -> Vec<u8> {
    let r_type = u64::from(r_type);
    let info = target.class.pick(symbol << 8 | r_type & 0xff, symbol << 32 | r_type);
    let record = [offset, info, addend as u64];
    target.class.words(if target.rela { &record } else { &record[..2] })
}

impl File {
    /// The index of the section called `name`.
    pub(crate) fn index(&self, name: &str) -> usize {
        let found = self.sections.iter().position(|section| section.name == name);
        found.unwrap_or_else(|| panic!("no section is called {name}"))
    }

    pub(crate) fn section(&mut self, name: &str) -> &mut Section {
        let index = self.index(name);
        &mut self.sections[index]
    }

    /// The file with `change` done to it.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// The bytes: header, program headers, contents (where they have an address, there), section headers.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let class = self.target.class;
        let mut out = vec![0; class.pick(52, 64)];
        let phoff = if self.segments.is_empty() { 0 } else { out.len() as u64 };
        self.segments.iter().for_each(|segment| out.extend(segment.bytes(class)));
        let (mut headers, names) = (Vec::new(), self.names());
        let mut name_at = 0;
        for section in &self.sections {
            let name = name_at;
            name_at += section.name.len() as u32 + 1;
            let next = out.len().next_multiple_of(8).max(section.address as usize);
            if section.kind != NULL && section.kind != NOBITS {
                out.resize(next, 0);
            }
            let data = if section.name == ".shstrtab" { &names } else { &section.data };
            let offset = if section.kind == NULL { 0 } else { next as u64 };
            headers.extend(section.header(class, name, offset, data.len() as u64));
            out.extend(data);
        }
        out.resize(out.len().next_multiple_of(8), 0);
        let shoff = if headers.is_empty() { 0 } else { out.len() as u64 };
        out.extend(headers);
        let header = self.header(phoff, shoff);
        out[..header.len()].copy_from_slice(&header);
        out
    }

    /// The sections' names, one after the other; the first section has none.
    fn names(&self) -> Vec<u8> {
        self.sections.iter().flat_map(|section| section.name.bytes().chain([0])).collect()
    }

    fn header(&self, phoff: u64, shoff: u64) -> Vec<u8> {
        let (class, sections) = (self.target.class, self.sections.len());
        let names = self.sections.iter().position(|section| section.name == ".shstrtab").unwrap_or(0);
        let mut out = b"\x7fELF".to_vec();
        out.extend([class.pick(1, 2), 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        out.extend([self.kind, self.target.machine].into_iter().flat_map(u16::to_le_bytes));
        out.extend(1u32.to_le_bytes());
        out.extend(class.words(&[0, phoff, shoff]));
        out.extend(self.target.flags.to_le_bytes());
        let sizes = class.pick([52, 32, 40], [64, 56, 64]);
        let counts = [sizes[0], sizes[1], self.segments.len(), sizes[2], sections, names];
        out.extend(counts.into_iter().flat_map(|count| (count as u16).to_le_bytes()));
        out
    }
}

impl Section {
    fn header(&self, class: Class, name: u32, offset: u64, len: u64) -> Vec<u8> {
        let mut out = [name, self.kind].into_iter().flat_map(u32::to_le_bytes).collect::<Vec<_>>();
        out.extend(class.words(&[self.flags, self.address, offset, self.size.unwrap_or(len)]));
        out.extend([self.link, self.info].into_iter().flat_map(u32::to_le_bytes));
        out.extend(class.words(&[self.align, self.entry]));
        out
    }
}

impl Segment {
    fn bytes(&self, class: Class) -> Vec<u8> {
        let Self { kind, flags, address, file_size, memory_size, align } = *self;
        let place = class.words(&[address, address, address, file_size, memory_size]);
        let [kind, flags] = [kind, flags].map(u32::to_le_bytes);
        let align = class.words(&[align]);
        class.pick([&kind[..], &place, &flags, &align], [&kind, &flags, &place, &align]).concat()
    }
}

/// A field of a record: where it lies and how long it is, in each class.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    narrow: (usize, usize),
    wide: (usize, usize),
}

const fn field(narrow: (usize, usize), wide: (usize, usize)) -> Field {
    Field { narrow, wide }
}

/// A number as wide as an address, where the record begins.
pub(crate) const WORD: Field = field((0, 4), (0, 8));

/// Of the ELF header.
pub(crate) mod e {
    use super::{Field, field};
    pub(crate) const MAGIC: Field = field((0, 4), (0, 4));
    pub(crate) const IDENT_VERSION: Field = field((6, 1), (6, 1));
    pub(crate) const OSABI: Field = field((7, 1), (7, 1));
    pub(crate) const TYPE: Field = field((16, 2), (16, 2));
    pub(crate) const MACHINE: Field = field((18, 2), (18, 2));
    pub(crate) const VERSION: Field = field((20, 4), (20, 4));
    pub(crate) const PHOFF: Field = field((28, 4), (32, 8));
    pub(crate) const SHOFF: Field = field((32, 4), (40, 8));
    pub(crate) const FLAGS: Field = field((36, 4), (48, 4));
    pub(crate) const EHSIZE: Field = field((40, 2), (52, 2));
    pub(crate) const PHENTSIZE: Field = field((42, 2), (54, 2));
    pub(crate) const PHNUM: Field = field((44, 2), (56, 2));
    pub(crate) const SHENTSIZE: Field = field((46, 2), (58, 2));
    pub(crate) const SHNUM: Field = field((48, 2), (60, 2));
    pub(crate) const SHSTRNDX: Field = field((50, 2), (62, 2));
}

/// Of a section header.
pub(crate) mod sh {
    use super::{Field, field};
    pub(crate) const NAME: Field = field((0, 4), (0, 4));
    pub(crate) const TYPE: Field = field((4, 4), (4, 4));
    pub(crate) const FLAGS: Field = field((8, 4), (8, 8));
    pub(crate) const ADDR: Field = field((12, 4), (16, 8));
    pub(crate) const OFFSET: Field = field((16, 4), (24, 8));
    pub(crate) const SIZE: Field = field((20, 4), (32, 8));
    pub(crate) const LINK: Field = field((24, 4), (40, 4));
    pub(crate) const INFO: Field = field((28, 4), (44, 4));
    pub(crate) const ALIGN: Field = field((32, 4), (48, 8));
    pub(crate) const ENTSIZE: Field = field((36, 4), (56, 8));
}

/// Of a program header.
pub(crate) mod p {
    use super::{Field, field};
    pub(crate) const TYPE: Field = field((0, 4), (0, 4));
    pub(crate) const OFFSET: Field = field((4, 4), (8, 8));
    pub(crate) const VADDR: Field = field((8, 4), (16, 8));
    pub(crate) const FILESZ: Field = field((16, 4), (32, 8));
    pub(crate) const MEMSZ: Field = field((20, 4), (40, 8));
    pub(crate) const FLAGS: Field = field((24, 4), (4, 4));
    pub(crate) const ALIGN: Field = field((28, 4), (48, 8));
}

/// Of a symbol.
pub(crate) mod st {
    use super::{Field, field};
    pub(crate) const NAME: Field = field((0, 4), (0, 4));
    pub(crate) const INFO: Field = field((12, 1), (4, 1));
    pub(crate) const SHNDX: Field = field((14, 2), (6, 2));
    pub(crate) const VALUE: Field = field((4, 4), (8, 8));
    pub(crate) const SIZE: Field = field((8, 4), (16, 8));
}

impl Field {
    /// Overwrites the field of the record at `at`; false when the value is too large for it.
    pub(crate) fn write(self, class: Class, bytes: &mut [u8], at: usize, value: u64) -> bool {
        let (offset, len) = class.pick(self.narrow, self.wide);
        let fits = len == 8 || value >> (8 * len) == 0;
        if fits {
            bytes[at + offset..][..len].copy_from_slice(&value.to_le_bytes()[..len]);
        }
        fits
    }

    pub(crate) fn read(self, class: Class, bytes: &[u8], at: usize) -> u64 {
        self.try_read(class, bytes, at).expect("the record lies in the file")
    }

    pub(crate) fn try_read(self, class: Class, bytes: &[u8], at: usize) -> Option<u64> {
        let (offset, len) = class.pick(self.narrow, self.wide);
        let mut value = [0; 8];
        value[..len].copy_from_slice(bytes.get(at.checked_add(offset)?..)?.get(..len)?);
        Some(u64::from_le_bytes(value))
    }
}

/// The size of a section header, and of a program header.
pub(crate) fn header_sizes(class: Class) -> (usize, usize) {
    match class {
        Narrow => (40, 32),
        Wide => (64, 56),
    }
}
