//! RISC-V: branches and their stubs, labels, padding, and what is refused.

use crate::bench::{Bench, CODE, GOT, Record, STUBS, bench, words};
use llext_link::Error;
use llext_link::arch::Arch;
use llext_link::arch::riscv::{RV32, RV64};
use llext_link::error::{RelocationType, SymbolRef};

const BOTH: [&Arch; 2] = [&RV32, &RV64];
const JAL: u32 = 17;
const CALL: u32 = 19;
const RVC_JUMP: u32 = 45;
const SET_ULEB128: u32 = 60;
const SUB_ULEB128: u32 = 61;

fn relocation(number: u32) -> RelocationType {
    RelocationType { machine: 243, number }
}

/// auipc ra, 0; jalr ra, 0(ra)
const CALL_FOO: [u32; 2] = [0x0000_0097, 0x0000_80e7];

#[test]
fn a_call_is_two_instructions() {
    for arch in BOTH {
        // auipc ra, 0x12346; jalr ra, -2048(ra)
        let linked = bench(arch, &[CODE + 0x1234_5800], &words(&CALL_FOO), &[(0, CALL, 1, 0)]).linked();
        assert_eq!(linked, words(&[0x1234_6097, 0x8000_80e7]));
        // The older name of the same: R_RISCV_CALL.
        let linked = bench(arch, &[CODE + 0x1234_5800], &words(&CALL_FOO), &[(0, 18, 1, 0)]).linked();
        assert_eq!(linked, words(&[0x1234_6097, 0x8000_80e7]));
    }
}

#[test]
fn far_branches_go_by_one_stub() {
    // jal ra, foo; j foo; call foo; c.j foo; c.nop
    let code = words(&[0x0000_00ef, 0x0000_006f, 0x0000_0097, 0x0000_80e7, 0x0001_a001]);
    let relocations = [(0, JAL, 1, 0), (4, JAL, 1, 0), (8, CALL, 1, 0), (16, RVC_JUMP, 1, 0)];
    let far = 0x1234_5678_9abc;
    let bench = Bench { address: STUBS - 0x400, stubs: 2, ..bench(&RV64, &[far], &code, &relocations) };
    let linked = bench.link().unwrap();
    // jal ra, .+0x400; j .+0x3fc; auipc ra, 0; jalr ra, 0x3f8(ra); c.j .+0x3f0; c.nop
    let expected = [0x4000_00ef, 0x3fc0_006f, 0x0000_0097, 0x3f80_80e7, 0x0001_aec5];
    assert_eq!(linked.section, words(&expected));
    // auipc t1, 0; ld t1, 16(t1); jr t1; nop; .quad far
    let mut stub = words(&[0x0000_0317, 0x0103_3303, 0x0003_0067, 0x0000_0013]);
    stub.extend(far.to_le_bytes());
    assert_eq!(linked.stubs, stub);
}

#[test]
fn far_jumps_of_32_bits_go_by_a_stub_and_calls_go_straight() {
    let code = words(&[0x0000_00ef, CALL_FOO[0], CALL_FOO[1]]);
    let bench = bench(&RV32, &[0xc000_0000], &code, &[(0, JAL, 1, 0), (4, CALL, 1, 0)]);
    let linked = Bench { stubs: 1, ..bench }.link().unwrap();
    // jal ra, .+0x80000; auipc ra, 0xb0000; jalr ra, -4(ra)
    assert_eq!(linked.section, words(&[0x0008_00ef, 0xb000_0097, 0xffc0_80e7]));
    // auipc t1, 0; lw t1, 12(t1); jr t1; .word far
    assert_eq!(linked.stubs, words(&[0x0000_0317, 0x00c3_2303, 0x0003_0067, 0xc000_0000]));
}

#[test]
fn a_call_of_what_is_not_there_leads_to_0() {
    for arch in BOTH {
        // lui ra, 0; jalr ra, 0(ra): by no stub, however far.
        for address in [CODE, 0xf000_0000] {
            let bench = bench(arch, &[0], &words(&CALL_FOO), &[(0, CALL, 1, 0)]);
            let linked = Bench { address, ..bench }.link().unwrap();
            assert_eq!(linked.section, words(&[0x0000_00b7, 0x0000_80e7]));
        }
    }
}

