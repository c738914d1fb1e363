//! The good files that recipes spoil: one of each form, small, with one of everything.

use crate::elf::{
    ALLOC, DYNAMIC, EXEC, File, INIT_ARRAY, NOBITS, PROGBITS, PT_DYNAMIC, PT_LOAD, REL, RELA, STRTAB, SYMTAB,
    Section, Segment, WRITE, relocation, symbols,
};
use crate::target::Target;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As compilers write it: relocations before the symbols.
    Object,
    /// As `ld -r` writes it: symbols before relocations, sections of one kind still apart.
    Partial,
    /// As linkers write it, with section headers.
    Shared,
}
use Form::{Object, Partial, Shared};

impl Form {
    pub(crate) const ALL: [Self; 3] = [Object, Partial, Shared];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Object => ".o",
            Partial => "-r",
            Shared => ".so",
        }
    }
}

/// The good file of a form.
pub(crate) fn good(target: &'static Target, form: Form) -> File {
    match form {
        Shared => shared(target),
        _ => relocatable(target, form == Partial),
    }
}

/// The names that a host must provide.
pub(crate) const HOST: &str = "host_call";

/// Symbols of relocatable files, by index.
pub(crate) const SECTION: u64 = 1;
pub(crate) const UNDEFINED: u64 = 2;
pub(crate) const PROBE: u64 = 3;
pub(crate) const DATUM: u64 = 4;
/// The first one that is added.
pub(crate) const OWN: u64 = 7;

pub(crate) const GLOBAL: u8 = 0x10;
pub(crate) const OBJECT: u8 = 0x11;
pub(crate) const FUNCTION: u8 = 0x12;

/// Code that calls the host's function at its ninth byte, and the place of that relocation.
pub(crate) fn code(target: &Target) -> (Vec<u8>, u64) {
    let (_, call, _) = target.call;
    let mut code = target.ret.repeat(32 / target.ret.len());
    code[8..8 + call.len()].copy_from_slice(call);
    (code, 8 + call.len() as u64 % 4)
}

fn relocatable(target: &'static Target, is_partial: bool) -> File {
    let class = target.class;
    let word = class.word();
    let (code, site) = code(target);
    let loaded = |name, kind, flags, data: Vec<u8>| Section {
        name,
        kind,
        flags: flags | ALLOC,
        data,
        align: word as u64,
        ..Section::default()
    };
    let mut sections = vec![
        Section::default(),
        loaded(".text", PROGBITS, EXEC, code),
        loaded(".data", PROGBITS, WRITE, vec![0; 32]),
        Section { size: Some(64), ..loaded(".bss", NOBITS, WRITE, Vec::new()) },
        loaded(".rodata", PROGBITS, 0, b"constant\0\0\0\0\0\0\0\0".to_vec()),
        loaded(".init_array", INIT_ARRAY, WRITE, vec![0; word]),
    ];
    if is_partial {
        sections.push(loaded(".text.other", PROGBITS, EXEC, vec![0; 16]));
        sections.push(loaded(".data.other", PROGBITS, WRITE, vec![1; 5]));
    }
    let (table, strings) = symbols(
        class,
        &[
            (b"", 3, 1, 0),
            (HOST.as_bytes(), GLOBAL, 0, 0),
            (b"probe", FUNCTION, 1, target.function_bit),
            (b"datum", OBJECT, 2, 8),
            (b"maybe", 0x20, 0, 0),
            (b"zeros", OBJECT, 3, 0),
        ],
    );
    let entry = class.pick(16, 24);
    let tables = [
        Section { name: ".symtab", kind: SYMTAB, data: table, info: 2, entry, ..Section::default() },
        Section { name: ".strtab", kind: STRTAB, data: strings, ..Section::default() },
    ];
    let call = relocation(target, site, target.call.0, UNDEFINED, target.call.2);
    let word_of = |symbol| relocation(target, 0, target.word, symbol, 0);
    let acting = [
        (".rel.text", 1, call),
        (".rel.data", 2, [word_of(PROBE), relocation(target, 16, target.word, DATUM, 0)].concat()),
        (".rel.init_array", 5, word_of(PROBE)),
    ]
    .map(|(name, info, data)| Section {
        name,
        kind: if target.rela { RELA } else { REL },
        data,
        info,
        align: word as u64,
        entry: word as u64 * if target.rela { 3 } else { 2 },
        ..Section::default()
    });
    if is_partial {
        sections.extend(tables.into_iter().chain(acting));
    } else {
        sections.extend(acting.into_iter().chain(tables));
    }
    sections.push(Section { name: ".shstrtab", kind: STRTAB, ..Section::default() });
    let mut file = File { target, kind: 1, sections, segments: Vec::new() };
    link(&mut file);
    file
}

/// Fills in which section goes with which.
fn link(file: &mut File) {
    let (table, strings) = (file.index(".symtab") as u32, file.index(".strtab") as u32);
    file.section(".symtab").link = strings;
    for section in file.sections.iter_mut().filter(|section| matches!(section.kind, REL | RELA)) {
        section.link = table;
    }
}

/// Where the parts of a shared object lie, in the file and in memory.
pub(crate) mod at {
    pub(crate) const HASH: u64 = 0x200;
    pub(crate) const SYMBOLS: u64 = 0x280;
    pub(crate) const STRINGS: u64 = 0x380;
    pub(crate) const RELOCATIONS: u64 = 0x400;
    /// Room that recipes may fill, in the read-only segment.
    pub(crate) const SPARE: u64 = 0x800;
    pub(crate) const TEXT: u64 = 0x1000;
    pub(crate) const INIT: u64 = 0x2000;
    pub(crate) const DATA: u64 = 0x2020;
    pub(crate) const DYNAMIC: u64 = 0x2080;
    pub(crate) const BSS: u64 = 0x2400;
    pub(crate) const END: u64 = 0x2480;
}

