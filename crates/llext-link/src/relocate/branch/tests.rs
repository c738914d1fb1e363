//! Branches from counting to linking: which get a stub, which stubs are shared, what changes the instruction set.

extern crate std;

use super::*;
use crate::addr::Window;
use crate::arch::{Arch, aarch64, arm};
use crate::elf::relocation::Relocations;
use crate::elf::section::Role;
use crate::elf::symbol::{STT_FUNC, STT_SECTION, Symbols};
use crate::elf::{Elf32Le, Elf64Le, write_word};
use crate::error::{Error, SymbolRef};
use crate::relocate::{Pairs, Target};
use crate::symbol::Mark;
use crate::veneer::{Area, Count, Counted, Needs, Slot};
use std::vec;
use std::vec::Vec;

/// A symbol: its type, the section it lies in (0: the host's), its address.
type Symbol = (u8, u16, u64);
/// A relocation: where, its type, its symbol, its addend.
type Record = (u64, u16, u64, i64);

/// Where the code lies, and where its stubs.
const CODE: u64 = 0x2000_0000;
const STUBS: u64 = CODE + 0x100;
/// A stub of the run time, in Thumb code.
const BINDING: u64 = CODE + 0x81;

/// What a link left: the code, the stubs that were used, how many were counted.
#[derive(Debug, PartialEq, Eq)]
struct Linked {
    code: Vec<u8>,
    stubs: Vec<u8>,
    counted: u32,
}

/// Counts and links code in which each branch is `bl .` of its instruction set, or what `code` gives.
fn link<F: Format>(
    arch: &Arch,
    symbols: &[Symbol],
    records: &[Record],
    code: &[u8],
    size: u64,
) -> Result<Linked, Error> {
    let word = F::Word::SIZE;
    let entry = if word == 4 { 16 } else { 24 };
    let mut table = vec![0; entry * (symbols.len() + 1)];
    let mut values = vec![F::Word::default()];
    for ((kind, section, value), raw) in symbols.iter().zip(table.chunks_exact_mut(entry).skip(1)) {
        let [value_at, info_at, section_at] = if word == 4 { [4, 12, 14] } else { [8, 4, 6] };
        write_word::<F>(&mut raw[value_at..], F::Word::of(value.wrapping_sub(CODE)));
        raw[info_at] = 1 << 4 | kind;
        raw[section_at..section_at + 2].copy_from_slice(&section.to_le_bytes());
        values.push(F::Word::of(*value));
    }
    let symbols = Symbols::<F>::new(&table, &[0], &[])?;
    let explicit = word == 8;
    let (role, fields) = if explicit { (Role::Rela, 3) } else { (Role::Rel, 2) };
    let mut raw = vec![0; records.len() * fields * word];
    for ((offset, r_type, symbol, addend), raw) in records.iter().zip(raw.chunks_exact_mut(fields * word)) {
        let info = if word == 4 { symbol << 8 } else { symbol << 32 } | u64::from(*r_type);
        for (field, value) in raw.chunks_exact_mut(word).zip([*offset, info, *addend as u64]) {
            write_word::<F>(field, F::Word::of(value));
        }
    }
    let relocations = Relocations::<F>::new(role, &raw);
    let mut slots = vec![Slot::default(); values.len()];
    let mut needs = Needs { code: size, ..Needs::new(Window { low: CODE, high: CODE + 0x1_0000 }, &[]) };
    let mut count = Count { arch, symbols, values: &values, slots: &mut slots, needs: &mut needs };
    assert_eq!(count.batch(relocations)?, Counted::Done);
    // A binding stub of the run time has an address once the image has one.
    values.iter_mut().filter(|value| Mark::is_bound(**value)).for_each(|value| *value = F::Word::of(BINDING));
    let (mut code, mut stubs) = (code.to_vec(), vec![0; needs.stubs as usize * arch.stub_len()]);
    let mut index = vec![0; needs.index_len() as usize];
    let nowhere = F::Word::default();
    let mut linker = Linker::<F> {
        arch,
        values: &values,
        symbols: Some(symbols),
        slots: &mut slots,
        got: Area { bytes: &mut [], address: nowhere, used: 0 },
        stubs: Area { bytes: &mut stubs, address: F::Word::of(STUBS), used: 0 },
        index: &mut index,
        pairs: Pairs::default(),
        thread: None,
        bias: nowhere,
        deferred: 0,
    };
    let address = F::Word::of(CODE);
    linker.apply(&mut Target { bytes: &mut code, address, origin: nowhere }, relocations)?;
    let used = linker.stubs.used as usize;
    stubs.truncate(used);
    Ok(Linked { code, stubs, counted: needs.stubs })
}

