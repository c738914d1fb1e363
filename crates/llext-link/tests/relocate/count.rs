//! What is counted before memory is reserved: stubs only for branches that could miss, room for the pairs of one
//! section, and a place from which everything is reached.

use crate::bench::{Record, encode};
use llext_link::addr::{SectionIndex, Window, Word as _};
use llext_link::arch::Arch;
use llext_link::arch::riscv::{RV32, RV64};
use llext_link::elf::relocation::Relocations;
use llext_link::elf::section::Role;
use llext_link::elf::symbol::Symbols;
use llext_link::elf::{Elf32Le, Elf64Le, Format};
use llext_link::veneer::{Count, Counted, Needs, Slot};

const BRANCH: u32 = 16;
const JAL: u32 = 17;
const CALL: u32 = 19;
const GOT_HI20: u32 = 20;
const PCREL_HI20: u32 = 23;
const HI20: u32 = 26;
const RVC_JUMP: u32 = 45;

/// The section whose relocations are counted, and another one.
const HERE: u16 = 1;
const THERE: u16 = 2;

/// `SHN_ABS`: a number.
const NUMBER: u16 = 0xfff1;

/// A symbol: its section, its value.
type Symbol = (u16, u64);

fn symbol<F: Format>((section, value): &Symbol) -> Vec<u8> {
    let (value, section) = (&value.to_le_bytes()[..F::Word::SIZE], section.to_le_bytes());
    let size = &[0; 8][..F::Word::SIZE];
    let traits = [&[0x12, 0][..], &section].concat();
    let parts = if F::CLASS == 1 { [value, size, &traits] } else { [&traits, value, size] };
    [&[0; 4], parts.concat().as_slice()].concat()
}

/// What these tables need, batch by batch; each with a window of `window`. No slots are lent before they are asked for.
/// It is the same whether where others' symbols lie is known beforehand, which saves a look at each, or not.
fn count<F: Format>(arch: &Arch, symbols: &[Symbol], tables: &[&[Record]], window: Window) -> Needs {
    let mut others = Window::NONE;
    let of_others = symbols.iter().filter(|(section, _)| matches!(*section, 0 | NUMBER));
    of_others.for_each(|(_, value)| others.take_in(F::Word::of(*value).get()));
    let [looked, known] =
        [Window::ALL, others].map(|others| count_with::<F>(arch, symbols, tables, (window, others)));
    let counted = |needs: &Needs| (needs.stubs, needs.spread, needs.got, needs.pairs, needs.window);
    assert_eq!(counted(&looked), counted(&known));
    known
}

fn count_with<F: Format>(
    arch: &Arch,
    symbols: &[Symbol],
    tables: &[&[Record]],
    (window, others): (Window, Window),
) -> Needs {
    let all = [(0, 0)].into_iter().chain(symbols.iter().copied());
    let (entries, values): (Vec<_>, Vec<_>) =
        all.map(|entry| (symbol::<F>(&entry), F::Word::of(entry.1))).unzip();
    let entries = entries.concat();
    let symbols = Symbols::<F>::new(&entries, &[0], &[]).unwrap();
    let mut needs = Needs::new(window, &[]);
    needs.others = others;
    let mut slots = Vec::new();
    for table in tables {
        needs.begin(SectionIndex(HERE.into()));
        for batch in table.chunks(2) {
            let records: Vec<_> = batch.iter().flat_map(|record| encode::<F>(record, false)).collect();
            for _ in 0..2 {
                let (lent, needs) = (&mut slots[..], &mut needs);
                let mut count = Count::<F> { arch, symbols, values: &values, slots: lent, needs };
                if count.batch(Relocations::new(Role::Rela, &records)).unwrap() == Counted::Done {
                    break;
                }
                slots = vec![Slot::default(); values.len()];
            }
        }
    }
    needs
}

fn wide(symbols: &[Symbol], table: &[Record]) -> Needs {
    count::<Elf64Le>(&RV64, symbols, &[table], Window { low: 0x8000_0000, high: 0x8010_0000 })
}

fn narrow(symbols: &[Symbol], table: &[Record]) -> Needs {
    count::<Elf32Le>(&RV32, symbols, &[table], Window { low: 0x8000_0000, high: 0x8010_0000 })
}

#[test]
fn near_calls_need_no_stub() {
    // 1 MiB away on both sides: a jump could miss, a call cannot.
    let host = [(0, 0x8008_0000)];
    assert_eq!(wide(&host, &[(0, CALL, 1, 0)]).stubs, 0);
    assert_eq!(wide(&host, &[(0, JAL, 1, 0)]).stubs, 0);
    assert_eq!(wide(&host, &[(0, RVC_JUMP, 1, 0)]).stubs, 1);
    let host = [(0, 0x8020_0000)];
    assert_eq!(wide(&host, &[(0, CALL, 1, 0)]).stubs, 0);
    assert_eq!(wide(&host, &[(0, JAL, 1, 0)]).stubs, 1);
}

#[test]
fn far_calls_share_a_stub() {
    let host = [(0, 0x10_0000_0000), (0, 0x20_0000_0000)];
    let calls = [(0, CALL, 1, 0), (8, CALL, 1, 0), (16, JAL, 1, 0), (20, RVC_JUMP, 1, 0), (24, CALL, 2, 0)];
    let needs = wide(&host, &calls);
    assert_eq!((needs.stubs, needs.spread), (2, 0));
    // A place behind the symbol is another target.
    let needs = wide(&host, &[(0, CALL, 1, 0), (8, CALL, 1, 4)]);
    assert_eq!((needs.stubs, needs.spread), (2, 1));
}

