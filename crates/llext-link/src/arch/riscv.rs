//! RISC-V, 32 and 64 bits: one list of rows, which differ only in the width of an address.
//!
//! An address is built by two instructions, whose parts are `(V + 0x800) >> 12` and the low 12 bits of `V`, taken as a
//! signed number: so a pair reaches from `-2^31 - 2^11` to `2^31 - 2^11 - 1`. The lower part of a PC-relative pair
//! names the place of the upper one, not the symbol. With 32 bits addresses wrap, and a pair reaches everything.
//!
//! Linker relaxation is optional: `R_RISCV_RELAX` is passed over, and padding (`R_RISCV_ALIGN`) stays as it is.
//!
//! <https://github.com/riscv-non-isa/riscv-elf-psabi-doc/blob/master/riscv-elf.adoc>, "Relocations"

use super::{Arch, Binder, Check, Code, Expr, Field, Howto, Veneer, WeakBranch, half, set_half, set_word, word};
use Check::{Either, None as Any, Signed, Upper};

const BYTE: Field = Field::Data(1);
const HALF: Field = Field::Data(2);
const WORD: Field = Field::Data(4);
const QUAD: Field = Field::Data(8);

/// `EM_RISCV`
pub const MACHINE: u16 = 243;

/// What this file describes.
pub static ARCHES: &[&Arch] = &[&RV32, &RV64];

/// 32 bits, whatever the ABI.
pub static RV32: Arch = rv32(ANY_ABI);

/// 64 bits, whatever the ABI.
pub static RV64: Arch = rv64(ANY_ABI);

/// Flags of any ABI.
pub const ANY_ABI: (u32, u32) = (0, 0);

/// How functions pass floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Float {
    /// In integer registers.
    Soft,
    /// In registers of four bytes.
    Single,
    /// In registers of eight bytes.
    Double,
}

/// The flags of files that a host can run (psABI, "File Header"), by how it passes floats, whether it runs compressed
/// instructions, and whether it has 16 integer registers only.
pub const fn abi(float: Float, compressed: bool, embedded: bool) -> (u32, u32) {
    const RVC: u32 = 1;
    const FLOAT_ABI: u32 = 6;
    const RVE: u32 = 8;
    let mask = if compressed { FLOAT_ABI | RVE } else { FLOAT_ABI | RVE | RVC };
    let float = match float {
        Float::Soft => 0,
        Float::Single => 2,
        Float::Double => 4,
    };
    (mask, float | if embedded { RVE } else { 0 })
}

/// 32 bits, for files with these flags.
pub const fn rv32(flags: (u32, u32)) -> Arch {
    Arch {
        name: "riscv32",
        machine: MACHINE,
        format: [1, 1],
        flags,
        attributes: &[],
        howtos: &HOWTOS32,
        veneers: &[Veneer {
            // auipc t1, 0; lw t1, 12(t1); jr t1; .word address
            code: b"\x17\x03\0\0\x03\x23\xc3\0\x67\0\x03\0\0\0\0\0",
            align: 4,
            literal: 12,
            bias: 0,
            weak: FROM_ZERO,
        }],
        interwork: None,
        // auipc t1, 0; lw a2, 16(t1); lw t1, 20(t1); jr t1; .word context, target
        binder: Some(Binder {
            code: b"\x17\x03\0\0\x03\x26\x03\x01\x03\x23\x43\x01\x67\0\x03\0\0\0\0\0\0\0\0\0",
            context: 16,
            target: 20,
            entry: 0,
        }),
        relax: None,
        absolute_slot: None,
    }
}

/// 64 bits, for files with these flags.
pub const fn rv64(flags: (u32, u32)) -> Arch {
    Arch {
        name: "riscv64",
        machine: MACHINE,
        format: [2, 1],
        flags,
        attributes: &[],
        howtos: HOWTOS,
        veneers: &[Veneer {
            // auipc t1, 0; ld t1, 16(t1); jr t1; nop; .quad address
            code: b"\x17\x03\0\0\x03\x33\x03\x01\x67\0\x03\0\x13\0\0\0\0\0\0\0\0\0\0\0",
            align: 8,
            literal: 16,
            bias: 0,
            weak: FROM_ZERO,
        }],
        interwork: None,
        // auipc t1, 0; ld a2, 16(t1); ld t1, 24(t1); jr t1; .quad context, target
        binder: Some(Binder {
            code: b"\x17\x03\0\0\x03\x36\x03\x01\x03\x33\x83\x01\x67\0\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            context: 16,
            target: 24,
            entry: 0,
        }),
        relax: None,
        absolute_slot: None,
    }
}

