//! Thumb: its immediates and its stubs.

use crate::arch::{Binder, Code, Veneer, WeakBranch, half, set_half, set_word, word};

/// For v7-M and v8-M mainline, and beside A32.
pub(super) const MAINLINE: Veneer = Veneer {
    // ldr.w pc, [pc]; .word address
    code: b"\xdf\xf8\x00\xf0\0\0\0\0",
    align: 4,
    literal: 4,
    bias: 4,
    // nop.w
    weak: WeakBranch::Nop(b"\xaf\xf3\x00\x80"),
};

/// For v6-M and v8-M baseline, where only the low registers load from a literal.
pub(super) const BASELINE: Veneer = Veneer {
    // push {r0}; ldr r0, [pc, #8]; mov ip, r0; pop {r0}; bx ip; nop; .word address
    code: b"\x01\xb4\x02\x48\x84\x46\x01\xbc\x60\x47\x00\xbf\0\0\0\0",
    align: 4,
    literal: 12,
    bias: 4,
    // b.n . + 4; nop
    weak: WeakBranch::Nop(b"\x00\xe0\x00\xbf"),
};

/// For all of them.
pub(super) const BINDER: Binder = Binder {
    // ldr r2, [pc, #4]; ldr r3, [pc, #8]; bx r3; nop; .word context; .word target
    code: b"\x01\x4a\x02\x4b\x18\x47\x00\xbf\0\0\0\0\0\0\0\0",
    context: 8,
    target: 12,
    entry: 1,
};

/// The two half-words of a 32-bit Thumb instruction, first one high.
fn thumb(bytes: &[u8]) -> u32 {
    word(bytes).rotate_left(16)
}

fn set_thumb(bytes: &mut [u8], instruction: u32) {
    set_word(bytes, instruction.rotate_left(16));
}

/// `BL` becomes `BLX`, or the reverse.
pub(super) fn change(bytes: &mut [u8], change: bool) {
    let bl = thumb(bytes) | 1 << 12;
    set_thumb(bytes, if change { bl & !(1 << 12) } else { bl });
}

/// `BL`, `BLX`, `B.W`: S:I1:I2:imm10:imm11:0, where I1 = NOT(J1 EOR S) and I2 = NOT(J2 EOR S).
pub(super) static BRANCH24: Code = Code {
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

/// `B<cond>.W`: S:J2:J1:imm6:imm11:0.
pub(super) static BRANCH19: Code = Code {
    len: 4,
    get: |bytes| {
        let i = thumb(bytes);
        let high = (i >> 26 & 1) << 20 | (i >> 11 & 1) << 19 | (i >> 13 & 1) << 18;
        i64::from(((high | (i >> 16 & 0x3f) << 12 | (i & 0x7ff) << 1) << 11) as i32 >> 11)
    },
    put: |bytes, value| {
        let v = value as u32;
        let high = (v >> 20 & 1) << 26 | (v >> 19 & 1) << 11 | (v >> 18 & 1) << 13;
        let immediate = high | (v >> 12 & 0x3f) << 16 | v >> 1 & 0x7ff;
        set_thumb(bytes, thumb(bytes) & 0xfbc0_d000 | immediate);
    },
};

/// `B`: imm11:0.
pub(super) static BRANCH11: Code = Code {
    len: 2,
    get: |bytes| i64::from((half(bytes) << 5) as i16 >> 4),
    put: |bytes, value| set_half(bytes, half(bytes) & 0xf800 | value as u16 >> 1 & 0x7ff),
};

/// `B<cond>`: imm8:0.
pub(super) static BRANCH8: Code = Code {
    len: 2,
    get: |bytes| i64::from((half(bytes) << 8) as i16 >> 7),
    put: |bytes, value| set_half(bytes, half(bytes) & 0xff00 | value as u16 >> 1 & 0xff),
};

/// `CBZ`, `CBNZ`: i:imm5:0. The addend may be as low as -4.
pub(super) static BRANCH6: Code = Code {
    len: 2,
    get: |bytes| {
        let i = half(bytes);
        let immediate = (i >> 9 & 1) << 6 | (i >> 3 & 0x1f) << 1;
        i64::from((immediate + 4) & 0x7f) - 4
    },
    put: |bytes, value| {
        let v = value as u16;
        set_half(bytes, half(bytes) & 0xfd07 | (v >> 6 & 1) << 9 | (v >> 1 & 0x1f) << 3);
    },
};

/// `LDR` of a literal, `ADR`: imm8:00. The addend may be as low as -4.
pub(super) static LITERAL8: Code = Code {
    len: 2,
    get: |bytes| i64::from((((half(bytes) & 0xff) << 2) + 4) & 0x3ff) - 4,
    put: |bytes, value| set_half(bytes, half(bytes) & 0xff00 | value as u16 >> 2 & 0xff),
};

/// `LDR.W` of a literal: imm12, added where bit 23 is set, else subtracted.
pub(super) static LITERAL12: Code = Code {
    len: 4,
    get: |bytes| {
        let i = thumb(bytes);
        let offset = i64::from(i & 0xfff);
        if i >> 23 & 1 != 0 { offset } else { -offset }
    },
    put: |bytes, value| {
        let up = u32::from(value >= 0) << 23;
        set_thumb(bytes, thumb(bytes) & 0xff7f_f000 | up | value.unsigned_abs() as u32 & 0xfff);
    },
};

/// `ADR.W`: i:imm3:imm8, added, or subtracted where bits 23 and 21 are set.
pub(super) static ADR12: Code = Code {
    len: 4,
    get: |bytes| {
        let i = thumb(bytes);
        let offset = i64::from((i >> 26 & 1) << 11 | (i >> 12 & 7) << 8 | i & 0xff);
        if i >> 23 & 1 != 0 { -offset } else { offset }
    },
    put: |bytes, value| {
        let v = value.unsigned_abs() as u32;
        let subtract = if value < 0 { 0x00a0_0000 } else { 0 };
        let immediate = (v >> 11 & 1) << 26 | (v >> 8 & 7) << 12 | v & 0xff;
        set_thumb(bytes, thumb(bytes) & 0xfb5f_8f00 | subtract | immediate);
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
pub(super) static MOVW: Code = Code {
    len: 4,
    get: |bytes| i64::from(immediate16(bytes) as i16),
    put: |bytes, value| set_immediate16(bytes, value as u32),
};

/// The high half of the value. The addend is the immediate itself, as for the low half.
pub(super) static MOVT: Code = Code {
    len: 4,
    get: |bytes| i64::from(immediate16(bytes) as i16),
    put: |bytes, value| set_immediate16(bytes, value as u32 >> 16),
};

/// `MOVS`, `ADDS` with eight bits: one byte of an address. The addend is the immediate itself.
macro_rules! byte {
    ($($name:ident $shift:literal)*) => {
        $(pub(super) static $name: Code = Code {
            len: 2,
            get: |bytes| i64::from(half(bytes) & 0xff),
            put: |bytes, value| set_half(bytes, half(bytes) & 0xff00 | (value >> $shift) as u16 & 0xff),
        };)*
    };
}
byte! { BYTE0 0 BYTE1 8 BYTE2 16 BYTE3 24 }
