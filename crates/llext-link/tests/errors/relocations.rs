//! Relocations: codes 130 to 137.

use crate::elf::*;
use crate::stages::{CODE, WORLD, World, link};
use crate::{fails, says};
use llext_link::Error;
use llext_link::arch::{Arch, Check, Expr, Field, Howto, arm};
use llext_link::elf::{Elf32Le, Elf64Le};
use llext_link::error::{RelocationType, SymbolRef};
use llext_link::relocate::{Target, apply_relr};

/// Types of the two psABIs: a word that holds an address, a branch.
const ADDRESS: [u32; 2] = [2, 1];
const BRANCH: [u32; 2] = [10, 4];
const GOTPCREL: u32 = 9;
const UNDEFINED: Symbol = ("far", 0x10, 0, 0, 0);

fn pick([narrow, wide]: [u32; 2], class: Class) -> u32 {
    class.pick(narrow, wide)
}

fn relocation(class: Class, number: u32) -> RelocationType {
    RelocationType { machine: class.pick(40, 62), number }
}

/// An object whose code has one relocation, against the second of these: nothing, `own` in the code, `far` undefined.
fn with(class: Class, offset: u64, r_type: u32, symbol: u32) -> Vec<u8> {
    let own = ("own", 0x12, 1, 8, 0);
    object(class).with_symbols(&[own, UNDEFINED]).with_relocations(&[(offset, r_type, symbol, 0)]).bytes()
}

const NEAR: World = World { host: &[("far", CODE + 0x100)], ..WORLD };

#[test]
fn a_type_that_is_not_in_the_table_is_unknown() {
    for class in BOTH {
        let text = format!(
            "relocation at 0x4: unknown (found relocation type 99 of {}, expected a type of the processor's table)",
            class.pick("arm", "x86_64")
        );
        let expected = Error::UnknownRelocation { relocation: relocation(class, 99), offset: 4 };
        says(link(class, &with(class, 4, 99, 1), NEAR), expected, &text);
    }
}

#[test]
fn what_only_a_program_can_have_is_unsupported() {
    // A copy, and a distance from the thread pointer.
    for (number, name) in [(5, "R_X86_64_COPY"), (23, "R_X86_64_TPOFF32")] {
        let (relocation, symbol) = (relocation(Wide, number), SymbolRef::new(1));
        let expected = Error::UnsupportedRelocation { relocation, symbol, offset: 8 };
        let text = format!("symbol 1: unsupported relocation {name} at 0x8");
        says(link(Wide, &with(Wide, 8, number, 1), NEAR), expected, &text);
    }
}

#[test]
fn thread_local_storage_lies_where_the_host_says() {
    // R_ARM_TLS_LE32: the symbol's offset in the block, and the block's from the thread pointer.
    let world = World { host: &[("far", 0x20)], thread: Some(8), ..WORLD };
    let variable = |number| {
        let file = object(Narrow).with_symbols(&[("far", 0x16, 0, 0, 0)]);
        file.with_relocations(&[(4, number, 1, 0)]).bytes()
    };
    assert_eq!(link(Narrow, &variable(108), world), Ok(()));
    // Nothing lends it, or it is asked for in another way.
    let nowhere = World { thread: None, ..world };
    fails(link(Narrow, &variable(108), nowhere), Error::ThreadLocal { what: "symbol", index: 1 });
    let (relocation, symbol) = (|number| relocation(Narrow, number), SymbolRef::new(1));
    let unsupported =
        |number| Error::UnsupportedRelocation { relocation: relocation(number), symbol, offset: 4 };
    let text = "symbol 1: unsupported relocation R_ARM_TLS_GD32 at 0x4";
    says(link(Narrow, &variable(104), world), unsupported(104), text);
    fails(link(Narrow, &with(Narrow, 4, 108, 1), nowhere), unsupported(108));
}