/// Where the Thumb branch at `at` leads, and whether it is `BLX`.
fn thumb_target(code: &[u8], at: usize) -> (u64, bool) {
    let bytes = &code[at..at + 4];
    let is_blx = bytes[3] & 0x10 == 0;
    let Field::Code(field) = arm::ARCH.howto(10).unwrap().field else { unreachable!() };
    let from = if is_blx { (CODE + at as u64) & !3 } else { CODE + at as u64 };
    (from.wrapping_add_signed((field.get)(bytes) + 4), is_blx)
}

const THM_CALL: u16 = 10;
const CALL: u16 = 28;
const JUMP24: u16 = 29;
const THM_JUMP24: u16 = 30;
const THM_JUMP19: u16 = 51;
const CALL26: u16 = 283;

/// `bl .`, `bl .`, `b.w .`: f7ff fffe, f7ff fffe, f7ff bffe
const THUMB: &[u8] = b"\xff\xf7\xfe\xff\xff\xf7\xfe\xff\xff\xf7\xfe\xbf";
/// `bl .`, `b .`
const A32: &[u8] = b"\xfe\xff\xff\xeb\xfe\xff\xff\xea";

const FAR: u64 = 0x0800_0001;

#[test]
fn what_reaches_has_no_stub() {
    let near = [(STT_FUNC, 0, CODE + 0x81)];
    let linked = link::<Elf32Le>(&arm::ARCH, &near, &[(0, THM_CALL, 1, 0)], THUMB, 12).unwrap();
    assert_eq!((thumb_target(&linked.code, 0), linked.counted), ((CODE + 0x80, false), 0));
}

#[test]
fn far_targets_have_one_stub_each() {
    let far = [(STT_FUNC, 0, FAR), (STT_FUNC, 0, FAR + 0x10)];
    let records = [(0, THM_CALL, 1, 0), (4, THM_CALL, 1, 0), (8, THM_JUMP24, 2, 0)];
    let linked = link::<Elf32Le>(&arm::ARCH, &far, &records, THUMB, 12).unwrap();
    let targets = [0, 4, 8].map(|at| thumb_target(&linked.code, at).0);
    assert_eq!((targets, linked.counted), ([STUBS, STUBS, STUBS + 8], 2));
    // ldr.w pc, [pc]; .word 0x8000001
    assert_eq!(linked.stubs, b"\xdf\xf8\x00\xf0\x01\x00\x00\x08\xdf\xf8\x00\xf0\x11\x00\x00\x08");
}

#[test]
fn a_baseline_core_has_a_stub_of_its_own() {
    let baseline = arm::of(arm::Core::Baseline, arm::Float::Any);
    let linked =
        link::<Elf32Le>(&baseline, &[(STT_FUNC, 0, FAR)], &[(0, THM_CALL, 1, 0)], THUMB, 12).unwrap();
    assert_eq!(linked.stubs, b"\x01\xb4\x02\x48\x84\x46\x01\xbc\x60\x47\x00\xbf\x01\x00\x00\x08");
    assert_eq!(thumb_target(&linked.code, 0).0, STUBS);
}

#[test]
fn each_instruction_set_has_a_stub_of_its_own() {
    let code = [THUMB, A32].concat();
    let records = [(0, THM_CALL, 1, 0), (12, CALL, 1, 0), (16, JUMP24, 1, 0), (4, THM_CALL, 1, 0)];
    let linked = link::<Elf32Le>(&arm::ARCH, &[(STT_FUNC, 0, FAR)], &records, &code, 20).unwrap();
    // ldr.w pc, [pc]; ldr pc, [pc, #-4]
    assert_eq!(linked.stubs, b"\xdf\xf8\x00\xf0\x01\x00\x00\x08\x04\xf0\x1f\xe5\x01\x00\x00\x08");
    assert_eq!((linked.counted, thumb_target(&linked.code, 4).0), (2, STUBS));
    // bl . + 8 + 0xec + 8; b . + 8 + 0xe8 + 8
    assert_eq!(linked.code[12..], *b"\x3d\x00\x00\xeb\x3c\x00\x00\xea");
}

