//! Tables of exports without names: LLEXT's symbol link identifiers.
//!
//! An entry is two words, the beginning of the SHA-256 of a name, as much as fits a word, and an address. Names are then in no
//! flash at all: extensions carry the same numbers, put there by `cargo llext slid`.

use super::table::Item;
use super::{Exports, SymbolName};

/// The SLID of the symbol `name` on this processor: of 32 bits it is the upper half of that of 64.
///
/// ```
/// assert_eq!(llext::export::slid(b"printk") >> (usize::BITS - 32), 0x87B31052);
/// ```
pub const fn slid(name: &[u8]) -> usize {
    of_word(llext_link::symbol::slid(name))
}

const fn of_word(slid: u64) -> usize {
    (slid >> (u64::BITS - usize::BITS)) as usize
}

/// One exported symbol: its SLID, and its address.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SlidExport {
    slid: usize,
    address: *const (),
}

// SAFETY: a number, and the address of what lives as long as the entry; what it is used for is for its users to vouch.
unsafe impl Send for SlidExport {}
// SAFETY: as above.
unsafe impl Sync for SlidExport {}

impl SlidExport {
    /// The export of whatever lies at `address`; `slid` is that of 64 bits ([`llext_link::symbol::slid`]).
    pub const fn new(slid: u64, address: *const ()) -> Self {
        Self { slid: of_word(slid), address }
    }

    /// The SLID of its name.
    pub const fn slid(&self) -> usize {
        self.slid
    }

    /// Its address. Of a Thumb function it is odd.
    pub fn address(&self) -> usize {
        self.address.addr()
    }
}

/// Exports sorted by SLID, no two alike. [`exports!`](crate::exports) makes it.
///
/// Extensions that name symbols by their names are refused: [`Error::WithoutSlid`](crate::Error::WithoutSlid).
///
/// ```
/// use llext::export::{Exports, SlidTable, SymbolName, slid};
///
/// extern "C" fn led_set(n: u8, on: bool) {}
///
/// llext::exports! {
///     static HOST: SlidTable;
///     fn led_set(n: u8, on: bool);
/// }
///
/// let led_set = HOST.find(slid(b"led_set")).map(|export| export.address());
/// assert_eq!(HOST.address(&SymbolName::of_slid(slid(b"led_set"))), led_set);
/// assert_eq!(HOST.address(&SymbolName::new(b"led_set")), None);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SlidTable {
    entries: &'static [SlidExport],
}

impl SlidTable {
    /// A table made by other means: the SLIDs of `entries` ascend. Where they do not, symbols are not found.
    pub const fn new(entries: &'static [SlidExport]) -> Self {
        Self { entries }
    }

    /// The table, if its SLIDs ascend from 1: where the names have not been replaced yet, one lies at 0.
    pub(super) fn prepared(entries: &'static [SlidExport]) -> Option<Self> {
        let ascend = entries.is_sorted_by(|one, other| one.slid < other.slid);
        (ascend && entries.first().is_none_or(|first| first.slid != 0)).then_some(Self { entries })
    }

    /// The entries, in ascending order of their SLIDs.
    pub const fn entries(&self) -> &'static [SlidExport] {
        self.entries
    }

    /// The entry of the symbol with this SLID.
    pub fn find(&self, slid: usize) -> Option<&'static SlidExport> {
        let at = self.entries.binary_search_by_key(&slid, SlidExport::slid).ok()?;
        self.entries.get(at)
    }
}

impl Exports for SlidTable {
    fn address(&self, name: &SymbolName<'_>) -> Option<usize> {
        self.find(name.slid).filter(|_| name.slid != 0).map(SlidExport::address)
    }

    fn has_slids(&self) -> bool {
        true
    }

    #[cfg(feature = "save")]
    fn fingerprint(&self) -> Option<u64> {
        Some(super::fingerprint(self.entries.iter().map(|entry| (entry.slid as u64, entry.address()))))
    }
}

/// For `exports!`: the same entries.
///
/// # Panics
/// Unless their SLIDs ascend, as a compile error: two names have one SLID of this processor's size.
#[doc(hidden)]
pub const fn ascending_slids<const N: usize>(entries: [SlidExport; N]) -> [SlidExport; N] {
    let mut at = 1;
    while at < N {
        assert!(entries[at - 1].slid < entries[at].slid, "exports!: two names are alike or have one SLID");
        at += 1;
    }
    entries
}

/// For `exports!`: the entries of an implemented interface, sorted.
#[doc(hidden)]
pub const fn slid_entries<const N: usize>(items: &'static [Item]) -> [SlidExport; N] {
    let mut entries = [SlidExport { slid: 0, address: core::ptr::null() }; N];
    let mut count = 0;
    while count < N {
        let entry = SlidExport { slid: slid(items[count].1.to_bytes()), address: items[count].2 };
        let mut at = count;
        while at > 0 && entries[at - 1].slid > entry.slid {
            entries[at] = entries[at - 1];
            at -= 1;
        }
        entries[at] = entry;
        count += 1;
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn entry(slid: usize, number: usize) -> SlidExport {
        SlidExport { slid, address: core::ptr::without_provenance(number) }
    }

    #[test]
    fn every_slid_of_a_table_is_found_and_no_other() {
        static ENTRIES: [SlidExport; 4] =
            [entry(1, 10), entry(5, 20), entry(0x8000_0000, 30), entry(usize::MAX, 40)];
        let table = SlidTable::new(&ENTRIES);
        for (slid, found) in [(1, 10), (5, 20), (0x8000_0000, 30), (usize::MAX, 40)] {
            assert_eq!(table.find(slid).map(SlidExport::address), Some(found));
        }
        for other in [0, 2, 4, 6, 0x7fff_ffff, usize::MAX - 1] {
            assert!(table.find(other).is_none(), "{other:#x}");
        }
        assert!(SlidTable::new(&[]).find(1).is_none());
    }

    /// A symbol without a SLID carries 0: that must never be taken for one.
    #[test]
    fn zero_is_no_slid() {
        static ENTRIES: [SlidExport; 1] = [entry(0, 10)];
        assert_eq!(SlidTable::new(&ENTRIES).address(&SymbolName::new(b"a")), None);
    }

    #[test]
    fn a_table_that_was_not_prepared_is_none() {
        static TABLES: [[SlidExport; 2]; 4] = [
            [entry(3, 10), entry(7, 20)],
            [entry(0, 10), entry(7, 20)],
            [entry(7, 10), entry(0, 20)],
            [entry(7, 10), entry(7, 20)],
        ];
        assert_eq!(
            [0, 1, 2, 3].map(|at| SlidTable::prepared(&TABLES[at]).is_some()),
            [true, false, false, false]
        );
        assert!(SlidTable::prepared(&[]).is_some());
    }

    #[test]
    #[should_panic(expected = "exports!: two names are alike or have one SLID")]
    fn two_equal_slids_are_refused() {
        ascending_slids([entry(1, 1), entry(2, 2), entry(2, 3)]);
    }

    #[test]
    fn an_entry_is_two_words_slid_first() {
        assert_eq!(size_of::<SlidExport>(), 2 * size_of::<usize>());
        assert_eq!(core::mem::offset_of!(SlidExport, slid), 0);
    }
}
