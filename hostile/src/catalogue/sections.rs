//! Group B: sections.

use super::recipe::{
    ANY, Eof, Expect, Good, Index, Is, Loads, Make, Make::Files, Make::Section, More, RELOCATABLE, Recipe,
    Refused, SHARED, Sections, Value, With, contents, recipe, section,
};
use crate::elf::{self, ALLOC, File, NOTE, PROGBITS, WRITE, sh};
use crate::sample::at;

const LINK: Expect = Refused("BadLink");
const ENTRY: Expect = Refused("BadEntrySize");
const LARGE: Expect = Refused("ImageTooLarge");
const OUTSIDE: Expect = Refused("RelocationOutside");
const WILD: &[Value] = &[Eof(0), Eof(1), Is(0x7fff_ffff), Is(0xffff_ffff), Is(1 << 63), Is(u64::MAX)];

pub(super) const RECIPES: &[Recipe] = &[
    recipe(14, "sh_offset outside", RELOCATABLE, Section(".text", sh::OFFSET, WILD), Refused("Truncated")),
    recipe(14, "sh_size outside", RELOCATABLE, Section(".data", sh::SIZE, WILD), Refused("Truncated")),
    recipe(
        14,
        "sh_offset of symbols",
        RELOCATABLE,
        Section(".symtab", sh::OFFSET, WILD),
        Refused("Truncated"),
    ),
    recipe(14, "ends outside by one", RELOCATABLE, Files(outside_by_one), Refused("Truncated")),
    recipe(14, "sh_offset of names", ANY, Section(".shstrtab", sh::OFFSET, WILD), Refused("Truncated")),
    recipe(15, "zeros past the end", ANY, Section(".bss", sh::OFFSET, WILD), Loads),
    recipe(
        16,
        "empty data",
        RELOCATABLE,
        Section(".data", sh::SIZE, &[Is(0)]),
        Refused("SymbolOutsideSection"),
    ),
    recipe(16, "empty strings", RELOCATABLE, Section(".strtab", sh::SIZE, &[Is(0)]), Refused("BadName")),
    recipe(
        16,
        "no symbols",
        RELOCATABLE,
        Section(".symtab", sh::SIZE, &[Is(0)]),
        Refused("BadRelocationSymbol"),
    ),
    recipe(
        16,
        "empty array of constructors",
        RELOCATABLE,
        Section(".init_array", sh::SIZE, &[Is(0)]),
        OUTSIDE,
    ),
    recipe(
        17,
        "too many zeros",
        RELOCATABLE,
        Section(
            ".bss",
            sh::SIZE,
            &[Is(0x7fff_ffff), Is(0x8000_0000), Is(0xffff_ffff), Is(1 << 32), Is(1 << 63), Is(u64::MAX)],
        ),
        LARGE,
    ),
    recipe(17, "sizes whose sum wraps", RELOCATABLE, Files(sum_wraps), LARGE),
    recipe(
        17,
        "more than the memory has",
        RELOCATABLE,
        Section(".bss", sh::SIZE, &[Is(0x1000_0000)]),
        Refused("Memory"),
    ),
    recipe(18, "alignment 0, 1", RELOCATABLE, Section(".rodata", sh::ALIGN, &[Is(0), Is(1)]), Loads),
    recipe(
        18,
        "alignment",
        RELOCATABLE,
        Section(
            ".rodata",
            sh::ALIGN,
            &[Is(3), Is(6), Is(1 << 17), Is(1 << 31), Is(0xffff_ffff), Is(1 << 63), Is(u64::MAX)],
        ),
        Refused("BadAlignment"),
    ),
    recipe(19, "sh_entsize of symbols", RELOCATABLE, Section(".symtab", sh::ENTSIZE, SIZES), ENTRY),
    recipe(19, "sh_entsize of relocations", RELOCATABLE, Section(".rel.data", sh::ENTSIZE, SIZES), ENTRY),
    recipe(
        19,
        "sh_size of symbols",
        RELOCATABLE,
        Section(".symtab", sh::SIZE, &[Is(1), Is(15), More(-1), More(1)]),
        ENTRY,
    ),
    recipe(
        19,
        "sh_size of relocations",
        RELOCATABLE,
        Section(".rel.data", sh::SIZE, &[Is(1), Is(7), More(-1), More(1)]),
        ENTRY,
    ),
    recipe(20, "sh_link of symbols", RELOCATABLE, Section(".symtab", sh::LINK, LINKS), LINK),
    recipe(
        20,
        "sh_link of symbols to themselves",
        RELOCATABLE,
        Section(".symtab", sh::LINK, &[Index(".symtab"), Index(".text"), Index(".bss")]),
        LINK,
    ),
    recipe(20, "sh_link of relocations", RELOCATABLE, Section(".rel.text", sh::LINK, LINKS), LINK),
    recipe(
        20,
        "sh_link of relocations to other things",
        RELOCATABLE,
        Section(".rel.data", sh::LINK, &[Index(".rel.data"), Index(".strtab"), Index(".text")]),
        LINK,
    ),
    recipe(
        21,
        "sh_info of relocations",
        RELOCATABLE,
        Section(".rel.data", sh::INFO, &[Is(0), Index(".rel.data"), Sections(0), Is(0xffff_ffff)]),
        LINK,
    ),
    recipe(21, "relocations of zeros", RELOCATABLE, Section(".rel.data", sh::INFO, &[Index(".bss")]), LINK),
    recipe(
        21,
        "relocations of what is not loaded",
        RELOCATABLE,
        Section(
            ".rel.data",
            sh::INFO,
            &[Index(".strtab"), Index(".symtab"), Index(".shstrtab"), Index(".rel.text")],
        ),
        Loads,
    ),
    recipe(22, "sections over one another", RELOCATABLE, Files(overlapping), Refused("OverlappingSections")),
    recipe(
        22,
        "segments over one another",
        SHARED,
        Make::Segment(1, elf::p::VADDR, &[Is(0)]),
        Refused("BadSegment"),
    ),
    recipe(22, "exports over text", RELOCATABLE, Files(exports_over_text), Refused("BadExports")),
    recipe(
        23,
        "section to write and run",
        RELOCATABLE,
        Section(".text", sh::FLAGS, &[With(WRITE)]),
        Refused("WritableAndExecutable"),
    ),
    recipe(
        23,
        "segment to write and run",
        SHARED,
        Make::Segment(1, elf::p::FLAGS, &[Is(3), Is(7)]),
        Refused("WritableAndExecutable"),
    ),
    recipe(
        24,
        "unknown type",
        RELOCATABLE,
        Section(".rodata", sh::TYPE, &[Is(12), Is(100), Is(0x6000_0001), Is(0x8000_0000), Is(0xffff_ffff)]),
        Refused("UnsupportedSection"),
    ),
    recipe(
        24,
        "type of the processor's",
        RELOCATABLE,
        Section(".rodata", sh::TYPE, &[Is(0x7000_0001), Is(0x7fff_ffff)]),
        Loads,
    ),
    recipe(
        24,
        "thread-local",
        RELOCATABLE,
        Section(".data", sh::FLAGS, &[With(0x400)]),
        Refused("ThreadLocal"),
    ),
    recipe(
        24,
        "mergeable, ordered, grouped, excluded",
        RELOCATABLE,
        Section(".rodata", sh::FLAGS, &[With(0x30), With(0x80), With(0x200), With(0x8000_0000)]),
        Loads,
    ),
    recipe(24, "groups of groups", RELOCATABLE, Files(groups), Loads),
    recipe(
        25,
        "two tables of symbols",
        RELOCATABLE,
        Files(|good| good.with(|file| again(file, ".symtab"))),
        Refused("DuplicateTable"),
    ),
    recipe(
        25,
        "no table of symbols",
        RELOCATABLE,
        Section(".symtab", sh::TYPE, &[Is(0), Is(PROGBITS as u64)]),
        Refused("MissingTable"),
    ),
    recipe(25, "two of a name", RELOCATABLE, Files(|good| good.with(|file| again(file, ".bss"))), Loads),
    recipe(
        25,
        "65,000 empty sections",
        RELOCATABLE,
        Files(|good| good.with(|file| many(file, 65_000))),
        Loads,
    ),
    recipe(
        26,
        "exports of a size that is no number of entries",
        RELOCATABLE,
        Files(odd_exports),
        Refused("BadExports"),
    ),
    recipe(
        26,
        "notes cut short",
        RELOCATABLE,
        Files(|good| notes(good, &[4, 0, 0, 0, 0xff, 0, 0, 0, 1, 0, 0, 0])),
        Refused("BadNote"),
    ),
    recipe(
        26,
        "notes of wild sizes",
        RELOCATABLE,
        Files(|good| notes(good, &[0xff; 24])),
        Refused("BadNote"),
    ),
    recipe(
        27,
        "compressed",
        RELOCATABLE,
        Section(".rodata", sh::FLAGS, &[With(0x800)]),
        Refused("Compressed"),
    ),
    recipe(27, "bombs", RELOCATABLE, Files(bombs), Refused("Compressed")),
    recipe(
        28,
        "sh_addr in a relocatable file",
        RELOCATABLE,
        Section(".text", sh::ADDR, &[Is(1), Is(0xffff_ffff), Is(u64::MAX)]),
        Loads,
    ),
    recipe(28, "sh_addr of exports wraps", SHARED, Files(wild_exports), Refused("BadExports")),
];

