//! Group A: the container.

use super::recipe::{
    ANY, Eof, Expect, Good, Is, Loads, Make::Files, Make::Header, Make::Section, More, RELOCATABLE, Recipe,
    Refused, SHARED, Sections, recipe,
};
use crate::elf::{e, sh};

const TRUNCATED: Expect = Refused("Truncated");
const BAD: Expect = Refused("BadHeader");

pub(super) const RECIPES: &[Recipe] = &[
    recipe(1, "shorter than a header", ANY, Files(|good| cuts(good, 0, header(good))), TRUNCATED),
    recipe(2, "cut at every length", ANY, Files(|good| cuts(good, header(good), usize::MAX)), TRUNCATED),
    recipe(
        3,
        "magic",
        ANY,
        Header(e::MAGIC, &[Is(0), Is(0x464c_4500), Is(0x7f45_4c46), More(1)]),
        Refused("NotElf"),
    ),
    recipe(3, "class, byte order", ANY, Files(formats), Refused("WrongFormat")),
    recipe(3, "version", ANY, Header(e::IDENT_VERSION, &[Is(0), Is(2), Is(0xff)]), BAD),
    recipe(3, "version in the header", ANY, Header(e::VERSION, &[Is(0), Is(2), Is(0xffff_ffff)]), BAD),
    recipe(3, "system", ANY, Header(e::OSABI, &[Is(1), Is(9), Is(0xff)]), BAD),
    recipe(4, "machine", ANY, Header(e::MACHINE, &[Is(0), Is(8), Is(0xffff)]), Refused("WrongMachine")),
    recipe(4, "flags", ANY, Files(flags), Refused("WrongFlags")),
    recipe(5, "type", ANY, Header(e::TYPE, &[Is(0), Is(4), Is(0xfe00), Is(0xffff)]), Refused("WrongKind")),
    recipe(5, "a program", ANY, Header(e::TYPE, &[Is(2)]), Refused("NotPreLocated")),
    recipe(6, "e_ehsize", ANY, Header(e::EHSIZE, &[Is(0), More(-1), More(1), Is(0xffff)]), BAD),
    recipe(6, "e_shentsize", ANY, Header(e::SHENTSIZE, &[Is(0), More(-1), More(1), Is(0xffff)]), BAD),
    recipe(6, "e_phentsize", SHARED, Header(e::PHENTSIZE, &[Is(0), More(-1), More(1), Is(0xffff)]), BAD),
    recipe(7, "e_shoff in the header", ANY, Header(e::SHOFF, &[Is(0), Is(1), Is(8), Is(16)]), BAD),
    recipe(
        7,
        "e_shoff at the end",
        ANY,
        Header(e::SHOFF, &[Eof(-1), Eof(0), Eof(1), Is(0xffff_ffff), Is(1 << 63), Is(u64::MAX)]),
        TRUNCATED,
    ),
    recipe(8, "e_shnum 0", RELOCATABLE, Header(e::SHNUM, &[Is(0)]), Refused("MissingTable")),
    recipe(8, "e_shnum 0, which segments do without", SHARED, Header(e::SHNUM, &[Is(0)]), Loads),
    recipe(8, "e_shnum too large", ANY, Header(e::SHNUM, &[Is(0xffff), Is(0x8000)]), TRUNCATED),
    recipe(9, "two sections by extension", ANY, Files(|good| extended(good, &[2])), BAD),
    recipe(
        9,
        "too many sections by extension",
        ANY,
        Files(|good| extended(good, &[1 << 16, 0xffff_ffff, 1 << 32, u64::MAX])),
        TRUNCATED,
    ),
    recipe(9, "names by extension", ANY, Files(names), BAD),
    recipe(9, "segments by extension", SHARED, Files(segments), TRUNCATED),
    recipe(10, "no section names", ANY, Header(e::SHSTRNDX, &[Is(0)]), Loads),
    recipe(10, "e_shstrndx too large", ANY, Header(e::SHSTRNDX, &[Sections(0), Is(0xfeff), Is(0xfffe)]), BAD),
    recipe(
        10,
        "e_shstrndx of no strings",
        ANY,
        Header(e::SHSTRNDX, &[Is(1), Is(2), Is(4)]),
        Refused("BadLink"),
    ),
    recipe(11, "type of section 0", ANY, Section("", sh::TYPE, &[Is(1), Is(2), Is(0xffff_ffff)]), BAD),
    recipe(11, "size of section 0", ANY, Section("", sh::SIZE, &[Is(1), Is(0xffff_ffff)]), BAD),
    recipe(12, "program headers over the header", SHARED, Header(e::PHOFF, &[Is(0), Is(4), Is(32)]), BAD),
    recipe(12, "program headers over section headers", SHARED, Files(over), BAD),
    recipe(12, "section headers over contents", ANY, Header(e::SHOFF, &[More(-16)]), BAD),
    recipe(13, "something behind", ANY, Files(behind), Loads),
    recipe(13, "two files in one", ANY, Files(twice), Loads),
];