/// How many entries the dynamic section may have.
pub(crate) const ENTRIES: usize = 40;

pub(crate) mod dt {
    pub(crate) const NEEDED: u64 = 1;
    pub(crate) const PLTRELSZ: u64 = 2;
    pub(crate) const HASH: u64 = 4;
    pub(crate) const STRTAB: u64 = 5;
    pub(crate) const SYMTAB: u64 = 6;
    pub(crate) const STRSZ: u64 = 10;
    pub(crate) const SYMENT: u64 = 11;
    pub(crate) const INIT: u64 = 12;
    pub(crate) const FINI: u64 = 13;
    pub(crate) const SONAME: u64 = 14;
    pub(crate) const PLTREL: u64 = 20;
    pub(crate) const DEBUG: u64 = 21;
    pub(crate) const TEXTREL: u64 = 22;
    pub(crate) const JMPREL: u64 = 23;
    pub(crate) const INIT_ARRAY: u64 = 25;
    pub(crate) const INIT_ARRAYSZ: u64 = 27;
    pub(crate) const FLAGS: u64 = 30;
    pub(crate) const RELRSZ: u64 = 35;
    pub(crate) const RELR: u64 = 36;
    pub(crate) const GNU_HASH: u64 = 0x6fff_fef5;
    pub(crate) const VERNEED: u64 = 0x6fff_fffe;
}

/// The tags of the relocation table, its size and its entries' size.
pub(crate) fn relocation_tags(target: &Target) -> [u64; 3] {
    if target.rela { [7, 8, 9] } else { [17, 18, 19] }
}

fn shared(target: &'static Target) -> File {
    let class = target.class;
    let word = class.word() as u64;
    let (mut code, _) = code(target);
    code.resize(64, 0);
    let (table, strings) = symbols(
        class,
        &[
            (HOST.as_bytes(), GLOBAL, 0, 0),
            (b"probe", FUNCTION, 2, at::TEXT + target.function_bit),
            (b"datum", OBJECT, 3, at::DATA),
        ],
    );
    let probe = at::TEXT + target.function_bit;
    let relocations = [
        relocation(target, at::INIT, target.relative, 0, probe as i64),
        relocation(target, at::DATA, target.word, 2, 0),
        relocation(target, at::DATA + word, target.slot, 1, 0),
    ]
    .concat();
    let entry = if target.rela { 3 } else { 2 } * word;
    let [rel, relsz, relent] = relocation_tags(target);
    let dynamic = [
        (dt::HASH, at::HASH),
        (dt::STRTAB, at::STRINGS),
        (dt::STRSZ, strings.len() as u64),
        (dt::SYMTAB, at::SYMBOLS),
        (dt::SYMENT, class.pick(16, 24)),
        (rel, at::RELOCATIONS),
        (relsz, relocations.len() as u64),
        (relent, entry),
        (dt::INIT_ARRAY, at::INIT),
        (dt::INIT_ARRAYSZ, word),
    ];
    let mut dynamic: Vec<u8> = dynamic.iter().flat_map(|(tag, value)| class.words(&[*tag, *value])).collect();
    dynamic.resize(ENTRIES * 2 * word as usize, 0);
    let hash = [1u32, 4, 2, 0, 0, 3, 0].into_iter().flat_map(u32::to_le_bytes).collect();
    let placed = |name, kind, flags, address, data: Vec<u8>| Section {
        name,
        kind,
        flags: flags | ALLOC,
        address,
        data,
        align: word,
        ..Section::default()
    };
    let init = class.words(&[if target.rela { 0 } else { probe }]);
    let sections = vec![
        Section::default(),
        placed(".hash", 5, 0, at::HASH, hash),
        placed(".dynsym", 11, 0, at::SYMBOLS, table),
        placed(".dynstr", STRTAB, 0, at::STRINGS, strings),
        placed(".rel.dyn", if target.rela { RELA } else { REL }, 0, at::RELOCATIONS, relocations),
        placed(".spare", PROGBITS, 0, at::SPARE, vec![0; 0x400]),
        placed(".text", PROGBITS, EXEC, at::TEXT, code),
        placed(".init_array", INIT_ARRAY, WRITE, at::INIT, init),
        placed(".data", PROGBITS, WRITE, at::DATA, vec![0; 32]),
        placed(".dynamic", DYNAMIC, WRITE, at::DYNAMIC, dynamic),
        Section { size: Some(0x80), ..placed(".bss", NOBITS, WRITE, at::BSS, Vec::new()) },
        Section { name: ".shstrtab", kind: STRTAB, ..Section::default() },
    ];
    let load = |flags, address, end, memory_end| Segment {
        kind: PT_LOAD,
        flags,
        address,
        file_size: end - address,
        memory_size: memory_end - address,
        align: 0x1000,
    };
    let size = ENTRIES as u64 * 2 * word;
    let segments = vec![
        load(4, 0, at::SPARE + 0x400, at::SPARE + 0x400),
        load(5, at::TEXT, at::TEXT + 64, at::TEXT + 64),
        load(6, at::INIT, at::DYNAMIC + size, at::END),
        Segment {
            kind: PT_DYNAMIC,
            flags: 6,
            address: at::DYNAMIC,
            file_size: size,
            memory_size: size,
            align: word,
        },
    ];
    File { target, kind: 3, sections, segments }
}
