//! The ELF header: codes 100 to 107.

use crate::elf::*;
use crate::stages::{header, scan, segments};
use crate::{fails, says};
use llext_link::Error;
use llext_link::arch::{arm, riscv};
use llext_link::elf::header::Header;
use llext_link::elf::{Bytes, Elf32Be, Elf32Le, Elf64Le};

#[test]
fn a_file_that_does_not_begin_with_the_magic_is_not_elf() {
    for class in BOTH {
        let mut bytes = object(class).bytes();
        bytes[..4].copy_from_slice(b"#!/b");
        says(
            header(class, &bytes),
            Error::NotElf { found: *b"#!/b" },
            "file: not ELF (found [23, 21, 2f, 62], expected [7f, 45, 4c, 46])",
        );
    }
}

#[test]
fn a_file_shorter_than_its_header_is_truncated() {
    for class in BOTH {
        let bytes = object(class).bytes();
        let wanted = class.pick(52, 64);
        for size in [0, 15, 16, wanted - 1] {
            let expected = Error::Truncated { what: "ELF header", offset: 0, wanted, size };
            fails(header(class, &bytes[..size as usize]), expected);
        }
    }
    says(
        header(Wide, b"\x7fELF"),
        Error::Truncated { what: "ELF header", offset: 0, wanted: 64, size: 4 },
        "ELF header: outside the file (0x40 bytes at 0x0, file has 0x4)",
    );
}

#[test]
fn header_tables_end_inside_the_file() {
    for class in BOTH {
        let (entry, program) = class.pick((40, 32), (64, 56));
        let bytes = object(class).bytes();
        let size = bytes.len() as u64;
        let with = |field, value| {
            let mut bytes = bytes.clone();
            patch(class, &mut bytes, field, value);
            header(class, &bytes)
        };
        let offset = size - entry + 1;
        let what = "section header 0";
        fails(with(E_SHOFF, offset), Error::Truncated { what, offset, wanted: entry, size });
        let (what, offset) = ("section header table", size - 7 * entry);
        fails(with(E_SHNUM, 8), Error::Truncated { what, offset, wanted: 8 * entry, size });
        let mut bytes = shared(class, &[Segment::default(); 2]).bytes();
        let size = bytes.len() as u64;
        let offset = size - 2 * program + 1;
        patch(class, &mut bytes, E_PHOFF, offset);
        let what = "program header table";
        fails(header(class, &bytes), Error::Truncated { what, offset, wanted: 2 * program, size });
    }
}

#[test]
fn counts_in_section_header_0_are_believed_no_more_than_those_in_the_header() {
    for class in BOTH {
        let entry = class.pick(40, 64);
        let mut file = object(class);
        (file.sections[0].size, file.sections[0].info) = (Some(1000), 500);
        let mut bytes = file.bytes();
        let (size, offset) = (bytes.len() as u64, bytes.len() as u64 - 7 * entry);
        patch(class, &mut bytes, E_SHNUM, 0);
        let what = "section header table";
        fails(header(class, &bytes), Error::Truncated { what, offset, wanted: 1000 * entry, size });
        file.sections[0].size = None;
        let mut bytes = file.bytes();
        for (field, value) in
            [(E_PHNUM, 0xffff), (E_PHOFF, 64), (E_PHENTSIZE, class.pick(32, 56)), (E_TYPE, 3)]
        {
            patch(class, &mut bytes, field, value);
        }
        let (what, wanted) = ("program header table", 500 * class.pick(32, 56));
        fails(segments(class, &bytes), Error::Truncated { what, offset: 64, wanted, size });
    }
}

#[test]
fn a_read_outside_lent_bytes_is_truncated() {
    let mut bytes = &b"abc"[..];
    let expected = Error::Truncated { what: "bytes", offset: 2, wanted: 4, size: 3 };
    says(bytes.bytes(2, 4), expected, "bytes: outside the file (0x4 bytes at 0x2, file has 0x3)");
}

#[test]
fn another_word_size_or_byte_order_is_the_wrong_format() {
    let (narrow, wide) = (object(Narrow).bytes(), object(Wide).bytes());
    says(
        header(Wide, &[narrow.clone(), vec![0; 64]].concat()),
        Error::WrongFormat { found: [1, 1], expected: [2, 1] },
        "header: wrong class or byte order (found [1, 1], expected [2, 1])",
    );
    fails(header(Narrow, &wide), Error::WrongFormat { found: [2, 1], expected: [1, 1] });
    let big = Header::parse::<Elf32Be>(&narrow, narrow.len() as u64);
    fails(big, Error::WrongFormat { found: [1, 1], expected: [1, 2] });
}

