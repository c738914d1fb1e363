//! Fields beside what the assembler writes (llvm-mc, for thumbv7m, thumbv7a and armv7a).

extern crate std;

use super::*;
use crate::arch::tests::assembled;
use std::string::ToString;

#[test]
fn thumb_immediates() {
    let golden: [(&str, &crate::arch::Code, i64, &[u8]); 25] = [
        ("bl #0x1234", &thumb::BRANCH24, 0x1234, b"\x01\xf0\x1a\xf9"),
        ("bl #-4", &thumb::BRANCH24, -4, b"\xff\xf7\xfe\xff"),
        ("bl #0xfffffe", &thumb::BRANCH24, 0xff_fffe, b"\xff\xf3\xff\xd7"),
        ("bl #-0x1000000", &thumb::BRANCH24, -0x100_0000, b"\x00\xf4\x00\xd0"),
        ("blx #0x1234", &thumb::BRANCH24, 0x1234, b"\x01\xf0\x1a\xe9"),
        ("b.w #0x345678", &thumb::BRANCH24, 0x34_5678, b"\x45\xf3\x3c\xbb"),
        ("b.w #-2", &thumb::BRANCH24, -2, b"\xff\xf7\xff\xbf"),
        ("bne.w #0xffffe", &thumb::BRANCH19, 0xf_fffe, b"\x7f\xf0\xff\xaf"),
        ("beq.w #-0x100000", &thumb::BRANCH19, -0x10_0000, b"\x00\xf4\x00\x80"),
        ("blt.w #0x12344", &thumb::BRANCH19, 0x1_2344, b"\xd2\xf2\xa2\x81"),
        ("b #0x7fe", &thumb::BRANCH11, 0x7fe, b"\xff\xe3"),
        ("b #-0x800", &thumb::BRANCH11, -0x800, b"\x00\xe4"),
        ("bhi #0xfe", &thumb::BRANCH8, 0xfe, b"\x7f\xd8"),
        ("bne #-0x100", &thumb::BRANCH8, -0x100, b"\x80\xd1"),
        ("cbnz r5, #0x2a", &thumb::BRANCH6, 0x2a, b"\xad\xb9"),
        ("adr r7, #0x14", &thumb::LITERAL8, 0x14, b"\x05\xa7"),
        ("ldr.w r10, [pc, #0xabc]", &thumb::LITERAL12, 0xabc, b"\xdf\xf8\xbc\xaa"),
        ("ldr.w r10, [pc, #-0xabc]", &thumb::LITERAL12, -0xabc, b"\x5f\xf8\xbc\xaa"),
        ("ldrsb.w r9, [pc, #-0xfff]", &thumb::LITERAL12, -0xfff, b"\x1f\xf9\xff\x9f"),
        ("adr.w r9, #0xabc", &thumb::ADR12, 0xabc, b"\x0f\xf6\xbc\x29"),
        ("adr.w r9, #-0xabc", &thumb::ADR12, -0xabc, b"\xaf\xf6\xbc\x29"),
        ("movw r9, #0x1abc", &thumb::MOVW, 0x1abc, b"\x41\xf6\xbc\x29"),
        ("movw r9, #0x9abc", &thumb::MOVW, 0x9abc - 0x1_0000, b"\x49\xf6\xbc\x29"),
        ("movs r6, #0x9a", &thumb::BYTE0, 0x9a, b"\x9a\x26"),
        ("adds r6, #0x9a", &thumb::BYTE0, 0x9a, b"\x9a\x36"),
    ];
    for (instruction, field, value, bytes) in golden {
        assembled(field, instruction, value, value, bytes);
    }
    // These take a part of the value, or an addend of their own.
    for (instruction, field, value, addend, bytes) in [
        ("cbz r3, #0x7e", &thumb::BRANCH6, 0x7e, -2, &b"\xfb\xb3"[..]),
        ("ldr r3, [pc, #0x3fc]", &thumb::LITERAL8, 0x3fc, -4, b"\xff\x4b"),
        ("movt r9, #0x1234", &thumb::MOVT, 0x1234_5678, 0x1234, b"\xc1\xf2\x34\x29"),
        ("movs r6, #0x9a", &thumb::BYTE1, 0x1234_9a78, 0x9a, b"\x9a\x26"),
        ("adds r6, #0x9a", &thumb::BYTE2, 0x129a_5678, 0x9a, b"\x9a\x36"),
        ("adds r6, #0x9a", &thumb::BYTE3, 0x9a34_5678, 0x9a, b"\x9a\x36"),
    ] {
        assembled(field, instruction, value, addend, bytes);
    }
}

