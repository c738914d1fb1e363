//! Small ELF files, written field by field so that any field can be wrong, in 32 and in 64 bits.

/// Word size of a file; the processors of the two are Arm and x86-64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Narrow,
    Wide,
}
pub(crate) use Class::{Narrow, Wide};

/// Both classes, for what is wrong in the same way in each.
pub(crate) const BOTH: [Class; 2] = [Narrow, Wide];

impl Class {
    /// The value for this class.
    pub(crate) fn pick<T>(self, narrow: T, wide: T) -> T {
        if self == Narrow { narrow } else { wide }
    }

    /// An address or a size as it lies in the file.
    pub(crate) fn word(self, value: u64) -> Vec<u8> {
        value.to_le_bytes()[..self.pick(4, 8)].to_vec()
    }

    fn words(self, values: &[u64]) -> Vec<u8> {
        values.iter().flat_map(|value| self.word(*value)).collect()
    }
}

pub(crate) const PROGBITS: u32 = 1;
pub(crate) const SYMTAB: u32 = 2;
pub(crate) const STRTAB: u32 = 3;
pub(crate) const NOBITS: u32 = 8;
pub(crate) const SYMTAB_SHNDX: u32 = 18;
pub(crate) const WRITE: u64 = 1;
pub(crate) const ALLOC: u64 = 2;
pub(crate) const EXEC: u64 = 4;

/// The sections that [`object`] begins with.
pub(crate) const TEXT: usize = 1;
pub(crate) const DATA: usize = 2;
pub(crate) const SYMBOLS: usize = 3;
pub(crate) const STRINGS: usize = 4;
pub(crate) const RELOCATIONS: usize = 5;

#[derive(Clone, Debug, Default)]
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) kind: u32,
    pub(crate) flags: u64,
    pub(crate) data: Vec<u8>,
    /// `sh_size` where it is not the length of the data.
    pub(crate) size: Option<u64>,
    pub(crate) link: u32,
    pub(crate) info: u32,
    pub(crate) align: u64,
    pub(crate) entry: u64,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Segment {
    pub(crate) kind: u32,
    pub(crate) flags: u32,
    pub(crate) offset: u64,
    pub(crate) address: u64,
    pub(crate) file_size: u64,
    pub(crate) memory_size: u64,
    pub(crate) align: u64,
}

/// A symbol: name, `st_info`, `st_shndx`, `st_value`, `st_size`.
pub(crate) type Symbol = (&'static str, u8, u16, u64, u64);

#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) class: Class,
    pub(crate) kind: u16,
    pub(crate) sections: Vec<Section>,
    pub(crate) segments: Vec<Segment>,
}

/// An object with 16 bytes of code, 8 of data, and no symbol but the null one.
pub(crate) fn object(class: Class) -> File {
    let (rel, record) = class.pick((9, 8), (4, 24));
    let loaded = |name, flags, size| Section {
        name,
        kind: PROGBITS,
        flags: flags | ALLOC,
        data: vec![0; size],
        align: 4,
        ..Section::default()
    };
    let symbols = Section {
        name: ".symtab",
        kind: SYMTAB,
        link: STRINGS as u32,
        entry: class.pick(16, 24),
        ..Section::default()
    };
    let relocations = Section {
        name: ".rel.text",
        kind: rel,
        link: SYMBOLS as u32,
        info: TEXT as u32,
        entry: record,
        ..Section::default()
    };
    let strings = Section { name: ".strtab", kind: STRTAB, ..Section::default() };
    let sections = vec![
        Section::default(),
        loaded(".text", EXEC, 16),
        loaded(".data", WRITE, 8),
        symbols,
        strings,
        relocations,
    ];
    File { class, kind: 1, sections, segments: Vec::new() }.with_symbols(&[])
}

/// A file that is loaded by its segments.
pub(crate) fn shared(class: Class, segments: &[Segment]) -> File {
    File { class, kind: 3, sections: Vec::new(), segments: segments.to_vec() }
}

impl File {
    /// Adds symbols after the null symbol.
    pub(crate) fn with_symbols(mut self, symbols: &[Symbol]) -> Self {
        let (mut table, mut strings) = (Vec::new(), vec![0]);
        for (name, info, section, value, size) in [("", 0, 0, 0, 0)].iter().chain(symbols) {
            let at = if name.is_empty() { 0 } else { strings.len() as u32 };
            if at != 0 {
                strings.extend(name.bytes().chain([0]));
            }
            let place = self.class.words(&[*value, *size]);
            let traits = [&[*info, 0][..], &section.to_le_bytes()].concat();
            table.extend(at.to_le_bytes());
            table.extend(self.class.pick([&place, &traits], [&traits, &place]).into_iter().flatten());
        }
        self.sections[SYMBOLS].data = table;
        self.sections[STRINGS].data = strings;
        self
    }

