//! arm64. Instructions are little-endian words; addresses are computed in groups of instructions, each of which takes some
//! bits of the value.
//!
//! <https://github.com/ARM-software/abi-aa/blob/main/aaelf64/aaelf64.rst>, section 5.7 "Relocation"

use super::{Arch, Binder, Check, Field, Veneer, WeakBranch, set_word, word};
use Check::{Either, None as Any, Signed, Unsigned};
use Field::Code;

const HALF: Field = Field::Data(2);
const WORD: Field = Field::Data(4);
const QUAD: Field = Field::Data(8);

/// `EM_AARCH64`
pub const MACHINE: u16 = 183;

/// What this file describes.
pub static ARCHES: &[&Arch] = &[&ARCH];

/// The table.
pub static ARCH: Arch = Arch {
    name: "aarch64",
    machine: MACHINE,
    format: [2, 1],
    flags: (0, 0),
    attributes: &[],
    howtos: HOWTOS,
    veneers: &[Veneer {
        // ldr x16, #8; br x16; .xword address
        code: b"\x50\x00\x00\x58\x00\x02\x1f\xd6\0\0\0\0\0\0\0\0",
        align: 8,
        literal: 8,
        bias: 0,
        // nop
        weak: WeakBranch::Nop(b"\x1f\x20\x03\xd5"),
    }],
    interwork: None,
    // ldr x2, #16; ldr x16, #20; br x16; nop; .xword context; .xword target
    binder: Some(Binder {
        code: b"\x82\x00\x00\x58\xb0\x00\x00\x58\x00\x02\x1f\xd6\x1f\x20\x03\xd5\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        context: 16,
        target: 24,
        entry: 0,
    }),
    relax: None,
    absolute_slot: None,
};

