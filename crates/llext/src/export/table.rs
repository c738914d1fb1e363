//! A table of exports sorted by hash at compile time, which `exports!` makes.
//!
//! The hashes lie apart from the entries, so that a search touches nothing else until it has found. GNU hashes of real
//! names cluster; multiplied by an odd number they spread, and then a hash tells roughly where in the table it must lie.

use core::ffi::CStr;

use super::{BATCH, Export, Exports, SymbolName};

/// A GNU hash, spread over all 32 bits: what an [`ExportTable`] is sorted by. No two hashes become one.
pub const fn spread(hash: u32) -> u32 {
    hash.wrapping_mul(0x9e37_79b1)
}

/// Exports sorted by the [`spread`] hashes of their names, no two alike. [`exports!`](crate::exports) makes it.
#[derive(Clone, Copy, Debug)]
pub struct ExportTable {
    hashes: &'static [u32],
    entries: &'static [Export],
}

impl ExportTable {
    /// A table made by other means, such as a build script: `hashes` ascend and are those of the names of `entries`, each [`spread`].
    ///
    /// Where they are not, names are not found.
    pub const fn new(hashes: &'static [u32], entries: &'static [Export]) -> Self {
        Self { hashes, entries }
    }

    /// The entries, in ascending order of their names' hashes.
    pub const fn entries(&self) -> &'static [Export] {
        self.entries
    }

    /// The entry of `name`.
    pub fn find(&self, name: &SymbolName<'_>) -> Option<&'static Export> {
        let entry = self.entries.get(position(self.hashes, spread(name.hash))?)?;
        entry.is_named(name.bytes).then_some(entry)
    }
}

impl Exports for ExportTable {
    fn address(&self, name: &SymbolName<'_>) -> Option<usize> {
        self.find(name).map(Export::address)
    }

    /// In three rounds, so that what the first one of a batch waits for, the others wait for too: the place of each hash,
    /// the entry there, the name there. Not where a batch is one name.
    fn addresses(&self, names: &[SymbolName<'_>], found: &mut [Option<usize>]) {
        if BATCH == 1 {
            return super::one_by_one(self, names, found);
        }
        let mut entries = [None; BATCH];
        for (names, found) in names.chunks(BATCH).zip(found.chunks_mut(BATCH)) {
            for (entry, name) in entries.iter_mut().zip(names) {
                *entry = position(self.hashes, spread(name.hash)).and_then(|at| self.entries.get(at));
            }
            let near = entries.iter().flatten().fold(0, |all, entry| all ^ entry.touch());
            core::hint::black_box(near);
            let asked = names.iter().zip(&entries).zip(found).filter(|(_, found)| found.is_none());
            for ((name, entry), found) in asked {
                *found = entry.filter(|entry| entry.is_named(name.bytes)).map(Export::address);
            }
            entries = [None; BATCH];
        }
    }

    #[cfg(feature = "save")]
    fn fingerprint(&self) -> Option<u64> {
        let names = self.hashes.iter().map(|hash| u64::from(*hash));
        Some(super::fingerprint(names.zip(self.entries.iter().map(Export::address))))
    }
}

/// Hashes looked at one after the other before the search stops trusting that they spread evenly.
const STEPS: usize = 16;

/// Where `hash` is among ascending `hashes`: guessed, guessed again from there, then looked for step by step, then by halves.
fn position(hashes: &[u32], hash: u32) -> Option<usize> {
    let last = hashes.len().checked_sub(1)?;
    let guess = places(hash, hashes.len());
    let there = *hashes.get(guess)?;
    let way = places(hash.abs_diff(there), hashes.len());
    let mut at = if there < hash { last.min(guess + way) } else { guess.saturating_sub(way) };

    let up = *hashes.get(at)? < hash;
    for _ in 0..STEPS {
        let here = *hashes.get(at)?;
        if here == hash {
            return Some(at);
        }
        if (here < hash) != up {
            return None; // between two neighbours
        }
        at = at.wrapping_add(if up { 1 } else { usize::MAX });
    }
    hashes.binary_search(&hash).ok()
}

/// How many places apart two hashes of a table of `len` lie that differ by `distance`.
fn places(distance: u32, len: usize) -> usize {
    ((u64::from(distance) * len as u64) >> 32) as usize
}

/// An export of an implemented interface: the hash of its name, the name and the address.
pub(super) type Item = (u32, &'static CStr, *const ());

/// For `exports!`: the same hashes.
///
/// # Panics
/// Unless they ascend, as a compile error: of two equal ones under a `#[cfg]` each, both may have been left in.
#[doc(hidden)]
pub const fn ascending<const N: usize>(hashes: [u32; N]) -> [u32; N] {
    let mut at = 1;
    while at < N {
        assert!(hashes[at - 1] < hashes[at], "exports!: two names are alike or have one GNU hash");
        at += 1;
    }
    hashes
}

/// For `exports!`: the hashes of an implemented interface.
#[doc(hidden)]
pub const fn hashes<const N: usize>(items: &'static [Item]) -> [u32; N] {
    let mut hashes = [0; N];
    let mut at = 0;
    while at < N {
        hashes[at] = items[at].0;
        at += 1;
    }
    hashes
}

/// For `exports!`: the entries of an implemented interface.
#[doc(hidden)]
pub const fn entries<const N: usize>(items: &'static [Item]) -> [Export; N] {
    let mut entries = [Export::new(c"", core::ptr::null()); N];
    let mut at = 0;
    while at < N {
        entries[at] = Export::new(items[at].1, items[at].2);
        at += 1;
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    extern crate std;
    use std::vec::Vec;

    /// Hashes as evenly spread as those of a firmware's names, from a linear congruential generator.
    fn some_hashes(count: u32) -> Vec<u32> {
        let mut hashes: Vec<u32> = (0..count).map(|n| n.wrapping_mul(0x9e37_79b1) ^ (n << 7)).collect();
        hashes.sort_unstable();
        hashes.dedup();
        hashes
    }

    fn finds_exactly(hashes: &[u32]) {
        for (at, &hash) in hashes.iter().enumerate() {
            assert_eq!(position(hashes, hash), Some(at));
            for other in [hash.wrapping_sub(1), hash.wrapping_add(1)] {
                assert_eq!(position(hashes, other), hashes.binary_search(&other).ok());
            }
        }
    }

    #[test]
    fn every_hash_of_a_table_is_found_and_no_other() {
        for count in [1, 2, 3, 10, 100, 2_500] {
            finds_exactly(&some_hashes(count));
        }
    }

    #[test]
    fn hashes_that_do_not_spread_are_found_as_well() {
        finds_exactly(&(0..1_000).collect::<Vec<u32>>());
        finds_exactly(&(u32::MAX - 1_000..=u32::MAX).collect::<Vec<u32>>());
        finds_exactly(&[0, 1, 2, 3, u32::MAX]);
        finds_exactly(&(0..32).map(|bit| 1 << bit).collect::<Vec<u32>>());
    }

    #[test]
    #[should_panic(expected = "exports!: two names are alike or have one GNU hash")]
    fn two_equal_hashes_are_refused() {
        ascending([1, 2, 2]);
    }

    #[test]
    fn an_empty_table_knows_nothing() {
        assert_eq!(position(&[], 0), None);
        assert!(ExportTable::new(&[], &[]).find(&SymbolName::new(b"a")).is_none());
    }
}
