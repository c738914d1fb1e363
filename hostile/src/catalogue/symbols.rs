//! Group C: strings and symbols.

use super::recipe::{
    ANY, Expect, Good, Is, Loads, Make::Dynamic, Make::Files, Make::Section, Make::Symbol, RELOCATABLE,
    Recipe, Refused, SHARED, Sections, Value, recipe, set_dynamic,
};
use crate::elf::{self, PROGBITS, SYMTAB_SHNDX, sh, st, symbols};
use crate::sample::{DATUM, FUNCTION, Form, GLOBAL, OBJECT, PROBE, UNDEFINED, dt};

const NAME: Expect = Refused("BadName");
const MISSING: Expect = Refused("UndefinedSymbols");
const PLACE: Expect = Refused("BadSymbolSection");
const WILD: &[Value] = &[Is(0x1000_0000), Is(0x7fff_ffff), Is(0xffff_ffff)];

pub(super) const RECIPES: &[Recipe] = &[
    recipe(
        29,
        "strings without an end",
        RELOCATABLE,
        Files(|good| good.with(|file| endless(file, ".strtab"))),
        Refused("UnterminatedStrings"),
    ),
    recipe(
        29,
        "dynamic strings without an end",
        SHARED,
        Dynamic(dt::STRSZ, &[Is(2), Is(3), Is(5)]),
        Refused("UnterminatedStrings"),
    ),
    recipe(
        29,
        "strings without a beginning",
        RELOCATABLE,
        Files(|good| good.with(|file| file.section(".strtab").data[0] = b'x')),
        Loads,
    ),
    recipe(30, "st_name of what is missing", RELOCATABLE, Symbol(UNDEFINED, st::NAME, WILD), NAME),
    recipe(30, "st_name of what a shared object misses", SHARED, Symbol(1, st::NAME, WILD), NAME),
    recipe(30, "st_name of what is there", RELOCATABLE, Symbol(PROBE, st::NAME, WILD), NAME),
    recipe(30, "st_name of the last byte", RELOCATABLE, Files(last_byte), MISSING),
    recipe(30, "sh_name", RELOCATABLE, Section(".data", sh::NAME, WILD), NAME),
    recipe(30, "name of a needed library", SHARED, Dynamic(dt::NEEDED, WILD), Refused("BadDynamic")),
    recipe(31, "names that nobody has", ANY, Files(odd_names), MISSING),
    recipe(31, "names too long", ANY, Files(long_names), NAME),
    recipe(
        32,
        "st_shndx too large",
        RELOCATABLE,
        Symbol(PROBE, st::SHNDX, &[Sections(0), Is(0xfeff), Is(0xff00), Is(0xff20), Is(0xfffe)]),
        PLACE,
    ),
    recipe(
        32,
        "st_shndx of an extension that is not there",
        RELOCATABLE,
        Symbol(PROBE, st::SHNDX, &[Is(0xffff)]),
        Refused("MissingTable"),
    ),
    recipe(
        32,
        "extension too short",
        RELOCATABLE,
        Files(|good| extended(good, 1, 1)),
        Refused("MissingTable"),
    ),
    recipe(32, "extension out of range", RELOCATABLE, Files(|good| extended(good, 7, 0x1_0000)), PLACE),
    recipe(32, "in what is not loaded", RELOCATABLE, Files(not_loaded), Refused("SymbolNotLoaded")),
    recipe(32, "common of odd alignment", RELOCATABLE, Files(common), Refused("BadCommon")),
    recipe(32, "absolute", RELOCATABLE, Symbol(DATUM, st::SHNDX, &[Is(0xfff1)]), Loads),
    recipe(
        33,
        "st_value outside",
        RELOCATABLE,
        Symbol(DATUM, st::VALUE, &[Is(33), Is(0xffff_ffff), Is(1 << 63), Is(u64::MAX)]),
        Refused("SymbolOutsideSection"),
    ),
    recipe(
        33,
        "st_value outside the image",
        SHARED,
        Symbol(3, st::VALUE, &[Is(0x2481), Is(0xffff_ffff), Is(1 << 63), Is(u64::MAX)]),
        Refused("SymbolOutsideImage"),
    ),
    recipe(33, "st_size", ANY, Symbol(PROBE, st::SIZE, &[Is(0), Is(0xffff_ffff), Is(u64::MAX)]), Loads),
    recipe(
        34,
        "binding and type reserved",
        RELOCATABLE,
        Symbol(DATUM, st::INFO, &[Is(0xf1), Is(0x1f), Is(0xd1), Is(0x35)]),
        Loads,
    ),
    recipe(
        34,
        "sh_info of symbols",
        RELOCATABLE,
        Section(".symtab", sh::INFO, &[Is(0), Is(1000), Is(0xffff_ffff)]),
        Loads,
    ),
    recipe(
        35,
        "symbols without number",
        RELOCATABLE,
        Section(".symtab", sh::SIZE, &[Is(48 << 20), Is(48 << 24), Is(48 << 30)]),
        Refused("Truncated"),
    ),
    recipe(
        35,
        "one name twice",
        RELOCATABLE,
        Files(|good| flood(good, &mut |_| b"twin".to_vec(), 2)),
        Refused("DuplicateExport"),
    ),
    recipe(
        35,
        "one name a hundred thousand times",
        RELOCATABLE,
        Files(|good| flood(good, &mut |_| b"twin".to_vec(), 100_000)),
        Refused("DuplicateExport"),
    ),
    recipe(
        35,
        "names of one hash",
        RELOCATABLE,
        Files(|good| flood(good, &mut collision, 4096)),
        Refused("BadExports"),
    ),
    recipe(36, "undefined", ANY, Files(|good| one_more(good, (b"nobody", GLOBAL, 0, 0))), MISSING),
    recipe(36, "undefined, weak", ANY, Files(|good| one_more(good, (b"nobody", 0x20, 0, 0))), Loads),
    recipe(36, "undefined, without a name", ANY, Files(|good| one_more(good, (b"", GLOBAL, 0, 0))), MISSING),
    recipe(
        36,
        "indirect function",
        RELOCATABLE,
        Symbol(PROBE, st::INFO, &[Is(0x1a)]),
        Refused("UnsupportedSymbol"),
    ),
    recipe(
        36,
        "thread-local, undefined",
        RELOCATABLE,
        Symbol(UNDEFINED, st::INFO, &[Is(0x16), Is(0x26)]),
        Refused("ThreadLocal"),
    ),
    recipe(
        36,
        "thread-local, undefined in a shared object",
        SHARED,
        Symbol(1, st::INFO, &[Is(0x16), Is(0x26)]),
        Refused("ThreadLocal"),
    ),
    recipe(
        36,
        "a section's or file's name exported",
        RELOCATABLE,
        Symbol(DATUM, st::INFO, &[Is(0x13), Is(0x14)]),
        Loads,
    ),
    recipe(37, "symbol 0", ANY, Symbol(0, st::INFO, &[Is(GLOBAL as u64), Is(FUNCTION as u64)]), MISSING),
    recipe(38, "exports of elsewhere", RELOCATABLE, Files(exports_elsewhere), Refused("BadExports")),
];