const SIZES: &[Value] = &[Is(0), Is(1), More(-1), More(1), Is(0x1000_0000), Is(0xffff_ffff)];
const LINKS: &[Value] = &[Is(0), Sections(0), Is(0xffff), Is(0xffff_ffff)];

fn outside_by_one(good: &Good) -> Vec<Vec<u8>> {
    good.patched(|bytes| {
        let file = good.file();
        let header = section(&file, bytes, file.index(".data"));
        let offset = bytes.len() as u64 - 31;
        sh::OFFSET.write(good.target.class, bytes, header, offset);
    })
}

fn sum_wraps(good: &Good) -> Vec<Vec<u8>> {
    good.with(|file| {
        let bss = elf::Section { size: Some(0x7fff_0000), ..file.section(".bss").clone() };
        file.sections.extend([bss.clone(), bss]);
    })
}

/// Each claims most of the file.
fn overlapping(good: &Good) -> Vec<Vec<u8>> {
    let file = good.file();
    good.patched(|bytes| {
        for name in [".text", ".data", ".rodata"] {
            let header = section(&file, bytes, file.index(name));
            let size = bytes.len() as u64 - 64;
            sh::OFFSET.write(good.target.class, bytes, header, 64);
            sh::SIZE.write(good.target.class, bytes, header, size);
        }
    })
}