/// `auipc` becomes `lui`, so that the pair reaches 0; a jump of one instruction goes to `unimp`.
const FROM_ZERO: WeakBranch = WeakBranch::FromZero { change: load_upper, trap: b"\x73\x10\0\xc0" };

fn load_upper(bytes: &mut [u8]) -> bool {
    const AUIPC: u8 = 0x17;
    match bytes.first_mut() {
        Some(opcode) if *opcode & 0x7f == AUIPC => *opcode |= 0x20,
        _ => return false,
    }
    true
}

// For 64 bits.
#[rustfmt::skip]
howtos! {
    0  R_RISCV_NONE              None,       Any,        1, BYTE;
    1  R_RISCV_32                Abs,        Either(32), 1, WORD;
    2  R_RISCV_64                Abs,        Any,        1, QUAD;
    3  R_RISCV_RELATIVE          Relative,   Any,        1, QUAD;
    4  R_RISCV_COPY              Refused,    Any,        1, QUAD;
    5  R_RISCV_JUMP_SLOT         Slot,       Any,        1, QUAD;
    6  R_RISCV_TLS_DTPMOD32      Refused,    Any,        1, WORD;
    7  R_RISCV_TLS_DTPMOD64      Refused,    Any,        1, QUAD;
    8  R_RISCV_TLS_DTPREL32      Refused,    Any,        1, WORD;
    9  R_RISCV_TLS_DTPREL64      Refused,    Any,        1, QUAD;
    10 R_RISCV_TLS_TPREL32       Refused,    Any,        1, WORD;
    11 R_RISCV_TLS_TPREL64       Refused,    Any,        1, QUAD;
    12 R_RISCV_TLSDESC           Refused,    Any,        1, QUAD;
    16 R_RISCV_BRANCH            Branch,     Signed(13), 2, Field::Code(&BRANCH);
    17 R_RISCV_JAL               Branch,     Signed(21), 2, Field::Code(&JAL);
    18 R_RISCV_CALL              Branch,     Upper(32),  1, Field::Code(&CALL);
    19 R_RISCV_CALL_PLT          Branch,     Upper(32),  1, Field::Code(&CALL);
    20 R_RISCV_GOT_HI20          GotPcRel,   Upper(32),  1, Field::Upper(&UPPER);
    21 R_RISCV_TLS_GOT_HI20      Refused,    Any,        1, WORD;
    22 R_RISCV_TLS_GD_HI20       Refused,    Any,        1, WORD;
    23 R_RISCV_PCREL_HI20        PcRel,      Upper(32),  1, Field::Upper(&UPPER);
    24 R_RISCV_PCREL_LO12_I      Lower,      Any,        1, Field::Code(&LOWER_I);
    25 R_RISCV_PCREL_LO12_S      Lower,      Any,        1, Field::Code(&LOWER_S);
    26 R_RISCV_HI20              Abs,        Upper(32),  1, Field::Upper(&UPPER);
    27 R_RISCV_LO12_I            Abs,        Any,        1, Field::Code(&LOWER_I);
    28 R_RISCV_LO12_S            Abs,        Any,        1, Field::Code(&LOWER_S);
    29 R_RISCV_TPREL_HI20        Refused,    Any,        1, WORD;
    30 R_RISCV_TPREL_LO12_I      Refused,    Any,        1, WORD;
    31 R_RISCV_TPREL_LO12_S      Refused,    Any,        1, WORD;
    32 R_RISCV_TPREL_ADD         Refused,    Any,        1, WORD;
    33 R_RISCV_ADD8              Add,        Any,        1, BYTE;
    34 R_RISCV_ADD16             Add,        Any,        1, HALF;
    35 R_RISCV_ADD32             Add,        Any,        1, WORD;
    36 R_RISCV_ADD64             Add,        Any,        1, QUAD;
    37 R_RISCV_SUB8              Subtract,   Any,        1, BYTE;
    38 R_RISCV_SUB16             Subtract,   Any,        1, HALF;
    39 R_RISCV_SUB32             Subtract,   Any,        1, WORD;
    40 R_RISCV_SUB64             Subtract,   Any,        1, QUAD;
    41 R_RISCV_GOT32_PCREL       GotPcRel,   Signed(32), 1, WORD;
    43 R_RISCV_ALIGN             Padding,    Any,        1, BYTE;
    44 R_RISCV_RVC_BRANCH        Branch,     Signed(9),  2, Field::Code(&RVC_BRANCH);
    45 R_RISCV_RVC_JUMP          Branch,     Signed(12), 2, Field::Code(&RVC_JUMP);
    46 R_RISCV_RVC_LUI           Abs,        Upper(18),  1, Field::Upper(&RVC_LUI);
    51 R_RISCV_RELAX             None,       Any,        1, BYTE;
    52 R_RISCV_SUB6              Subtract,   Any,        1, Field::Code(&SIX);
    53 R_RISCV_SET6              Abs,        Any,        1, Field::Code(&SIX);
    54 R_RISCV_SET8              Abs,        Any,        1, BYTE;
    55 R_RISCV_SET16             Abs,        Any,        1, HALF;
    56 R_RISCV_SET32             Abs,        Any,        1, WORD;
    57 R_RISCV_32_PCREL          PcRel,      Signed(32), 1, WORD;
    58 R_RISCV_IRELATIVE         IRelative,  Any,        1, QUAD;
    59 R_RISCV_PLT32             Branch,     Signed(32), 1, WORD;
    60 R_RISCV_SET_ULEB128       Minuend,    Any,        1, BYTE;
    61 R_RISCV_SUB_ULEB128       Subtrahend, Any,        1, BYTE;
    62 R_RISCV_TLSDESC_HI20      Refused,    Any,        1, WORD;
    63 R_RISCV_TLSDESC_LOAD_LO12 Refused,    Any,        1, WORD;
    64 R_RISCV_TLSDESC_ADD_LO12  Refused,    Any,        1, WORD;
    65 R_RISCV_TLSDESC_CALL      Refused,    Any,        1, WORD;
}

