//! Group D: relocations.

use super::recipe::{
    ANY, Expect, Good, Index, Is, Loads, Make, Make::Dynamic, Make::Files, Make::Relocation, Make::Section,
    RELOCATABLE, Recipe, Refused, SHARED, Value, recipe, set_dynamic,
};
use crate::elf::{self, WORD, relocation, sh};
use crate::sample::{Form, GLOBAL, SECTION, at, dt};

const OUTSIDE: Expect = Refused("RelocationOutside");
const DYNAMIC: Expect = Refused("BadDynamic");
const PAST: &[Value] =
    &[Is(29), Is(32), Is(0x7fff_ffff), Is(0xffff_fffd), Is(0xffff_ffff), Is(1 << 63), Is(u64::MAX)];
const PAST_IMAGE: &[Value] =
    &[Is(at::END - 3), Is(at::END), Is(0x7fff_ffff), Is(0xffff_ffff), Is(1 << 63), Is(u64::MAX)];

pub(super) const RECIPES: &[Recipe] = &[
    recipe(39, "r_offset at the end", RELOCATABLE, Relocation(0, 0, PAST), OUTSIDE),
    recipe(39, "r_offset at the image's end", SHARED, Relocation(1, 0, PAST_IMAGE), OUTSIDE),
    recipe(
        40,
        "section smaller than the field",
        RELOCATABLE,
        Section(".init_array", sh::SIZE, &[Is(0), Is(1), Is(2), Is(3)]),
        OUTSIDE,
    ),
    recipe(41, "r_info of no symbol", ANY, Files(no_symbol), Refused("BadRelocationSymbol")),
    recipe(
        42,
        "unknown type",
        ANY,
        Files(|good| types(good, &[good.target.unknown])),
        Refused("UnknownRelocation"),
    ),
    recipe(
        42,
        "what only shared objects have",
        RELOCATABLE,
        Files(|good| types(good, good.target.dynamic_only)),
        Refused("UnsupportedRelocation"),
    ),
    recipe(
        42,
        "what nobody may have",
        ANY,
        Files(|good| types(good, good.target.refused)),
        Refused("UnsupportedRelocation"),
    ),
    recipe(
        43,
        "of read-only data",
        RELOCATABLE,
        Section(".rel.data", sh::INFO, &[Index(".rodata")]),
        OUTSIDE,
    ),
    recipe(
        43,
        "of themselves",
        RELOCATABLE,
        Section(".rel.data", sh::INFO, &[Index(".rel.data")]),
        Refused("BadLink"),
    ),
    recipe(43, "of their own table", SHARED, Files(of_their_table), Loads),
    recipe(44, "two tables for one section", RELOCATABLE, Files(two_tables), Loads),
    recipe(44, "two at one place", RELOCATABLE, Relocation(1, 0, &[Is(0), Is(1), Is(3)]), Loads),
    recipe(
        45,
        "addends of words",
        RELOCATABLE,
        Relocation(0, 2, &[Is(1 << 63), Is(u64::MAX), Is(0x7fff_ffff), Is(0xffff_ffff_8000_0000)]),
        Loads,
    ),
    recipe(
        46,
        "out of reach by one",
        RELOCATABLE,
        Files(|good| reach(good, 1)),
        Refused("RelocationOverflow"),
    ),
    recipe(46, "just in reach", RELOCATABLE, Files(|good| reach(good, 0)), Loads),
    recipe(51, "the other kind of table", RELOCATABLE, Files(other_kind), Refused("BadEntrySize")),
    recipe(51, "packed relocations run away", SHARED, Files(runaway), OUTSIDE),
    recipe(51, "packed relocations outside", SHARED, Files(packed_outside), DYNAMIC),
    recipe(51, "relocations outside", SHARED, Files(|good| tagged(good, 0)), DYNAMIC),
    recipe(51, "sizes of relocations", SHARED, Files(|good| tagged(good, 1)), DYNAMIC),
    recipe(51, "entries of another size", SHARED, Files(|good| tagged(good, 2)), DYNAMIC),
    recipe(51, "DT_PLTREL", SHARED, Dynamic(dt::PLTREL, &[Is(1), Is(6), Is(0x1000), Is(u64::MAX)]), DYNAMIC),
    recipe(
        51,
        "DT_PLTRELSZ without DT_JMPREL",
        SHARED,
        Dynamic(dt::PLTRELSZ, &[Is(24)]),
        Refused("MissingTable"),
    ),
    recipe(51, "DT_JMPREL outside", SHARED, Files(plt_outside), DYNAMIC),
    recipe(52, "r_offset unaligned", RELOCATABLE, Relocation(0, 0, &[Is(1), Is(2), Is(3)]), Loads),
    recipe(53, "70,000 distinct far calls", RELOCATABLE, Files(far_calls), Refused("UndefinedSymbols")),
];

/// The first relocation of a symbol in the data, with another `r_info`.
fn info(good: &Good, symbol: u64, r_type: u32) -> Vec<Vec<u8>> {
    let class = good.target.class;
    let value = symbol << class.pick(8, 32) | u64::from(r_type);
    let number = usize::from(good.form == Form::Shared);
    let record = class.word() * if good.target.rela { 3 } else { 2 };
    let table = if good.form == Form::Shared { ".rel.dyn" } else { ".rel.data" };
    good.with(|file| {
        let at = number * record + class.word();
        WORD.write(class, &mut file.section(table).data, at, value);
    })
}