#[test]
fn fields_of_the_header_have_their_values() {
    for class in BOTH {
        let object = object(class).bytes();
        let with = |bytes: &[u8], field, value| {
            let mut bytes = bytes.to_vec();
            patch(class, &mut bytes, field, value);
            header(class, &bytes)
        };
        let bad = |field, found, expected| Error::BadHeader { field, found, expected };
        fails(with(&object, [6, 6, 1], 2), bad("EI_VERSION", 2, 1));
        fails(with(&object, E_VERSION, 0), bad("e_version", 0, 1));
        fails(with(&object, E_EHSIZE, 1), bad("e_ehsize", 1, class.pick(52, 64)));
        fails(with(&object, E_SHENTSIZE, 41), bad("e_shentsize", 41, class.pick(40, 64)));
        fails(with(&object, E_SHOFF, 0), bad("e_shnum", 7, 0));
        fails(with(&object, E_SHSTRNDX, 7), bad("e_shstrndx", 7, 7));
        fails(with(&object, [7, 7, 1], 9), bad("EI_OSABI", 9, 0));
        fails(with(&object, E_SHOFF, 16), bad("e_shoff", 16, class.pick(52, 64)));
        let shared = shared(class, &[Segment::default()]).bytes();
        fails(with(&shared, E_PHOFF, 4), bad("e_phoff", 4, class.pick(52, 64)));
        fails(with(&shared, E_PHENTSIZE, 33), bad("e_phentsize", 33, class.pick(32, 56)));
        let text = format!("header: bad e_ehsize (found 0x1, expected {:#x})", class.pick(52, 64));
        says(with(&object, E_EHSIZE, 1), bad("e_ehsize", 1, class.pick(52, 64)), &text);
    }
}

#[test]
fn section_0_is_nothing_and_tables_lie_apart() {
    for class in BOTH {
        let bad = |field, found, expected| Error::BadHeader { field, found, expected };
        let mut file = object(class);
        file.sections[0].size = Some(8);
        fails(header(class, &file.bytes()), bad("size of section 0", 8, 0));
        file.sections[0].kind = PROGBITS;
        fails(header(class, &file.bytes()), bad("type of section 0", 1, 0));
        let mut file = object(class);
        file.segments.push(Segment::default());
        let mut bytes = file.bytes();
        assert!(header(class, &bytes).is_ok());
        let at = bytes.len() as u64 - 40;
        patch(class, &mut bytes, E_PHOFF, at - 40);
        fails(header(class, &bytes), bad("e_phoff", at - 40, bytes.len() as u64));
    }
}

#[test]
fn section_names_are_strings() {
    for class in BOTH {
        let mut bytes = object(class).bytes();
        patch(class, &mut bytes, E_SHSTRNDX, 2);
        let expected = Error::BadLink { section: 0, found: 2, expected: "the section names" };
        fails(scan(class, &bytes), expected);
    }
}

#[test]
fn another_abi_of_the_processor_is_refused() {
    let mut bytes = object(Narrow).bytes();
    bytes[36..40].copy_from_slice(&0x0400_0000u32.to_le_bytes());
    says(
        arm::ARCH.check(&header(Narrow, &bytes).unwrap()),
        Error::WrongFlags { found: 0x0400_0000, mask: 0xff80_0000, expected: 0x0500_0000 },
        "header: wrong ABI flags (found 0x4000000, expected 0x5000000 of 0xff800000)",
    );
    // A shared object that passes floats in VFP registers, for a host that does not.
    bytes[36..40].copy_from_slice(&0x0500_0400u32.to_le_bytes());
    says(
        arm::of(arm::Core::Mainline, arm::Float::Soft).check(&header(Narrow, &bytes).unwrap()),
        Error::WrongFlags { found: 0x0500_0400, mask: 0xff80_0400, expected: 0x0500_0000 },
        "header: wrong ABI flags (found 0x5000400, expected 0x5000000 of 0xff800400)",
    );
    let wide = header(Wide, &object(Wide).bytes()).unwrap();
    fails(arm::ARCH.check(&wide), Error::WrongMachine { found: 62, expected: 40 });
    // RISC-V: both classes are one machine. Floats in registers, and compressed instructions, where the host has neither.
    let (mut narrow, mut wide) = (object(Narrow).bytes(), object(Wide).bytes());
    for (bytes, flags) in [(&mut narrow, 36), (&mut wide, 48)] {
        bytes[18..20].copy_from_slice(&riscv::MACHINE.to_le_bytes());
        bytes[flags..flags + 4].copy_from_slice(&5u32.to_le_bytes());
    }
    let (narrow, wide) = (header(Narrow, &narrow).unwrap(), header(Wide, &wide).unwrap());
    assert_eq!(riscv::RV32.check(&narrow), Ok(()));
    assert_eq!(riscv::RV64.check(&wide), Ok(()));
    fails(riscv::RV32.check(&wide), Error::WrongFormat { found: [2, 1], expected: [1, 1] });
    fails(riscv::RV64.check(&narrow), Error::WrongFormat { found: [1, 1], expected: [2, 1] });
    let abi = |float, compressed| riscv::rv64(riscv::abi(float, compressed, false)).check(&wide);
    assert_eq!(abi(riscv::Float::Double, true), Ok(()));
    fails(abi(riscv::Float::Soft, true), Error::WrongFlags { found: 5, mask: 0xe, expected: 0 });
    fails(abi(riscv::Float::Double, false), Error::WrongFlags { found: 5, mask: 0xf, expected: 4 });
}

