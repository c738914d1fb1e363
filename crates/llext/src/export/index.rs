//! A hash index over unsorted exports, in memory the caller lends.
//!
//! A bucket is empty (0), or its low bits hold the number of an entry plus one and its high bits are those of the hash of that
//! entry's name, so that another name is mostly refused without a look at any entry. Buckets are probed one after the other
//! from where the hash, multiplied and scaled, points.

use core::fmt;

use super::{Export, Exports, SymbolName};

/// How far from its place an entry may lie. At two buckets an export, a million names that were not made to collide stay
/// below a third of it; names that were are refused, so that building and looking up stay bounded.
const REACH: usize = 256;

/// The buckets an index of `count` exports needs: two each.
pub const fn buckets_for(count: usize) -> usize {
    2 * count
}

/// Why there is no index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IndexError {
    /// Fewer buckets were lent than [`buckets_for`] says.
    TooFewBuckets {
        /// Buckets that are needed.
        needed: usize,
        /// Buckets that were lent.
        lent: usize,
    },
    /// Too many names hash to one place, as only names made for it do.
    Crowded {
        /// The number of the entry that found no place.
        entry: usize,
    },
}

impl fmt::Display for IndexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFewBuckets { needed, lent } => {
                write!(f, "index: too few buckets (expected {needed}, found {lent})")
            }
            Self::Crowded { entry } => {
                write!(f, "index: no place for export {entry} within {REACH} buckets of its hash")
            }
        }
    }
}

impl core::error::Error for IndexError {}

/// Unsorted exports, such as those of [`section`](super::section), with an index of their names.
#[derive(Clone, Copy, Debug)]
pub struct Index<'a> {
    entries: &'a [Export],
    buckets: &'a [u32],
    duplicates: usize,
}

impl<'a> Index<'a> {
    /// Indexes `entries`. Of entries with one name, the first counts.
    ///
    /// # Errors
    /// [`IndexError::TooFewBuckets`] unless there are [`buckets_for`] the entries; [`IndexError::Crowded`] for names made to
    /// collide.
    pub fn build(entries: &'a [Export], buckets: &'a mut [u32]) -> Result<Self, IndexError> {
        let needed = buckets_for(entries.len());
        let lent = buckets.len();
        let buckets = buckets.get_mut(..needed).ok_or(IndexError::TooFewBuckets { needed, lent })?;
        buckets.fill(0);
        let mut duplicates = 0;
        for number in 0..entries.len() {
            duplicates += usize::from(!insert(entries, buckets, number)?);
        }
        Ok(Self { entries, buckets, duplicates })
    }

    /// How many entries have the name of an earlier one, and so are never found.
    pub const fn duplicates(&self) -> usize {
        self.duplicates
    }

    /// The entries, in the order they were given.
    pub const fn entries(&self) -> &'a [Export] {
        self.entries
    }

    /// The entry of `name`.
    pub fn find(&self, name: &SymbolName<'_>) -> Option<&'a Export> {
        self.entries.get(lookup(self.entries, self.buckets, name)?)
    }
}

impl Exports for Index<'_> {
    fn address(&self, name: &SymbolName<'_>) -> Option<usize> {
        self.find(name).map(Export::address)
    }

    #[cfg(feature = "save")]
    fn fingerprint(&self) -> Option<u64> {
        Some(super::fingerprint_of(self.entries))
    }
}

/// Enters export `number` of `entries`: for an index built in slices of work, or kept apart from its entries.
///
/// `buckets` are [`buckets_for`] the entries, all zero before the first is entered. The answer is whether the export was
/// entered: not if an earlier one has its name.
///
/// # Errors
/// [`IndexError::Crowded`] if it found no place.
pub fn insert(entries: &[Export], buckets: &mut [u32], number: usize) -> Result<bool, IndexError> {
    let Some(entry) = entries.get(number) else { return Ok(false) };
    let hash = entry.hash();
    let mask = number_mask(entries.len());
    let len = buckets.len();
    let mut place = home(hash, len);
    for _ in 0..REACH {
        let Some(bucket) = buckets.get_mut(place) else { break };
        if *bucket == 0 {
            *bucket = hash & !mask | (number as u32 + 1) & mask;
            return Ok(true);
        }
        let other = candidate(*bucket, hash, mask).and_then(|number| entries.get(number));
        if other.is_some_and(|other| other.is_named(entry.name().to_bytes())) {
            return Ok(false);
        }
        place = after(place, len);
    }
    Err(IndexError::Crowded { entry: number })
}

