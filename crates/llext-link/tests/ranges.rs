//! Range arithmetic against the same in wide integers: for every edge of every width, and for every small number.

use llext_link::addr::{Extent, Window, Word, align_up};
use llext_link::arch::Check;
use llext_link::elf::{Elf32Be, Elf32Le, Elf64Be, Elf64Le, Format, read_word, write_word};

/// Where something may change: around every power of two, and small numbers.
fn edges() -> Vec<u64> {
    let around = |power: u32| [(1u64 << power).wrapping_sub(1), 1 << power, (1 << power) + 1];
    let mut edges: Vec<u64> = [0, 3, 5, 7, 12, 31, 33, 47, 63].into_iter().flat_map(around).collect();
    edges.extend([16, 32].map(|power| 1u64 << power).into_iter().flat_map(|edge| edge - 2..=edge + 1));
    edges.extend([u64::MAX - 1, u64::MAX]);
    edges.sort_unstable();
    edges.dedup();
    edges
}

/// Every choice of three from `numbers`.
fn triples(numbers: &[u64]) -> impl Iterator<Item = [u64; 3]> {
    let pairs = numbers.iter().flat_map(|a| numbers.iter().map(|b| [*a, *b]));
    pairs.flat_map(|[a, b]| numbers.iter().map(move |c| [a, b, *c]))
}

/// Edges, and every number below 24.
fn all_triples() -> Vec<[u64; 3]> {
    triples(&edges()).chain(triples(&(0..24).collect::<Vec<_>>())).collect()
}

#[test]
fn an_extent_is_what_lies_inside_and_can_be_written_down() {
    let bytes: Vec<u8> = (0..24).collect();
    for [offset, size, limit] in all_triples() {
        let end = u128::from(offset) + u128::from(size);
        let fits = end <= limit.into() && offset <= u32::MAX.into() && size <= u32::MAX.into();
        let extent = Extent::within(offset, size, limit);
        assert_eq!(extent.is_some(), fits, "{offset:#x} {size:#x} {limit:#x}");
        let Some(extent) = extent else { continue };
        assert_eq!((u64::from(extent.offset), u64::from(extent.size)), (offset, size));
        assert_eq!(u128::from(extent.end()), end);
        let lent = extent.of(&bytes);
        assert_eq!(lent.is_some(), end <= bytes.len() as u128);
        if let Some(lent) = lent {
            assert_eq!(lent, &bytes[offset as usize..end as usize]);
        }
    }
}

#[test]
fn a_window_holds_what_lies_inside() {
    for [low, high, address] in all_triples() {
        let window = Window { low, high };
        assert_eq!(window.is_empty(), low >= high);
        for size in [0, 1, 2, 16, 1 << 31, u64::MAX - 1, u64::MAX] {
            let end = u128::from(address) + u128::from(size);
            let inside = address >= low && end <= high.into();
            assert_eq!(window.holds(address, size), inside, "{window:?} {address:#x} {size:#x}");
        }
    }
}

#[test]
fn windows_meet_where_both_allow() {
    let numbers = edges();
    for [low, high, other] in triples(&numbers) {
        for end in &numbers {
            let [a, b] = [Window { low, high }, Window { low: other, high: *end }];
            let both = a.intersection(&b);
            let wanted = (low.max(other), high.min(*end));
            assert_eq!(both.is_empty(), wanted.0 >= wanted.1, "{a:?} {b:?}");
            if !both.is_empty() {
                assert_eq!((both.low, both.high), wanted, "{a:?} {b:?}");
            }
        }
    }
}

#[test]
fn rounding_up_gives_the_next_multiple_or_nothing() {
    for value in edges().into_iter().chain(0..1 << 10) {
        for align in (0..64).map(|power| 1u64 << power) {
            let wanted = u128::from(value).next_multiple_of(align.into());
            assert_eq!(align_up(value, align), u64::try_from(wanted).ok(), "{value:#x} {align:#x}");
        }
    }
}

#[test]
fn words_wrap_by_their_width() {
    fn check<W: Word>(a: u64, b: u64) {
        let bits = 8 * W::SIZE as u32;
        let low = |value: u128| (value & ((1 << bits) - 1)) as u64;
        let [x, y] = [a, b].map(W::of);
        assert_eq!(x.get(), low(a.into()));
        assert_eq!(x.plus(y).get(), low(u128::from(a) + u128::from(b)));
        assert_eq!(x.minus(y).get(), low(u128::from(a).wrapping_sub(b.into())));
        let sign = i128::from(x.get() >> (bits - 1)) << bits;
        assert_eq!(i128::from(x.signed()), i128::from(x.get()) - sign);
    }
    for [a, b, _] in triples(&edges()) {
        check::<u32>(a, b);
        check::<u64>(a, b);
    }
}

#[test]
fn words_lie_in_the_order_of_their_format() {
    fn check<F: Format>(value: u64) {
        let mut bytes = [0xa5; 12];
        write_word::<F>(&mut bytes[1..], F::Word::of(value));
        let size = F::Word::SIZE;
        let mut wanted = value.to_le_bytes()[..size].to_vec();
        if F::DATA == 2 {
            wanted.reverse();
        }
        assert_eq!(bytes[1..=size], wanted[..]);
        assert!(bytes[0] == 0xa5 && bytes[1 + size..].iter().all(|byte| *byte == 0xa5));
        assert_eq!(read_word::<F>(&bytes, 1), Some(F::Word::of(value)));
        assert_eq!(read_word::<F>(&bytes[..size], 1), None);
        assert_eq!(read_word::<F>(&bytes, usize::MAX), None);
    }
    for value in edges().into_iter().chain(0..1 << 16) {
        check::<Elf32Le>(value);
        check::<Elf32Be>(value);
        check::<Elf64Le>(value);
        check::<Elf64Be>(value);
    }
}

/// For every width that a row may have: at the ends of every range there can be, and over all of 18 bits.
#[test]
fn checks_hold_what_they_say() {
    let ends = (0..63).flat_map(|power| [-(1i128 << power), 1 << power]);
    let ends = ends.flat_map(|end| [-0x801, -0x800, -1, 0, 1, 0x7ff, 0x800].map(|by| end + by));
    let values: Vec<i64> =
        ends.filter_map(|value| i64::try_from(value).ok()).chain(-(1 << 17)..1 << 17).collect();
    for bits in 1..=48u8 {
        let power = |bits: u8| 1i128 << bits;
        let half = power(bits - 1);
        let ranges = [
            (Check::Signed(bits), -half..half),
            (Check::Unsigned(bits), 0..power(bits)),
            (Check::Either(bits), -half..power(bits)),
            (Check::Magnitude(bits), 1 - power(bits)..power(bits)),
            (Check::Upper(bits), -half - 0x800..half - 0x800),
            (Check::None, i128::MIN..i128::MAX),
        ];
        for (check, range) in ranges {
            let wrong =
                values.iter().find(|value| check.holds(**value) != range.contains(&i128::from(**value)));
            assert_eq!(wrong, None, "{check:?}");
        }
    }
}
