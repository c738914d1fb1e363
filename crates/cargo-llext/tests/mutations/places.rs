//! Where in an ELF file damage matters: headers, tables and their fields.

use std::ops::Range;

/// A part of a file that is an array of records, or one of plain bytes when `record` is 0.
#[derive(Clone)]
pub(crate) struct Region {
    pub(crate) range: Range<usize>,
    pub(crate) record: usize,
    /// The offset and the width of each field of a record.
    pub(crate) fields: &'static [(usize, usize)],
    /// How often it is hit, compared with others.
    weight: usize,
}

/// Every region of one file.
pub(crate) struct Places(Vec<Region>);

type Fields = &'static [(usize, usize)];

const HEADER: Fields = &[
    (4, 1),
    (5, 1),
    (6, 1),
    (7, 1),
    (16, 2),
    (18, 2),
    (20, 4),
    (24, 8),
    (32, 8),
    (40, 8),
    (48, 4),
    (52, 2),
    (54, 2),
    (56, 2),
    (58, 2),
    (60, 2),
    (62, 2),
];
const SECTION: Fields =
    &[(0, 4), (4, 4), (8, 8), (16, 8), (24, 8), (32, 8), (40, 4), (44, 4), (48, 8), (56, 8)];
const SEGMENT: Fields = &[(0, 4), (4, 4), (8, 8), (16, 8), (24, 8), (32, 8), (40, 8), (48, 8)];
const SYMBOL: Fields = &[(0, 4), (4, 1), (5, 1), (6, 2), (8, 8), (16, 8)];
const RELOCATION: Fields = &[(0, 8), (8, 4), (12, 4), (16, 8)];
const DYNAMIC: Fields = &[(0, 8), (8, 8)];
const WORD: Fields = &[(0, 8)];
const HALF_WORD: Fields = &[(0, 4)];

impl Places {
    /// The regions of an intact file.
    pub(crate) fn of(file: &[u8]) -> Self {
        let (section_table, segment_table) = (word(file, 40, 8), word(file, 32, 8));
        let count = match word(file, 60, 2) {
            0 if section_table > 0 => word(file, section_table + 32, 8),
            count => count,
        };
        let mut regions = Vec::new();
        let mut add = |start: usize, size: usize, record: usize, fields, weight| {
            let range = start..start.saturating_add(size).min(file.len());
            if range.len() >= record.max(1) {
                regions.push(Region { range, record, fields, weight });
            }
        };
        add(0, 64, 64, HEADER, 4);
        add(section_table, count * 64, 64, SECTION, 12);
        add(segment_table, word(file, 56, 2) * 56, 56, SEGMENT, 8);
        for index in 0..count {
            let header = section_table + index * 64;
            let (offset, size) = (word(file, header + 24, 8), word(file, header + 32, 8));
            match word(file, header + 4, 4) {
                2 | 11 => add(offset, size, 24, SYMBOL, 8),
                4 => add(offset, size, 24, RELOCATION, 6),
                6 => add(offset, size, 16, DYNAMIC, 12),
                3 | 7 => add(offset, size, 0, &[], 2),
                5 | 17 | 18 | 0x6fff_fff6 => add(offset, size, 4, HALF_WORD, 2),
                14..=16 | 19 => add(offset, size, 8, WORD, 2),
                0 | 8 => {}
                _ => add(offset, size, 8, WORD, 1),
            }
        }
        Self(keep_some(regions))
    }

    /// The region that a number below [`Places::weight`] stands for.
    pub(crate) fn at(&self, mut number: usize) -> &Region {
        for region in &self.0 {
            match number.checked_sub(region.weight) {
                Some(rest) => number = rest,
                None => return region,
            }
        }
        &self.0[0]
    }

    pub(crate) fn weight(&self) -> usize {
        self.0.iter().map(|region| region.weight).sum()
    }

    /// The section headers, if there are any.
    pub(crate) fn sections(&self) -> Option<&Region> {
        self.0.iter().find(|region| region.fields == SECTION)
    }
}

/// A file of thousands of sections must not be hit in their contents alone.
fn keep_some(mut regions: Vec<Region>) -> Vec<Region> {
    let step = regions.len().div_ceil(200);
    let mut index = 0;
    regions.retain(|region| {
        index += 1;
        region.weight >= 4 && region.weight != 6 || index % step == 0
    });
    regions
}

/// The number at `offset`, or 0 past the end.
fn word(file: &[u8], offset: usize, width: usize) -> usize {
    let mut bytes = [0; 8];
    if let Some(found) = file.get(offset..).and_then(|rest| rest.get(..width)) {
        bytes[..width].copy_from_slice(found);
    }
    u64::from_le_bytes(bytes) as usize
}