#[test]
fn a_thumb_only_core_refuses_a32_code() {
    static M3: Arch = arm::of(arm::Core::Mainline, arm::Float::Soft);
    let world = World { arch: Some(&M3), host: &[("far", CODE + 0x100)], ..WORLD };
    let symbol = SymbolRef::new(2);
    says(
        link(Narrow, &with(Narrow, 4, 10, 2), world),
        Error::WrongInstructionSet { relocation: relocation(Narrow, 10), symbol, offset: 4 },
        "symbol 2: R_ARM_THM_CALL at 0x4 leads to other code (found A32, expected Thumb)",
    );
    says(
        link(Narrow, &with(Narrow, 4, 28, 2), world),
        Error::UnsupportedRelocation { relocation: relocation(Narrow, 28), symbol, offset: 4 },
        "symbol 2: unsupported relocation R_ARM_CALL at 0x4",
    );
}

#[test]
fn what_only_a_shared_object_can_have_is_unsupported_in_others() {
    for class in BOTH {
        for number in class.pick([21, 22, 23], [6, 8, 37]) {
            let (relocation, symbol) = (relocation(class, number), SymbolRef::new(1));
            let expected = Error::UnsupportedRelocation { relocation, symbol, offset: 4 };
            fails(link(class, &with(class, 4, number, 1), NEAR), expected);
        }
    }
}

#[test]
fn a_field_lies_inside_its_section() {
    for class in BOTH {
        let len = class.pick(4, 8);
        for offset in [17 - u64::from(len), 16, class.pick(0xffff_ffff, u64::MAX)] {
            let bytes = with(class, offset, pick(ADDRESS, class), 1);
            fails(link(class, &bytes, NEAR), Error::RelocationOutside { offset, len, size: 16 });
        }
        says(
            link(class, &with(class, 14, pick(BRANCH, class), 1), NEAR),
            Error::RelocationOutside { offset: 14, len: 4, size: 16 },
            "relocation at 0xe: outside its section (found 4 bytes there, expected an end up to 0x10)",
        );
    }
}

#[test]
fn a_packed_relocation_lies_inside_the_image() {
    // An address of the object, which begins at 0x1000, then the words after it as bits.
    let mut image = [0; 32];
    image[..16].copy_from_slice(&[0x1018u64, 0b11].map(u64::to_le_bytes).concat());
    let mut target = Target { bytes: &mut image, address: 0x5000, origin: 0x1000 };
    let extent = llext_link::addr::Extent { offset: 0, size: 16 };
    let expected = Error::RelocationOutside { offset: 0x1020, len: 8, size: 32 };
    fails(apply_relr::<Elf64Le>(&mut target, extent, 0x4000), expected);
    let mut image = [0xffu32, 0].map(u32::to_le_bytes).concat();
    image[..4].copy_from_slice(&0xfeu32.to_le_bytes());
    let mut target = Target { bytes: &mut image, address: 0, origin: 0 };
    let extent = llext_link::addr::Extent { offset: 0, size: 4 };
    let expected = Error::RelocationOutside { offset: 0xfe, len: 4, size: 8 };
    fails(apply_relr::<Elf32Le>(&mut target, extent, 0), expected);
}

#[test]
fn a_relocation_names_a_symbol_that_exists() {
    for class in BOTH {
        for types in [ADDRESS, BRANCH] {
            says(
                link(class, &with(class, 0, pick(types, class), 3), NEAR),
                Error::BadRelocationSymbol { found: 3, count: 3 },
                "relocation: no such symbol (found 3, expected below 3)",
            );
        }
    }
    fails(link(Wide, &with(Wide, 0, GOTPCREL, 9), NEAR), Error::BadRelocationSymbol { found: 9, count: 3 });
}

#[test]
fn a_symbol_that_is_used_is_loaded() {
    for class in BOTH {
        let notes = Section { name: ".debug", kind: PROGBITS, data: vec![0; 8], ..Section::default() };
        let file = object(class).with_symbols(&[("hidden", 0x11, 6, 0, 0)]).with_section(notes);
        let file = file.with_relocations(&[(4, pick(ADDRESS, class), 1, 0)]);
        says(
            link(class, &file.bytes(), WORLD),
            Error::SymbolNotLoaded { symbol: SymbolRef::new(1), offset: 4 },
            "symbol 1: used by a relocation at 0x4, but its section is not loaded",
        );
    }
}