/// The number of the export `name` in an index that [`insert`] filled.
pub fn lookup(entries: &[Export], buckets: &[u32], name: &SymbolName<'_>) -> Option<usize> {
    let mask = number_mask(entries.len());
    let mut place = home(name.hash, buckets.len());
    for _ in 0..REACH {
        let bucket = *buckets.get(place)?;
        if bucket == 0 {
            return None;
        }
        if let Some(number) = candidate(bucket, name.hash, mask) {
            if entries.get(number)?.is_named(name.bytes) {
                return Some(number);
            }
        }
        place = after(place, buckets.len());
    }
    None
}

/// The bits of a bucket that hold an entry's number plus one.
fn number_mask(entries: usize) -> u32 {
    u32::MAX >> (entries as u32 | 1).leading_zeros()
}

/// The entry a bucket stands for, if the part of the hash that it holds is that of `hash`.
fn candidate(bucket: u32, hash: u32, mask: u32) -> Option<usize> {
    ((bucket ^ hash) & !mask == 0).then_some((bucket & mask).wrapping_sub(1) as usize)
}

/// The bucket in which an entry of this hash should lie.
fn home(hash: u32, buckets: usize) -> usize {
    ((u64::from(hash.wrapping_mul(0x9e37_79b1)) * buckets as u64) >> 32) as usize
}

/// The bucket to look at after this one.
fn after(place: usize, buckets: usize) -> usize {
    if place + 1 < buckets { place + 1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ffi::CStr;

    extern crate std;
    use std::{boxed::Box, ffi::CString, format, vec, vec::Vec};

    fn export(name: &str, number: usize) -> Export {
        let name: &'static CStr = Box::leak(CString::new(name).unwrap().into_boxed_c_str());
        Export::new(name, core::ptr::without_provenance(number))
    }

    #[test]
    fn every_name_is_found_and_no_other() {
        for count in [0, 1, 2, 3, 7, 8, 100, 5_000] {
            let entries: Vec<Export> = (0..count).map(|n| export(&format!("function_{n}"), n)).collect();
            let mut buckets = vec![7; buckets_for(count)];
            let index = Index::build(&entries, &mut buckets).unwrap();
            assert_eq!(index.duplicates(), 0);
            for n in 0..count {
                assert_eq!(index.address(&SymbolName::new(format!("function_{n}").as_bytes())), Some(n));
            }
            for other in ["", "function_", "function_00", "function_5000"] {
                assert_eq!(index.address(&SymbolName::new(other.as_bytes())), None);
            }
        }
    }

    #[test]
    fn of_entries_with_one_name_the_first_counts_and_the_others_are_counted() {
        let entries = [export("a", 1), export("b", 2), export("a", 3), export("a", 4)];
        let mut buckets = [0; 8];
        let index = Index::build(&entries, &mut buckets).unwrap();
        assert_eq!(index.address(&SymbolName::new(b"a")), Some(1));
        assert_eq!(index.duplicates(), 2);
    }

    #[test]
    fn names_of_one_hash_are_told_apart() {
        let entries = [export("ab", 1), export("bA", 2)];
        assert_eq!(entries[0].hash(), entries[1].hash());
        let mut buckets = [0; 4];
        let index = Index::build(&entries, &mut buckets).unwrap();
        assert_eq!(index.address(&SymbolName::new(b"ab")), Some(1));
        assert_eq!(index.address(&SymbolName::new(b"bA")), Some(2));
    }

    #[test]
    fn too_few_buckets_are_refused() {
        let entries = [export("a", 1), export("b", 2)];
        let error = Index::build(&entries, &mut [0; 3]).unwrap_err();
        assert_eq!(error, IndexError::TooFewBuckets { needed: 4, lent: 3 });
        assert_eq!(format!("{error}"), "index: too few buckets (expected 4, found 3)");
    }

    /// Any row of `ab` and `bA` has the hash of every other row of that length.
    #[test]
    fn names_made_to_collide_are_refused_in_bounded_time() {
        let flood = |n: usize| {
            (0..12).map(|bit| if n >> bit & 1 == 0 { "ab" } else { "bA" }).collect::<std::string::String>()
        };
        let entries: Vec<Export> = (0..4_096).map(|n| export(&flood(n), n)).collect();
        let error = Index::build(&entries, &mut vec![0; buckets_for(4_096)]).unwrap_err();
        assert_eq!(error, IndexError::Crowded { entry: REACH });
    }

    #[test]
    fn a_lookup_ends_whatever_the_buckets_hold() {
        let entries = [export("a", 1), export("b", 2)];
        for junk in [1, 3, u32::MAX, 0x8000_0001] {
            let found = lookup(&entries, &[junk; 4], &SymbolName::new(b"c"));
            assert_eq!(found, None);
        }
    }
}