#[test]
fn a_jump_to_what_is_not_there_traps() {
    // jal ra, foo; c.j foo; c.nop
    let code = words(&[0x0000_00ef, 0x0001_a001]);
    for arch in BOTH {
        let bench = bench(arch, &[0], &code, &[(0, JAL, 1, 0), (4, RVC_JUMP, 1, 0)]);
        let linked = Bench { address: STUBS - 0x100, stubs: 1, ..bench }.link().unwrap();
        // jal ra, .+0x100
        assert_eq!(linked.section[..4], words(&[0x1000_00ef]));
        // unimp
        assert_eq!(linked.stubs[..4], words(&[0xc000_1073]));
    }
}

#[test]
fn a_distance_in_data_is_no_instruction() {
    // R_RISCV_PLT32 of what is not there, over a number that could be an auipc: the distance of the stub that traps.
    let bench = bench(&RV64, &[0], &words(&[0x17]), &[(0, 59, 1, 0)]);
    let linked = Bench { stubs: 1, ..bench }.link().unwrap();
    assert_eq!(linked.section, words(&[(STUBS - CODE) as u32]));
    assert_eq!(linked.stubs[..4], words(&[0xc000_1073]));
}

#[test]
fn differences_of_labels_add_up() {
    for arch in BOTH {
        let (high, low) = (CODE + 0x123, CODE + 0x23);
        for (add, sub, field, expected) in [
            (33, 37, &[0x10][..], &[0x10][..]), // 8 bits, wrapped
            (34, 38, &[0x10, 0][..], &[0x10, 1]),
            (35, 39, &[1, 0, 0, 0], &[1, 1, 0, 0]),
            (36, 40, &[2, 0, 0, 0, 0, 0, 0, 0], &[2, 1, 0, 0, 0, 0, 0, 0]),
        ] {
            let relocations = [(0, add, 1, 0), (0, sub, 2, 0)];
            assert_eq!(bench(arch, &[high, low], field, &relocations).linked(), expected);
        }
        // Wider than an address, and negative.
        let relocations = [(0, 36, 1, 0), (0, 40, 2, 4)];
        let linked = bench(arch, &[low, high], &[0; 8], &relocations).linked();
        assert_eq!(linked, (-0x104i64).to_le_bytes());
    }
}

#[test]
fn six_bits_of_a_byte_are_set_and_subtracted_from() {
    // DW_CFA_advance_loc keeps its two bits: R_RISCV_SET6, R_RISCV_SUB6.
    let relocations = [(0, 53, 1, 0), (0, 52, 2, 0)];
    for arch in BOTH {
        assert_eq!(bench(arch, &[CODE + 0x2a, CODE + 8], &[0x40], &relocations).linked(), [0x62]);
    }
}

#[test]
fn fields_are_set() {
    for arch in BOTH {
        let symbols = [0x8765_4321];
        assert_eq!(bench(arch, &symbols, &[0xff; 4], &[(1, 54, 1, 1)]).linked(), [0xff, 0x22, 0xff, 0xff]);
        assert_eq!(bench(arch, &symbols, &[0xff; 4], &[(1, 55, 1, 1)]).linked(), [0xff, 0x22, 0x43, 0xff]);
        assert_eq!(bench(arch, &symbols, &[0xff; 4], &[(0, 56, 1, 1)]).linked(), [0x22, 0x43, 0x65, 0x87]);
        // R_RISCV_64 of a 32-bit address is not negative.
        let linked = bench(arch, &symbols, &[0xff; 8], &[(0, 2, 1, 1)]).linked();
        assert_eq!(linked, 0x8765_4322u64.to_le_bytes());
        // R_RISCV_32_PCREL, R_RISCV_PLT32, R_RISCV_GOT32_PCREL
        assert_eq!(bench(arch, &[CODE + 0x1234], &[0; 4], &[(0, 57, 1, 4)]).linked(), words(&[0x1238]));
        assert_eq!(bench(arch, &[CODE - 4], &[0; 4], &[(0, 59, 1, 0)]).linked(), words(&[0xffff_fffc]));
        let linked = bench(arch, &[1], &[0; 8], &[(4, 41, 1, 0)]).linked();
        assert_eq!(linked[4..], words(&[(GOT - CODE - 4) as u32]));
    }
    // An address of more than 32 bits has no room in R_RISCV_32.
    let error = bench(&RV64, &[0x1_0000_0000], &[0; 4], &[(0, 1, 1, 0)]).refusal();
    let (place, value, symbol) = (CODE, 0x1_0000_0000, SymbolRef::new(1));
    assert_eq!(error, Error::RelocationOverflow { relocation: relocation(1), place, value, symbol });
}