#[test]
fn calls_of_32_bits_reach_everything() {
    let host = [(0, 0x10), (0, 0xffff_fff0)];
    assert_eq!(narrow(&host, &[(0, CALL, 1, 0), (8, CALL, 2, 0)]).stubs, 0);
    assert_eq!(narrow(&host, &[(0, JAL, 1, 0), (8, JAL, 2, 0)]).stubs, 2);
}

#[test]
fn branches_inside_a_section_need_no_stub() {
    // The code is large, but these lie beside one another.
    let symbols = [(HERE, 0x10_0040), (THERE, 0x10_0040)];
    let beside = [(0x10_0000, BRANCH, 1, 0), (0x10_0004, RVC_JUMP, 1, 0), (0x10_0006, JAL, 1, 0)];
    let large = |table: &[Record]| {
        let mut needs = Needs::new(Window::ALL, &[]);
        let all: Vec<_> = [(0, 0)].iter().chain(&symbols).map(symbol::<Elf64Le>).collect();
        let (entries, records) =
            (all.concat(), table.iter().flat_map(|record| encode::<Elf64Le>(record, false)));
        let (records, mut slots) = (records.collect::<Vec<_>>(), [Slot::default(); 3]);
        needs.code = 0x100_0000;
        needs.begin(SectionIndex(HERE.into()));
        let symbols = Symbols::<Elf64Le>::new(&entries, &[0], &[]).unwrap();
        let mut count = Count { arch: &RV64, symbols, values: &[0; 3], slots: &mut slots, needs: &mut needs };
        assert_eq!(count.batch(Relocations::new(Role::Rela, &records)), Ok(Counted::Done));
        needs.stubs
    };
    assert_eq!(large(&beside), 0);
    // In another section they may be far away, and in the same one too far.
    assert_eq!(large(&[(0x10_0000, JAL, 2, 0)]), 1);
    assert_eq!(large(&[(0x10_0000, CALL, 2, 0)]), 0);
    assert_eq!(large(&[(0x10_0000, RVC_JUMP, 1, 0x800)]), 1);
    assert_eq!(large(&[(0, JAL, 1, 0)]), 1);
}

#[test]
fn what_may_not_be_there_needs_a_stub() {
    assert_eq!(wide(&[(0, 0)], &[(0, JAL, 1, 0)]).stubs, 1);
    assert_eq!(narrow(&[(0, 0)], &[(0, JAL, 1, 0)]).stubs, 1);
    assert_eq!(wide(&[(NUMBER, 0), (0, 0x8008_0000)], &[(0, JAL, 1, 0), (4, JAL, 2, 0)]).stubs, 1);
    // The null symbol is nowhere.
    assert_eq!(narrow(&[(0, 0x8008_0000)], &[(0, JAL, 1, 0), (4, JAL, 0, 0)]).stubs, 1);
}

#[test]
fn what_lies_near_hides_nothing_that_is_far() {
    let host = [(0, 0x8008_0000), (0, 0x8020_0000), (0, 0x8008_0004)];
    let calls = [(0, JAL, 1, 0), (4, JAL, 2, 0), (8, JAL, 3, 0)];
    assert_eq!(wide(&host, &calls).stubs, 1);
    assert_eq!(wide(&[host[0], (NUMBER, 0x10_0000_0000), host[2]], &calls).stubs, 1);
    assert_eq!(wide(&[host[0], (HERE, 0), host[2]], &calls).stubs, 0);
    // A place behind a near symbol may be far.
    assert_eq!(wide(&host[..1], &[(0, JAL, 1, 0x20_0000)]).stubs, 1);
}

#[test]
fn room_for_the_pairs_of_the_largest_section() {
    let pair = |offset| (offset, PCREL_HI20, 1, 0);
    // Seven in batches of two, one of which is counted twice, when slots are asked for.
    let many = [pair(0), pair(4), pair(8), pair(12), (16, GOT_HI20, 1, 0), pair(20), pair(24)];
    let few = [pair(0), pair(4)];
    let window = Window::ALL;
    let host = [(HERE, 0)];
    assert_eq!(count::<Elf64Le>(&RV64, &host, &[&few, &many, &few], window).pairs, 7);
    assert_eq!(count::<Elf32Le>(&RV32, &host, &[&few], window).pairs, 2);
    assert_eq!(count::<Elf32Le>(&RV32, &host, &[&[]], window).pairs, 0);
}

#[test]
fn the_image_lies_where_its_pairs_reach() {
    let window = Window { low: 0, high: 1 << 48 };
    let place = |symbols: &[Symbol], table: &[Record]| {
        let Window { low, high } = count::<Elf64Le>(&RV64, symbols, &[table], window).window;
        (low, high)
    };
    let target = 0x10_0000_0000;
    let reached = (target + 0x801 - (1 << 31), target + 0x800 + (1 << 31));
    assert_eq!(place(&[(0, target)], &[(0, PCREL_HI20, 1, 0)]), reached);
    // Its own symbols always are, and what is not there is reached from anywhere.
    assert_eq!(place(&[(HERE, 0)], &[(0, PCREL_HI20, 1, 0)]), (0, 1 << 48));
    assert_eq!(place(&[(0, 0)], &[(0, PCREL_HI20, 1, 0)]), (0, 1 << 48));
    // An absolute pair builds addresses that are sign-extended from 32 bits.
    assert_eq!(place(&[(HERE, 0)], &[(0, HI20, 1, 0)]), (0, (1 << 31) - 0x800));
    assert_eq!(place(&[(0, 0x1000)], &[(0, HI20, 1, 0)]), (0, 1 << 48));
}
