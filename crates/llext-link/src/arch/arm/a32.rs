//! A32: its immediates and its stub.

use crate::arch::{Code, Veneer, WeakBranch, set_word, word};

pub(super) const VENEER: Veneer = Veneer {
    // ldr pc, [pc, #-4]; .word address
    code: b"\x04\xf0\x1f\xe5\0\0\0\0",
    align: 4,
    literal: 4,
    bias: 8,
    // nop
    weak: WeakBranch::Nop(b"\x00\xf0\x20\xe3"),
};

/// `BL` becomes `BLX`, or the reverse; both without a condition.
pub(super) fn change(bytes: &mut [u8], change: bool) {
    let opcode = if change { 0xfa00_0000 } else { 0xeb00_0000 };
    set_word(bytes, word(bytes) & 0x00ff_ffff | opcode);
}

/// `B`, `BL`: imm24:00; `BLX`: imm24:H:0, where H is bit 24.
pub(super) static BRANCH24: Code = Code {
    len: 4,
    get: |bytes| {
        let i = word(bytes);
        let half = if is_blx(i) { i >> 23 & 2 } else { 0 };
        i64::from(((i << 8) as i32 >> 6) as u32 as i32 | half as i32)
    },
    put: |bytes, value| {
        let (i, v) = (word(bytes), value as u32);
        let kept = if is_blx(i) { 0xfa00_0000 | (v & 2) << 23 } else { i & 0xff00_0000 };
        set_word(bytes, kept | v >> 2 & 0x00ff_ffff);
    },
};

fn is_blx(instruction: u32) -> bool {
    instruction >> 25 == 0x7d
}

/// `LDR`, `STR`: imm12, added where bit 23 is set, else subtracted.
pub(super) static OFFSET12: Code = Code {
    len: 4,
    get: |bytes| signed(word(bytes), word(bytes) & 0xfff),
    put: |bytes, value| set_signed(bytes, 0xfff, value, value.unsigned_abs() as u32),
};

/// `LDRD`, `LDRH`...: imm4H:imm4L, added where bit 23 is set, else subtracted.
pub(super) static OFFSET8: Code = Code {
    len: 4,
    get: |bytes| signed(word(bytes), word(bytes) >> 4 & 0xf0 | word(bytes) & 0xf),
    put: |bytes, value| {
        let v = value.unsigned_abs() as u32;
        set_signed(bytes, 0xf0f, value, v << 4 & 0xf00 | v & 0xf);
    },
};

fn signed(instruction: u32, offset: u32) -> i64 {
    if instruction >> 23 & 1 != 0 { offset.into() } else { -i64::from(offset) }
}

fn set_signed(bytes: &mut [u8], mask: u32, value: i64, offset: u32) {
    let up = u32::from(value >= 0) << 23;
    set_word(bytes, word(bytes) & !(mask | 1 << 23) | up | offset & mask);
}

/// `MOVW`, `MOVT`: imm4:imm12.
fn immediate16(bytes: &[u8]) -> i64 {
    let i = word(bytes);
    i64::from((i >> 4 & 0xf000 | i & 0xfff) as i16)
}

fn set_immediate16(bytes: &mut [u8], v: u32) {
    set_word(bytes, word(bytes) & 0xfff0_f000 | (v & 0xf000) << 4 | v & 0xfff);
}

/// The low half. The addend is the immediate, sign-extended from 16 bits.
pub(super) static MOVW: Code =
    Code { len: 4, get: immediate16, put: |bytes, value| set_immediate16(bytes, value as u32) };

/// The high half of the value. The addend is the immediate itself, as for the low half.
pub(super) static MOVT: Code =
    Code { len: 4, get: immediate16, put: |bytes, value| set_immediate16(bytes, value as u32 >> 16) };