fn exports(file: &File, data: Vec<u8>) -> elf::Section {
    let align = file.target.class.word() as u64;
    elf::Section { name: ".exported_sym", kind: PROGBITS, flags: ALLOC, data, align, ..Default::default() }
}

fn exports_over_text(good: &Good) -> Vec<Vec<u8>> {
    let file = good.file().with(|file| {
        let exports = exports(file, vec![0; 2 * file.target.class.word()]);
        file.sections.push(exports);
    });
    let mut bytes = file.bytes();
    let text = contents(&file, &bytes, ".text") as u64;
    let header = section(&file, &bytes, file.index(".exported_sym"));
    sh::OFFSET.write(good.target.class, &mut bytes, header, text);
    vec![bytes]
}

fn odd_exports(good: &Good) -> Vec<Vec<u8>> {
    let odd = |len: usize| {
        good.with(|file| {
            let exports = exports(file, vec![0; len]);
            file.sections.push(exports);
        })
    };
    [1, 7, 17].into_iter().flat_map(odd).collect()
}

fn wild_exports(good: &Good) -> Vec<Vec<u8>> {
    let wild = |address: u64| {
        let file = good.file().with(|file| {
            let exports = exports(file, vec![0; 32]);
            file.sections.push(exports);
        });
        let mut bytes = file.bytes();
        let header = section(&file, &bytes, file.index(".exported_sym"));
        sh::ADDR.write(good.target.class, &mut bytes, header, address).then_some(bytes)
    };
    [at::END - 8, 0xffff_fff0, 0xffff_ffff, u64::MAX - 15].into_iter().filter_map(wild).collect()
}

fn groups(good: &Good) -> Vec<Vec<u8>> {
    good.with(|file| {
        let own = file.sections.len() as u32;
        let data = [1, own, own, 1, 1].into_iter().flat_map(u32::to_le_bytes).collect();
        let link = file.index(".symtab") as u32;
        file.sections.push(elf::Section {
            name: ".group",
            kind: 17,
            data,
            link,
            entry: 4,
            ..Default::default()
        });
    })
}

fn again(file: &mut File, name: &str) {
    let copy = file.section(name).clone();
    file.sections.push(copy);
}

fn many(file: &mut File, count: usize) {
    let empty = elf::Section { name: ".e", kind: PROGBITS, flags: ALLOC, align: 1, ..Default::default() };
    file.sections.extend(std::iter::repeat_n(empty, count));
}

fn notes(good: &Good, data: &[u8]) -> Vec<Vec<u8>> {
    good.with(|file| {
        let note = elf::Section { name: ".note", kind: NOTE, flags: ALLOC, align: 4, ..Default::default() };
        file.sections.push(elf::Section { data: data.to_vec(), ..note });
    })
}

/// Headers of compressed contents that claim the impossible; none is believed, for none is read.
fn bombs(good: &Good) -> Vec<Vec<u8>> {
    let bomb = |size: u64, align: u64| {
        good.with(|file| {
            let data = file.target.class.words(&[1, size, align]);
            let data = [data, vec![0x78; 64]].concat();
            let flags = ALLOC | 0x800;
            file.sections.push(elf::Section {
                name: ".z",
                kind: PROGBITS,
                flags,
                data,
                align: 8,
                ..Default::default()
            });
        })
    };
    [(1 << 40, 1), (64_000, 0), (0, 1)].into_iter().flat_map(|(size, align)| bomb(size, align)).collect()
}
