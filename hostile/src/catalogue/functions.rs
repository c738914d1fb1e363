//! Group F: constructors, destructors and the ABI; group J: what is odd and must load.

use super::recipe::{
    ANY, Expect, Good, Is, Loads, Make::Dynamic, Make::Files, Make::Relocation, Make::Section, RELOCATABLE,
    Recipe, Refused, SHARED, Value, recipe,
};
use crate::elf::{
    self, ALLOC, EXEC, INIT_ARRAY, NOBITS, NOTE, PROGBITS, SYMTAB_SHNDX, WRITE, relocation, sh,
};
use crate::sample::{FUNCTION, GLOBAL, UNDEFINED, at, dt};

const FUNCTIONS: Expect = Refused("FunctionOutsideText");
const OUTSIDE: &[Value] = &[Is(at::END), Is(0x7fff_fff0), Is(0xffff_fff0)];

pub(super) const RECIPES: &[Recipe] = &[
    recipe(62, "half a constructor", RELOCATABLE, Files(half), FUNCTIONS),
    recipe(
        62,
        "half a constructor in a shared object",
        SHARED,
        Dynamic(dt::INIT_ARRAYSZ, &[Is(1), Is(7), Is(9)]),
        Refused("BadDynamic"),
    ),
    recipe(62, "an array outside", SHARED, Dynamic(dt::INIT_ARRAY, OUTSIDE), Refused("BadDynamic")),
    recipe(62, "an array without an address", SHARED, Dynamic(28, &[Is(8)]), Refused("MissingTable")),
    recipe(62, "2^24 constructors", SHARED, Dynamic(dt::INIT_ARRAYSZ, &[Is(1 << 27)]), Refused("BadDynamic")),
    recipe(
        62,
        "a constructor that was not relocated",
        RELOCATABLE,
        Section(".rel.init_array", sh::SIZE, &[Is(0)]),
        FUNCTIONS,
    ),
    recipe(62, "a constructor elsewhere", RELOCATABLE, Files(elsewhere), FUNCTIONS),
    recipe(62, "a constructor in data", SHARED, Files(in_data), FUNCTIONS),
    recipe(
        62,
        "DT_INIT, DT_FINI in data",
        SHARED,
        Files(|good| [dt::INIT, dt::FINI].iter().map(|tag| good.entries(&[(*tag, at::DATA)])).collect()),
        FUNCTIONS,
    ),
    recipe(62, "DT_INIT outside", SHARED, Dynamic(dt::INIT, OUTSIDE), Refused("BadDynamic")),
    recipe(62, "hooks in data", ANY, Files(hooks), FUNCTIONS),
    recipe(
        64,
        "an ABI of the future",
        RELOCATABLE,
        Files(|good| abi(good, &[2, 0xffff_ffff])),
        Refused("AbiTooNew"),
    ),
    recipe(79, "all as it should be", ANY, Files(|good| vec![good.file().bytes()]), Loads),
    recipe(79, "zeros past the end, alignment 0, no bytes", RELOCATABLE, Files(odd_sections), Loads),
    recipe(79, "sections in another order", RELOCATABLE, Files(shuffled), Loads),
    recipe(
        79,
        "long names",
        RELOCATABLE,
        Files(|good| super::symbols::one_more(good, (&[b'n'; 5000], FUNCTION, 1, 0))),
        Loads,
    ),
    recipe(79, "2,000 sections of functions", RELOCATABLE, Files(many_functions), Loads),
    recipe(79, "70,000 sections, extended numbering", RELOCATABLE, Files(extended), Loads),
    recipe(79, "weak and undefined, called", RELOCATABLE, Files(weak), Loads),
    recipe(79, "without section headers", SHARED, Files(headless), Loads),
    recipe(79, "a soname outside", SHARED, Dynamic(dt::SONAME, &[Is(0), Is(0x7fff_ffff)]), Loads),
    recipe(79, "relocations of nothing", RELOCATABLE, Relocation(0, 1, &[Is(0)]), Loads),
];

fn half(good: &Good) -> Vec<Vec<u8>> {
    [1, 3]
        .iter()
        .flat_map(|len| {
            good.with(|file| {
                let (kind, flags) = (INIT_ARRAY, ALLOC | WRITE);
                file.sections.push(elf::Section {
                    name: ".init_array.1",
                    kind,
                    flags,
                    data: vec![0; *len],
                    align: 1,
                    ..Default::default()
                });
            })
        })
        .collect()
}

/// Constructors in the host, in data, at the ends of the address space.
fn elsewhere(good: &Good) -> Vec<Vec<u8>> {
    let by_symbol = |symbol: u64| {
        good.with(|file| {
            let record = relocation(file.target, 0, file.target.word, symbol, 0);
            file.section(".rel.init_array").data = record;
        })
    };
    let mut files: Vec<_> = [UNDEFINED, 4, 5, 6].into_iter().flat_map(by_symbol).collect();
    let by_value = |value: u64| {
        good.with(|file| {
            file.section(".rel.init_array").data.clear();
            file.section(".init_array").data = file.target.class.words(&[value]);
        })
    };
    files.extend([0, 1, 0xffff_ffff, u64::MAX].into_iter().flat_map(by_value));
    files
}

