//! Arm, 32 bits: Thumb for Cortex-M, Thumb and A32 together elsewhere.
//!
//! Bit 0 of a function's address says that it is Thumb code, and symbols carry it: what the psABI writes `(S + A) | T` is
//! `S + A` here. Both instruction sets call one another, with `BLX` or through a stub; a core that runs Thumb only refuses
//! A32 code.
//!
//! <https://github.com/ARM-software/abi-aa/blob/main/aaelf32/aaelf32.rst>, section 5.6 "Relocation"

mod a32;
mod thumb;

use super::{Arch, Attribute, Check, Expr, Field, Howto, Interwork};
use Check::{Either, Magnitude, None as Any, Signed, Unsigned};
use Field::Code;

const BYTE: Field = Field::Data(1);
const HALF: Field = Field::Data(2);
const WORD: Field = Field::Data(4);

/// `EM_ARM`
pub const MACHINE: u16 = 40;

/// What this file describes.
pub static ARCHES: &[&Arch] = &[&ARCH, &MAINLINE, &BASELINE];

/// What runs both instruction sets, for either float ABI.
pub static ARCH: Arch = of(Core::Both, Float::Any);
static MAINLINE: Arch = of(Core::Mainline, Float::Any);
static BASELINE: Arch = of(Core::Baseline, Float::Any);

/// What a core runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Core {
    /// A32 and Thumb, from v7 on.
    Both,
    /// Thumb only, all of it: v7-M, v8-M mainline.
    Mainline,
    /// Thumb only, the small subset: v6-M, v8-M baseline.
    Baseline,
}

/// How functions pass floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Float {
    /// The host does not say.
    Any,
    /// In core registers.
    Soft,
    /// In VFP registers.
    Hard,
}

const EF_ARM_EABIMASK: u32 = 0xff00_0000;
const EF_ARM_EABI_VER5: u32 = 0x0500_0000;
/// Code is little-endian where data is big-endian.
const EF_ARM_BE8: u32 = 0x0080_0000;
const EF_ARM_ABI_FLOAT_HARD: u32 = 0x400;
const EF_ARM_ABI_FLOAT_SOFT: u32 = 0x200;

/// The architecture of a host. Objects say in their attributes how they pass floats, not in their flags: clear, these suit
/// all.
pub const fn of(core: Core, float: Float) -> Arch {
    let other_float = match float {
        Float::Any => 0,
        Float::Soft => EF_ARM_ABI_FLOAT_HARD,
        Float::Hard => EF_ARM_ABI_FLOAT_SOFT,
    };
    Arch {
        name: "arm",
        machine: MACHINE,
        format: [1, 1],
        flags: (EF_ARM_EABIMASK | EF_ARM_BE8 | other_float, EF_ARM_EABI_VER5),
        attributes: match (core, float) {
            (Core::Both, Float::Any) => &[],
            (Core::Both, Float::Soft) => &[SOFT],
            (Core::Both, Float::Hard) => &[HARD],
            (Core::Mainline, Float::Any) => &[NO_A32],
            (Core::Mainline, Float::Soft) => &[NO_A32, SOFT],
            (Core::Mainline, Float::Hard) => &[NO_A32, HARD],
            (Core::Baseline, Float::Any) => &[NO_A32, NO_THUMB2, NO_MAINLINE],
            (Core::Baseline, Float::Soft) => &[NO_A32, NO_THUMB2, NO_MAINLINE, SOFT],
            (Core::Baseline, Float::Hard) => &[NO_A32, NO_THUMB2, NO_MAINLINE, HARD],
        },
        howtos: match core {
            Core::Both => HOWTOS,
            Core::Mainline | Core::Baseline => &THUMB_HOWTOS,
        },
        veneers: match core {
            Core::Both => &[thumb::MAINLINE, a32::VENEER],
            Core::Mainline => &[thumb::MAINLINE],
            Core::Baseline => &[thumb::BASELINE],
        },
        interwork: match core {
            Core::Both => Some(&BOTH),
            Core::Mainline | Core::Baseline => Some(&THUMB_ONLY),
        },
        binder: Some(thumb::BINDER),
        relax: None,
        absolute_slot: None,
    }
}

const fn suits(tag: u32, name: &'static str, suits: u32) -> Attribute {
    Attribute { vendor: b"aeabi", tag, name, suits, needs: None }
}

