//! The ways to damage a file.

use super::places::{Places, Region};
use super::random::Random;

/// Damages `file`, and says how.
pub(crate) fn apply(file: &mut Vec<u8>, places: &Places, random: &mut Random) -> &'static str {
    match random.below(16) {
        14 => {
            file.truncate(random.below(file.len()));
            "truncated"
        }
        15 => {
            for _ in 0..2 + random.below(3) {
                damage(file, places, random);
            }
            "several"
        }
        _ => damage(file, places, random),
    }
}

/// One change that leaves the size as it is.
fn damage(file: &mut [u8], places: &Places, random: &mut Random) -> &'static str {
    let region = places.at(random.below(places.weight())).clone();
    match random.below(14) {
        0 | 1 => flip_bit(file, &region, random),
        2 => set_byte(file, &region, random),
        3..=7 => write_boundary(file, &region, random),
        8 | 9 => nudge(file, &region, random),
        10 | 11 => copy_field(file, &region, random),
        12 => swap_records(file, places.sections().unwrap_or(&region), random),
        _ if random.below(4) == 0 => fill(file, &region, random),
        _ => scatter(file, &region, random),
    }
}

fn flip_bit(file: &mut [u8], region: &Region, random: &mut Random) -> &'static str {
    file[region.range.start + random.below(region.range.len())] ^= 1 << random.below(8);
    "bit flipped"
}

fn set_byte(file: &mut [u8], region: &Region, random: &mut Random) -> &'static str {
    file[region.range.start + random.below(region.range.len())] = random.next() as u8;
    "byte set"
}

fn write_boundary(file: &mut [u8], region: &Region, random: &mut Random) -> &'static str {
    let value = random.pick(&boundaries(file.len()));
    let (at, width) = field(region, random);
    write(file, at, width, value);
    "boundary value"
}

/// A number that is nearly right.
fn nudge(file: &mut [u8], region: &Region, random: &mut Random) -> &'static str {
    let (at, width) = field(region, random);
    let by = random.pick(&[1, 2, 4, 8, 16, 64, 4096]);
    let value = read(file, at, width);
    let value = if random.below(2) == 0 { value.wrapping_add(by) } else { value.wrapping_sub(by) };
    write(file, at, width, value);
    "number nudged"
}

/// A number that is right elsewhere in the same table.
fn copy_field(file: &mut [u8], region: &Region, random: &mut Random) -> &'static str {
    let ((from, width), (at, _)) = (field(region, random), field(region, random));
    let value = read(file, from, width);
    write(file, at, width, value);
    "number copied"
}

fn swap_records(file: &mut [u8], region: &Region, random: &mut Random) -> &'static str {
    let size = region.record.max(1);
    let count = region.range.len() / size;
    let (a, b) = (random.below(count), random.below(count));
    for index in 0..size {
        file.swap(region.range.start + a * size + index, region.range.start + b * size + index);
    }
    "records swapped"
}

fn scatter(file: &mut [u8], region: &Region, random: &mut Random) -> &'static str {
    let at = region.range.start + random.below(region.range.len());
    let end = (at + 2 + random.below(31)).min(file.len());
    file[at..end].iter_mut().for_each(|byte| *byte = random.next() as u8);
    "bytes set"
}

/// One value from some place to the end of a table: strings without an end, say.
fn fill(file: &mut [u8], region: &Region, random: &mut Random) -> &'static str {
    let at = region.range.start + random.below(region.range.len());
    file[at..region.range.end].fill(random.next() as u8);
    "table filled"
}

/// Where a field of some record lies, and its width.
fn field(region: &Region, random: &mut Random) -> (usize, usize) {
    if region.fields.is_empty() {
        let width = random.pick(&[2, 4, 8]);
        return (region.range.start + random.below(region.range.len()) / width * width, width);
    }
    let (offset, width) = random.pick(region.fields);
    let record = random.below(region.range.len() / region.record);
    (region.range.start + record * region.record + offset, width)
}

/// Numbers that limits are usually forgotten at.
pub(super) fn boundaries(size: usize) -> [u64; 16] {
    let size = size as u64;
    [
        0,
        1,
        7,
        0x7f,
        0xff,
        0x7fff,
        0xffff,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_fff8,
        0xffff_ffff,
        u64::MAX >> 1,
        1 << 63,
        u64::MAX,
        size,
        size.wrapping_sub(1),
    ]
}

fn read(file: &[u8], at: usize, width: usize) -> u64 {
    let bytes = file.iter().skip(at).take(width);
    bytes.enumerate().fold(0, |value, (index, byte)| value | u64::from(*byte) << (8 * index))
}

/// What lies past the end is not written.
pub(super) fn write(file: &mut [u8], at: usize, width: usize, value: u64) {
    file.iter_mut().skip(at).take(width).zip(value.to_le_bytes()).for_each(|(to, from)| *to = from);
}