    /// Adds relocations of the code: offset, type, symbol; the addend where it stands beside.
    pub(crate) fn with_relocations(mut self, all: &[(u64, u32, u32, i64)]) -> Self {
        let data = &mut self.sections[RELOCATIONS].data;
        for (offset, r_type, symbol, addend) in all {
            data.extend(relocation(self.class, *offset, *r_type, *symbol, *addend));
        }
        self
    }

    pub(crate) fn with_section(mut self, section: Section) -> Self {
        self.sections.push(section);
        self
    }

    /// The file: header, program headers, contents, section headers, the section names last.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let class = self.class;
        let mut out = vec![0; class.pick(52, 64)];
        let phoff = if self.segments.is_empty() { 0 } else { out.len() as u64 };
        self.segments.iter().for_each(|segment| out.extend(segment.bytes(class)));
        let (mut headers, mut names, mut count) = (Vec::new(), vec![0], 0);
        let last = Section { name: ".shstrtab", kind: STRTAB, ..Section::default() };
        let last = if self.sections.is_empty() { None } else { Some(&last) };
        for section in self.sections.iter().chain(last) {
            let name = names.len() as u32;
            names.extend(section.name.bytes().chain([0]));
            out.resize(out.len().next_multiple_of(8), 0);
            let data = if section.name == ".shstrtab" { &names } else { &section.data };
            headers.extend(section.header(class, name, out.len() as u64, data.len() as u64));
            out.extend(data);
            count += 1;
        }
        let shoff = if count == 0 { 0 } else { out.len() as u64 };
        out.extend(headers);
        let header = self.header(phoff, shoff, count);
        out[..header.len()].copy_from_slice(&header);
        out
    }

    fn header(&self, phoff: u64, shoff: u64, sections: u16) -> Vec<u8> {
        let class = self.class;
        let mut out = b"\x7fELF".to_vec();
        out.extend([class.pick(1, 2), 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        out.extend([self.kind, class.pick(40, 62)].into_iter().flat_map(u16::to_le_bytes));
        out.extend(1u32.to_le_bytes());
        out.extend(class.words(&[0, phoff, shoff]));
        out.extend(class.pick(0x0500_0000u32, 0).to_le_bytes());
        let (header, program, section) = class.pick((52, 32, 40), (64, 56, 64));
        let counts = [header, program, self.segments.len() as u16, section, sections];
        out.extend(counts.into_iter().chain([sections.saturating_sub(1)]).flat_map(u16::to_le_bytes));
        out
    }
}

/// One relocation as it lies in the file.
pub(crate) fn relocation(class: Class, offset: u64, r_type: u32, symbol: u32, addend: i64) -> Vec<u8> {
    let (symbol, r_type) = (u64::from(symbol), u64::from(r_type));
    let info = class.pick(symbol << 8 | r_type, symbol << 32 | r_type);
    let record = [offset, info, addend as u64];
    class.words(class.pick(&record[..2], &record[..]))
}

impl Section {
    fn header(&self, class: Class, name: u32, offset: u64, len: u64) -> Vec<u8> {
        let mut out = [name, self.kind].into_iter().flat_map(u32::to_le_bytes).collect::<Vec<_>>();
        out.extend(class.words(&[self.flags, 0, offset, self.size.unwrap_or(len)]));
        out.extend([self.link, self.info].into_iter().flat_map(u32::to_le_bytes));
        out.extend(class.words(&[self.align, self.entry]));
        out
    }
}

impl Segment {
    fn bytes(&self, class: Class) -> Vec<u8> {
        let Self { kind, flags, offset, address, file_size, memory_size, align } = *self;
        let place = class.words(&[offset, address, address, file_size, memory_size]);
        let [kind, flags] = [kind, flags].map(u32::to_le_bytes);
        let align = class.word(align);
        class.pick([&kind[..], &place, &flags, &align], [&kind, &flags, &place, &align]).concat()
    }
}

/// Fields of the ELF header: where they lie in each class, and how long they are.
pub(crate) const E_TYPE: [usize; 3] = [16, 16, 2];
pub(crate) const E_VERSION: [usize; 3] = [20, 20, 4];
pub(crate) const E_PHOFF: [usize; 3] = [28, 32, 4];
pub(crate) const E_SHOFF: [usize; 3] = [32, 40, 4];
pub(crate) const E_EHSIZE: [usize; 3] = [40, 52, 2];
pub(crate) const E_PHENTSIZE: [usize; 3] = [42, 54, 2];
pub(crate) const E_PHNUM: [usize; 3] = [44, 56, 2];
pub(crate) const E_SHENTSIZE: [usize; 3] = [46, 58, 2];
pub(crate) const E_SHNUM: [usize; 3] = [48, 60, 2];
pub(crate) const E_SHSTRNDX: [usize; 3] = [50, 62, 2];

/// Overwrites one field of the header.
pub(crate) fn patch(class: Class, bytes: &mut [u8], field: [usize; 3], value: u64) {
    let [narrow, wide, len] = field;
    let at = class.pick(narrow, wide);
    bytes[at..at + len].copy_from_slice(&value.to_le_bytes()[..len]);
}
