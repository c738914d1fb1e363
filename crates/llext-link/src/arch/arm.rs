//! ARM, Thumb code: what compilers emit for Cortex-M.
//!
//! Bit 0 of a function's address says that it is Thumb code, and symbols carry it, so `(S + A) | T` is `S + A`.
//!
//! <https://github.com/ARM-software/abi-aa/blob/main/aaelf32/aaelf32.rst>, section 5.6 "Relocation"

use super::{Arch, Check, Code, Field, Veneer, WeakBranch, set_word, word};
use Check::{None as Any, Signed};

const WORD: Field = Field::Data(4);

/// `EM_ARM`
pub const MACHINE: u16 = 40;

/// What this file describes.
pub static ARCHES: &[&Arch] = &[&ARCH];

/// The table.
pub static ARCH: Arch = Arch {
    name: "arm",
    machine: MACHINE,
    format: [1, 1],
    // EF_ARM_EABI_VER5
    flags: (0xff00_0000, 0x0500_0000),
    howtos: HOWTOS,
    veneers: &[Veneer {
        // ldr.w pc, [pc]; .word address
        code: b"\xdf\xf8\x00\xf0\0\0\0\0",
        align: 4,
        literal: 4,
        bias: 4,
        // nop.w
        weak: WeakBranch::Nop(b"\xaf\xf3\x00\x80"),
    }],
    interwork: None,
    binder: None,
    relax: None,
};

#[rustfmt::skip]
howtos! {
    0  R_ARM_NONE           None,     Any,        1, WORD;
    2  R_ARM_ABS32          Abs,      Any,        1, WORD;
    3  R_ARM_REL32          PcRel,    Any,        1, WORD;
    10 R_ARM_THM_CALL       Branch,   Signed(25), 1, Field::Code(&BRANCH24);
    21 R_ARM_GLOB_DAT       Slot,     Any,        1, WORD;
    22 R_ARM_JUMP_SLOT      Slot,     Any,        1, WORD;
    23 R_ARM_RELATIVE       Relative, Any,        1, WORD;
    30 R_ARM_THM_JUMP24     Branch,   Signed(25), 1, Field::Code(&BRANCH24);
    38 R_ARM_TARGET1        Abs,      Any,        1, WORD;
    42 R_ARM_PREL31         PcRel,    Signed(31), 1, Field::Code(&PREL31);
    47 R_ARM_THM_MOVW_ABS_NC Abs,     Any,        1, Field::Code(&MOVW);
    48 R_ARM_THM_MOVT_ABS   Abs,      Any,        1, Field::Code(&MOVT);
}

/// The two half-words of a 32-bit Thumb instruction, first one high.
fn thumb(bytes: &[u8]) -> u32 {
    word(bytes).rotate_left(16)
}

fn set_thumb(bytes: &mut [u8], instruction: u32) {
    set_word(bytes, instruction.rotate_left(16));
}

/// `BL`, `B.W`: S:I1:I2:imm10:imm11:0, where I1 = NOT(J1 EOR S) and I2 = NOT(J2 EOR S).
static BRANCH24: Code = Code {
    len: 4,
    get: |bytes| {
        let i = thumb(bytes);
        let s = i >> 26 & 1;
        let (i1, i2) = (!(i >> 13 ^ s) & 1, !(i >> 11 ^ s) & 1);
        let value = s << 24 | i1 << 23 | i2 << 22 | (i >> 16 & 0x3ff) << 12 | (i & 0x7ff) << 1;
        i64::from((value << 7) as i32 >> 7)
    },
    put: |bytes, value| {
        let v = value as u32;
        let s = v >> 24 & 1;
        let (j1, j2) = (!(v >> 23 ^ s) & 1, !(v >> 22 ^ s) & 1);
        let immediate = s << 26 | (v >> 12 & 0x3ff) << 16 | j1 << 13 | j2 << 11 | v >> 1 & 0x7ff;
        set_thumb(bytes, thumb(bytes) & 0xf800_d000 | immediate);
    },
};

/// `MOVW`, `MOVT`: imm4:i:imm3:imm8.
fn immediate16(bytes: &[u8]) -> u32 {
    let i = thumb(bytes);
    (i >> 16 & 0xf) << 12 | (i >> 26 & 1) << 11 | (i >> 12 & 7) << 8 | i & 0xff
}

fn set_immediate16(bytes: &mut [u8], v: u32) {
    let immediate = (v >> 12 & 0xf) << 16 | (v >> 11 & 1) << 26 | (v >> 8 & 7) << 12 | v & 0xff;
    set_thumb(bytes, thumb(bytes) & 0xfbf0_8f00 | immediate);
}

/// The low half. The addend is the immediate, sign-extended from 16 bits.
static MOVW: Code = Code {
    len: 4,
    get: |bytes| i64::from(immediate16(bytes) as i16),
    put: |bytes, value| set_immediate16(bytes, value as u32),
};

/// The high half of the value. The addend is the immediate itself, as for the low half.
static MOVT: Code = Code {
    len: 4,
    get: |bytes| i64::from(immediate16(bytes) as i16),
    put: |bytes, value| set_immediate16(bytes, value as u32 >> 16),
};

/// 31 bits; the top bit belongs to the unwind table.
static PREL31: Code = Code {
    len: 4,
    get: |bytes| i64::from((word(bytes) << 1) as i32 >> 1),
    put: |bytes, value| set_word(bytes, word(bytes) & 0x8000_0000 | value as u32 & 0x7fff_ffff),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_as_the_assembler_writes_them() {
        // bl . + 4 + 0x1234: f001 f91a
        let mut bytes = *b"\x00\xf0\x00\xf8";
        (BRANCH24.put)(&mut bytes, 0x1234);
        assert_eq!(bytes, [0x01, 0xf0, 0x1a, 0xf9]);
        // bl .: f7ff fffe
        (BRANCH24.put)(&mut bytes, -4);
        assert_eq!(bytes, [0xff, 0xf7, 0xfe, 0xff]);
    }

    #[test]
    fn halves_as_the_assembler_writes_them() {
        // movw r0, #0x5678: f245 6078; movt r0, #0x1234: f2c1 2034
        let mut movw = *b"\x40\xf2\x00\x00";
        (MOVW.put)(&mut movw, 0x1234_5678);
        assert_eq!(movw, [0x45, 0xf2, 0x78, 0x60]);
        let mut movt = *b"\xc0\xf2\x00\x00";
        (MOVT.put)(&mut movt, 0x1234_5678);
        assert_eq!(movt, [0xc1, 0xf2, 0x34, 0x20]);
    }
}