/// The rows for 32 bits: an address has four bytes, and what 32 bits can hold is any address.
static HOWTOS32: [Howto; HOWTOS.len()] = {
    let mut rows = *ROWS;
    let mut at = 0;
    while at < rows.len() {
        if matches!(rows[at].check, Signed(32) | Either(32) | Upper(32)) {
            rows[at].check = Any;
        }
        if matches!(rows[at].expr, Expr::Relative | Expr::Slot | Expr::IRelative) {
            rows[at].field = WORD;
        }
        at += 1;
    }
    rows
};

/// Bits of an immediate in an instruction: their lowest in the value, how many, their lowest in the instruction.
type Bits = (u32, u32, u32);

/// The instruction at the start of `bytes`, of four bytes, of two or of one.
fn load(bytes: &[u8]) -> u32 {
    match bytes {
        [_, _, _, _, ..] => word(bytes),
        [_, _, ..] => half(bytes).into(),
        _ => bytes.first().map_or(0, |byte| u32::from(*byte)),
    }
}

fn store(bytes: &mut [u8], instruction: u32) {
    match bytes {
        [_, _, _, _, ..] => set_word(bytes, instruction),
        [_, _, ..] => set_half(bytes, instruction as u16),
        _ => bytes.iter_mut().for_each(|byte| *byte = instruction as u8),
    }
}

const fn mask(len: u32) -> u32 {
    (1 << len) - 1
}

/// The immediate of `width` bits, sign-extended.
fn gather(bits: &[Bits], width: u32, bytes: &[u8]) -> i64 {
    let instruction = load(bytes);
    let value =
        bits.iter().fold(0, |value, (from, len, to)| value | (instruction >> to & mask(*len)) << from);
    i64::from((value << (32 - width)) as i32 >> (32 - width))
}