fn endless(file: &mut elf::File, name: &str) {
    let data = &mut file.section(name).data;
    let last = data.len() - 1;
    data[last] = b'x';
}

fn last_byte(good: &Good) -> Vec<Vec<u8>> {
    good.with(|file| {
        let last = file.section(".strtab").data.len() as u32 - 1;
        let at = UNDEFINED as usize * file.target.class.pick(16, 24);
        file.section(".symtab").data[at..at + 4].copy_from_slice(&last.to_le_bytes());
    })
}

/// The file with one more symbol, which a shared object counts in its hash table.
pub(super) fn one_more(good: &Good, symbol: elf::Symbol<'_>) -> Vec<Vec<u8>> {
    good.with(|file| add(file, good.form, &[symbol]))
}

/// Adds symbols, where they find room.
pub(crate) fn add(file: &mut elf::File, form: Form, all: &[elf::Symbol<'_>]) {
    let shared = form == Form::Shared;
    let (table, strings) = if shared { (".dynsym", ".dynstr") } else { (".symtab", ".strtab") };
    let (mut entries, names) = symbols(file.target.class, all);
    let record = file.target.class.pick(16, 24);
    let base = file.section(strings).data.len() as u32 - 1;
    for (entry, (name, ..)) in entries.chunks_exact_mut(record).skip(1).zip(all) {
        let at = u32::from_le_bytes([entry[0], entry[1], entry[2], entry[3]]);
        let at = if name.is_empty() { 0 } else { at + base };
        entry[..4].copy_from_slice(&at.to_le_bytes());
    }
    file.section(table).data.extend(&entries[record..]);
    file.section(strings).data.extend(&names[1..]);
    if shared {
        let count = (file.section(".dynsym").data.len() / record) as u32;
        let size = file.section(".dynstr").data.len() as u64;
        let hash = &mut file.section(".hash").data;
        // One chain through all, the newest first.
        let words = [1, count, count - 1, 0].into_iter().chain(0..count - 1);
        *hash = words.flat_map(u32::to_le_bytes).collect();
        set_dynamic(file, dt::STRSZ, size);
        make_room(file);
    }
}

/// Tables that grew go to the end of the first segment.
fn make_room(file: &mut elf::File) {
    let spare = file.index(".spare");
    let mut free = crate::sample::at::SPARE;
    for (name, tag) in [(".hash", dt::HASH), (".dynsym", dt::SYMTAB), (".dynstr", dt::STRTAB)] {
        let size = file.section(name).data.len() as u64;
        file.section(name).address = free;
        set_dynamic(file, tag, free);
        free = (free + size).next_multiple_of(8);
    }
    let tables: Vec<_> = file.sections.drain(1..=3).collect();
    file.sections.splice(spare - 3..=spare - 3, tables);
    // Whatever the tables need, the other segments begin behind it.
    assert!(free <= crate::sample::at::TEXT, "the tables fit the first segment");
    file.segments[0].file_size = free;
    file.segments[0].memory_size = free;
}

/// Names that no host knows, among them what terminals and file systems would act on.
fn odd_names(good: &Good) -> Vec<Vec<u8>> {
    let names: [&[u8]; 6] = [b"x", b"\xff\xfe", b"\x1b[2J", b"../../etc/passwd", b"a b", &[b'n'; 300]];
    names.iter().flat_map(|name| one_more(good, (name, GLOBAL, 0, 0))).collect()
}

/// A shared object has no room for them here: one that ends with the image stands for them.
fn long_names(good: &Good) -> Vec<Vec<u8>> {
    if good.form == Form::Shared {
        return Vec::new();
    }
    let long = |len: usize| one_more(good, (&vec![b'n'; len], GLOBAL, 0, 0));
    [1 << 16, (1 << 16) + 1, 1 << 20].into_iter().flat_map(long).collect()
}

/// A table of extended indexes with so many entries, the last of them `index`.
fn extended(good: &Good, count: usize, index: u32) -> Vec<Vec<u8>> {
    good.with(|file| {
        let mut data = vec![0; 4 * count];
        if let Some(at) = (PROBE as usize * 4..).next().filter(|at| at + 4 <= data.len()) {
            data[at..at + 4].copy_from_slice(&index.to_le_bytes());
        }
        let link = file.index(".symtab") as u32;
        let kind = SYMTAB_SHNDX;
        file.sections.push(elf::Section {
            name: ".symtab_shndx",
            kind,
            data,
            link,
            entry: 4,
            ..Default::default()
        });
        let at = PROBE as usize * file.target.class.pick(16, 24) + file.target.class.pick(14, 6);
        file.section(".symtab").data[at..at + 2].copy_from_slice(&[0xff, 0xff]);
    })
}

fn not_loaded(good: &Good) -> Vec<Vec<u8>> {
    good.with(|file| {
        let own = file.sections.len() as u16;
        file.sections.push(elf::Section {
            name: ".note",
            kind: PROGBITS,
            data: vec![0; 64],
            ..Default::default()
        });
        let at = DATUM as usize * file.target.class.pick(16, 24) + file.target.class.pick(14, 6);
        file.section(".symtab").data[at..at + 2].copy_from_slice(&own.to_le_bytes());
    })
}

fn common(good: &Good) -> Vec<Vec<u8>> {
    [3, 6, 1 << 17, 1 << 31]
        .iter()
        .flat_map(|align| one_more(good, (b"common", OBJECT, 0xfff2, *align)))
        .collect()
}

fn flood(good: &Good, name: &mut dyn FnMut(usize) -> Vec<u8>, count: usize) -> Vec<Vec<u8>> {
    let names: Vec<_> = (0..count).map(name).collect();
    let all: Vec<elf::Symbol<'_>> = names.iter().map(|name| (&name[..], OBJECT, 2, 0)).collect();
    good.with(|file| add(file, good.form, &all))
}

/// Any row of `ab` and `bA` has the hash of every other row of that length.
fn collision(number: usize) -> Vec<u8> {
    (0..12).flat_map(|bit| if number >> bit & 1 == 0 { *b"ab" } else { *b"bA" }).collect()
}

/// A table of exports whose entries name and address what is not the extension's.
fn exports_elsewhere(good: &Good) -> Vec<Vec<u8>> {
    let class = good.target.class;
    let wild = |entry: [u64; 2]| {
        good.with(|file| {
            let (data, align) = (class.words(&entry), class.word() as u64);
            let (kind, flags) = (PROGBITS, elf::ALLOC);
            file.sections.push(elf::Section {
                name: ".exported_sym",
                kind,
                flags,
                data,
                align,
                ..Default::default()
            });
        })
    };
    let host = crate::host::bases()[0] as u64;
    [[0, 0], [host, host], [u64::MAX, u64::MAX], [1, 1]].into_iter().flat_map(wild).collect()
}
