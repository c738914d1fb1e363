//! Linked bytes at their addresses.

/// What a linker made: runs of bytes, each at its address.
#[derive(Default)]
pub(super) struct Image {
    pieces: Vec<(u64, Vec<u8>)>,
}

impl Image {
    pub(super) fn add(&mut self, address: u64, bytes: Vec<u8>) {
        self.pieces.push((address, bytes));
    }

    /// The `len` bytes at `address`, if one run holds them all.
    pub(super) fn read(&self, address: u64, len: usize) -> Option<&[u8]> {
        self.pieces.iter().find_map(|(start, bytes)| {
            let at = usize::try_from(address.checked_sub(*start)?).ok()?;
            bytes.get(at..at.checked_add(len)?)
        })
    }

    /// The little-endian number of `len` bytes at `address`.
    pub(super) fn number(&self, address: u64, len: usize) -> Option<u64> {
        let bytes = self.read(address, len)?;
        Some(bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    /// The same, sign-extended.
    pub(super) fn signed(&self, address: u64, len: usize) -> Option<i64> {
        let unused = 64 - 8 * len as u32;
        Some((self.number(address, len)? << unused) as i64 >> unused)
    }
}
