//! One relocation of each type that no compiler's file and no other linker shows: bytes before and after, as the
//! architecture's own assembler writes the instruction that the psABI's formula asks for.
//!
//! `cargo xtask oracle` fails if a type that it never saw is neither refused nor named here.

use crate::bench::{CODE, GOT, bench};
use llext_link::arch::{Arch, aarch64, arm, riscv, x86, x86_64};

/// Where the host's thread-local block begins, from the thread pointer.
const TP: u64 = 0x10;

/// Name, number, offset of the field, section before, symbol, addend (RELA), section after.
type Golden = (&'static str, u32, u64, &'static [u8], u64, i64, &'static [u8]);

/// Implicit addends: they lie in the fields.
const ARM: &[Golden] = &[
    // bl .; bl .+0x1234
    ("R_ARM_PC24", 1, 0, b"\xfe\xff\xff\xeb", CODE + 0x1234, 0, b"\x8b\x04\x00\xeb"),
    ("R_ARM_PLT32", 27, 0, b"\xfe\xff\xff\xeb", CODE + 0x1234, 0, b"\x8b\x04\x00\xeb"),
    ("R_ARM_ABS8", 8, 1, b"\xaa\x04\xaa", 0x38, 0, b"\xaa\x3c\xaa"),
    // ldr r0, [pc, #0x10] where pc is rounded down to a word
    ("R_ARM_THM_PC8", 11, 2, b"\0\xbf\xff\x48", CODE + 0x14, 0, b"\0\xbf\x04\x48"),
    ("R_ARM_TARGET2", 41, 4, b"\0\0\0\0\x08\0\0\0", CODE + 0x100, 0, b"\0\0\0\0\x04\x01\0\0"),
    // addw r0, pc, #0x123; subw r0, pc, #0x123
    ("R_ARM_THM_ALU_PREL_11_0", 53, 0, b"\xaf\xf2\x04\x00", CODE + 0x127, 0, b"\x0f\xf2\x23\x10"),
    ("R_ARM_THM_ALU_PREL_11_0", 53, 0, b"\xaf\xf2\x04\x00", CODE - 0x11f, 0, b"\xaf\xf2\x23\x10"),
    // ldr.w r0, [pc, #0x123]; ldr.w r0, [pc, #-0x123]
    ("R_ARM_THM_PC12", 54, 0, b"\x5f\xf8\x04\x00", CODE + 0x127, 0, b"\xdf\xf8\x23\x01"),
    ("R_ARM_THM_PC12", 54, 0, b"\x5f\xf8\x04\x00", CODE - 0x11f, 0, b"\x5f\xf8\x23\x01"),
    // ldrh r0, [pc, #-8]; ldrh r0, [pc, #0x2c]
    ("R_ARM_LDRS_PC_G0", 64, 0, b"\xb8\x00\x5f\xe1", CODE + 0x34, 0, b"\xbc\x02\xdf\xe1"),
    ("R_ARM_GOT_ABS", 95, 0, b"\x04\0\0\0", 0x1234, 0, b"\x04\0\0\x18"),
    ("R_ARM_TLS_LE32", 108, 0, b"\x04\0\0\0", 0x100, 0, b"\x14\x01\0\0"),
];

const AARCH64: &[Golden] = &[
    ("R_AARCH64_GOTREL64", 307, 0, &[0; 8], GOT + 0x1234, 4, b"\x38\x12\0\0\0\0\0\0"),
    ("R_AARCH64_GOTREL64", 307, 0, &[0; 8], GOT - 8, 4, b"\xfc\xff\xff\xff\xff\xff\xff\xff"),
    ("R_AARCH64_GOTREL32", 308, 0, &[0; 4], GOT + 0x1234, 4, b"\x38\x12\0\0"),
    ("R_AARCH64_GOTPCREL32", 315, 4, &[0; 8], 0x1234, 8, b"\0\0\0\0\x04\0\0\x08"),
    // movz x0, #0, lsl #32; movz x0, #0x1234, lsl #32
    ("R_AARCH64_TLSLE_MOVW_TPREL_G2", 544, 0, b"\0\0\xc0\xd2", 0x1234_5678_9a00, 0, b"\x80\x46\xc2\xd2"),
    // movn x0, #0, lsl #32
    ("R_AARCH64_TLSLE_MOVW_TPREL_G2", 544, 0, b"\0\0\xc0\xd2", 0, -0x20, b"\x00\x00\xc0\x92"),
    ("R_AARCH64_TLSLE_MOVW_TPREL_G1", 545, 0, b"\0\0\xa0\xd2", 0x1234_5600, 0, b"\x80\x46\xa2\xd2"),
    ("R_AARCH64_TLSLE_MOVW_TPREL_G1_NC", 546, 0, b"\0\0\xa0\xf2", 0x9_1234_5600, 0, b"\x80\x46\xa2\xf2"),
    ("R_AARCH64_TLSLE_MOVW_TPREL_G0", 547, 0, b"\0\0\x80\xd2", 0x1200, 0x24, b"\x80\x46\x82\xd2"),
    // movn x0, #1
    ("R_AARCH64_TLSLE_MOVW_TPREL_G0", 547, 0, b"\0\0\x80\xd2", 0, -0x12, b"\x20\x00\x80\x92"),
    ("R_AARCH64_TLSLE_MOVW_TPREL_G0_NC", 548, 0, b"\0\0\x80\xf2", 0x9_5668, 0, b"\x00\xcf\x8a\xf2"),
    // add x0, x1, #0x123, lsl #12; add x0, x1, #0x456
    ("R_AARCH64_TLSLE_ADD_TPREL_HI12", 549, 0, b"\x20\0\x40\x91", 0x12_3446, 0, b"\x20\x8c\x44\x91"),
    ("R_AARCH64_TLSLE_ADD_TPREL_LO12", 550, 0, b"\x20\0\0\x91", 0x446, 0, b"\x20\x58\x11\x91"),
    ("R_AARCH64_TLSLE_ADD_TPREL_LO12_NC", 551, 0, b"\x20\0\0\x91", 0x12_3446, 0, b"\x20\x58\x11\x91"),
    // ldrb w0, [x1, #0x456]; ldrh w0, [x1, #0x456]; ldr w0, [x1, #0x454]; ldr x0, [x1, #0x450]; ldr q0, [x1, #0x450]
    ("R_AARCH64_TLSLE_LDST8_TPREL_LO12", 552, 0, b"\x20\0\x40\x39", 0x446, 0, b"\x20\x58\x51\x39"),
    ("R_AARCH64_TLSLE_LDST8_TPREL_LO12_NC", 553, 0, b"\x20\0\x40\x39", 0x12_3446, 0, b"\x20\x58\x51\x39"),
    ("R_AARCH64_TLSLE_LDST16_TPREL_LO12", 554, 0, b"\x20\0\x40\x79", 0x446, 0, b"\x20\xac\x48\x79"),
    ("R_AARCH64_TLSLE_LDST16_TPREL_LO12_NC", 555, 0, b"\x20\0\x40\x79", 0x12_3446, 0, b"\x20\xac\x48\x79"),
    ("R_AARCH64_TLSLE_LDST32_TPREL_LO12", 556, 0, b"\x20\0\x40\xb9", 0x444, 0, b"\x20\x54\x44\xb9"),
    ("R_AARCH64_TLSLE_LDST32_TPREL_LO12_NC", 557, 0, b"\x20\0\x40\xb9", 0x12_3444, 0, b"\x20\x54\x44\xb9"),
    ("R_AARCH64_TLSLE_LDST64_TPREL_LO12", 558, 0, b"\x20\0\x40\xf9", 0x440, 0, b"\x20\x28\x42\xf9"),
    ("R_AARCH64_TLSLE_LDST64_TPREL_LO12_NC", 559, 0, b"\x20\0\x40\xf9", 0x12_3440, 0, b"\x20\x28\x42\xf9"),
    ("R_AARCH64_TLSLE_LDST128_TPREL_LO12", 570, 0, b"\x20\0\xc0\x3d", 0x440, 0, b"\x20\x14\xc1\x3d"),
    ("R_AARCH64_TLSLE_LDST128_TPREL_LO12_NC", 571, 0, b"\x20\0\xc0\x3d", 0x12_3440, 0, b"\x20\x14\xc1\x3d"),
];

const RV32: &[Golden] = &[
    ("R_RISCV_64", 2, 0, &[0; 8], 0x8765_4321, 4, b"\x25\x43\x65\x87\0\0\0\0"),
    // c.nop: two bytes of padding, after which the address is a multiple of 4
    ("R_RISCV_ALIGN", 43, 2, b"\x01\0\x01\0\x13\0\0\0", 0, 2, b"\x01\0\x01\0\x13\0\0\0"),
];

const X86: &[Golden] = &[("R_386_32PLT", 11, 0, b"\x04\0\0\0", 0x8765_4321, 0, b"\x25\x43\x65\x87")];

const X86_64: &[Golden] = &[
    // mov %fs:-16, %eax
    (
        "R_X86_64_TPOFF32",
        23,
        4,
        b"\x64\x8b\x04\x25\0\0\0\0",
        0x20,
        -0x40,
        b"\x64\x8b\x04\x25\xf0\xff\xff\xff",
    ),
];

#[test]
fn what_only_hand_made_bytes_show() {
    let tables: [(&'static Arch, &[Golden]); 5] = [
        (&arm::ARCH, ARM),
        (&aarch64::ARCH, AARCH64),
        (&riscv::RV32, RV32),
        (&x86::ARCH, X86),
        (&x86_64::ARCH, X86_64),
    ];
    for (arch, (name, number, at, before, symbol, addend, after)) in
        tables.into_iter().flat_map(|(arch, table)| table.iter().map(move |golden| (arch, *golden)))
    {
        assert_eq!(arch.relocation(number).to_string(), name);
        let mut bench = bench(arch, &[symbol], before, &[(at, number, 1, addend)]);
        bench.thread = Some(TP);
        assert_eq!(bench.linked(), after, "{name}");
    }
}

/// The run time applies them, once the image can run: the linker counts them and leaves the field.
#[test]
fn indirect_functions_wait_until_the_image_can_run() {
    for (arch, name, number) in [
        (&arm::ARCH, "R_ARM_IRELATIVE", 160),
        (&aarch64::ARCH, "R_AARCH64_IRELATIVE", 1032),
        (&riscv::RV32, "R_RISCV_IRELATIVE", 58),
        (&riscv::RV64, "R_RISCV_IRELATIVE", 58),
        (&x86::ARCH, "R_386_IRELATIVE", 42),
        (&x86_64::ARCH, "R_X86_64_IRELATIVE", 37),
    ] {
        assert_eq!(arch.relocation(number).to_string(), name);
        let linked = bench(arch, &[], &[0x11; 8], &[(0, number, 0, 0x1234)]).link().unwrap();
        assert_eq!((linked.section, linked.deferred), (vec![0x11; 8], 1), "{name}");
    }
}
