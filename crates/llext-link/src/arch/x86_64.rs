//! x86-64. Every field is a little-endian number; what the compiler reaches through the GOT may be reached directly.
//!
//! <https://gitlab.com/x86-psABIs/x86-64-ABI>, section 4.4 "Relocation", appendix B "Linker Optimization"

use super::{Arch, Binder, Check, Field, Veneer, WeakBranch};
use Check::{Either, None as Any, Signed, Unsigned};

const BYTE: Field = Field::Data(1);
const HALF: Field = Field::Data(2);
const WORD: Field = Field::Data(4);
const QUAD: Field = Field::Data(8);

/// `EM_X86_64`
pub const MACHINE: u16 = 62;

/// What this file describes.
pub static ARCHES: &[&Arch] = &[&ARCH];

/// The table.
pub static ARCH: Arch = Arch {
    name: "x86_64",
    machine: MACHINE,
    format: [2, 1],
    flags: (0, 0),
    attributes: &[],
    howtos: HOWTOS,
    veneers: &[Veneer {
        // jmp *2(%rip); ud2; .quad address
        code: b"\xff\x25\x02\0\0\0\x0f\x0b\0\0\0\0\0\0\0\0",
        align: 8,
        literal: 8,
        bias: 4,
        // ud2
        weak: WeakBranch::Trap(b"\x0f\x0b"),
    }],
    interwork: None,
    // movabs $context, %rdx; jmp *(%rip); .quad target
    binder: Some(Binder {
        code: b"\x48\xba\0\0\0\0\0\0\0\0\xff\x25\0\0\0\0\0\0\0\0\0\0\0\0",
        context: 2,
        target: 16,
        entry: 0,
    }),
    relax: Some(relax),
    absolute_slot: None,
};

#[rustfmt::skip]
howtos! {
    0  R_X86_64_NONE            None,          Any,          1, BYTE;
    1  R_X86_64_64              Abs,           Any,          1, QUAD;
    2  R_X86_64_PC32            PcRel,         Signed(32),   1, WORD;
    3  R_X86_64_GOT32           Got,           Signed(32),   1, WORD;
    4  R_X86_64_PLT32           Branch,        Signed(32),   1, WORD;
    5  R_X86_64_COPY            Refused,       Any,          1, WORD;
    6  R_X86_64_GLOB_DAT        Slot,          Any,          1, QUAD;
    7  R_X86_64_JUMP_SLOT       Slot,          Any,          1, QUAD;
    8  R_X86_64_RELATIVE        Relative,      Any,          1, QUAD;
    9  R_X86_64_GOTPCREL        GotPcRel,      Signed(32),   1, WORD;
    10 R_X86_64_32              Abs,           Unsigned(32), 1, WORD;
    11 R_X86_64_32S             Abs,           Signed(32),   1, WORD;
    12 R_X86_64_16              Abs,           Either(16),   1, HALF;
    13 R_X86_64_PC16            PcRel,         Signed(16),   1, HALF;
    14 R_X86_64_8               Abs,           Either(8),    1, BYTE;
    15 R_X86_64_PC8             PcRel,         Signed(8),    1, BYTE;
    16 R_X86_64_DTPMOD64        Refused,       Any,          1, QUAD;
    17 R_X86_64_DTPOFF64        Refused,       Any,          1, QUAD;
    18 R_X86_64_TPOFF64         Refused,       Any,          1, QUAD;
    19 R_X86_64_TLSGD           Refused,       Any,          1, WORD;
    20 R_X86_64_TLSLD           Refused,       Any,          1, WORD;
    21 R_X86_64_DTPOFF32        Refused,       Any,          1, WORD;
    22 R_X86_64_GOTTPOFF        Refused,       Any,          1, WORD;
    23 R_X86_64_TPOFF32         TpRel,         Signed(32),   1, WORD;
    24 R_X86_64_PC64            PcRel,         Any,          1, QUAD;
    25 R_X86_64_GOTOFF64        GotOff,        Any,          1, QUAD;
    26 R_X86_64_GOTPC32         GotPc,         Signed(32),   1, WORD;
    27 R_X86_64_GOT64           Got,           Any,          1, QUAD;
    28 R_X86_64_GOTPCREL64      GotPcRel,      Any,          1, QUAD;
    29 R_X86_64_GOTPC64         GotPc,         Any,          1, QUAD;
    31 R_X86_64_PLTOFF64        GotOff,        Any,          1, QUAD;
    32 R_X86_64_SIZE32          Refused,       Any,          1, WORD;
    33 R_X86_64_SIZE64          Refused,       Any,          1, QUAD;
    34 R_X86_64_GOTPC32_TLSDESC Refused,       Any,          1, WORD;
    35 R_X86_64_TLSDESC_CALL    Refused,       Any,          1, WORD;
    36 R_X86_64_TLSDESC         Refused,       Any,          1, QUAD;
    37 R_X86_64_IRELATIVE       IRelative,     Any,          1, QUAD;
    41 R_X86_64_GOTPCRELX       GotPcRelRelax, Signed(32),   1, WORD;
    42 R_X86_64_REX_GOTPCRELX   GotPcRelRelax, Signed(32),   1, WORD;
}

/// `mov foo@GOTPCREL(%rip), reg` becomes `lea foo(%rip), reg`; `call *foo@GOTPCREL(%rip)` becomes `addr32 call foo`;
/// `jmp *foo@GOTPCREL(%rip)` becomes `jmp foo; nop`, whose field lies one byte earlier.
fn relax(bytes: &mut [u8], field: usize) -> Option<usize> {
    let [opcode, modrm] = bytes.get_mut(field.checked_sub(2)?..field)? else { return None };
    match (*opcode, *modrm) {
        (0x8b, modrm) if modrm & 0xc7 == 0x05 => *opcode = 0x8d,
        (0xff, 0x15) => (*opcode, *modrm) = (0x67, 0xe8),
        (0xff, 0x25) => {
            *opcode = 0xe9;
            *bytes.get_mut(field + 3)? = 0x90;
            return Some(field - 1);
        }
        _ => return None,
    }
    Some(field)
}

#[cfg(test)]
mod tests {
    use super::relax;

    #[test]
    fn what_went_through_the_got_goes_straight() {
        for (before, field, after, moved) in [
            (b"\x48\x8b\x05\0\0\0\0", 3, b"\x48\x8d\x05\0\0\0\0", Some(3)),
            (b"\x90\xff\x15\0\0\0\0", 3, b"\x90\x67\xe8\0\0\0\0", Some(3)),
            (b"\x90\xff\x25\0\0\0\0", 3, b"\x90\xe9\x25\0\0\0\x90", Some(2)),
            (b"\x48\x03\x05\0\0\0\0", 3, b"\x48\x03\x05\0\0\0\0", None),
        ] {
            let mut bytes = *before;
            assert_eq!(relax(&mut bytes, field), moved);
            assert_eq!(&bytes, after);
        }
    }
}
