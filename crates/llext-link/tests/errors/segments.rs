//! Segments of a shared object: codes 141 and 150, and what they share with sections.

use crate::elf::*;
use crate::stages::{linked, segments};
use crate::{fails, says};
use llext_link::Error;
use llext_link::addr::{Extent, Part};
use llext_link::arch::x86_64;
use llext_link::layout::{Extra, plan_shared};

const LOAD: u32 = 1;
const DYNAMIC: u32 = 2;
const NOTE: u32 = 4;
const TLS: u32 = 7;
const RELRO: u32 = 0x6474_e552;

/// Code that is 64 bytes long, in the file and in memory.
const FIRST: Segment = Segment {
    kind: LOAD,
    flags: 5,
    offset: 0,
    address: 0x1000,
    file_size: 64,
    memory_size: 64,
    align: 0x1000,
};
/// Data in the next page.
const SECOND: Segment = Segment { flags: 6, address: 0x2000, memory_size: 0x800, ..FIRST };

/// Both segments, the second one changed.
fn with(class: Class, change: impl Fn(&mut Segment)) -> Vec<u8> {
    let mut second = SECOND;
    change(&mut second);
    shared(class, &[FIRST, second]).bytes()
}

#[test]
fn the_segments_that_the_tests_spoil_are_sound() {
    for class in BOTH {
        let span = segments(class, &with(class, |_| {})).unwrap();
        assert_eq!((span.base, span.size, span.count), (0x1000, 0x1800, 2));
    }
}

#[test]
fn a_shared_object_has_something_to_load() {
    for class in BOTH {
        let text = "file: nothing to load (found no section or segment with contents)";
        says(segments(class, &shared(class, &[]).bytes()), Error::NothingToLoad, text);
        let empty = Segment { memory_size: 0, file_size: 0, ..FIRST };
        let note = Segment { kind: NOTE, ..FIRST };
        fails(segments(class, &shared(class, &[empty, note]).bytes()), Error::NothingToLoad);
    }
}

#[test]
fn fields_of_a_segment_have_possible_values() {
    for class in BOTH {
        let bad = |field, found| Error::BadSegment { segment: 1, field, found };
        for align in [0x1800, 0x2_0000] {
            let bytes = with(class, |segment| segment.align = align);
            fails(segments(class, &bytes), bad("p_align", align));
        }
        // Not congruent to its place in the file; before the end of the first; more in the file than in memory.
        fails(segments(class, &with(class, |segment| segment.address = 0x2010)), bad("p_vaddr", 0x2010));
        fails(segments(class, &with(class, |segment| segment.address = 0x1000)), bad("p_vaddr", 0x1000));
        let large = with(class, |segment| (segment.file_size, segment.memory_size) = (0x41, 0x40));
        fails(segments(class, &large), bad("p_filesz", 0x41));
        says(
            segments(class, &with(class, |segment| segment.align = 3)),
            bad("p_align", 3),
            "segment 1: bad p_align (found 0x3, expected a power of two up to 0x10000)",
        );
    }
    let bad = |field, found| Error::BadSegment { segment: 1, field, found };
    fails(segments(Wide, &with(Wide, |segment| segment.memory_size = u64::MAX)), bad("p_memsz", u64::MAX));
    let long = |segment: &mut Segment| segment.memory_size = 1 << 32;
    fails(segments(Wide, &with(Wide, long)), bad("p_memsz", 1 << 32));
    let high = |segment: &mut Segment| segment.address = 1 << 48;
    fails(segments(Wide, &with(Wide, high)), bad("p_vaddr", 1 << 48));
}

#[test]
fn what_a_segment_holds_lies_in_the_file() {
    for class in BOTH {
        let mut bytes = with(class, |segment| (segment.offset, segment.file_size) = (0x1000, 0x20));
        bytes.resize(0x101f, 0);
        says(
            segments(class, &bytes),
            Error::Truncated { what: "segment", offset: 0x1000, wanted: 0x20, size: 0x101f },
            "segment: outside the file (0x20 bytes at 0x1000, file has 0x101f)",
        );
    }
}

#[test]
fn no_segment_is_writable_and_executable() {
    for class in BOTH {
        let bytes = with(class, |segment| segment.flags = 7);
        fails(segments(class, &bytes), Error::WritableAndExecutable { section: 1 });
    }
}

#[test]
fn thread_local_segments_are_refused() {
    for class in BOTH {
        let bytes = shared(class, &[FIRST, SECOND, Segment { kind: TLS, ..SECOND }]).bytes();
        fails(segments(class, &bytes), Error::ThreadLocal { what: "segment", index: 2 });
    }
}