/// A number at the start of a section, and the difference that goes there.
fn leb(field: &[u8], difference: i64) -> Result<Vec<u8>, Error> {
    let relocations = [(0, SET_ULEB128, 1, difference), (0, SUB_ULEB128, 1, 0)];
    let both = BOTH.map(|arch| bench(arch, &[CODE], field, &relocations).link());
    let [narrow, wide] = both.map(|linked| linked.map(|linked| linked.section).map_err(|(error, _)| error));
    assert_eq!(narrow, wide);
    wide
}

#[test]
fn leb128_numbers_keep_their_length() {
    assert_eq!(leb(&[0x1a], 0x7f), Ok(vec![0x7f]));
    assert_eq!(leb(&[0x80, 0], 0x7f), Ok(vec![0xff, 0]));
    assert_eq!(leb(&[0x80, 0x00, 0xee], 0x3fff), Ok(vec![0xff, 0x7f, 0xee]));
    assert_eq!(leb(&[0xff, 0xff, 0x7f], 0), Ok(vec![0x80, 0x80, 0]));
    let mut widest = vec![0x80; 9];
    widest.push(0);
    assert_eq!(leb(&widest, 1), Ok([&[0x81][..], &[0x80; 8], &[0]].concat()));
}

#[test]
fn leb128_numbers_hold_their_difference() {
    let (place, symbol) = (CODE, SymbolRef::new(1));
    for (field, value) in [(&[0][..], 0x80), (&[0x80, 0], 0x4000), (&[0], -1), (&[0x80, 0x80, 0], i64::MIN)] {
        let value = if value == i64::MIN { -0x8000_0000 } else { value };
        let relocation = relocation(SUB_ULEB128);
        assert_eq!(leb(field, value), Err(Error::RelocationOverflow { relocation, place, value, symbol }));
    }
}