fn in_data(good: &Good) -> Vec<Vec<u8>> {
    let class = good.target.class;
    let pointing = |to: u64| {
        good.with(|file| {
            let record = relocation(file.target, at::INIT, file.target.relative, 0, to as i64);
            file.section(".rel.dyn").data[..record.len()].copy_from_slice(&record);
            if !file.target.rela {
                file.section(".init_array").data = class.words(&[to]);
            }
        })
    };
    [0, at::DATA, at::END, 0x7fff_0000, u64::MAX].into_iter().flat_map(pointing).collect()
}

/// `llext_init`, `llext_fini` that are no functions.
fn hooks(good: &Good) -> Vec<Vec<u8>> {
    let (section, value) = if good.form == crate::sample::Form::Shared { (8, at::DATA) } else { (2, 0) };
    let names: [&[u8]; 2] = [b"llext_init", b"llext_fini"];
    names.iter().flat_map(|name| super::symbols::one_more(good, (name, GLOBAL, section, value))).collect()
}

fn abi(good: &Good, versions: &[u32]) -> Vec<Vec<u8>> {
    let one = |version: &u32| {
        good.with(|file| {
            let mut data: Vec<u8> = [6u32, 4, 1].into_iter().flat_map(u32::to_le_bytes).collect();
            data.extend(b"llext\0\0\0");
            data.extend(version.to_le_bytes());
            file.sections.push(elf::Section {
                name: ".note.llext",
                kind: NOTE,
                flags: ALLOC,
                data,
                align: 4,
                ..Default::default()
            });
        })
    };
    versions.iter().flat_map(one).collect()
}

fn odd_sections(good: &Good) -> Vec<Vec<u8>> {
    good.with(|file| {
        for (kind, flags) in
            [(PROGBITS, EXEC), (PROGBITS, WRITE), (PROGBITS, 0), (NOBITS, WRITE), (INIT_ARRAY, WRITE)]
        {
            file.sections.push(elf::Section {
                name: ".odd",
                kind,
                flags: flags | ALLOC,
                align: 0,
                ..Default::default()
            });
        }
    })
}

/// The last section first; symbols and relocations follow.
fn shuffled(good: &Good) -> Vec<Vec<u8>> {
    let class = good.target.class;
    good.with(|file| {
        let last = file.sections.len() - 1;
        let moved = |index: usize| if index == 0 { 0 } else { last + 1 - index };
        file.sections[1..].reverse();
        for section in &mut file.sections {
            section.link = moved(section.link as usize) as u32;
            if matches!(section.kind, elf::REL | elf::RELA) {
                section.info = moved(section.info as usize) as u32;
            }
        }
        for symbol in file.section(".symtab").data.chunks_exact_mut(class.pick(16, 24)) {
            let at = class.pick(14, 6);
            let place = u16::from_le_bytes([symbol[at], symbol[at + 1]]);
            symbol[at..at + 2].copy_from_slice(&(moved(place.into()) as u16).to_le_bytes());
        }
    })
}

fn many_functions(good: &Good) -> Vec<Vec<u8>> {
    good.with(|file| {
        let (kind, flags) = (PROGBITS, ALLOC | EXEC);
        let one =
            elf::Section { name: ".text.f", kind, flags, data: vec![0; 8], align: 4, ..Default::default() };
        file.sections.extend(std::iter::repeat_n(one, 2000));
    })
}

/// A symbol in a section whose number does not fit its field.
fn extended(good: &Good) -> Vec<Vec<u8>> {
    let class = good.target.class;
    let file = good.file().with(|file| {
        let (kind, flags) = (PROGBITS, ALLOC);
        let one = elf::Section { name: ".e", kind, flags, data: vec![0; 4], align: 4, ..Default::default() };
        file.sections.extend(std::iter::repeat_n(one, 70_000));
        let last = file.sections.len() as u32 - 1;
        let mut data = vec![0; 7 * 4];
        data.extend(last.to_le_bytes());
        let (link, kind) = (file.index(".symtab") as u32, SYMTAB_SHNDX);
        file.sections.push(elf::Section {
            name: ".symtab_shndx",
            kind,
            data,
            link,
            entry: 4,
            ..Default::default()
        });
        super::symbols::add(file, good.form, &[(b"far", GLOBAL | 1, 0xffff, 0)]);
    });
    let count = file.sections.len() as u64;
    let mut bytes = file.bytes();
    let at = elf::e::SHOFF.read(class, &bytes, 0) as usize;
    elf::e::SHNUM.write(class, &mut bytes, 0, 0);
    sh::SIZE.write(class, &mut bytes, at, count);
    vec![bytes]
}

fn weak(good: &Good) -> Vec<Vec<u8>> {
    good.with(|file| {
        let (r_type, _, addend) = file.target.call;
        let site = crate::sample::code(file.target).1;
        let record = relocation(file.target, site, r_type, 5, addend);
        file.section(".rel.text").data = record;
    })
}

/// As a file that was stripped of them.
fn headless(good: &Good) -> Vec<Vec<u8>> {
    let class = good.target.class;
    good.patched(|bytes| {
        for field in [elf::e::SHOFF, elf::e::SHNUM, elf::e::SHSTRNDX] {
            field.write(class, bytes, 0, 0);
        }
    })
}
