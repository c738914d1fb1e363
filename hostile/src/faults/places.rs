//! Where in an ELF file damage matters: headers, tables and their fields.

use std::ops::Range;

use crate::elf::{Class, Field, e, sh};

/// A part of a file that is an array of records, or one of plain bytes when `record` is 0.
#[derive(Clone)]
pub(crate) struct Region {
    pub(crate) range: Range<usize>,
    pub(crate) record: usize,
    /// The offset and the width of each field of a record.
    pub(crate) fields: &'static [(usize, usize)],
    /// How often it is hit, compared with others.
    weight: usize,
    is_metadata: bool,
}

/// Every region of one file.
pub(crate) struct Places(Vec<Region>);

type Fields = &'static [(usize, usize)];

/// The records of one word size: how long each is, and its fields.
struct Records {
    header: (usize, Fields),
    section: (usize, Fields),
    segment: (usize, Fields),
    symbol: (usize, Fields),
    rela: (usize, Fields),
    rel: (usize, Fields),
    dynamic: (usize, Fields),
    word: (usize, Fields),
}

static NARROW: Records = Records {
    header: (
        52,
        &[
            (4, 1),
            (5, 1),
            (6, 1),
            (7, 1),
            (16, 2),
            (18, 2),
            (20, 4),
            (24, 4),
            (28, 4),
            (32, 4),
            (36, 4),
            (40, 2),
            (42, 2),
            (44, 2),
            (46, 2),
            (48, 2),
            (50, 2),
        ],
    ),
    section: (40, &[(0, 4), (4, 4), (8, 4), (12, 4), (16, 4), (20, 4), (24, 4), (28, 4), (32, 4), (36, 4)]),
    segment: (32, &[(0, 4), (4, 4), (8, 4), (12, 4), (16, 4), (20, 4), (24, 4), (28, 4)]),
    symbol: (16, &[(0, 4), (4, 4), (8, 4), (12, 1), (13, 1), (14, 2)]),
    rela: (12, &[(0, 4), (4, 1), (5, 2), (8, 4)]),
    rel: (8, &[(0, 4), (4, 1), (5, 2)]),
    dynamic: (8, &[(0, 4), (4, 4)]),
    word: (4, HALF_WORD),
};

static WIDE: Records = Records {
    header: (
        64,
        &[
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
        ],
    ),
    section: (64, &[(0, 4), (4, 4), (8, 8), (16, 8), (24, 8), (32, 8), (40, 4), (44, 4), (48, 8), (56, 8)]),
    segment: (56, &[(0, 4), (4, 4), (8, 8), (16, 8), (24, 8), (32, 8), (40, 8), (48, 8)]),
    symbol: (24, &[(0, 4), (4, 1), (5, 1), (6, 2), (8, 8), (16, 8)]),
    rela: (24, &[(0, 8), (8, 4), (12, 4), (16, 8)]),
    rel: (16, &[(0, 8), (8, 4), (12, 4)]),
    dynamic: (16, &[(0, 8), (8, 8)]),
    word: (8, &[(0, 8)]),
};

const HALF_WORD: Fields = &[(0, 4)];

impl Places {
    /// The regions of an intact file.
    pub(crate) fn of(file: &[u8]) -> Self {
        let class = if word(file, 4, 1) == 1 { Class::Narrow } else { Class::Wide };
        let records = class.pick(&NARROW, &WIDE);
        let read = |field: Field, at: usize| field.try_read(class, file, at).unwrap_or(0) as usize;
        let (sections, segments) = (read(e::SHOFF, 0), read(e::PHOFF, 0));
        let count = match read(e::SHNUM, 0) {
            0 if sections > 0 => read(sh::SIZE, sections),
            count => count,
        };
        let mut regions = Vec::new();
        let mut add = |start: usize, size: usize, (record, fields): (usize, Fields), weight, is_metadata| {
            let range = start..start.saturating_add(size).min(file.len());
            if range.len() >= record.max(1) {
                regions.push(Region { range, record, fields, weight, is_metadata });
            }
        };
        let [header, section, segment] = [records.header, records.section, records.segment];
        add(0, header.0, header, 4, true);
        add(sections, count * section.0, section, 12, true);
        add(segments, read(e::PHNUM, 0) * segment.0, segment, 8, true);
        for index in 0..count {
            let at = sections + index * section.0;
            let (offset, size) = (read(sh::OFFSET, at), read(sh::SIZE, at));
            match read(sh::TYPE, at) {
                2 | 11 => add(offset, size, records.symbol, 8, true),
                4 => add(offset, size, records.rela, 6, true),
                9 => add(offset, size, records.rel, 6, true),
                6 => add(offset, size, records.dynamic, 12, true),
                3 | 7 => add(offset, size, (0, &[]), 2, true),
                5 | 17 | 18 | 0x6fff_fff6 => add(offset, size, (4, HALF_WORD), 2, true),
                14..=16 | 19 => add(offset, size, records.word, 2, true),
                0 | 8 => {}
                _ => add(offset, size, records.word, 1, false),
            }
        }
        Self(keep_some(regions))
    }

    /// The regions that say what the file is, rather than what it holds.
    pub(crate) fn metadata(&self) -> impl Iterator<Item = &Region> {
        self.0.iter().filter(|region| region.is_metadata)
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
        self.0.iter().find(|region| region.fields.len() == 10)
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
