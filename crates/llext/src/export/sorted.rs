//! Exports sorted by name, as `cargo llext prepare` leaves them: found by halves, without any memory.

use super::{Export, Exports, SymbolName};

/// Exports in ascending order of their names.
///
/// ```
/// use llext::export::{Export, Exports, SortedExports, SymbolName};
///
/// static LEVEL: u8 = 0;
/// static SORTED: [Export; 2] =
///     [Export::new(c"LEVEL", (&raw const LEVEL).cast()), Export::new(c"led", (&raw const LEVEL).cast())];
///
/// let exports = SortedExports::new(&SORTED).unwrap();
/// assert!(exports.address(&SymbolName::new(b"led")).is_some());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SortedExports<'a> {
    entries: &'a [Export],
}

impl<'a> SortedExports<'a> {
    /// Looks at all of `entries` once; `None` unless they are sorted by the bytes of their names, no two alike.
    pub fn new(entries: &'a [Export]) -> Option<Self> {
        entries.is_sorted_by(|one, other| one.name() < other.name()).then_some(Self { entries })
    }

    /// The entry of `name`.
    pub fn find(&self, name: &SymbolName<'_>) -> Option<&'a Export> {
        let at = self.entries.binary_search_by(|entry| entry.name().to_bytes().cmp(name.bytes)).ok()?;
        self.entries.get(at)
    }
}

impl Exports for SortedExports<'_> {
    fn address(&self, name: &SymbolName<'_>) -> Option<usize> {
        self.find(name).map(Export::address)
    }

    #[cfg(feature = "save")]
    fn fingerprint(&self) -> Option<u64> {
        Some(super::fingerprint_of(self.entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ffi::CStr;

    const fn export(name: &'static CStr, number: usize) -> Export {
        Export::new(name, core::ptr::without_provenance(number))
    }

    /// GNU ld sorts section names in another order than `strcmp`: `log2` before `log`.
    #[test]
    fn only_the_order_of_bytes_will_do() {
        for entries in [[export(c"log2", 1), export(c"log", 2)], [export(c"log", 1), export(c"log", 2)]] {
            assert!(SortedExports::new(&entries).is_none(), "{entries:?}");
        }
        assert!(SortedExports::new(&[]).is_some());
    }

    #[test]
    fn every_name_is_found_and_no_other() {
        let entries =
            [export(c"", 1), export(c"B", 2), export(c"a", 3), export(c"log", 4), export(c"log2", 5)];
        let sorted = SortedExports::new(&entries).unwrap();
        for (name, found) in [("", 1), ("B", 2), ("a", 3), ("log", 4), ("log2", 5)] {
            assert_eq!(sorted.address(&SymbolName::new(name.as_bytes())), Some(found), "{name}");
        }
        for other in ["A", "b", "lo", "log1", "log22", "z"] {
            assert_eq!(sorted.address(&SymbolName::new(other.as_bytes())), None, "{other}");
        }
    }
}