fn header(good: &Good) -> usize {
    good.target.class.pick(52, 64)
}

fn cuts(good: &Good, from: usize, to: usize) -> Vec<Vec<u8>> {
    let bytes = good.file().bytes();
    (from..bytes.len().min(to)).map(|len| bytes[..len].to_vec()).collect()
}

/// Every class and byte order but the right one.
fn formats(good: &Good) -> Vec<Vec<u8>> {
    let right = [good.target.class.pick(1, 2), 1];
    let all = (0..4u8).flat_map(|class| (0..4u8).map(move |data| [class, data]));
    let wrong = all.chain([[0xff, 1], [1, 0xff]]).filter(|found| *found != right);
    wrong.flat_map(|found| good.patched(|bytes| bytes[4..6].copy_from_slice(&found))).collect()
}

fn flags(good: &Good) -> Vec<Vec<u8>> {
    let wrong = good.target.other_flags.iter();
    wrong
        .flat_map(|flags| {
            good.patched(|bytes| _ = e::FLAGS.write(good.target.class, bytes, 0, (*flags).into()))
        })
        .collect()
}

/// `e_shnum` 0, and the number in section header 0.
fn extended(good: &Good, counts: &[u64]) -> Vec<Vec<u8>> {
    let class = good.target.class;
    let mut files = Vec::new();
    for count in counts {
        let mut bytes = good.file().bytes();
        e::SHNUM.write(class, &mut bytes, 0, 0);
        let at = e::SHOFF.read(class, &bytes, 0) as usize;
        if sh::SIZE.write(class, &mut bytes, at, *count) {
            files.push(bytes);
        }
    }
    files
}

fn names(good: &Good) -> Vec<Vec<u8>> {
    let class = good.target.class;
    let wild = [1 << 16, 0xffff_ffff, good.file().sections.len() as u64];
    let spoil = |link: u64| {
        good.patched(|bytes| {
            e::SHSTRNDX.write(class, bytes, 0, 0xffff);
            let at = e::SHOFF.read(class, bytes, 0) as usize;
            sh::LINK.write(class, bytes, at, link);
        })
    };
    wild.into_iter().flat_map(spoil).collect()
}

fn segments(good: &Good) -> Vec<Vec<u8>> {
    let class = good.target.class;
    let spoil = |info: u64| {
        good.patched(|bytes| {
            e::PHNUM.write(class, bytes, 0, 0xffff);
            let at = e::SHOFF.read(class, bytes, 0) as usize;
            sh::INFO.write(class, bytes, at, info);
        })
    };
    [0xffff, 1 << 20, 0xffff_ffff].into_iter().flat_map(spoil).collect()
}

fn over(good: &Good) -> Vec<Vec<u8>> {
    let class = good.target.class;
    good.patched(|bytes| {
        let at = e::SHOFF.read(class, bytes, 0);
        e::PHOFF.write(class, bytes, 0, at);
    })
}

fn behind(good: &Good) -> Vec<Vec<u8>> {
    [1, 7, 4096].iter().flat_map(|len| good.patched(|bytes| bytes.extend(vec![0xa5; *len]))).collect()
}

fn twice(good: &Good) -> Vec<Vec<u8>> {
    good.patched(|bytes| bytes.extend_from_within(..))
}
