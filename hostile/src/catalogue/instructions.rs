//! Group D, what only some processors have: pairs of RISC-V, its labels and padding, the two instruction sets of Arm.

use super::recipe::{Expect, Good, Loads, Make::Files, RELOCATABLE, Recipe, Refused, recipe};
use super::symbols::add;
use crate::elf::{Symbol, relocation};
use crate::sample::{DATUM, FUNCTION, OWN, SECTION, UNDEFINED};

const ARM: u16 = 40;
const RISCV: u16 = 243;

const UNPAIRED: Expect = Refused("Unpaired");

pub(super) const RECIPES: &[Recipe] = &[
    recipe(
        44,
        "sums without differences",
        RELOCATABLE,
        Files(|good| labels(good, &[&[(8, ADD32, 0)]])),
        Loads,
    ),
    recipe(47, "another instruction than the relocation's", RELOCATABLE, Files(other_instructions), Loads),
    recipe(48, "lower parts without an upper one", RELOCATABLE, Files(lower_parts), UNPAIRED),
    recipe(48, "upper parts at one place", RELOCATABLE, Files(upper_parts), UNPAIRED),
    recipe(48, "pairs in any order", RELOCATABLE, Files(odd_pairs), Loads),
    recipe(49, "65,536 lower parts", RELOCATABLE, Files(many_lower_parts), Loads),
    recipe(
        50,
        "padding that ends where it must not",
        RELOCATABLE,
        Files(|good| labels(good, &[&[(4, ALIGN, 3)], &[(4, ALIGN, 6)], &[(0, ALIGN, 14)]])),
        Refused("LoosePadding"),
    ),
    recipe(
        50,
        "padding longer than its section",
        RELOCATABLE,
        Files(|good| labels(good, &[&[(0, ALIGN, 33)], &[(4, ALIGN, 0x7fff_ffff)], &[(4, ALIGN, -1)]])),
        Refused("RelocationOutside"),
    ),
    recipe(
        50,
        "no padding, relaxation of nothing",
        RELOCATABLE,
        Files(|good| labels(good, &[&[(4, ALIGN, 0)], &[(4, RELAX, 0)], &[(0x7fff_ffff, RELAX, -1)]])),
        Loads,
    ),
    recipe(
        50,
        "half a difference",
        RELOCATABLE,
        Files(|good| {
            let [set, sub] = [(16, SET_ULEB128, 4), (16, SUB_ULEB128, 0)];
            labels(good, &[&[set], &[sub], &[sub, set], &[set, set], &[set, (17, SUB_ULEB128, 0)]])
        }),
        UNPAIRED,
    ),
    recipe(50, "a number without an end", RELOCATABLE, Files(endless_number), Refused("UnendedNumber")),
    recipe(54, "calls to the other instruction set", RELOCATABLE, Files(|good| interwork(good, 4)), Loads),
    recipe(
        54,
        "calls between its instructions",
        RELOCATABLE,
        Files(|good| interwork(good, 2)),
        Refused("RelocationMisaligned"),
    ),
];

/// R_RISCV_PCREL_HI20
const UPPER: u32 = 23;
/// R_RISCV_PCREL_LO12_I, R_RISCV_PCREL_LO12_S
const LOWER: u32 = 24;
const STORE: u32 = 25;
const ADD32: u32 = 35;
const ALIGN: u32 = 43;
const RELAX: u32 = 51;
const SET_ULEB128: u32 = 60;
const SUB_ULEB128: u32 = 61;

/// A relocation of the code: where, its type, its symbol, its addend.
type Record = (u64, u32, u64, i64);

/// A file for RISC-V whose code has these relocations, and labels at these places. There is none for another machine.
fn riscv(good: &Good, places: &[u64], records: &[Record]) -> Vec<Vec<u8>> {
    if good.target.machine != RISCV {
        return Vec::new();
    }
    good.with(|file| {
        let symbols: Vec<Symbol<'_>> = places.iter().map(|place| (&b"label"[..], 0, 1, *place)).collect();
        add(file, good.form, &symbols);
        let most = records.iter().map(|record| record.0).filter(|place| *place < 1 << 24).max().unwrap_or(0);
        let text = &mut file.section(".text").data;
        text.resize(text.len().max(most as usize + 8), 0);
        let bytes = records.iter().flat_map(|(place, r_type, symbol, addend)| {
            relocation(good.target, *place, *r_type, *symbol, *addend)
        });
        file.section(".rel.text").data = bytes.collect();
    })
}