#[test]
fn an_object_for_another_core_or_float_abi_is_refused() {
    /// Tags and values under "aeabi": arm-none-eabi-gcc -mcpu=cortex-m4 -mfloat-abi=hard, cortex-a9 -mthumb, cortex-m3.
    const M4F: &[u8] = b"\x06\x0d\x07M\x09\x02\x17\x03\x1c\x01";
    const A9: &[u8] = b"\x06\x0a\x07A\x08\x01\x09\x02\x17\x03";
    const M3: &[u8] = b"\x06\x0a\x07M\x09\x02\x17\x03";
    const M33: &[u8] = b"\x06\x11\x07M\x09\x03\x17\x03";
    /// Without floats it does not matter how they are passed.
    const ASSEMBLY: &[u8] = b"\x06\x0b\x07M\x09\x01";
    use arm::{Core::*, Float::*};
    let bad = |name, found, expected| Err(Error::WrongAttribute { name, found, expected });
    for (attributes, core, float, expected) in [
        (M4F, Mainline, Hard, Ok(())),
        (M4F, Mainline, Soft, bad("Tag_ABI_VFP_args", 1, 0)),
        (M4F, Baseline, Any, bad("Tag_THUMB_ISA_use", 2, 0)),
        (M3, Mainline, Soft, Ok(())),
        (M3, Mainline, Hard, bad("Tag_ABI_VFP_args", 0, 1)),
        (M33, Baseline, Soft, bad("Tag_CPU_arch", 17, 0)),
        (A9, Both, Soft, Ok(())),
        (A9, Mainline, Any, bad("Tag_ARM_ISA_use", 1, 0)),
        (ASSEMBLY, Baseline, Hard, Ok(())),
        (ASSEMBLY, Mainline, Hard, Ok(())),
    ] {
        let len = |bytes: &[u8]| (bytes.len() as u32 + 4).to_le_bytes();
        let attributes = [b"\x01", &(attributes.len() as u32 + 5).to_le_bytes()[..], attributes].concat();
        let block = [b"aeabi\0", &attributes[..]].concat();
        let data = [b"A", &len(&block)[..], &block].concat();
        let section = Section { name: ".ARM.attributes", kind: 0x7000_0003, data, ..Section::default() };
        let (_, tables) = scan(Narrow, &object(Narrow).with_section(section.clone()).bytes()).unwrap();
        assert_eq!(tables.attributes.size as usize, section.data.len());
        assert_eq!(arm::of(core, float).check_attributes::<Elf32Le>(&section.data), expected);
    }
    let error = Error::WrongAttribute { name: "Tag_ABI_VFP_args", found: 1, expected: 0 };
    says(Err::<(), _>(error), error, "attributes: wrong Tag_ABI_VFP_args (found 1, expected 0)");
}

#[test]
fn files_of_no_kind_and_core_dumps_are_not_loadable() {
    for class in BOTH {
        for found in [0, 4, 5, 0xffff] {
            let mut bytes = object(class).bytes();
            patch(class, &mut bytes, E_TYPE, found.into());
            let text =
                format!("header: not loadable (found e_type {found}, expected 1 (REL), 2 (EXEC) or 3 (DYN))");
            says(header(class, &bytes), Error::WrongKind { found }, &text);
        }
    }
}

#[test]
fn a_file_of_4_gib_is_too_large() {
    let (bytes, size) = (object(Wide).bytes(), 1 << 32);
    let text = "file: too large (found 0x100000000 bytes, expected less than 0x100000000)";
    says(Header::parse::<Elf64Le>(&bytes, size), Error::FileTooLarge { size }, text);
    says(Header::extent::<Elf64Le>(size), Error::FileTooLarge { size }, text);
    assert!(Header::parse::<Elf64Le>(&bytes, size - 1).is_ok());
}

#[test]
fn the_files_that_the_tests_spoil_are_sound() {
    for class in BOTH {
        assert!(header(class, &object(class).bytes()).is_ok());
        assert_eq!(scan(class, &object(class).bytes()).map(|(sections, _)| sections.len()), Ok(7));
    }
}