#[test]
fn a32_immediates() {
    for (instruction, field, value, bytes) in [
        ("bl #0x123458", &a32::BRANCH24, 0x12_3458, b"\x16\x8d\x04\xeb"),
        ("bl #-8", &a32::BRANCH24, -8, b"\xfe\xff\xff\xeb"),
        ("b #0x1fffffc", &a32::BRANCH24, 0x1ff_fffc, b"\xff\xff\x7f\xea"),
        ("beq #-0x2000000", &a32::BRANCH24, -0x200_0000, b"\x00\x00\x80\x0a"),
        ("blx #0x123458", &a32::BRANCH24, 0x12_3458, b"\x16\x8d\x04\xfa"),
        ("blx #0x12345a", &a32::BRANCH24, 0x12_345a, b"\x16\x8d\x04\xfb"),
        ("ldr r9, [pc, #0xabc]", &a32::OFFSET12, 0xabc, b"\xbc\x9a\x9f\xe5"),
        ("ldr r9, [pc, #-0xabc]", &a32::OFFSET12, -0xabc, b"\xbc\x9a\x1f\xe5"),
        ("strb r9, [pc, #-0xfff]", &a32::OFFSET12, -0xfff, b"\xff\x9f\x4f\xe5"),
        ("ldrd r8, r9, [pc, #0xab]", &a32::OFFSET8, 0xab, b"\xdb\x8a\xcf\xe1"),
        ("ldrsh r9, [pc, #-0xab]", &a32::OFFSET8, -0xab, b"\xfb\x9a\x5f\xe1"),
        ("movw r9, #0x9abc", &a32::MOVW, 0x9abc - 0x1_0000, b"\xbc\x9a\x09\xe3"),
    ] {
        assembled(field, instruction, value, value, bytes);
    }
    assembled(&a32::MOVT, "movt r9, #0x1234", 0x1234_5678, 0x1234, b"\x34\x92\x41\xe3");
}

#[test]
fn calls_change_the_instruction_set_and_back() {
    // bl #0x1234 and blx #0x1234 in Thumb code; bl #0x123458 and blx #0x123458 in A32 code.
    for (r_type, bl, blx) in
        [(10, b"\x01\xf0\x1a\xf9", b"\x01\xf0\x1a\xe9"), (28, b"\x16\x8d\x04\xeb", b"\x16\x8d\x04\xfa")]
    {
        for (from, change, to) in [(bl, true, blx), (blx, true, blx), (bl, false, bl), (blx, false, bl)] {
            let mut bytes = *from;
            (BOTH.change)(r_type, &mut bytes, change);
            assert_eq!(&bytes, to);
        }
    }
}

/// `gcc -mfloat-abi=hard -shared` says so in the header; objects say nothing there.
#[test]
fn shared_objects_of_the_other_float_abi_are_refused() {
    let fits = |float, flags: u32| {
        let (mask, expected) = of(Core::Mainline, float).flags;
        flags & mask == expected
    };
    for (flags, any, soft, hard) in
        [(0x0500_0000, true, true, true), (0x0500_0200, true, true, false), (0x0500_0400, true, false, true)]
    {
        assert_eq!([Float::Any, Float::Soft, Float::Hard].map(|float| fits(float, flags)), [any, soft, hard]);
    }
    assert!(!fits(Float::Any, 0x0580_0000), "code in another byte order than data");
    assert!(!fits(Float::Any, 0x0400_0000), "another EABI");
}

#[test]
fn a_core_without_a32_refuses_its_relocations() {
    let refused = |howto: &Howto| howto.expr == Expr::Refused;
    let both = HOWTOS.iter().zip(MAINLINE.howtos);
    let only_there = both.filter(|(here, there)| refused(there) && !refused(here));
    let names = only_there.map(|(howto, _)| ARCH.relocation(howto.r_type.into()).to_string());
    assert!(names.eq([
        "R_ARM_PC24",
        "R_ARM_LDR_PC_G0",
        "R_ARM_PLT32",
        "R_ARM_CALL",
        "R_ARM_JUMP24",
        "R_ARM_MOVW_ABS_NC",
        "R_ARM_MOVT_ABS",
        "R_ARM_MOVW_PREL_NC",
        "R_ARM_MOVT_PREL",
        "R_ARM_LDRS_PC_G0",
    ]));
}