#[test]
fn arm64_has_a_stub_for_each_addend() {
    // bl . five times
    let code = b"\x00\x00\x00\x94".repeat(5);
    let far = [(STT_FUNC, 0, 0x7fff_0000_0000)];
    let addends = [0, 8, 16, 8, 0];
    let records: Vec<Record> = (0..5).map(|at| (4 * at as u64, CALL26, 1, addends[at])).collect();
    let linked = link::<Elf64Le>(&aarch64::ARCH, &far, &records, &code, 20).unwrap();
    // ldr x16, #8; br x16; .xword
    let stub = |target: u64| [&b"\x50\x00\x00\x58\x00\x02\x1f\xd6"[..], &target.to_le_bytes()].concat();
    let stubs = [0, 8, 16].map(|addend| stub(0x7fff_0000_0000 + addend));
    assert_eq!(linked.stubs, stubs.concat());
    let targets = linked.code.chunks(4).enumerate().map(|(at, bl)| {
        CODE + 4 * at as u64 + 4 * (u64::from(u32::from_le_bytes(bl.try_into().unwrap())) & 0x3ff_ffff)
    });
    assert!(targets.eq([0, 16, 32, 16, 0].map(|at| STUBS + at)));
    // With an addend of its own every branch could want one; those that turned out to share one give theirs back.
    assert_eq!(linked.counted, 4);
}

#[test]
fn code_larger_than_a_branch_reaches_has_stubs_for_its_own_functions() {
    let own = [(STT_FUNC, 1, CODE + 0x20_0001)];
    // beq.w .: f43f affe
    let code = b"\x3f\xf4\xfe\xaf";
    let record = [(0, THM_JUMP19, 1, 0)];
    let linked = link::<Elf32Le>(&arm::ARCH, &own, &record, code, 0x20_0100).unwrap();
    assert_eq!(linked.stubs, b"\xdf\xf8\x00\xf0\x01\x00\x20\x20");
    // What could miss and does not leaves its stub unused.
    let near = link::<Elf32Le>(&arm::ARCH, &[(STT_FUNC, 1, CODE + 0x41)], &record, code, 0x20_0100).unwrap();
    assert_eq!((near.counted, near.stubs), (1, vec![]));
    let small = link::<Elf32Le>(&arm::ARCH, &[(STT_FUNC, 1, CODE + 0x41)], &record, code, 0xf_0000).unwrap();
    assert_eq!(small.counted, 0);
}

#[test]
fn calls_change_the_instruction_set() {
    // From both halves of a word to A32 code.
    let a32 = [(STT_FUNC, 1, CODE + 0x80)];
    let code = [b"\x00\xbf\xff\xf7\xfe\xff", &THUMB[..4]].concat();
    let linked =
        link::<Elf32Le>(&arm::ARCH, &a32, &[(2, THM_CALL, 1, 0), (6, THM_CALL, 1, 0)], &code, 10).unwrap();
    assert_eq!([2, 6].map(|at| thumb_target(&linked.code, at)), [(CODE + 0x80, true); 2]);
    // To Thumb code at an odd half-word: blx . + 8 + 0x7a
    let linked =
        link::<Elf32Le>(&arm::ARCH, &[(STT_FUNC, 1, CODE + 0x83)], &[(0, CALL, 1, 0)], A32, 8).unwrap();
    assert_eq!(linked.code[..4], *b"\x1e\x00\x00\xfb");
    // And back, where the compiler wrote `blx` for what is Thumb code after all.
    let blx = b"\xff\xf7\xfe\xef";
    let linked =
        link::<Elf32Le>(&arm::ARCH, &[(STT_FUNC, 0, CODE + 0x83)], &[(0, THM_CALL, 1, 0)], blx, 4).unwrap();
    assert_eq!(thumb_target(&linked.code, 0), (CODE + 0x82, false));
}

