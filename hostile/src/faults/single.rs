//! Every single fault of a file: each field of its metadata with each boundary value, each bit of its metadata flipped,
//! each shorter length.

use super::corpus::Sample;
use super::mutation::{boundaries, write};

/// How many values a field is given.
const VALUES: usize = 16;

/// What can go wrong in one file, numbered.
pub(crate) struct Singles {
    /// The offset and the width of every field.
    fields: Vec<(usize, usize)>,
    /// The offset of every byte of metadata.
    bytes: Vec<usize>,
    size: usize,
}

impl Singles {
    pub(crate) fn of(sample: &Sample) -> Self {
        let (mut fields, mut bytes) = (Vec::new(), Vec::new());
        for region in sample.places.metadata() {
            bytes.extend(region.range.clone());
            for record in region.range.clone().step_by(region.record.max(4)) {
                match region.fields {
                    [] => fields.push((record, 4)),
                    all => fields.extend(all.iter().map(|(offset, width)| (record + offset, *width))),
                }
            }
        }
        bytes.sort_unstable();
        bytes.dedup();
        Self { fields, bytes, size: sample.bytes.len() }
    }

    pub(crate) fn count(&self) -> usize {
        self.fields.len() * VALUES + self.bytes.len() * 8 + self.size
    }

    /// Does the fault of this number to a copy of the file, and says which it is.
    pub(crate) fn apply(&self, number: usize, file: &mut Vec<u8>) -> &'static str {
        let Some(rest) = number.checked_sub(self.fields.len() * VALUES) else {
            let (at, width) = self.fields[number / VALUES];
            let value = boundaries(file.len())[number % VALUES];
            write(file, at, width, value);
            return "a field with a boundary value";
        };
        match rest.checked_sub(self.bytes.len() * 8) {
            None => {
                file[self.bytes[rest / 8]] ^= 1 << (rest % 8);
                "a bit flipped"
            }
            Some(len) => {
                file.truncate(len);
                "cut"
            }
        }
    }
}
