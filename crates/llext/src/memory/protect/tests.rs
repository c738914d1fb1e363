//! Plans are tried out on models of the hardware that were written from the manuals, and on every address that matters.

use super::armv7m::{self, Region};
use super::pmp::{self, Entry};
use super::{MOST, MemoryError, Protection, Span, armv8m};
use std::vec::Vec;

/// What a model of the hardware says about one address: nothing, where no region holds it.
type Model<T> = fn(&[T], usize) -> Option<Protection>;

/// Armv7-M, B3.5: of the regions that hold the address, the one with the highest number. A subregion that is disabled
/// is as if it were not there. Plans begin with the highest number.
fn on_armv7m(regions: &[Region], address: usize) -> Option<Protection> {
    let holds = |region: &&Region| {
        assert!(region.base.trailing_zeros() >= region.log && region.log >= 5);
        let eighth = (address & ((1 << region.log) - 1)) >> (region.log - 3);
        let disabled = region.log >= 8 && region.without >> eighth & 1 != 0;
        address >> region.log == region.base >> region.log && !disabled
    };
    regions.iter().find(holds).map(|region| region.protection)
}

/// Armv8-M, B12: an address in two regions faults, whatever they allow.
fn on_armv8m(regions: &[Span], address: usize) -> Option<Protection> {
    let held: Vec<_> = regions.iter().filter(|region| region.holds(address)).collect();
    assert!(held.len() <= 1, "{address:#x} lies in {held:?}");
    assert!(regions.iter().all(|region| region.start % 32 == 0 && region.end % 32 == 0));
    held.first().map(|region| region.protection)
}

/// Privileged architecture, "Address Matching": the lowest entry that matches; TOR begins where the one before says.
fn on_pmp(entries: &[Entry], address: usize) -> Option<Protection> {
    let matches = |at: &usize| {
        let Entry { address: own, config } = entries[*at];
        let before = at.checked_sub(1).map_or(0, |before| entries[before].address);
        match config & 0x18 {
            pmp::OFF => false,
            pmp::TOR => (before..own).contains(&(address / 4)),
            pmp::NAPOT => {
                let log = own.trailing_ones() + 3;
                address >> log == own << 2 >> log
            }
            other => panic!("{other:#x} is not planned"),
        }
    };
    (0..entries.len()).find(matches).map(|at| match entries[at].config & !0x18 {
        0x81 => Protection::Read,
        0x83 => Protection::ReadWrite,
        0x85 => Protection::ReadExecute,
        other => panic!("{other:#x} is not locked, or allows too much"),
    })
}

/// What the spans say: the first that holds the address.
fn wanted(spans: &[Span], address: usize) -> Option<Protection> {
    spans.iter().find(|span| span.holds(address)).map(|span| span.protection)
}

/// Compares where anything could change: at every multiple of 4 if there are few, else around every end.
fn agrees<T: std::fmt::Debug>(spans: &[Span], regions: &[T], model: Model<T>) {
    let ends = spans.iter().flat_map(|span| [span.start, span.end]);
    let (low, high) = ends.clone().fold((usize::MAX, 0), |(low, high), end| (low.min(end), high.max(end)));
    let near = ends.flat_map(|end| (end.saturating_sub(64)..end + 64).step_by(4));
    let all = (low.saturating_sub(64)..high + 64).step_by(if high - low < 8192 { 4 } else { 508 });
    for address in near.chain(all) {
        assert_eq!(
            model(regions, address),
            wanted(spans, address),
            "{address:#x} by {regions:x?} of {spans:x?}"
        );
    }
}

/// How many regions each unit takes for these spans; what they cover is what was asked for.
fn counts(spans: &[Span]) -> [usize; 3] {
    [of_armv7m(spans), of_armv8m(spans), of_pmp(spans)]
}

fn of_armv7m(spans: &[Span]) -> usize {
    count(spans, armv7m::plan(spans).within(MOST), on_armv7m)
}

fn of_armv8m(spans: &[Span]) -> usize {
    count(spans, armv8m::plan(spans).within(MOST), on_armv8m)
}

fn of_pmp(spans: &[Span]) -> usize {
    count(spans, pmp::plan(spans).within(MOST), on_pmp)
}

fn count<T: std::fmt::Debug>(spans: &[Span], regions: Result<&[T], MemoryError>, model: Model<T>) -> usize {
    match regions {
        Ok(regions) => {
            agrees(spans, regions, model);
            regions.len()
        }
        Err(MemoryError::OutOfRegions { wanted, .. }) => wanted,
        Err(error) => panic!("{error}"),
    }
}

fn span(start: usize, size: usize, protection: Protection) -> Span {
    Span { start, end: start + size, protection }
}

const BASE: usize = 0x2000_0000;

#[test]
fn a_place_that_fits_is_one_region_at_every_size() {
    for size in (1..2000).chain((2000..70_000).step_by(397)).chain([1 << 20, (5 << 20) + 1]) {
        let units = [
            (armv7m::fit(size), of_armv7m as fn(&[Span]) -> usize, 1, (size / 4).max(64)),
            (armv8m::fit(size), of_armv8m, 1, 32),
            (pmp::fit(size, 4), of_pmp, 2, 4),
        ];
        for ((place, align), count, most, lost) in units {
            assert!(
                (size..size + lost).contains(&place) && align.is_power_of_two(),
                "{size} bytes in {place}"
            );
            let there = [span(BASE + 3 * align, place, Protection::ReadWrite)];
            assert!(count(&there) <= most, "{there:x?}");
        }
    }
}

#[test]
fn what_no_place_fits_is_left_to_the_allocator() {
    for size in [usize::MAX, usize::MAX / 2 + 2] {
        assert!(
            [armv7m::fit(size).0, armv8m::fit(size).0, pmp::fit(size, 4).0]
                .iter()
                .all(|place| *place >= size)
        );
    }
}