#[test]
fn a_value_fits_its_field() {
    // x86-64: an address above 4 GiB in 32 bits, and a distance of more than 2 GiB in 32 signed bits.
    let world = World { host: &[("far", 0x1_2345_6789)], ..WORLD };
    for (number, value, text) in [
        (10, 0x1_2345_6789, "symbol 2: R_X86_64_32 does not reach from 0x10000004 (found 0x123456789)"),
        (2, 0x1_1345_6785, "symbol 2: R_X86_64_PC32 does not reach from 0x10000004 (found 0x113456785)"),
    ] {
        let (relocation, symbol) = (relocation(Wide, number), SymbolRef::new(2));
        let expected = Error::RelocationOverflow { relocation, place: CODE + 4, value, symbol };
        says(link(Wide, &with(Wide, 4, number, 2), world), expected, text);
    }
    // Arm: a 31-bit distance, in an unwind table.
    let world = World { host: &[("far", 0x5000_0001)], ..WORLD };
    let (relocation, symbol) = (relocation(Narrow, 42), SymbolRef::new(2));
    let expected = Error::RelocationOverflow { relocation, place: CODE, value: 0x4000_0001, symbol };
    fails(link(Narrow, &with(Narrow, 0, 42, 2), world), expected);
}

/// A processor whose loads take multiples of four; those of this build have no such field.
static ALIGNED: Arch = Arch {
    name: "aligned",
    machine: 999,
    format: [1, 1],
    flags: (0, 0),
    attributes: &[],
    howtos: &[Howto {
        r_type: 1,
        expr: Expr::PcRel,
        check: Check::Signed(32),
        align: 4,
        field: Field::Data(4),
    }],
    veneers: &[],
    interwork: None,
    binder: None,
    relax: None,
    absolute_slot: None,
};

#[test]
fn a_value_is_a_multiple_of_what_its_field_can_hold() {
    for class in BOTH {
        let world = World { host: &[("far", CODE + 0x102)], arch: Some(&ALIGNED), ..WORLD };
        let (relocation, symbol) = (RelocationType { machine: 999, number: 1 }, SymbolRef::new(2));
        says(
            link(class, &with(class, 4, 1, 2), world),
            Error::RelocationMisaligned { relocation, place: CODE + 4, value: 0xfe, align: 4, symbol },
            "symbol 2: relocation type 1 of machine 999 misaligned at 0x10000004 (found 0xfe, expected a multiple of 4)",
        );
    }
}

#[test]
fn stubs_and_got_slots_are_no_more_than_were_counted() {
    let world = World { host: &[("a", 0x9000_0000_0000), ("b", 0xa000_0000_0000)], counted: 1, ..WORLD };
    let undefined = |name| (name, 0x10, 0, 0, 0);
    for (r_type, what, text) in [
        (BRANCH[1], "far-call stubs", "far-call stubs: more needed than were counted"),
        (GOTPCREL, "GOT", "GOT: more needed than were counted"),
    ] {
        let file = object(Wide).with_symbols(&[undefined("a"), undefined("b")]);
        let bytes = file.with_relocations(&[(0, r_type, 1, -4), (4, r_type, 2, -4)]).bytes();
        says(link(Wide, &bytes, world), Error::TableChanged { what }, text);
        assert_eq!(link(Wide, &bytes, World { counted: usize::MAX, ..world }), Ok(()));
    }
    let world = World { host: &[("a", 0x9000_0001), ("b", 0xa000_0001)], ..world };
    let file = object(Narrow).with_symbols(&[undefined("a"), undefined("b")]);
    let bytes = file.with_relocations(&[(0, 10, 1, 0), (4, 10, 2, 0)]).bytes();
    fails(link(Narrow, &bytes, world), Error::TableChanged { what: "far-call stubs" });
}