fn no_symbol(good: &Good) -> Vec<Vec<u8>> {
    let most = good.target.class.pick(1 << 24, 1 << 32) - 1;
    let count = if good.form == Form::Shared { 4 } else { 7 };
    let all = [count, count + 1, 1 << 20, most];
    all.iter().flat_map(|symbol| info(good, *symbol, good.target.word)).collect()
}

fn types(good: &Good, all: &[u32]) -> Vec<Vec<u8>> {
    all.iter().flat_map(|r_type| info(good, 2, *r_type)).collect()
}

/// One that would change the record of the next.
fn of_their_table(good: &Good) -> Vec<Vec<u8>> {
    good.files(&Make::Relocation(
        1,
        0,
        &[Is(at::RELOCATIONS), Is(at::RELOCATIONS + 8), Is(at::RELOCATIONS + 24)],
    ))
}

fn two_tables(good: &Good) -> Vec<Vec<u8>> {
    good.with(|file| {
        let copy = file.section(".rel.data").clone();
        file.sections.push(copy);
    })
}

/// Place-relative numbers whose value is the greatest, or the least, and `by` steps further.
fn reach(good: &Good, by: i64) -> Vec<Vec<u8>> {
    good.target.narrow.iter().flat_map(|narrow| reach_of(good, *narrow, by)).collect()
}

fn reach_of(good: &Good, (r_type, bits, step): (u32, u32, i64), by: i64) -> Vec<Vec<u8>> {
    let most = 1i64 << (bits - 1);
    // What lies in code has code as far as it reaches, on both sides: so no stub is nearer.
    let place = if bits < 24 { most + 16 } else { 16 };
    let ends = [place + most - step + by * step, place - most - by * step];
    let fits = |addend: &i64| good.target.rela || (-most..most).contains(addend);
    let one = |addend: i64| {
        good.with(|file| {
            let record = relocation(file.target, place as u64, r_type, SECTION, addend);
            file.section(".rel.text").data.extend(record);
            let text = &mut file.section(".text").data;
            text.resize(place as usize * 2 + 32, 0);
            if !good.target.rela {
                let field = (addend as u32) & 0x7fff_ffff;
                text[16..20].copy_from_slice(&field.to_le_bytes());
            }
        })
    };
    ends.into_iter().filter(fits).flat_map(one).collect()
}

fn other_kind(good: &Good) -> Vec<Vec<u8>> {
    let kind = if good.target.rela { elf::REL } else { elf::RELA };
    good.with(|file| file.section(".rel.text").kind = kind)
}

/// An address, and then bits without end.
fn runaway(good: &Good) -> Vec<Vec<u8>> {
    let class = good.target.class;
    let words = [vec![at::DATA], vec![u64::MAX; 63]].concat();
    let table = class.words(&words);
    let size = table.len() as u64;
    vec![
        good.file()
            .with(|file| {
                file.section(".spare").data[..table.len()].copy_from_slice(&table);
                set_dynamic(file, dt::RELR, at::SPARE);
                set_dynamic(file, dt::RELRSZ, size);
            })
            .bytes(),
    ]
}

fn packed_outside(good: &Good) -> Vec<Vec<u8>> {
    let wild = [(at::END, 8), (at::SPARE, at::END), (at::SPARE, 7), (0xffff_fff8, 8)];
    wild.iter().map(|(at, size)| good.entries(&[(dt::RELR, *at), (dt::RELRSZ, *size)])).collect()
}

/// A wild value for one of the three tags of the relocation table.
fn tagged(good: &Good, which: usize) -> Vec<Vec<u8>> {
    let tag = good.relocation_tags()[which];
    let values: &[u64] = match which {
        0 => &[at::END, 0x7fff_ffff, 0xffff_ffff],
        1 => &[1, 7, 0x2480 * 24, 0xffff_fff0],
        _ => &[0, 1, 7, 25, 0xffff_ffff],
    };
    values.iter().map(|value| good.entries(&[(tag, *value)])).collect()
}

fn plt_outside(good: &Good) -> Vec<Vec<u8>> {
    let entry = good.target.class.word() as u64 * if good.target.rela { 3 } else { 2 };
    let role = if good.target.rela { 7 } else { 17 };
    let outside =
        |address: u64| good.entries(&[(dt::JMPREL, address), (dt::PLTRELSZ, entry), (dt::PLTREL, role)]);
    [at::END - 1, at::END, 0x7fff_ffff, 0xffff_ffff].into_iter().map(outside).collect()
}

/// Each calls a function of its own, which nobody has.
fn far_calls(good: &Good) -> Vec<Vec<u8>> {
    let names: Vec<_> = (0..70_000).map(|number| format!("far_{number}").into_bytes()).collect();
    let all: Vec<elf::Symbol<'_>> = names.iter().map(|name| (&name[..], GLOBAL, 0, 0)).collect();
    good.with(|file| {
        super::symbols::add(file, good.form, &all);
        let (r_type, _, addend) = file.target.call;
        let site = crate::sample::code(file.target).1;
        let record = |symbol| relocation(file.target, site, r_type, symbol, addend);
        let records: Vec<u8> = (7..70_007).flat_map(record).collect();
        file.section(".rel.text").data.extend(records);
    })
}