#[test]
fn spans_of_every_size_are_covered_exactly() {
    for start in (0..2048).step_by(288) {
        for size in (32..2600).step_by(32) {
            counts(&[span(BASE + start, size, Protection::ReadExecute)]);
        }
    }
}

/// External RAM of a microcontroller lies high, and every address below a region's end is one of it.
#[test]
fn spans_near_the_last_address_are_covered_exactly() {
    for (start, size) in [(0x1000, 0x800), (0x1000, 0xf80), (0x8000_0000, 0x4000_0000), (0x100, 0x80)] {
        counts(&[span(0_usize.wrapping_sub(start), size, Protection::ReadExecute)]);
    }
}

#[test]
fn slices_that_are_aligned_take_one_region_each() {
    for size in (5..20).map(|log| 1 << log) {
        let protections = [Protection::ReadExecute, Protection::Read, Protection::ReadWrite];
        let spans = protections.map(|protection| span(BASE + protection as usize * size, size, protection));
        assert_eq!(counts(&spans), [3, 3, 3]);
    }
}

/// Two drafts in a pool, as a load makes them and as a small generator draws them: what they cover is open, the rest of
/// the slice is not.
#[test]
fn drafts_count_for_more_than_their_slice() {
    let mut draw = 7_u32;
    let mut next = |limit: usize| {
        draw = draw.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (draw >> 8) as usize % limit
    };
    const SIZE: usize = 0x4000;
    let slices = [
        span(BASE, SIZE, Protection::ReadExecute),
        span(BASE + SIZE, SIZE, Protection::Read),
        span(BASE + 2 * SIZE, SIZE, Protection::ReadWrite),
    ];
    for _ in 0..1000 {
        let mut draft = |slice: usize| {
            let (size, align) = armv7m::fit(1 + next(SIZE / 2));
            let at = next((SIZE - size) / align + 1) * align;
            span(BASE + slice * SIZE + at, size, Protection::ReadWrite)
        };
        let one = [draft(0), draft(1)];
        let [v7, v8, pmp] = counts(&[one[0], one[1], slices[0], slices[1], slices[2]]);
        assert!(v7 == 5 && v8 <= 8 && pmp <= 7, "{v7} {v8} {pmp} for {one:x?}");
        let two = [draft(0), draft(1)];
        let [v7, _, pmp] = counts(&[one[0], one[1], two[0], two[1], slices[0], slices[1], slices[2]]);
        assert!(v7 == 7 && pmp <= 11, "{v7} {pmp} for {one:x?} and {two:x?}");
    }
}

#[test]
fn pieces_that_meet_and_agree_are_one() {
    let open = [0, 1, 2].map(|place| span(BASE + place * 64, 64, Protection::ReadWrite));
    assert_eq!(counts(&open)[1], 1);
    let shifted = [span(64, 0, Protection::Read), open[1], span(BASE + 160, 32, Protection::Read)];
    assert_eq!(counts(&shifted)[1], 2);
}

#[test]
fn a_plan_that_takes_too_many_is_refused() {
    let crooked = [span(BASE + 32, 0x1_0000 - 64, Protection::Read)];
    let plan = armv7m::plan(&crooked);
    let wanted = plan.within(MOST).map(<[_]>::len).unwrap();
    assert_eq!(plan.within(4), Err(MemoryError::OutOfRegions { wanted, available: 4 }));
    let many = [0; 17].map(|_| crooked[0]);
    let refused = MemoryError::OutOfRegions { wanted: 34, available: 16 };
    assert_eq!(pmp::plan(&many).within(64), Err(refused));
}

#[test]
fn a_firmware_that_fits_no_entries_is_refused() {
    let wanted = |first, text| pmp::plan_text(first, text, 4).map(drop);
    let (even, crooked) = (0x8000_0000..0x8040_0000, 0x8000_0000..0x8030_0000);
    assert_eq!((wanted(15, even.clone()), wanted(14, crooked.clone())), (Ok(()), Ok(())));
    let refused = |wanted, available| Err(MemoryError::OutOfRegions { wanted, available });
    assert_eq!(wanted(15, crooked), refused(2, 1));
    assert_eq!(wanted(16, even.clone()), refused(1, 0));
    assert_eq!(wanted(255, even), refused(1, 0));
}

/// The last instructions of a firmware whose end is not aligned run as well, on every unit that can be had.
#[test]
fn all_of_a_firmware_runs_wherever_it_ends() {
    for granule in (2..12).map(|log| 1 << log) {
        for (start, end) in [(0, 4096), (2, 4094), (4, 8), (1, 12), (512, 1025), (60, 68), (0, 5000)] {
            let text = 0x8000_0000 + start..0x8000_0000 + end;
            let exact = pmp::plan_text(0, text.clone(), 4).unwrap().within(MOST).unwrap().len();
            let plan = pmp::plan_text(0, text.clone(), granule).unwrap();
            let entries = plan.within(exact).unwrap();
            for address in (text.start..text.end).chain([text.start & !(granule - 1)]) {
                assert_eq!(
                    on_pmp(entries, address),
                    Some(Protection::ReadExecute),
                    "{address:#x}, {granule}"
                );
            }
            assert!(
                entries
                    .iter()
                    .all(|entry| entry.config & 0x18 != pmp::TOR || entry.address % (granule / 4) == 0)
            );
            for outside in [(text.start & !(granule - 1)) - 1, text.end.next_multiple_of(granule)] {
                assert_eq!(on_pmp(entries, outside), None, "{outside:#x}, {granule}");
            }
        }
    }
}