#[test]
fn special_segments_lie_in_what_is_loaded() {
    for class in BOTH {
        for kind in [DYNAMIC, RELRO, NOTE] {
            let beyond = if kind == RELRO { (0x27f0, 0x811) } else { (0x27f0, 0x11) };
            for (address, memory_size) in [(0xfff, 1), beyond, (0x3001, 0)] {
                let special = Segment { kind, address, memory_size, ..SECOND };
                let expected = Error::BadSegment { segment: 2, field: "p_vaddr", found: address };
                fails(segments(class, &shared(class, &[FIRST, SECOND, special]).bytes()), expected);
            }
        }
    }
}

#[test]
fn relro_may_end_with_the_page_of_the_last_segment() {
    for class in BOTH {
        let relro = Segment { kind: RELRO, address: 0x27f0, memory_size: 0x810, ..SECOND };
        let span = segments(class, &shared(class, &[FIRST, SECOND, relro]).bytes()).unwrap();
        assert_eq!(span.relro, Some(Extent { offset: 0x17f0, size: 0x810 }));
        assert_eq!(span.size, 0x2000, "so that the whole page can be protected");
    }
}

/// It once took the right to run from the code that it was said to hold.
#[test]
fn relro_holds_variables() {
    for class in BOTH {
        let after = Segment { flags: 5, address: 0x3000, offset: 0, ..FIRST };
        let spoilt = |address, memory_size| {
            let relro = Segment { kind: RELRO, address, memory_size, ..SECOND };
            segments(class, &shared(class, &[FIRST, SECOND, after, relro]).bytes())
        };
        for (address, size) in [(0x2000, 0x800), (0x27ff, 1), (0x2000, 0x1000), (0x1000, 0)] {
            assert!(spoilt(address, size).is_ok(), "{address:#x} {size:#x}");
        }
        for (address, size) in [(0x1000, 0x40), (0x103f, 0x1000), (0x1040, 0x1000), (0x2800, 1)] {
            let expected = Error::BadSegment { segment: 3, field: "p_vaddr", found: address };
            fails(spoilt(address, size), expected);
        }
        let text = "segment 3: bad p_vaddr (found 0x2000, expected an address behind the segment before it, in the image, \
            equal to p_offset modulo p_align; for PT_GNU_RELRO that of variables, and no code behind it)";
        let expected = Error::BadSegment { segment: 3, field: "p_vaddr", found: 0x2000 };
        says(spoilt(0x2000, 0x1001), expected, text);
    }
}

#[test]
fn a_span_is_shorter_than_2_gib() {
    for class in BOTH {
        let far = |segment: &mut Segment| (segment.address, segment.memory_size) = (0x8000_0000, 0x1000);
        fails(segments(class, &with(class, far)), Error::ImageTooLarge { wanted: 0x8000_0000 });
    }
    let plan = plan_shared(&x86_64::ARCH, 0x7fff_ff00, 0x1000, Extra { constants: 0, data: 0x100 });
    assert!(matches!(plan, Err(Error::ImageTooLarge { wanted }) if wanted > 0x8000_0000), "{plan:?}");
}

#[test]
fn a_shared_object_has_at_most_sixteen_segments_to_load() {
    for class in BOTH {
        let all: Vec<Segment> = (1..=17).map(|page| Segment { address: page * 0x1000, ..FIRST }).collect();
        assert_eq!(segments(class, &shared(class, &all[..16]).bytes()).map(|span| span.count), Ok(16));
        let expected = Error::BadSegment { segment: 16, field: "number of PT_LOAD", found: 17 };
        fails(segments(class, &shared(class, &all).bytes()), expected);
    }
}

#[test]
fn a_linked_file_has_one_segment_of_each_part_and_one_of_notes() {
    let constants = Segment { flags: 4, address: 0x3000, ..FIRST };
    let note = Segment { kind: NOTE, flags: 4, address: 0, memory_size: 0, align: 4, ..FIRST };
    for class in BOTH {
        let of = |segments: &[Segment]| linked(class, &File { kind: 2, ..shared(class, segments) }.bytes());
        let found = of(&[FIRST, SECOND, constants, note]).unwrap();
        let at = |part: Part| found.parts[part as usize].address();
        assert_eq!([Part::Code, Part::Constants, Part::Data].map(at), [0x1000, 0x3000, 0x2000]);
        assert_eq!((found.parts[0].size(), found.notes), (0, Extent { offset: 0, size: 64 }));
        for twice in [Segment { flags: 5, ..constants }, Segment { flags: 6, ..constants }] {
            let bad = Error::BadSegment { segment: 2, field: "p_flags", found: twice.flags.into() };
            fails(of(&[FIRST, SECOND, twice]), bad);
        }
        let bad = Error::BadSegment { segment: 2, field: "number of PT_NOTE", found: 2 };
        fails(of(&[note, FIRST, note]), bad);
        fails(
            of(&[FIRST, Segment { kind: TLS, ..SECOND }]),
            Error::ThreadLocal { what: "segment", index: 1 },
        );
        let low = Error::BadSegment { segment: 1, field: "p_vaddr", found: 0x1000 };
        fails(of(&[SECOND, FIRST]), low);
    }
}
