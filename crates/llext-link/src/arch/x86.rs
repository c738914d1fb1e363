//! x86-32. Addends lie in the fields, which are little-endian numbers; addresses wrap, so that 32 bits reach everything.
//!
//! <https://gitlab.com/x86-psABIs/i386-ABI>, section 4.4 "Relocation", appendix A "Linker Optimization"

use super::{Arch, Binder, Check, Field, Veneer, WeakBranch};
use Check::{Either, None as Any, Signed};

const BYTE: Field = Field::Data(1);
const HALF: Field = Field::Data(2);
const WORD: Field = Field::Data(4);

/// `EM_386`
pub const MACHINE: u16 = 3;

/// What this file describes.
pub static ARCHES: &[&Arch] = &[&ARCH];

/// The table.
pub static ARCH: Arch = Arch {
    name: "x86",
    machine: MACHINE,
    format: [1, 1],
    flags: (0, 0),
    attributes: &[],
    howtos: HOWTOS,
    veneers: &[Veneer {
        // push $address; ret
        code: b"\x68\0\0\0\0\xc3",
        align: 1,
        literal: 1,
        bias: 4,
        // ud2
        weak: WeakBranch::Trap(b"\x0f\x0b"),
    }],
    interwork: None,
    // Arguments lie on the caller's stack, which may hold fewer than three: they are copied, and called with.
    // push $context; push 12(%esp); push 12(%esp); mov $target, %eax; call *%eax; add $12, %esp; ret
    binder: Some(Binder {
        code: b"\x68\0\0\0\0\xff\x74\x24\x0c\xff\x74\x24\x0c\xb8\0\0\0\0\xff\xd0\x83\xc4\x0c\xc3",
        context: 1,
        target: 14,
        entry: 0,
    }),
    relax: None,
    absolute_slot: Some(has_no_base),
};

#[rustfmt::skip]
howtos! {
    0  R_386_NONE          None,      Any,        1, BYTE;
    1  R_386_32            Abs,       Any,        1, WORD;
    2  R_386_PC32          PcRel,     Any,        1, WORD;
    3  R_386_GOT32         GotAccess, Any,        1, WORD;
    4  R_386_PLT32         Branch,    Any,        1, WORD;
    5  R_386_COPY          Refused,   Any,        1, WORD;
    6  R_386_GLOB_DAT      Slot,      Any,        1, WORD;
    7  R_386_JMP_SLOT      Slot,      Any,        1, WORD;
    8  R_386_RELATIVE      Relative,  Any,        1, WORD;
    9  R_386_GOTOFF        GotOff,    Any,        1, WORD;
    10 R_386_GOTPC         GotPc,     Any,        1, WORD;
    11 R_386_32PLT         Abs,       Any,        1, WORD;
    14 R_386_TLS_TPOFF     Refused,   Any,        1, WORD;
    15 R_386_TLS_IE        Refused,   Any,        1, WORD;
    16 R_386_TLS_GOTIE     Refused,   Any,        1, WORD;
    17 R_386_TLS_LE        Refused,   Any,        1, WORD;
    18 R_386_TLS_GD        Refused,   Any,        1, WORD;
    19 R_386_TLS_LDM       Refused,   Any,        1, WORD;
    20 R_386_16            Abs,       Either(16), 1, HALF;
    21 R_386_PC16          PcRel,     Signed(16), 1, HALF;
    22 R_386_8             Abs,       Either(8),  1, BYTE;
    23 R_386_PC8           PcRel,     Signed(8),  1, BYTE;
    24 R_386_TLS_GD_32     Refused,   Any,        1, WORD;
    25 R_386_TLS_GD_PUSH   Refused,   Any,        1, WORD;
    26 R_386_TLS_GD_CALL   Refused,   Any,        1, WORD;
    27 R_386_TLS_GD_POP    Refused,   Any,        1, WORD;
    28 R_386_TLS_LDM_32    Refused,   Any,        1, WORD;
    29 R_386_TLS_LDM_PUSH  Refused,   Any,        1, WORD;
    30 R_386_TLS_LDM_CALL  Refused,   Any,        1, WORD;
    31 R_386_TLS_LDM_POP   Refused,   Any,        1, WORD;
    32 R_386_TLS_LDO_32    Refused,   Any,        1, WORD;
    33 R_386_TLS_IE_32     Refused,   Any,        1, WORD;
    34 R_386_TLS_LE_32     Refused,   Any,        1, WORD;
    35 R_386_TLS_DTPMOD32  Refused,   Any,        1, WORD;
    36 R_386_TLS_DTPOFF32  Refused,   Any,        1, WORD;
    37 R_386_TLS_TPOFF32   Refused,   Any,        1, WORD;
    38 R_386_SIZE32        Refused,   Any,        1, WORD;
    39 R_386_TLS_GOTDESC   Refused,   Any,        1, WORD;
    40 R_386_TLS_DESC_CALL Refused,   Any,        1, WORD;
    41 R_386_TLS_DESC      Refused,   Any,        1, WORD;
    42 R_386_IRELATIVE     IRelative, Any,        1, WORD;
    43 R_386_GOT32X        GotAccess, Any,        1, WORD;
}

/// A ModRM byte of mode 0 and register 5: an address without a register.
fn has_no_base(bytes: &[u8], field: usize) -> bool {
    field.checked_sub(1).and_then(|at| bytes.get(at)).is_some_and(|modrm| modrm & 0xc7 == 5)
}

#[cfg(test)]
mod tests {
    use super::has_no_base;

    #[test]
    fn only_an_address_alone_has_no_base() {
        for (instruction, field, expected) in [
            // mov foo@GOT, %ecx; call *foo@GOT
            (&b"\x8b\x0d\0\0\0\0"[..], 2, true),
            (b"\xff\x15\0\0\0\0", 2, true),
            // mov foo@GOT(%ebx), %eax; cmp foo@GOT(%eax), %edx; mov foo@GOT(%ebx,%ecx,4), %edx
            (b"\x8b\x83\0\0\0\0", 2, false),
            (b"\x3b\x90\0\0\0\0", 2, false),
            (b"\x8b\x94\x8b\0\0\0\0", 3, false),
            // .long foo@GOT, at the start of a section
            (b"\0\0\0\0", 0, false),
        ] {
            assert_eq!(has_no_base(instruction, field), expected, "{instruction:02x?}");
        }
    }
}