const NO_A32: Attribute = suits(8, "Tag_ARM_ISA_use", 1 << 0);
const NO_THUMB2: Attribute = suits(9, "Tag_THUMB_ISA_use", !(1 << 2));
/// v8-M mainline and v8.1-M do not call their code Thumb 2.
const NO_MAINLINE: Attribute = suits(6, "Tag_CPU_arch", !(1 << 17 | 1 << 21));
/// Passing floats in core registers, or none at all; it does not matter where there are none (Tag_ABI_FP_number_model).
const SOFT: Attribute = Attribute { needs: Some(23), ..suits(28, "Tag_ABI_VFP_args", 1 << 0 | 1 << 3) };
const HARD: Attribute = Attribute { needs: Some(23), ..suits(28, "Tag_ABI_VFP_args", 1 << 1 | 1 << 3) };

static BOTH: Interwork = Interwork {
    set: |r_type| usize::from(matches!(r_type, 1 | 27..=29)),
    can_change: |r_type| matches!(r_type, 10 | 28),
    change: |r_type, bytes, change| match r_type {
        10 => thumb::change(bytes, change),
        _ => a32::change(bytes, change),
    },
    both: true,
};

static THUMB_ONLY: Interwork = Interwork {
    set: |_| 0,
    can_change: |r_type| r_type == 10,
    change: |_, bytes, change| thumb::change(bytes, change),
    both: false,
};