#[test]
fn jumps_change_the_instruction_set_in_a_stub() {
    let near = [(STT_FUNC, 1, CODE + 0x80)];
    let linked = link::<Elf32Le>(&arm::ARCH, &near, &[(8, THM_JUMP24, 1, 0)], THUMB, 12).unwrap();
    assert_eq!(linked.stubs, b"\xdf\xf8\x00\xf0\x80\x00\x00\x20");
    let near = [(STT_FUNC, 1, CODE + 0x81)];
    let linked = link::<Elf32Le>(&arm::ARCH, &near, &[(4, JUMP24, 1, 0)], A32, 8).unwrap();
    assert_eq!(linked.stubs, b"\x04\xf0\x1f\xe5\x81\x00\x00\x20");
}

/// Only while it was linked did such a jump turn out to need a stub, and none had been counted.
#[test]
fn jumps_to_the_run_time_change_the_instruction_set_too() {
    let bound = [(STT_FUNC, 0, Mark::bound::<u32>(0).into())];
    let linked = link::<Elf32Le>(&arm::ARCH, &bound, &[(4, JUMP24, 1, 0)], A32, 8).unwrap();
    assert_eq!((linked.counted, &linked.stubs[..]), (1, &b"\x04\xf0\x1f\xe5\x81\x00\x00\x20"[..]));
}

#[test]
fn what_is_no_function_is_of_the_set_it_is_called_from() {
    let section = [(STT_SECTION, 1, CODE + 0x80)];
    for core in [arm::Core::Mainline, arm::Core::Both] {
        let arch = arm::of(core, arm::Float::Any);
        let linked = link::<Elf32Le>(&arch, &section, &[(0, THM_CALL, 1, 0)], THUMB, 12).unwrap();
        assert_eq!((thumb_target(&linked.code, 0), linked.counted), ((CODE + 0x80, false), 0));
    }
    let linked = link::<Elf32Le>(&arm::ARCH, &section, &[(0, CALL, 1, 0)], A32, 8).unwrap();
    assert_eq!(linked.code[..4], *b"\x1e\x00\x00\xeb"); // bl . + 8 + 0x78
}

#[test]
fn a_thumb_only_core_refuses_a32_functions() {
    let core = arm::of(arm::Core::Mainline, arm::Float::Any);
    for (section, r_type) in [(1, THM_CALL), (0, THM_CALL), (1, THM_JUMP24), (0, THM_JUMP24)] {
        let found =
            link::<Elf32Le>(&core, &[(STT_FUNC, section, CODE + 0x80)], &[(8, r_type, 1, 0)], THUMB, 12);
        let relocation = core.relocation(r_type.into());
        let expected = Error::WrongInstructionSet { relocation, symbol: SymbolRef::new(1), offset: 8 };
        assert_eq!(found, Err(expected));
    }
}

#[test]
fn a_branch_to_nothing_does_nothing() {
    let nothing = [(0, 0, 0)];
    let linked = |arch: &Arch, r_type, code: &[u8]| {
        let linked = link::<Elf32Le>(arch, &nothing, &[(0, r_type, 1, 0)], &code[..4], 4).unwrap();
        assert_eq!((linked.counted, linked.stubs), (0, vec![]));
        linked.code
    };
    let baseline = arm::of(arm::Core::Baseline, arm::Float::Any);
    assert_eq!(linked(&arm::ARCH, THM_CALL, THUMB), b"\xaf\xf3\x00\x80"); // nop.w
    assert_eq!(linked(&baseline, THM_CALL, THUMB), b"\x00\xe0\x00\xbf"); // b . + 4; nop
    assert_eq!(linked(&arm::ARCH, CALL, A32), b"\x00\xf0\x20\xe3"); // nop
    let linked =
        link::<Elf64Le>(&aarch64::ARCH, &nothing, &[(0, CALL26, 1, 0)], &[0, 0, 0, 0x94], 4).unwrap();
    assert_eq!((linked.counted, &linked.code[..]), (0, &b"\x1f\x20\x03\xd5"[..]));
}
