//! Group E: segments and the dynamic section.

use super::recipe::{
    Expect, Good, Is, Loads, Make::Dynamic, Make::Files, Make::Segment, Recipe, Refused, SHARED, Value, With,
    recipe, set_dynamic,
};
use crate::elf::{self, p};
use crate::sample::{ENTRIES, at, dt};

const SEGMENT: Expect = Refused("BadSegment");
const DYNAMIC: Expect = Refused("BadDynamic");
const WILD: &[Value] = &[Is(0x7fff_fff0), Is(0xffff_ffff), Is(1 << 63), Is(u64::MAX)];
const OUTSIDE: &[Value] = &[Is(at::END), Is(0x7fff_fff0), Is(0xffff_fff0)];

pub(super) const RECIPES: &[Recipe] = &[
    recipe(
        55,
        "nothing to load",
        SHARED,
        Files(|good| good.with(|file| file.segments.retain(|segment| segment.kind != 1))),
        Refused("NothingToLoad"),
    ),
    recipe(
        55,
        "p_filesz beyond p_memsz",
        SHARED,
        Segment(1, p::FILESZ, &[Is(65), Is(0x7fff_ffff), Is(u64::MAX)]),
        SEGMENT,
    ),
    recipe(55, "p_memsz", SHARED, Segment(2, p::MEMSZ, &[Is(1 << 63), Is(u64::MAX)]), SEGMENT),
    recipe(
        55,
        "p_memsz of 2 GiB and more",
        SHARED,
        Segment(2, p::MEMSZ, &[Is(0x8000_0000), Is(0xffff_0000)]),
        Refused("ImageTooLarge"),
    ),
    recipe(
        55,
        "p_offset outside",
        SHARED,
        Segment(1, p::OFFSET, &[Is(0x7fff_f000), Is(0xffff_f000), Is(1 << 63)]),
        Refused("Truncated"),
    ),
    recipe(55, "segments that overlap", SHARED, Segment(1, p::VADDR, &[Is(0), Is(0x2000_0000)]), SEGMENT),
    recipe(
        55,
        "segments out of order",
        SHARED,
        Files(|good| good.with(|file| file.segments.swap(0, 1))),
        SEGMENT,
    ),
    recipe(
        55,
        "p_align",
        SHARED,
        Segment(1, p::ALIGN, &[Is(3), Is(6), Is(1 << 17), Is(1 << 31), Is(1 << 63), Is(u64::MAX)]),
        SEGMENT,
    ),
    recipe(
        55,
        "p_align that p_vaddr and p_offset do not share",
        SHARED,
        Segment(1, p::VADDR, &[Is(0x1008)]),
        SEGMENT,
    ),
    recipe(55, "seventeen segments", SHARED, Files(seventeen), SEGMENT),
    recipe(55, "RELRO over code", SHARED, Files(closed), SEGMENT),
    recipe(
        56,
        "dynamic section outside",
        SHARED,
        Segment(3, p::VADDR, &[Is(at::END), Is(0x7fff_0000), Is(0xffff_fff0), Is(u64::MAX)]),
        SEGMENT,
    ),
    recipe(
        56,
        "no dynamic section",
        SHARED,
        Segment(3, p::TYPE, &[Is(0), Is(6), Is(0x6000_0000)]),
        Refused("MissingTable"),
    ),
    recipe(56, "dynamic section without an end", SHARED, Files(endless), Loads),
    recipe(56, "dynamic section that says all twice", SHARED, Files(twice), Loads),
    recipe(57, "no buckets", SHARED, Files(|good| hash(good, &[0, 4, 0, 0, 0, 0])), DYNAMIC),
    recipe(57, "wild numbers of buckets and chains", SHARED, Files(wild_hashes), DYNAMIC),
    recipe(57, "a chain that loops", SHARED, Files(|good| hash(good, &[1, 4, 1, 1, 2, 1, 2])), Loads),
    recipe(57, "hash tables outside", SHARED, Dynamic(dt::HASH, OUTSIDE), DYNAMIC),
    recipe(57, "GNU hash tables with wild counts", SHARED, Files(gnu_hashes), DYNAMIC),
    recipe(57, "tables of symbols, strings outside", SHARED, Files(tables_outside), DYNAMIC),
    recipe(
        57,
        "symbols of another size",
        SHARED,
        Dynamic(dt::SYMENT, &[Is(0), Is(1), Is(23), Is(25)]),
        DYNAMIC,
    ),
    recipe(
        58,
        "needs what is not there",
        SHARED,
        Files(|good| needs(good, b"nowhere.so\0", 1)),
        Refused("MissingDependency"),
    ),
    recipe(58, "needs itself", SHARED, Files(|good| needs(good, b"hostile\0", 1)), Refused("Cycle")),
    recipe(
        58,
        "needs odd names",
        SHARED,
        Files(|good| needs(good, b"\xff/../\x1b\0", 1)),
        Refused("MissingDependency"),
    ),
    recipe(
        58,
        "needs 20 times what the host provides",
        SHARED,
        Files(|good| needs(good, b"libhost.so\0", 20)),
        Loads,
    ),
    recipe(59, "thread-local storage", SHARED, Segment(3, p::TYPE, &[Is(7)]), Refused("ThreadLocal")),
    recipe(59, "an interpreter, a stack to run", SHARED, Files(ignored), Loads),
    recipe(59, "text relocations", SHARED, Dynamic(dt::TEXTREL, &[Is(0), Is(1)]), Refused("TextRelocations")),
    recipe(
        59,
        "text relocations by flag",
        SHARED,
        Dynamic(dt::FLAGS, &[Is(4), With(0xff)]),
        Refused("TextRelocations"),
    ),
    recipe(60, "unwind tables of junk", SHARED, Files(unwind), Loads),
    recipe(61, "version tables of junk", SHARED, Dynamic(dt::VERNEED, WILD), Loads),
];