/// Files whose relocations all are about the code's beginning.
fn labels(good: &Good, all: &[&[(u64, u32, i64)]]) -> Vec<Vec<u8>> {
    let file = |records: &&[(u64, u32, i64)]| {
        let records: Vec<_> =
            records.iter().map(|(place, r_type, addend)| (*place, *r_type, SECTION, *addend)).collect();
        riscv(good, &[], &records)
    };
    all.iter().flat_map(file).collect()
}

fn lower_parts(good: &Good) -> Vec<Vec<u8>> {
    let upper = (0, UPPER, DATUM, 0);
    let all: [&[Record]; 8] = [
        &[(4, LOWER, SECTION, 0)],
        &[(4, STORE, SECTION, 0)],
        // Of other code, of data, of what is not there.
        &[upper, (4, LOWER, OWN, 0)],
        &[upper, (4, LOWER, DATUM, 0)],
        &[upper, (4, LOWER, 5, 0)],
        // Not of the place itself.
        &[upper, (4, LOWER, SECTION, 4)],
        // Of itself, of one another.
        &[(20, LOWER, OWN, 0)],
        &[(20, LOWER, OWN + 1, 0), (24, LOWER, OWN, 0)],
    ];
    all.iter().flat_map(|records| riscv(good, &[20, 24], records)).collect()
}

fn upper_parts(good: &Good) -> Vec<Vec<u8>> {
    let [one, other] = [(0, UPPER, DATUM, 0), (0, UPPER, UNDEFINED, 0)];
    [[one, one], [one, other]].iter().flat_map(|records| riscv(good, &[], records)).collect()
}

fn odd_pairs(good: &Good) -> Vec<Vec<u8>> {
    let [upper, lower] = [(0, UPPER, DATUM, 0x7ff), (4, LOWER, SECTION, 0)];
    let all: [&[Record]; 6] = [
        &[upper, lower],
        // The lower part is negative.
        &[(0, UPPER, DATUM, 0x800), lower],
        &[lower, upper],
        &[upper],
        &[upper, lower, (16, STORE, SECTION, 0), (20, LOWER, SECTION, 0)],
        // One over the other.
        &[(0, UPPER, DATUM, 0), (2, UPPER, DATUM, 0)],
    ];
    all.iter().flat_map(|records| riscv(good, &[], records)).collect()
}

/// Behind their upper part, and before it.
fn many_lower_parts(good: &Good) -> Vec<Vec<u8>> {
    let upper = (0, UPPER, DATUM, 0);
    let lower: Vec<Record> = (1..=1 << 16).map(|number| (4 * number, LOWER, SECTION, 0)).collect();
    let orders = [[&[upper][..], &lower].concat(), [&lower[..], &[upper]].concat()];
    orders.iter().flat_map(|records| riscv(good, &[], records)).collect()
}

fn endless_number(good: &Good) -> Vec<Vec<u8>> {
    let difference = [(24, SET_ULEB128, SECTION, 4), (24, SUB_ULEB128, SECTION, 0)];
    let mut files = riscv(good, &[], &difference);
    let class = good.target.class;
    for bytes in &mut files {
        let header = super::recipe::section(&good.file(), bytes, 1);
        let at = crate::elf::sh::OFFSET.read(class, bytes, header) as usize;
        let size = crate::elf::sh::SIZE.read(class, bytes, header) as usize;
        bytes[at + 24..at + size].fill(0x80);
    }
    files
}

/// The call relocates what is no call, up to the section's end. Nothing but its field may change.
fn other_instructions(good: &Good) -> Vec<Vec<u8>> {
    let fill = |value: u8| good.with(|file| file.section(".text").data.fill(value));
    [0, 0x55, 0xaa].into_iter().flat_map(fill).collect()
}

/// A function of A32 at `place`, which Thumb code calls and jumps to.
fn interwork(good: &Good, place: u64) -> Vec<Vec<u8>> {
    if good.target.machine != ARM {
        return Vec::new();
    }
    let (call, _, addend) = good.target.call;
    good.with(|file| {
        add(file, good.form, &[(b"other", FUNCTION, 1, place)]);
        file.section(".rel.text").data = relocation(good.target, 8, call, OWN, addend);
    })
}