fn scatter(bits: &[Bits], bytes: &mut [u8], value: i64) {
    let instruction = bits.iter().fold(load(bytes), |instruction, (from, len, to)| {
        instruction & !(mask(*len) << to) | (value as u32 >> from & mask(*len)) << to
    });
    store(bytes, instruction);
}

/// An immediate of so many bits in an instruction of so many bytes.
macro_rules! immediates {
    ($($(#[doc = $doc:literal])* $name:ident $len:literal $width:literal $bits:expr;)*) => {
        $($(#[doc = $doc])* static $name: Code = Code {
            len: $len,
            get: |bytes| gather(&$bits, $width, bytes),
            put: |bytes, value| scatter(&$bits, bytes, value),
        };)*
    };
}

immediates! {
    /// B-type.
    BRANCH     4 13 [(11, 1, 7), (1, 4, 8), (5, 6, 25), (12, 1, 31)];
    /// J-type.
    JAL        4 21 [(12, 8, 12), (11, 1, 20), (1, 10, 21), (20, 1, 31)];
    /// S-type, the lower part.
    LOWER_S    4 12 [(0, 5, 7), (5, 7, 25)];
    /// CB-type.
    RVC_BRANCH 2 9  [(5, 1, 2), (1, 2, 3), (6, 2, 5), (3, 2, 10), (8, 1, 12)];
    /// CJ-type.
    RVC_JUMP   2 12 [(5, 1, 2), (1, 3, 3), (7, 1, 6), (6, 1, 7), (10, 1, 8), (8, 2, 9), (4, 1, 11), (11, 1, 12)];
    /// The low six bits of a byte; the others belong to another number.
    SIX        1 6  [(0, 6, 0)];
}

/// U-type, the upper part.
static UPPER: Code = Code { len: 4, get: upper, put: set_upper };

fn upper(bytes: &[u8]) -> i64 {
    i64::from((word(bytes) & !mask(12)) as i32)
}

fn set_upper(bytes: &mut [u8], value: i64) {
    set_word(bytes, word(bytes) & mask(12) | value as u32 & !mask(12));
}

/// I-type, the lower part.
static LOWER_I: Code = Code { len: 4, get: lower, put: set_lower };

fn lower(bytes: &[u8]) -> i64 {
    i64::from(word(bytes) as i32 >> 20)
}

fn set_lower(bytes: &mut [u8], value: i64) {
    set_word(bytes, word(bytes) & mask(20) | (value as u32) << 20);
}

/// U-type and I-type: `auipc` and `jalr`.
static CALL: Code = Code {
    len: 8,
    get: |bytes| upper(bytes) + lower(bytes.get(4..).unwrap_or_default()),
    put: |bytes, value| {
        if let Some((auipc, jalr)) = bytes.split_at_mut_checked(4) {
            set_upper(auipc, value + Field::LOWER_HALF);
            set_lower(jalr, value);
        }
    },
};

/// CI-type, the upper part: `c.lui`, which cannot hold 0; `c.li` can, and means the same then.
static RVC_LUI: Code = Code {
    len: 2,
    get: |bytes| gather(&[(12, 5, 2), (17, 1, 12)], 18, bytes),
    put: |bytes, value| {
        const LI: u32 = 0b010 << 13;
        const FUNCTION: u32 = 0b111 << 13;
        scatter(&[(12, 5, 2), (17, 1, 12)], bytes, value);
        if value >> 12 & 0x3f == 0 {
            let instruction = load(bytes) & !FUNCTION | LI;
            store(bytes, instruction);
        }
    },
};

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::arch::tests::assembled;
    use std::vec::Vec;

    /// Instructions of four bytes, and of two.
    fn wide(instruction: u32) -> [u8; 4] {
        instruction.to_le_bytes()
    }

    fn narrow(instruction: u16) -> [u8; 2] {
        instruction.to_le_bytes()
    }

    #[test]
    fn branches_as_the_assembler_writes_them() {
        for (code, text, value, instruction) in [
            (&BRANCH, "beq a0, a1, .+0xffe", 0xffe, 0x7eb5_0fe3),
            (&BRANCH, "beq a0, a1, .-0x1000", -0x1000, 0x80b5_0063),
            (&BRANCH, "bne s4, t6, .+0x554", 0x554, 0x55fa_1a63),
            (&JAL, "jal ra, .+0xffffe", 0xffffe, 0x7fff_f0ef),
            (&JAL, "j .-0x100000", -0x100000, 0x8000_006f),
            (&JAL, "jal t0, .+0xabcd4", 0xabcd4, 0x4d5a_b2ef),
        ] {
            assembled(code, text, value, value, &wide(instruction));
        }
        for (code, text, value, instruction) in [
            (&RVC_BRANCH, "c.beqz a0, .+0xfe", 0xfe, 0xcd7d),
            (&RVC_BRANCH, "c.bnez s1, .-0x100", -0x100, 0xf081),
            (&RVC_BRANCH, "c.beqz a5, .+0x54", 0x54, 0xcbb1),
            (&RVC_JUMP, "c.j .+0x7fe", 0x7fe, 0xaffd),
            (&RVC_JUMP, "c.j .-0x800", -0x800, 0xb001),
            (&RVC_JUMP, "c.j .+0x2a8", 0x2a8, 0xa465),
        ] {
            assembled(code, text, value, value, &narrow(instruction));
        }
    }

    #[test]
    fn parts_of_addresses_as_the_assembler_writes_them() {
        for (code, text, value, part, instruction) in [
            (&UPPER, "lui a0, 0x12345", 0x1234_5678, 0x1234_5000, 0x1234_5537),
            (&UPPER, "auipc t6, 0xfedcb", -0x0123_4001, -0x0123_5000, 0xfedc_bf97),
            (&LOWER_I, "addi a0, a0, -2048", 0x1234_4800, -0x800, 0x8005_0513),
            (&LOWER_I, "lw a5, 0x555(a0)", 0x555, 0x555, 0x5555_2783),
            (&LOWER_S, "sw a5, -2048(a0)", 0x1234_4800, -0x800, 0x80f5_2023),
            (&LOWER_S, "sd s11, 0x2aa(s0)", 0x2aa, 0x2aa, 0x2bb4_3523),
        ] {
            assembled(code, text, value, part, &wide(instruction));
        }
        let call: Vec<u8> = [wide(0x1234_5097), wide(0x8000_80e7)].concat();
        assembled(&CALL, "auipc ra, 0x12345; jalr -2048(ra)", 0x1234_4800, 0x1234_4800, &call);
    }

    #[test]
    fn compressed_upper_parts_as_the_assembler_writes_them() {
        for (text, value, before, after) in [
            ("c.lui a0, 0x1f", 0x1f923, 0x6501, 0x657d),
            ("c.lui s1, 0xfffe0", -0x20000, 0x6481, 0x7481),
            ("c.lui a0, 0x15", 0x15000, 0x6501, 0x6555),
            ("c.li a0, 0", 0xfff, 0x6501, 0x4501),
        ] {
            let mut bytes = narrow(before);
            (RVC_LUI.put)(&mut bytes, value);
            assert_eq!(bytes, narrow(after), "{text}");
        }
    }

    #[test]
    fn six_bits_leave_two() {
        let mut byte = [0x95];
        (SIX.put)(&mut byte, 0xabc2a);
        assert_eq!(byte, [0xaa]);
    }

    #[test]
    fn an_upper_part_can_start_from_zero() {
        // auipc ra, 0 becomes lui ra, 0; jal ra, . cannot, nor can c.j .
        let mut auipc = *b"\x97\0\0\0";
        assert!(load_upper(&mut auipc));
        assert_eq!(auipc, *b"\xb7\0\0\0");
        let (mut jal, mut jump) = (*b"\xef\0\0\0", *b"\x01\xa0");
        assert!(!load_upper(&mut jal) && !load_upper(&mut jump));
        assert_eq!((jal, jump), (*b"\xef\0\0\0", *b"\x01\xa0"));
    }

    #[test]
    fn flags_say_what_a_host_runs() {
        // riscv32imac, riscv64gc, riscv32e
        assert_eq!(abi(Float::Soft, true, false), (0xe, 0));
        assert_eq!(abi(Float::Double, true, false), (0xe, 4));
        assert_eq!(abi(Float::Soft, false, true), (0xf, 8));
        assert_eq!(abi(Float::Single, false, false), (0xf, 2));
    }
}