#[rustfmt::skip]
howtos! {
    0    R_AARCH64_NONE                       None,       Any,          1,  WORD;
    257  R_AARCH64_ABS64                      Abs,        Any,          1,  QUAD;
    258  R_AARCH64_ABS32                      Abs,        Either(32),   1,  WORD;
    259  R_AARCH64_ABS16                      Abs,        Either(16),   1,  HALF;
    260  R_AARCH64_PREL64                     PcRel,      Any,          1,  QUAD;
    261  R_AARCH64_PREL32                     PcRel,      Signed(32),   1,  WORD;
    262  R_AARCH64_PREL16                     PcRel,      Signed(16),   1,  HALF;
    263  R_AARCH64_MOVW_UABS_G0               Abs,        Unsigned(16), 1,  Code(&MOVE0);
    264  R_AARCH64_MOVW_UABS_G0_NC            Abs,        Any,          1,  Code(&MOVE0);
    265  R_AARCH64_MOVW_UABS_G1               Abs,        Unsigned(32), 1,  Code(&MOVE1);
    266  R_AARCH64_MOVW_UABS_G1_NC            Abs,        Any,          1,  Code(&MOVE1);
    267  R_AARCH64_MOVW_UABS_G2               Abs,        Unsigned(48), 1,  Code(&MOVE2);
    268  R_AARCH64_MOVW_UABS_G2_NC            Abs,        Any,          1,  Code(&MOVE2);
    269  R_AARCH64_MOVW_UABS_G3               Abs,        Any,          1,  Code(&MOVE3);
    270  R_AARCH64_MOVW_SABS_G0               Abs,        Signed(17),   1,  Code(&SIGNED0);
    271  R_AARCH64_MOVW_SABS_G1               Abs,        Signed(33),   1,  Code(&SIGNED1);
    272  R_AARCH64_MOVW_SABS_G2               Abs,        Signed(49),   1,  Code(&SIGNED2);
    273  R_AARCH64_LD_PREL_LO19               PcRel,      Signed(21),   4,  Code(&BITS19);
    274  R_AARCH64_ADR_PREL_LO21              PcRel,      Signed(21),   1,  Code(&ADR);
    275  R_AARCH64_ADR_PREL_PG_HI21           Page,       Signed(33),   1,  Code(&ADRP);
    276  R_AARCH64_ADR_PREL_PG_HI21_NC        Page,       Any,          1,  Code(&ADRP);
    277  R_AARCH64_ADD_ABS_LO12_NC            Abs,        Any,          1,  Code(&LOW12);
    278  R_AARCH64_LDST8_ABS_LO12_NC          Abs,        Any,          1,  Code(&LOW12);
    279  R_AARCH64_TSTBR14                    PcRel,      Signed(16),   4,  Code(&BITS14);
    280  R_AARCH64_CONDBR19                   PcRel,      Signed(21),   4,  Code(&BITS19);
    282  R_AARCH64_JUMP26                     Branch,     Signed(28),   4,  Code(&BITS26);
    283  R_AARCH64_CALL26                     Branch,     Signed(28),   4,  Code(&BITS26);
    284  R_AARCH64_LDST16_ABS_LO12_NC         Abs,        Any,          2,  Code(&LOW12_2);
    285  R_AARCH64_LDST32_ABS_LO12_NC         Abs,        Any,          4,  Code(&LOW12_4);
    286  R_AARCH64_LDST64_ABS_LO12_NC         Abs,        Any,          8,  Code(&LOW12_8);
    287  R_AARCH64_MOVW_PREL_G0               PcRel,      Signed(17),   1,  Code(&SIGNED0);
    288  R_AARCH64_MOVW_PREL_G0_NC            PcRel,      Any,          1,  Code(&MOVE0);
    289  R_AARCH64_MOVW_PREL_G1               PcRel,      Signed(33),   1,  Code(&SIGNED1);
    290  R_AARCH64_MOVW_PREL_G1_NC            PcRel,      Any,          1,  Code(&MOVE1);
    291  R_AARCH64_MOVW_PREL_G2               PcRel,      Signed(49),   1,  Code(&SIGNED2);
    292  R_AARCH64_MOVW_PREL_G2_NC            PcRel,      Any,          1,  Code(&MOVE2);
    293  R_AARCH64_MOVW_PREL_G3               PcRel,      Any,          1,  Code(&SIGNED3);
    299  R_AARCH64_LDST128_ABS_LO12_NC        Abs,        Any,          16, Code(&LOW12_16);
    307  R_AARCH64_GOTREL64                   GotOff,     Any,          1,  QUAD;
    308  R_AARCH64_GOTREL32                   GotOff,     Signed(32),   1,  WORD;
    309  R_AARCH64_GOT_LD_PREL19              GotPcRel,   Signed(21),   4,  Code(&BITS19);
    310  R_AARCH64_LD64_GOTOFF_LO15           Got,        Unsigned(15), 8,  Code(&LOW15);
    311  R_AARCH64_ADR_GOT_PAGE               GotPage,    Signed(33),   1,  Code(&ADRP);
    312  R_AARCH64_LD64_GOT_LO12_NC           GotAbs,     Any,          8,  Code(&LOW12_8);
    313  R_AARCH64_LD64_GOTPAGE_LO15          GotPageOff, Unsigned(15), 8,  Code(&LOW15);
    314  R_AARCH64_PLT32                      Branch,     Signed(32),   1,  WORD;
    315  R_AARCH64_GOTPCREL32                 GotPcRel,   Signed(32),   1,  WORD;
    512  R_AARCH64_TLSGD_ADR_PREL21           Refused,    Any,          1,  WORD;
    513  R_AARCH64_TLSGD_ADR_PAGE21           Refused,    Any,          1,  WORD;
    514  R_AARCH64_TLSGD_ADD_LO12_NC          Refused,    Any,          1,  WORD;
    517  R_AARCH64_TLSLD_ADR_PREL21           Refused,    Any,          1,  WORD;
    518  R_AARCH64_TLSLD_ADR_PAGE21           Refused,    Any,          1,  WORD;
    519  R_AARCH64_TLSLD_ADD_LO12_NC          Refused,    Any,          1,  WORD;
    539  R_AARCH64_TLSIE_MOVW_GOTTPREL_G1     Refused,    Any,          1,  WORD;
    540  R_AARCH64_TLSIE_MOVW_GOTTPREL_G0_NC  Refused,    Any,          1,  WORD;
    541  R_AARCH64_TLSIE_ADR_GOTTPREL_PAGE21  Refused,    Any,          1,  WORD;
    542  R_AARCH64_TLSIE_LD64_GOTTPREL_LO12_NC Refused,   Any,          1,  WORD;
    543  R_AARCH64_TLSIE_LD_GOTTPREL_PREL19   Refused,    Any,          1,  WORD;
    544  R_AARCH64_TLSLE_MOVW_TPREL_G2        TpRel,      Signed(49),   1,  Code(&SIGNED2);
    545  R_AARCH64_TLSLE_MOVW_TPREL_G1        TpRel,      Signed(33),   1,  Code(&SIGNED1);
    546  R_AARCH64_TLSLE_MOVW_TPREL_G1_NC     TpRel,      Any,          1,  Code(&MOVE1);
    547  R_AARCH64_TLSLE_MOVW_TPREL_G0        TpRel,      Signed(17),   1,  Code(&SIGNED0);
    548  R_AARCH64_TLSLE_MOVW_TPREL_G0_NC     TpRel,      Any,          1,  Code(&MOVE0);
    549  R_AARCH64_TLSLE_ADD_TPREL_HI12       TpRel,      Unsigned(24), 1,  Code(&HIGH12);
    550  R_AARCH64_TLSLE_ADD_TPREL_LO12       TpRel,      Unsigned(12), 1,  Code(&LOW12);
    551  R_AARCH64_TLSLE_ADD_TPREL_LO12_NC    TpRel,      Any,          1,  Code(&LOW12);
    552  R_AARCH64_TLSLE_LDST8_TPREL_LO12     TpRel,      Unsigned(12), 1,  Code(&LOW12);
    553  R_AARCH64_TLSLE_LDST8_TPREL_LO12_NC  TpRel,      Any,          1,  Code(&LOW12);
    554  R_AARCH64_TLSLE_LDST16_TPREL_LO12    TpRel,      Unsigned(12), 2,  Code(&LOW12_2);
    555  R_AARCH64_TLSLE_LDST16_TPREL_LO12_NC TpRel,      Any,          2,  Code(&LOW12_2);
    556  R_AARCH64_TLSLE_LDST32_TPREL_LO12    TpRel,      Unsigned(12), 4,  Code(&LOW12_4);
    557  R_AARCH64_TLSLE_LDST32_TPREL_LO12_NC TpRel,      Any,          4,  Code(&LOW12_4);
    558  R_AARCH64_TLSLE_LDST64_TPREL_LO12    TpRel,      Unsigned(12), 8,  Code(&LOW12_8);
    559  R_AARCH64_TLSLE_LDST64_TPREL_LO12_NC TpRel,      Any,          8,  Code(&LOW12_8);
    560  R_AARCH64_TLSDESC_LD_PREL19          Refused,    Any,          1,  WORD;
    561  R_AARCH64_TLSDESC_ADR_PREL21         Refused,    Any,          1,  WORD;
    562  R_AARCH64_TLSDESC_ADR_PAGE21         Refused,    Any,          1,  WORD;
    563  R_AARCH64_TLSDESC_LD64_LO12          Refused,    Any,          1,  WORD;
    564  R_AARCH64_TLSDESC_ADD_LO12           Refused,    Any,          1,  WORD;
    569  R_AARCH64_TLSDESC_CALL               Refused,    Any,          1,  WORD;
    570  R_AARCH64_TLSLE_LDST128_TPREL_LO12   TpRel,      Unsigned(12), 16, Code(&LOW12_16);
    571  R_AARCH64_TLSLE_LDST128_TPREL_LO12_NC TpRel,     Any,          16, Code(&LOW12_16);
    1024 R_AARCH64_COPY                       Refused,    Any,          1,  QUAD;
    1025 R_AARCH64_GLOB_DAT                   Abs,        Any,          1,  QUAD;
    1026 R_AARCH64_JUMP_SLOT                  Abs,        Any,          1,  QUAD;
    1027 R_AARCH64_RELATIVE                   Relative,   Any,          1,  QUAD;
    1028 R_AARCH64_TLS_DTPMOD                 Refused,    Any,          1,  QUAD;
    1029 R_AARCH64_TLS_DTPREL                 Refused,    Any,          1,  QUAD;
    1030 R_AARCH64_TLS_TPREL                  Refused,    Any,          1,  QUAD;
    1031 R_AARCH64_TLSDESC                    Refused,    Any,          1,  QUAD;
    1032 R_AARCH64_IRELATIVE                  IRelative,  Any,          1,  QUAD;
}