#[rustfmt::skip]
howtos! {
    0   R_ARM_NONE              None,      Any,           1, WORD;
    1   R_ARM_PC24              Branch,    Signed(26),    4, Code(&a32::BRANCH24);
    2   R_ARM_ABS32             Abs,       Any,           1, WORD;
    3   R_ARM_REL32             PcRel,     Any,           1, WORD;
    4   R_ARM_LDR_PC_G0         PcRel,     Magnitude(12), 1, Code(&a32::OFFSET12);
    5   R_ARM_ABS16             Abs,       Either(16),    1, HALF;
    8   R_ARM_ABS8              Abs,       Either(8),     1, BYTE;
    9   R_ARM_SBREL32           Refused,   Any,           1, WORD;
    10  R_ARM_THM_CALL          Branch,    Signed(25),    2, Code(&thumb::BRANCH24);
    11  R_ARM_THM_PC8           PcRelWord, Unsigned(10),  4, Code(&thumb::LITERAL8);
    13  R_ARM_TLS_DESC          Refused,   Any,           1, WORD;
    17  R_ARM_TLS_DTPMOD32      Refused,   Any,           1, WORD;
    18  R_ARM_TLS_DTPOFF32      Refused,   Any,           1, WORD;
    19  R_ARM_TLS_TPOFF32       Refused,   Any,           1, WORD;
    20  R_ARM_COPY              Refused,   Any,           1, WORD;
    21  R_ARM_GLOB_DAT          Slot,      Any,           1, WORD;
    22  R_ARM_JUMP_SLOT         Slot,      Any,           1, WORD;
    23  R_ARM_RELATIVE          Relative,  Any,           1, WORD;
    24  R_ARM_GOTOFF32          GotOff,    Any,           1, WORD;
    25  R_ARM_BASE_PREL         GotPc,     Any,           1, WORD;
    26  R_ARM_GOT_BREL          Got,       Any,           1, WORD;
    27  R_ARM_PLT32             Branch,    Signed(26),    4, Code(&a32::BRANCH24);
    28  R_ARM_CALL              Branch,    Signed(26),    4, Code(&a32::BRANCH24);
    29  R_ARM_JUMP24            Branch,    Signed(26),    4, Code(&a32::BRANCH24);
    30  R_ARM_THM_JUMP24        Branch,    Signed(25),    2, Code(&thumb::BRANCH24);
    38  R_ARM_TARGET1           Abs,       Any,           1, WORD;
    40  R_ARM_V4BX              None,      Any,           1, WORD;
    41  R_ARM_TARGET2           PcRel,     Any,           1, WORD;
    42  R_ARM_PREL31            PcRel,     Signed(31),    1, Code(&PREL31);
    43  R_ARM_MOVW_ABS_NC       Abs,       Any,           1, Code(&a32::MOVW);
    44  R_ARM_MOVT_ABS          Abs,       Any,           1, Code(&a32::MOVT);
    45  R_ARM_MOVW_PREL_NC      PcRel,     Any,           1, Code(&a32::MOVW);
    46  R_ARM_MOVT_PREL         PcRel,     Any,           1, Code(&a32::MOVT);
    47  R_ARM_THM_MOVW_ABS_NC   Abs,       Any,           1, Code(&thumb::MOVW);
    48  R_ARM_THM_MOVT_ABS      Abs,       Any,           1, Code(&thumb::MOVT);
    49  R_ARM_THM_MOVW_PREL_NC  PcRel,     Any,           1, Code(&thumb::MOVW);
    50  R_ARM_THM_MOVT_PREL     PcRel,     Any,           1, Code(&thumb::MOVT);
    51  R_ARM_THM_JUMP19        Branch,    Signed(21),    2, Code(&thumb::BRANCH19);
    52  R_ARM_THM_JUMP6         PcRel,     Unsigned(7),   1, Code(&thumb::BRANCH6);
    53  R_ARM_THM_ALU_PREL_11_0 PcRelWord, Magnitude(12), 1, Code(&thumb::ADR12);
    54  R_ARM_THM_PC12          PcRelWord, Magnitude(12), 1, Code(&thumb::LITERAL12);
    58  R_ARM_ALU_PC_G0         Refused,   Any,           1, WORD;
    64  R_ARM_LDRS_PC_G0        PcRel,     Magnitude(8),  1, Code(&a32::OFFSET8);
    84  R_ARM_MOVW_BREL_NC      Refused,   Any,           1, WORD;
    85  R_ARM_MOVT_BREL         Refused,   Any,           1, WORD;
    87  R_ARM_THM_MOVW_BREL_NC  Refused,   Any,           1, WORD;
    88  R_ARM_THM_MOVT_BREL     Refused,   Any,           1, WORD;
    90  R_ARM_TLS_GOTDESC       Refused,   Any,           1, WORD;
    91  R_ARM_TLS_CALL          Refused,   Any,           1, WORD;
    92  R_ARM_TLS_DESCSEQ       Refused,   Any,           1, WORD;
    93  R_ARM_THM_TLS_CALL      Refused,   Any,           1, WORD;
    95  R_ARM_GOT_ABS           GotAbs,    Any,           1, WORD;
    96  R_ARM_GOT_PREL          GotPcRel,  Any,           1, WORD;
    102 R_ARM_THM_JUMP11        PcRel,     Signed(12),    1, Code(&thumb::BRANCH11);
    103 R_ARM_THM_JUMP8         PcRel,     Signed(9),     1, Code(&thumb::BRANCH8);
    104 R_ARM_TLS_GD32          Refused,   Any,           1, WORD;
    105 R_ARM_TLS_LDM32         Refused,   Any,           1, WORD;
    106 R_ARM_TLS_LDO32         Refused,   Any,           1, WORD;
    107 R_ARM_TLS_IE32          Refused,   Any,           1, WORD;
    108 R_ARM_TLS_LE32          TpRel,     Any,           1, WORD;
    110 R_ARM_TLS_LE12          Refused,   Any,           1, WORD;
    132 R_ARM_THM_ALU_ABS_G0_NC Abs,       Any,           1, Code(&thumb::BYTE0);
    133 R_ARM_THM_ALU_ABS_G1_NC Abs,       Any,           1, Code(&thumb::BYTE1);
    134 R_ARM_THM_ALU_ABS_G2_NC Abs,       Any,           1, Code(&thumb::BYTE2);
    135 R_ARM_THM_ALU_ABS_G3    Abs,       Any,           1, Code(&thumb::BYTE3);
    136 R_ARM_THM_BF16          Refused,   Any,           1, WORD;
    137 R_ARM_THM_BF12          Refused,   Any,           1, WORD;
    138 R_ARM_THM_BF18          Refused,   Any,           1, WORD;
    160 R_ARM_IRELATIVE         IRelative, Any,           1, WORD;
}

/// The rows of a core without A32, whose instructions it refuses.
static THUMB_HOWTOS: [Howto; HOWTOS.len()] = {
    let mut rows = *ROWS;
    let mut at = 0;
    while at < rows.len() {
        if matches!(rows[at].r_type, 1 | 4 | 27..=29 | 43..=46 | 58 | 64) {
            rows[at].expr = Expr::Refused;
            rows[at].check = Any;
            rows[at].align = 1;
            rows[at].field = WORD;
        }
        at += 1;
    }
    rows
};

/// 31 bits; the top bit belongs to the unwind table.
static PREL31: super::Code = super::Code {
    len: 4,
    get: |bytes| i64::from((super::word(bytes) << 1) as i32 >> 1),
    put: |bytes, value| super::set_word(bytes, super::word(bytes) & 0x8000_0000 | value as u32 & 0x7fff_ffff),
};

#[cfg(test)]
mod tests;
