//! The two parts of a PC-relative address on RISC-V: in any order, and wrong in every way.

use crate::bench::{Bench, CODE, Record, bench, words};
use llext_link::Error;
use llext_link::arch::Arch;
use llext_link::arch::riscv::{RV32, RV64};
use llext_link::error::RelocationType;

const BRANCH: u32 = 16;
const GOT_HI20: u32 = 20;
const HI20: u32 = 23;
const LO12_I: u32 = 24;
const LO12_S: u32 = 25;
const ADD32: u32 = 35;

const BOTH: [&Arch; 2] = [&RV32, &RV64];

/// auipc a0, 0; addi a0, a0, 0; sw a1, 0(a0); auipc a2, 0; lw a3, 0(a2)
const PAIRS: [u32; 5] = [0x0000_0517, 0x0005_0513, 0x00b5_2023, 0x0000_0617, 0x0006_2683];

/// What they are linked against: two variables, the labels of the two `auipc`, and that of the `addi`.
const SYMBOLS: [u64; 5] = [CODE + 0x1234_5678, CODE - 0x1000, CODE, CODE + 12, CODE + 4];

const RELOCATIONS: [Record; 5] =
    [(0, HI20, 1, 0x188), (4, LO12_I, 3, 0), (8, LO12_S, 3, 0), (12, HI20, 2, 0), (16, LO12_I, 4, 0)];

/// auipc a0, 0x12346; addi a0, a0, -2048; sw a1, -2048(a0); auipc a2, 0xfffff; lw a3, -12(a2)
const LINKED: [u32; 5] = [0x1234_6517, 0x8005_0513, 0x80b5_2023, 0xffff_f617, 0xff46_2683];

#[test]
fn pairs_come_in_any_order_and_in_any_batches() {
    for arch in BOTH {
        for turn in 0..RELOCATIONS.len() {
            for reversed in [false, true] {
                let mut relocations = RELOCATIONS;
                relocations.rotate_left(turn);
                if reversed {
                    relocations.reverse();
                }
                for batch in [1, 2, 3, 5] {
                    let bench = bench(arch, &SYMBOLS, &words(&PAIRS), &relocations);
                    let linked = Bench { batch, ..bench }.linked();
                    assert_eq!(linked, words(&LINKED), "{}: {relocations:?} by {batch}", arch.name);
                }
            }
        }
    }
}

#[test]
fn a_pair_may_lead_to_the_got() {
    for arch in BOTH {
        // Two pairs to one symbol share its slot.
        let relocations = [(0, GOT_HI20, 1, 0), (4, LO12_I, 2, 0), (12, GOT_HI20, 1, 0), (16, LO12_I, 3, 0)];
        let symbols = [0x1122_3344, CODE, CODE + 12];
        let linked = bench(arch, &symbols, &words(&PAIRS), &relocations).link().unwrap();
        // auipc a0, 0x8000; addi a0, a0, 0; auipc a2, 0x8000; lw a3, -12(a2)
        let expected = [0x0800_0517, 0x0005_0513, 0x00b5_2023, 0x0800_0617, 0xff46_2683];
        assert_eq!(linked.section, words(&expected));
        let word = if arch.format[0] == 1 { 4 } else { 8 };
        assert_eq!(linked.got, 0x1122_3344u64.to_le_bytes()[..word]);
    }
}

#[test]
fn what_is_not_there_is_0_however_far() {
    // auipc a0, 0; addi a0, a0, 0
    let (code, relocations) = (words(&PAIRS[..2]), [(0, HI20, 1, 0), (4, LO12_I, 2, 0)]);
    let near = bench(&RV64, &[0, CODE], &code, &relocations);
    // auipc a0, 0xf0000: counts from its place where that reaches
    assert_eq!(near.linked(), words(&[0xf000_0517, 0x0005_0513]));
    let address = 0x12_3456_7890;
    let symbols = [0, address];
    let far = Bench { address, symbols: symbols.to_vec(), ..near };
    // lui a0, 0
    assert_eq!(far.linked(), words(&[0x0000_0537, 0x0005_0513]));
    // With 32 bits everything is near.
    let relocations = [(0, HI20, 1, 0), (4, LO12_I, 2, 0)];
    let narrow = bench(&RV32, &[0, 0xf000_0000], &code, &relocations);
    let narrow = Bench { address: 0xf000_0000, ..narrow };
    assert_eq!(narrow.linked(), words(&[0x1000_0517, 0x0005_0513]));
}

/// The relocations fail with this expectation at this place, whether they come in this order or reversed.
#[track_caller]
fn unpaired(relocations: &[Record], (offset, number): (u64, u32), expected: &'static str) {
    let relocation = RelocationType { machine: 243, number };
    for arch in BOTH {
        let mut bench = bench(arch, &SYMBOLS, &words(&PAIRS), relocations);
        for _ in 0..2 {
            let (error, _) = bench.link().unwrap_err();
            assert_eq!(error, Error::Unpaired { relocation, offset, expected });
            bench.relocations.reverse();
        }
    }
}

#[test]
fn a_lower_part_has_an_upper_part() {
    // None at all, one at another place, and a relocation that is none.
    let place = "an upper part at that place";
    unpaired(&[(4, LO12_I, 3, 0)], (4, LO12_I), place);
    unpaired(&[(12, HI20, 1, 0), (4, LO12_I, 3, 0)], (4, LO12_I), place);
    unpaired(&[(0, BRANCH, 3, 0), (4, LO12_S, 3, 0)], (4, LO12_S), place);
    // A chain: a lower part that leads to a lower part.
    unpaired(&[(0, HI20, 1, 0), (4, LO12_I, 3, 0), (16, LO12_I, 5, 0)], (16, LO12_I), place);
}