#[test]
fn leb128_numbers_end() {
    for field in [&[0x80][..], &[0x80; 9], &[0x80; 10], &[0x80; 11]] {
        let error = leb(field, 1).unwrap_err();
        assert_eq!(error, Error::UnendedNumber { offset: 0 });
        let text = "number at 0x0: does not end (found no last byte among 10, or in the section)";
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn labels_of_a_leb128_number_come_as_two() {
    let set = |offset| -> Record { (offset, SET_ULEB128, 1, 0) };
    let sub = |offset| -> Record { (offset, SUB_ULEB128, 1, 0) };
    let behind = (SET_ULEB128, "the label to subtract just behind it");
    let before = (SUB_ULEB128, "the label to subtract from just before it");
    for (relocations, offset, (number, expected)) in [
        (vec![set(0)], 0, behind),
        (vec![set(0), set(1), sub(1)], 0, behind),
        (vec![set(1), (0, 51, 0, 0), sub(1)], 1, behind),
        (vec![sub(1)], 1, before),
        (vec![set(0), sub(0), sub(0)], 0, before),
        (vec![set(0), sub(1)], 1, before),
    ] {
        for batch in [1, usize::MAX] {
            let bench = Bench { batch, ..bench(&RV64, &[CODE], &[0; 2], &relocations) };
            let expected = Error::Unpaired { relocation: relocation(number), offset, expected };
            assert_eq!(bench.refusal(), expected, "{relocations:?}");
        }
    }
    let bench = Bench { batch: 1, ..bench(&RV64, &[CODE], &[1; 2], &[set(0), sub(0), set(1), sub(1)]) };
    assert_eq!(bench.linked(), [0, 0]);
}

#[test]
fn padding_that_is_exact_stays() {
    // As GNU as writes it: c.nop; .align 3; ret; .align 2; ret
    let code = b"\x01\0\x01\0\x13\0\0\0\x82\x80\x01\0\x82\x80";
    for arch in BOTH {
        let bench = bench(arch, &[], code, &[(2, 43, 0, 6), (10, 43, 0, 2), (8, 43, 0, 0)]);
        assert_eq!(bench.linked(), code);
        // At a place that is aligned already, all of it would have to go.
        let moved = Bench { address: CODE + 2, ..bench };
        let expected = Error::LoosePadding { place: CODE + 4, size: 6, align: 8 };
        assert_eq!(moved.refusal(), expected);
        assert_eq!(
            expected.to_string(),
            "padding at 0x10000004: has to be shortened (found 6 bytes, expected an end at a multiple of 8)"
        );
        assert!(expected.cure().contains("-mno-relax"));
    }
}

#[test]
fn padding_lies_in_its_section() {
    let outside = |offset, len| Error::RelocationOutside { offset, len, size: 8 };
    let padding = |offset, size| bench(&RV64, &[], &[0; 8], &[(offset, 43, 0, size)]).refusal();
    assert_eq!(padding(6, 6), outside(6, 6));
    assert_eq!(padding(0, 0x7fff_ffff), outside(0, 0x7fff_ffff));
    assert_eq!(padding(9, 0), outside(9, 0));
    // Three bytes of padding are no instruction, but end where they should not.
    assert_eq!(padding(0, 3), Error::LoosePadding { place: CODE, size: 3, align: 4 });
    // Two bytes may be needed before a multiple of four, four before one of eight.
    for (size, align) in [(2, 4), (4, 8)] {
        assert_eq!(padding(0, size), Error::LoosePadding { place: CODE, size: size as u64, align });
    }
}

#[test]
fn what_may_be_relaxed_need_not_be() {
    for arch in BOTH {
        let relocations = [(0, CALL, 1, 0), (0, 51, 0, 0), (1000, 51, 0, 0)];
        let linked = bench(arch, &[CODE + 8], &words(&CALL_FOO), &relocations).linked();
        assert_eq!(linked, words(&[0x0000_0097, 0x0080_80e7]));
    }
}

#[test]
fn thread_local_storage_and_copies_are_refused_by_name() {
    for (number, name) in [
        (4, "COPY"),
        (6, "TLS_DTPMOD32"),
        (7, "TLS_DTPMOD64"),
        (8, "TLS_DTPREL32"),
        (9, "TLS_DTPREL64"),
        (10, "TLS_TPREL32"),
        (11, "TLS_TPREL64"),
        (12, "TLSDESC"),
        (21, "TLS_GOT_HI20"),
        (22, "TLS_GD_HI20"),
        (29, "TPREL_HI20"),
        (30, "TPREL_LO12_I"),
        (31, "TPREL_LO12_S"),
        (32, "TPREL_ADD"),
        (62, "TLSDESC_HI20"),
        (63, "TLSDESC_LOAD_LO12"),
        (64, "TLSDESC_ADD_LO12"),
        (65, "TLSDESC_CALL"),
    ] {
        for arch in BOTH {
            let error = bench(arch, &[CODE], &[0; 8], &[(0, number, 1, 0)]).refusal();
            let symbol = SymbolRef::new(1);
            assert_eq!(
                error,
                Error::UnsupportedRelocation { relocation: relocation(number), symbol, offset: 0 }
            );
            let text = format!("symbol 1: unsupported relocation R_RISCV_{name} at 0x0");
            assert_eq!(error.to_string(), text);
        }
    }
}

#[test]
fn dynamic_relocations_hold_addresses() {
    // R_RISCV_RELATIVE, R_RISCV_JUMP_SLOT; of the class's width.
    for (arch, width) in [(&RV32, 4), (&RV64, 8)] {
        let linked = bench(arch, &[0x1234_5678], &[0xff; 16], &[(0, 3, 0, 0x40), (8, 5, 1, 9)]).linked();
        let expected = |value: u64| [&value.to_le_bytes()[..width], &[0xff; 8][width..]].concat();
        assert_eq!(linked, [expected(0x40), expected(0x1234_5678)].concat());
    }
}

#[test]
fn an_absolute_pair_reaches_what_32_bits_reach() {
    // lui a0, 0; addi a0, a0, 0; sw a1, 0(a0)
    let code = words(&[0x0000_0537, 0x0005_0513, 0x00b5_2023]);
    let relocations = [(0, 26, 1, 0), (4, 27, 1, 0), (8, 28, 1, 0)];
    for arch in BOTH {
        // lui a0, 0x12346; addi a0, a0, -2048; sw a1, -2048(a0)
        let linked = bench(arch, &[0x1234_5800], &code, &relocations).linked();
        assert_eq!(linked, words(&[0x1234_6537, 0x8005_0513, 0x80b5_2023]));
    }
    // lui a0, 0x80000: what 64 bits sign-extend, 32 bits need not.
    let linked = bench(&RV32, &[0x7fff_f800], &code, &relocations).linked();
    assert_eq!(linked, words(&[0x8000_0537, 0x8005_0513, 0x80b5_2023]));
    let error = bench(&RV64, &[0x7fff_f800], &code, &relocations).refusal();
    let (place, value, symbol) = (CODE, 0x7fff_f800, SymbolRef::new(1));
    assert_eq!(error, Error::RelocationOverflow { relocation: relocation(26), place, value, symbol });
    let linked = bench(&RV64, &[0xffff_ffff_8000_0000], &code, &relocations).linked();
    assert_eq!(linked, words(&[0x8000_0537, 0x0005_0513, 0x00b5_2023]));
}
