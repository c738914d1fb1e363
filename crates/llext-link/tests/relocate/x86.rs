//! x86-32: addends in the fields, and the GOT by a register or without one.

use crate::bench::{CODE, GOT, bench};
use llext_link::Error;
use llext_link::arch::x86::ARCH;
use llext_link::error::{RelocationType, SymbolRef};

/// A field in the middle of other bytes, linked against one symbol.
#[track_caller]
fn linked(number: u32, symbol: u64, before: &[u8]) -> Vec<u8> {
    let at = before.iter().position(|byte| *byte == 0xee).unwrap_or(0) as u64;
    let bytes: Vec<_> = before.iter().map(|byte| if *byte == 0xee { 0 } else { *byte }).collect();
    bench(&ARCH, &[symbol], &bytes, &[(at, number, 1, 0)]).linked()
}

#[test]
fn addends_lie_in_the_fields() {
    // .long foo + 4; .long foo - . + 4; call foo; call foo@PLT
    assert_eq!(linked(1, 0x8765_4321, &[4, 0, 0, 0]), [0x25, 0x43, 0x65, 0x87]);
    assert_eq!(linked(2, CODE + 0x1234, &[4, 0, 0, 0]), [0x38, 0x12, 0, 0]);
    // An absolute entry of a table of procedures: the procedure itself will do.
    assert_eq!(linked(11, 0x8765_4321, &[4, 0, 0, 0]), [0x25, 0x43, 0x65, 0x87]);
    for number in [2, 4] {
        let call = b"\xe8\xfc\xff\xff\xff";
        let linked = bench(&ARCH, &[CODE - 0x100], call, &[(1, number, 1, 0)]).linked();
        // call .-0x100
        assert_eq!(linked, b"\xe8\xfb\xfe\xff\xff");
    }
}

#[test]
fn everything_is_in_reach() {
    // From 0x10000001 to 0xf0000005, backwards round the address space.
    let linked = bench(&ARCH, &[0xf000_0005], b"\xe8\xfc\xff\xff\xff", &[(1, 4, 1, 0)]).linked();
    assert_eq!(linked, b"\xe8\0\0\0\xe0");
}

#[test]
fn the_got_is_reached_by_a_register_or_without_one() {
    for number in [3, 43] {
        for (before, after) in [
            // mov foo@GOT(%ebx), %eax; mov foo@GOT(%ebx,%ecx,4), %edx
            (&b"\x8b\x83\xee\xee\xee\xee"[..], &b"\x8b\x83\0\0\0\0"[..]),
            (b"\x8b\x94\x8b\xee\xee\xee\xee", b"\x8b\x94\x8b\0\0\0\0"),
            // mov foo@GOT, %ecx; call *foo@GOT
            (b"\x8b\x0d\xee\xee\xee\xee", b"\x8b\x0d\0\0\0\x18"),
            (b"\xff\x15\xee\xee\xee\xee", b"\xff\x15\0\0\0\x18"),
        ] {
            assert_eq!(linked(number, 0x1234, before), after);
        }
    }
    assert_eq!(GOT, 0x1800_0000);
    // Two accesses of one symbol share a slot; another has its own.
    let code = b"\x8b\x83\0\0\0\0\x8b\x83\0\0\0\0\x8b\x0d\x01\0\0\0";
    let relocations = [(2, 43, 1, 0), (8, 43, 2, 0), (14, 43, 1, 0)];
    let linked = bench(&ARCH, &[0x1111_1111, 0x2222_2222], code, &relocations).link().unwrap();
    assert_eq!(linked.section, b"\x8b\x83\0\0\0\0\x8b\x83\x04\0\0\0\x8b\x0d\x01\0\0\x18");
    assert_eq!(linked.got, [[0x11; 4], [0x22; 4]].concat());
}

#[test]
fn what_counts_from_the_got() {
    // lea foo@GOTOFF(%ebx), %eax
    assert_eq!(linked(9, GOT - 0x10, b"\x8d\x83\xee\xee\xee\xee"), b"\x8d\x83\xf0\xff\xff\xff");
    // add $_GLOBAL_OFFSET_TABLE_ + 2, %ebx: from the instruction, not from the field
    let linked = bench(&ARCH, &[GOT], b"\x81\xc3\x02\0\0\0", &[(2, 10, 1, 0)]).linked();
    assert_eq!(linked, b"\x81\xc3\0\0\0\x08");
}

#[test]
fn narrow_fields_hold_what_they_can() {
    // mov $foo, %ax; mov $foo, %al
    assert_eq!(linked(20, 0xfedc, b"\x66\xb8\xee\xee"), b"\x66\xb8\xdc\xfe");
    assert_eq!(linked(22, 0xfe, b"\xb0\xee"), b"\xb0\xfe");
    assert_eq!(linked(21, CODE - 0x8000, b"\xee\xee\xaa"), [0, 0x80, 0xaa]);
    assert_eq!(linked(23, CODE + 0x7f, b"\xee\xaa"), [0x7f, 0xaa]);
    for (number, symbol, place, value) in [
        (20, 0x1_0000, CODE, 0x1_0000),
        (21, CODE + 0x8000, CODE, 0x8000),
        (22, 0x100, CODE, 0x100),
        (23, CODE - 0x81, CODE, -0x81),
    ] {
        let relocation = RelocationType { machine: 3, number };
        let expected = Error::RelocationOverflow { relocation, place, value, symbol: SymbolRef::new(1) };
        assert_eq!(bench(&ARCH, &[symbol], &[0; 2], &[(0, number, 1, 0)]).refusal(), expected);
    }
}

#[test]
fn dynamic_relocations_hold_addresses() {
    // R_386_GLOB_DAT, R_386_JMP_SLOT: whatever was there. R_386_RELATIVE: what was there, moved.
    for number in [6, 7] {
        assert_eq!(linked(number, 0x1234_5678, &[9; 4]), [0x78, 0x56, 0x34, 0x12]);
    }
    assert_eq!(linked(8, 0x1234_5678, &[9, 0, 0, 0]), [9, 0, 0, 0]);
}

#[test]
fn thread_local_storage_and_copies_are_refused_by_name() {
    for (number, name) in [
        (5, "COPY"),
        (14, "TLS_TPOFF"),
        (15, "TLS_IE"),
        (16, "TLS_GOTIE"),
        (17, "TLS_LE"),
        (18, "TLS_GD"),
        (19, "TLS_LDM"),
        (32, "TLS_LDO_32"),
        (35, "TLS_DTPMOD32"),
        (38, "SIZE32"),
        (41, "TLS_DESC"),
    ] {
        let error = bench(&ARCH, &[CODE], &[0; 8], &[(0, number, 1, 0)]).refusal();
        let relocation = RelocationType { machine: 3, number };
        let symbol = SymbolRef::new(1);
        assert_eq!(error, Error::UnsupportedRelocation { relocation, symbol, offset: 0 });
        let text = format!("symbol 1: unsupported relocation R_386_{name} at 0x0");
        assert_eq!(error.to_string(), text);
    }
}