#[test]
fn a_lower_part_does_not_lead_to_itself() {
    let relocation = RelocationType { machine: 243, number: LO12_I };
    let bench = bench(&RV64, &[CODE + 4], &words(&PAIRS), &[(4, LO12_I, 1, 0)]);
    let expected = "an upper part at that place";
    assert_eq!(bench.refusal(), Error::Unpaired { relocation, offset: 4, expected });
}

#[test]
fn the_upper_part_lies_in_the_same_section() {
    let (expected, relocation) =
        ("its upper part in the same section", RelocationType { machine: 243, number: LO12_I });
    for label in [CODE - 4, CODE + 20, CODE + 0x1000, 0] {
        let relocations = [(0, HI20, 1, 0), (4, LO12_I, 2, 0)];
        let bench = bench(&RV64, &[CODE, label], &words(&PAIRS), &relocations);
        let (error, _) = bench.link().unwrap_err();
        assert_eq!(error, Error::Unpaired { relocation, offset: 4, expected });
        let text =
            "R_RISCV_PCREL_LO12_I at 0x4: has no partner (expected its upper part in the same section)";
        assert_eq!(error.to_string(), text);
    }
    // In the last bytes of the section, where no instruction has room.
    let bench = bench(&RV64, &[CODE + 18], &words(&PAIRS), &[(4, LO12_I, 1, 0)]);
    let expected = "an upper part at that place";
    assert_eq!(bench.refusal(), Error::Unpaired { relocation, offset: 4, expected });
}

#[test]
fn a_place_has_one_upper_part() {
    let expected = "one upper part at one place";
    unpaired(&[(0, HI20, 1, 0), (0, HI20, 1, 0)], (0, HI20), expected);
    unpaired(&[(0, HI20, 1, 0), (4, LO12_I, 3, 0), (0, HI20, 1, 0)], (0, HI20), expected);
}

#[test]
fn a_lower_part_has_no_addend() {
    let expected = "the place of its upper part without an addend";
    unpaired(&[(0, HI20, 1, 0), (4, LO12_I, 3, 4)], (4, LO12_I), expected);
}

#[test]
fn an_upper_part_that_others_write_over_is_not_found() {
    // The number in its place is no other's, so that nothing is built from another address.
    let relocations = [(0, HI20, 1, 0), (0, ADD32, 2, 1), (4, LO12_I, 3, 0)];
    let (error, _) = bench(&RV64, &SYMBOLS, &words(&PAIRS), &relocations).link().unwrap_err();
    let relocation = RelocationType { machine: 243, number: LO12_I };
    assert_eq!(error, Error::Unpaired { relocation, offset: 4, expected: "an upper part at that place" });
}

#[test]
fn no_more_upper_parts_than_were_counted() {
    let mut bench = bench(&RV64, &SYMBOLS, &words(&PAIRS), &RELOCATIONS);
    let (error, _) = bench.link_with_uppers(1).unwrap_err();
    assert_eq!(error, Error::TableChanged { what: "pairs" });
    bench.relocations.truncate(3);
    assert_eq!(bench.link_with_uppers(1).unwrap().section[..12], words(&LINKED)[..12]);
}

#[test]
fn an_upper_part_reaches_to_its_very_edges() {
    let code = words(&[0x0000_0517, 0x0005_0513]);
    let address = 0x40_0000_0000u64;
    let to = |distance: i64| {
        let symbols = [address.wrapping_add(distance as u64), address];
        let relocations = [(0, HI20, 1, 0), (4, LO12_I, 2, 0)];
        Bench { address, ..bench(&RV64, &symbols, &code, &relocations) }.link()
    };
    let (low, high) = (-(1i64 << 31) - 0x800, (1i64 << 31) - 0x801);
    // auipc a0, 0x80000; addi a0, a0, -2048 and auipc a0, 0x7ffff; addi a0, a0, 2047
    assert_eq!(to(low).unwrap().section, words(&[0x8000_0517, 0x8005_0513]));
    assert_eq!(to(high).unwrap().section, words(&[0x7fff_f517, 0x7ff5_0513]));
    for value in [low - 1, high + 1] {
        let (error, section) = to(value).unwrap_err();
        assert!(matches!(error, Error::RelocationOverflow { value: found, .. } if found == value));
        assert_eq!(section, code);
    }
}

/// `count` pairs, the lower parts first.
fn late_pairs(count: usize) -> (Vec<u8>, Vec<u64>, Vec<Record>) {
    let code = words(&PAIRS[..2]).repeat(count);
    let labels = (0..count as u64).map(|pair| CODE + pair * 8);
    let symbols = [CODE + 0x5678].into_iter().chain(labels).collect();
    let lower = (0..count).map(|pair| (pair as u64 * 8 + 4, LO12_I, pair as u32 + 2, 0));
    let upper = (0..count).map(|pair| (pair as u64 * 8, HI20, 1, 0));
    (code, symbols, lower.rev().chain(upper).collect())
}

#[test]
fn many_pairs_take_two_looks_at_each_relocation() {
    let (code, symbols, mut relocations) = late_pairs(65_000);
    let steps = |relocations: &[Record]| bench(&RV64, &symbols, &code, relocations).link().unwrap().steps;
    assert_eq!(steps(&relocations), 260_000);
    relocations.reverse();
    assert_eq!(steps(&relocations), 130_000);
}