fn seventeen(good: &Good) -> Vec<Vec<u8>> {
    good.with(|file| {
        let first = file.segments[0];
        let tiny = |index: u64| elf::Segment {
            address: 0x1100 + index * 64,
            file_size: 0,
            memory_size: 8,
            align: 1,
            ..first
        };
        let more = (0..14).map(tiny);
        file.segments.splice(2..2, more);
        // The header table grew over the hash table: everything of the first segment moves up.
        let by = 14 * 64;
        for section in file.sections[1..6].iter_mut() {
            section.address += by;
        }
    })
}

fn endless(good: &Good) -> Vec<Vec<u8>> {
    good.with(|file| {
        let class = file.target.class;
        let data = &mut file.section(".dynamic").data;
        for entry in
            data.chunks_exact_mut(2 * class.word()).filter(|entry| entry.iter().all(|byte| *byte == 0))
        {
            entry.copy_from_slice(&class.words(&[dt::DEBUG, 0]));
        }
        assert_eq!(data.len(), ENTRIES * 2 * class.word());
    })
}

fn twice(good: &Good) -> Vec<Vec<u8>> {
    good.with(|file| {
        let word = file.target.class.word();
        let data = &mut file.section(".dynamic").data;
        let end = data.chunks_exact(2 * word).position(|entry| entry[..word].iter().all(|byte| *byte == 0));
        let end = end.expect("it ends") * 2 * word;
        let (first, rest) = data.split_at_mut(end);
        rest[..end].copy_from_slice(first);
    })
}

fn hash(good: &Good, words: &[u32]) -> Vec<Vec<u8>> {
    good.with(|file| {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        file.section(".hash").data = bytes;
    })
}

fn wild_hashes(good: &Good) -> Vec<Vec<u8>> {
    let wild = [[1, 0x1000_0000], [0x1000_0000, 4], [u32::MAX, u32::MAX], [1, u32::MAX]];
    wild.iter().flat_map(|[buckets, chains]| hash(good, &[*buckets, *chains, 1, 0, 0, 0])).collect()
}

fn gnu_hashes(good: &Good) -> Vec<Vec<u8>> {
    let wild: [[u32; 4]; 6] =
        [[0, 1, 1, 6], [1, 1, 0, 6], [1, 1, 3, 6], [1, 1, 1, 64], [u32::MAX, 1, 1, 6], [1, 1, 1 << 31, 6]];
    let one = |words: &[u32; 4]| {
        good.with(|file| {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            file.section(".spare").data[..16].copy_from_slice(&bytes);
            set_dynamic(file, dt::GNU_HASH, at::SPARE);
        })
    };
    wild.iter().flat_map(one).collect()
}

fn tables_outside(good: &Good) -> Vec<Vec<u8>> {
    let tags = [
        (dt::SYMTAB, at::END - 8),
        (dt::SYMTAB, 0xffff_fff0),
        (dt::STRTAB, at::END),
        (dt::STRTAB, 0x7fff_ffff),
        (dt::STRSZ, at::END),
        (dt::STRSZ, 0xffff_ffff),
    ];
    tags.iter().map(|entry| good.entries(&[*entry])).collect()
}

fn needs(good: &Good, name: &[u8], times: usize) -> Vec<Vec<u8>> {
    good.with(|file| {
        let offset = file.section(".dynstr").data.len() as u64;
        file.section(".dynstr").data.extend(name);
        let size = file.section(".dynstr").data.len() as u64;
        set_dynamic(file, dt::STRSZ, size);
        (0..times).for_each(|_| set_dynamic(file, dt::NEEDED, offset));
    })
}

fn ignored(good: &Good) -> Vec<Vec<u8>> {
    let other =
        |kind| elf::Segment { kind, flags: 7, address: 0x40, file_size: 16, memory_size: 16, align: 1 };
    [3, 0x6474_e551, 0x6474_e550]
        .iter()
        .flat_map(|kind| good.with(|file| file.segments.push(other(*kind))))
        .collect()
}

/// What becomes read-only holds the code, or begins there.
fn closed(good: &Good) -> Vec<Vec<u8>> {
    let relro = elf::Segment {
        kind: 0x6474_e552,
        flags: 4,
        address: at::TEXT,
        file_size: 16,
        memory_size: 16,
        align: 1,
    };
    let longer = elf::Segment { memory_size: at::DATA - at::TEXT + 16, ..relro };
    [relro, longer].into_iter().flat_map(|one| good.with(|file| file.segments.push(one))).collect()
}

fn unwind(good: &Good) -> Vec<Vec<u8>> {
    let eh_frame = elf::Segment {
        kind: 0x6474_e550,
        flags: 4,
        address: at::SPARE,
        file_size: 64,
        memory_size: 64,
        align: 4,
    };
    let exidx = elf::Segment { kind: 0x7000_0001, ..eh_frame };
    let one = |segment| {
        good.with(|file| {
            file.segments.push(segment);
            file.section(".spare").data.fill(0xff);
        })
    };
    [eh_frame, exidx].into_iter().flat_map(one).collect()
}