/// Bits `from..to` of the value stand at bit `at` of the instruction, in a field of `wide` bits. The addend is that field,
/// sign-extended, times its unit `1 << scale`.
macro_rules! immediate {
    ($($(#[$doc:meta])* $name:ident: $from:literal .. $to:literal at $at:literal, wide $wide:literal, scale $scale:literal;)*) => {
        $($(#[$doc])* static $name: super::Code = super::Code {
            len: 4,
            get: |bytes| (i64::from(word(bytes)) >> $at << (64 - $wide)) >> (64 - $wide) << $scale,
            put: |bytes, value| {
                let immediate = (value << (64 - $to)) as u64 >> (64 - $to + $from);
                let kept = word(bytes) & !((((1u64 << $wide) - 1) << $at) as u32);
                set_word(bytes, kept | (immediate as u32) << $at);
            },
        };)*
    };
}
immediate! {
    /// `B`, `BL`
    BITS26: 2..28 at 0, wide 26, scale 2;
    /// `B.cond`, `CBZ`, `LDR` of a literal
    BITS19: 2..21 at 5, wide 19, scale 2;
    /// `TBZ`
    BITS14: 2..16 at 5, wide 14, scale 2;
    /// `ADD`, and loads and stores of a byte
    LOW12: 0..12 at 10, wide 12, scale 0;
    /// The upper of two `ADD`s
    HIGH12: 12..24 at 10, wide 12, scale 0;
    /// Loads and stores of 2 bytes
    LOW12_2: 1..12 at 10, wide 12, scale 1;
    /// Loads and stores of 4 bytes
    LOW12_4: 2..12 at 10, wide 12, scale 2;
    /// Loads and stores of 8 bytes
    LOW12_8: 3..12 at 10, wide 12, scale 3;
    /// Loads and stores of 16 bytes
    LOW12_16: 4..12 at 10, wide 12, scale 4;
    /// Loads from a GOT of up to 32 KiB
    LOW15: 3..15 at 10, wide 12, scale 3;
    /// `MOVK`, `MOVZ`: each takes 16 bits, and none shifts its addend.
    MOVE0: 0..16 at 5, wide 16, scale 0;
    /// The second 16 bits
    MOVE1: 16..32 at 5, wide 16, scale 0;
    /// The third 16 bits
    MOVE2: 32..48 at 5, wide 16, scale 0;
    /// The uppermost 16 bits
    MOVE3: 48..64 at 5, wide 16, scale 0;
}

/// `MOVZ` of the bits when the value is not negative, else `MOVN` of their complement.
macro_rules! signed {
    ($($name:ident $unsigned:ident)*) => {
        $(static $name: super::Code = super::Code {
            len: 4,
            get: $unsigned.get,
            put: |bytes, value| {
                let movz = u32::from(value >= 0) << 30;
                set_word(bytes, word(bytes) & !(3 << 29) | movz);
                ($unsigned.put)(bytes, if value < 0 { !value } else { value });
            },
        };)*
    };
}
signed! { SIGNED0 MOVE0 SIGNED1 MOVE1 SIGNED2 MOVE2 SIGNED3 MOVE3 }

/// immhi:immlo.
fn immediate21(bytes: &[u8]) -> i64 {
    let i = word(bytes);
    i64::from(((i >> 3 & 0x001f_fffc | i >> 29 & 3) << 11) as i32 >> 11)
}

fn set_immediate21(bytes: &mut [u8], v: u32) {
    set_word(bytes, word(bytes) & 0x9f00_001f | (v & 3) << 29 | (v << 3 & 0x00ff_ffe0));
}

/// A byte
static ADR: super::Code =
    super::Code { len: 4, get: immediate21, put: |bytes, value| set_immediate21(bytes, value as u32) };

/// A page. The addend counts bytes, not pages.
static ADRP: super::Code =
    super::Code { len: 4, get: immediate21, put: |bytes, value| set_immediate21(bytes, (value >> 12) as u32) };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::tests::assembled;

    /// As llvm-mc writes them.
    #[test]
    fn immediates() {
        for (instruction, field, value, bytes) in [
            ("bl #0x123458", &BITS26, 0x12_3458, b"\x16\x8d\x04\x94"),
            ("b #0x7fffffc", &BITS26, 0x7ff_fffc, b"\xff\xff\xff\x15"),
            ("bl #-0x8000000", &BITS26, -0x800_0000, b"\x00\x00\x00\x96"),
            ("b.ne #0xffffc", &BITS19, 0xf_fffc, b"\xe1\xff\x7f\x54"),
            ("cbz x9, #-0x100000", &BITS19, -0x10_0000, b"\x09\x00\x80\xb4"),
            ("ldr x9, #0x12344", &BITS19, 0x1_2344, b"\x29\x1a\x09\x58"),
            ("ldrsw x9, #-0x12344", &BITS19, -0x1_2344, b"\xe9\xe5\xf6\x98"),
            ("tbz x9, #37, #0x7ffc", &BITS14, 0x7ffc, b"\xe9\xff\x2b\xb6"),
            ("tbnz w9, #3, #-0x8000", &BITS14, -0x8000, b"\x09\x00\x1c\x37"),
            ("adr x9, #0x12345", &ADR, 0x1_2345, b"\x29\x1a\x09\x30"),
            ("adr x9, #-0x100000", &ADR, -0x10_0000, b"\x09\x00\x80\x10"),
        ] {
            assembled(field, instruction, value, value, bytes);
        }
    }

    /// Of these the addend is the immediate, sign-extended; only loads and stores scale it.
    #[test]
    fn parts() {
        let v = 0xfedc_1234_5678_9abcu64 as i64;
        for (instruction, field, value, addend, bytes) in [
            ("adrp x9, #0x12345000", &ADRP, 0x1234_5678, 0x1_2345, b"\x29\x1a\x09\xb0"),
            ("adrp x9, #-0x100000000", &ADRP, -0x1_0000_0000, -0x10_0000, b"\x09\x00\x80\x90"),
            ("add x9, x10, #0xabc", &LOW12, v, 0xabc - 0x1000, b"\x49\xf1\x2a\x91"),
            ("add x9, x10, #0xabc, lsl #12", &HIGH12, 0xab_c123, 0xabc - 0x1000, b"\x49\xf1\x6a\x91"),
            ("ldrb w9, [x10, #0xabc]", &LOW12, v, 0xabc - 0x1000, b"\x49\xf1\x6a\x39"),
            ("strh w9, [x10, #0xabc]", &LOW12_2, v, 0xabc, b"\x49\x79\x15\x79"),
            ("ldr w9, [x10, #0xabc]", &LOW12_4, v, 0xabc, b"\x49\xbd\x4a\xb9"),
            ("ldr x9, [x10, #0xab8]", &LOW12_8, v, 0xab8, b"\x49\x5d\x45\xf9"),
            ("ldr q9, [x10, #0xab0]", &LOW12_16, v, 0xab0, b"\x49\xad\xc2\x3d"),
            ("ldr x9, [x10, #0x7ff8]", &LOW15, 0x7ff8, -8, b"\x49\xfd\x7f\xf9"),
            ("movz x9, #0x9abc", &MOVE0, v, 0x9abc - 0x1_0000, b"\x89\x57\x93\xd2"),
            ("movk x9, #0x5678, lsl #16", &MOVE1, v, 0x5678, b"\x09\xcf\xaa\xf2"),
            ("movk x9, #0x1234, lsl #32", &MOVE2, v, 0x1234, b"\x89\x46\xc2\xf2"),
            ("movz x9, #0xfedc, lsl #48", &MOVE3, v, 0xfedc - 0x1_0000, b"\x89\xdb\xff\xd2"),
            ("movz x9, #0x9abc", &SIGNED0, 0x9abc, 0x9abc - 0x1_0000, b"\x89\x57\x93\xd2"),
            ("movz x9, #0x5678, lsl #16", &SIGNED1, 0x5678_9abc, 0x5678, b"\x09\xcf\xaa\xd2"),
            ("movz x9, #0x1234, lsl #32", &SIGNED2, 0x1234_5678_9abc, 0x1234, b"\x89\x46\xc2\xd2"),
            ("movn x9, #0x6543", &SIGNED0, !0x6543, 0x6543, b"\x69\xa8\x8c\x92"),
            ("movn x9, #0xa987, lsl #16", &SIGNED1, !0xa987_6543, 0xa987 - 0x1_0000, b"\xe9\x30\xb5\x92"),
            ("movn x9, #0xedcb, lsl #32", &SIGNED2, !0xedcb_a987_6543, 0xedcb - 0x1_0000, b"\x69\xb9\xdd\x92"),
            ("movn x9, #0x123, lsl #48", &SIGNED3, v, 0x123, b"\x69\x24\xe0\x92"),
        ] {
            assembled(field, instruction, value, addend, bytes);
        }
    }
}
