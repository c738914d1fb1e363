//! The symbols a host offers: tables made at compile time, sections collected at link time, and how names are found in them.
//!
//! An entry is two words, the address of a NUL-terminated name and an address, which is also what LLEXT and the C header
//! write. A name is hashed once (ELF's GNU hash) however many tables are asked for it, and every hit compares the whole name.

#[cfg(feature = "save")]
use crate::digest::Digest;
use core::ffi::{CStr, c_char};
use llext_link::elf::hash::gnu_hash;

mod entries;
mod group;
mod index;
#[cfg(all(feature = "std", target_os = "linux"))]
mod libc;
mod macros;
#[cfg(not(any(windows, target_vendor = "apple")))]
mod section;
#[cfg(feature = "slid")]
mod slid;
mod sorted;
mod table;

pub(crate) use entries::{ENTRY, check_entries};
pub use group::Group;
pub use index::{Index, IndexError, buckets_for, insert, lookup};
#[cfg(all(feature = "std", target_os = "linux"))]
pub use libc::Libc;
#[doc(hidden)]
pub use llext_macros::exports as __exports;
#[cfg(not(any(windows, target_vendor = "apple")))]
pub use section::section;
#[cfg(all(feature = "slid", not(any(windows, target_vendor = "apple"))))]
pub use section::slid_section;
#[cfg(feature = "slid")]
pub use slid::{SlidExport, SlidTable, slid};
#[cfg(feature = "slid")]
#[doc(hidden)]
pub use slid::{ascending_slids, slid_entries};
pub use sorted::SortedExports;
pub use table::{ExportTable, spread};
#[doc(hidden)]
pub use table::{ascending, entries, hashes};

/// One exported symbol: the address of its NUL-terminated name, and its own.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Export {
    name: *const u8,
    address: *const (),
}

// SAFETY: both are addresses of things that live as long as the entry; the name is never written, and what the other
// address is used for is for its users to vouch.
unsafe impl Send for Export {}
// SAFETY: as above.
unsafe impl Sync for Export {}

impl Export {
    /// The export of whatever lies at `address` under `name`.
    pub const fn new(name: &'static CStr, address: *const ()) -> Self {
        Self { name: name.as_ptr().cast(), address }
    }

    /// Its name, without the NUL.
    pub const fn name(&self) -> &CStr {
        // SAFETY: `name` is a NUL-terminated string that lives as long as the entry.
        unsafe { CStr::from_ptr(self.name.cast::<c_char>()) }
    }

    /// Its address. Of a Thumb function it is odd.
    pub fn address(&self) -> usize {
        self.address.addr()
    }

    /// The GNU hash of its name.
    pub(crate) const fn hash(&self) -> u32 {
        let mut hash = SEED;
        let mut at = self.name;
        // SAFETY: the walk stops at the NUL that ends the name.
        while let byte @ 1.. = unsafe { *at } {
            hash = mix(hash, byte);
            // SAFETY: as above.
            at = unsafe { at.add(1) };
        }
        hash
    }

    /// The first byte of its name: reading it brings the rest near.
    pub(crate) fn touch(&self) -> u8 {
        // SAFETY: a name has at least the NUL that ends it.
        unsafe { *self.name }
    }

    /// Whether it has exactly this name.
    pub(crate) fn is_named(&self, name: &[u8]) -> bool {
        // A processor with wide registers finds the end first and compares many bytes at once; a small one looks at each
        // byte once.
        if cfg!(feature = "std") { self.name().to_bytes() == name } else { self.is_spelt(name) }
    }

    fn is_spelt(&self, mut name: &[u8]) -> bool {
        let mut own = self.name;
        while let Some((four, rest)) = name.split_first_chunk() {
            // SAFETY: the name ends with NUL, and no byte before this was that.
            if unsafe { read_four(own) }.is_none_or(|own| own != *four) {
                return false;
            }
            // SAFETY: none of those four was the last.
            (own, name) = (unsafe { own.add(4) }, rest);
        }
        for byte in name {
            // SAFETY: as above.
            let found = unsafe { *own };
            if found != *byte || found == 0 {
                return false;
            }
            // SAFETY: that was not the last.
            own = unsafe { own.add(1) };
        }
        // SAFETY: as above.
        unsafe { *own == 0 }
    }
}

/// The four bytes of a name from `own` on, unless it ends before: compared as one, they need one branch.
///
/// # Safety
/// It must be a byte of a name, or the NUL that ends it.
#[inline(always)]
unsafe fn read_four(own: *const u8) -> Option<[u8; 4]> {
    let unless_nul = |byte: u8| (byte != 0).then_some(byte);
    // SAFETY: nothing is read behind a NUL.
    unsafe {
        let (first, second) = (unless_nul(*own)?, unless_nul(*own.add(1))?);
        Some([first, second, unless_nul(*own.add(2))?, unless_nul(*own.add(3))?])
    }
}

impl core::fmt::Debug for Export {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Export").field("name", &self.name()).field("address", &self.address).finish()
    }
}

/// A symbol's name with its GNU hash, so that the hash is computed once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SymbolName<'a> {
    /// The name, without a NUL.
    pub bytes: &'a [u8],
    /// Its GNU hash.
    pub hash: u32,
    /// Its [`slid()`], or 0: only a [`SlidTable`] looks at it, and at nothing else.
    #[cfg(feature = "slid")]
    pub slid: usize,
}

impl<'a> SymbolName<'a> {
    /// Hashes a name.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            hash: gnu_hash(bytes),
            #[cfg(feature = "slid")]
            slid: 0,
        }
    }

    /// A symbol of which only the SLID is known.
    #[cfg(feature = "slid")]
    pub const fn of_slid(slid: usize) -> Self {
        Self { slid, ..Self::new(b"") }
    }
}

const SEED: u32 = 5381;

/// One step of the GNU hash.
const fn mix(hash: u32, byte: u8) -> u32 {
    hash.wrapping_mul(33).wrapping_add(byte as u32)
}

pub use llext_link::symbol::BATCH;

/// Something that knows the addresses of symbols by name.
///
/// A slice or an array of them asks one after the other; the first answer counts.
pub trait Exports {
    /// The address of the symbol `name`, or `None` where it is not known.
    fn address(&self, name: &SymbolName<'_>) -> Option<usize>;

    /// Looks for each of `names` that has no address in `found` yet.
    ///
    /// A load asks for [`BATCH`] names at a time: a table in large memory can wait for all of them at once.
    fn addresses(&self, names: &[SymbolName<'_>], found: &mut [Option<usize>]) {
        one_by_one(self, names, found);
    }

    /// Whether it stands in for the shared object `soname`, which then need not be loaded.
    fn provides(&self, soname: &[u8]) -> bool {
        let _ = soname;
        false
    }

    /// The group of the symbol `name`, if it is known and in one: see [`Group`].
    fn group(&self, name: &SymbolName<'_>) -> Option<&'static str> {
        let _ = name;
        None
    }

    /// Whether it knows symbols by their SLIDs. Then an extension without them is refused if it needs anything that is
    /// not known by name either, and one with SLIDs is refused where nobody knows them.
    #[cfg(feature = "slid")]
    fn has_slids(&self) -> bool {
        false
    }

    /// A number that stands for all its names and addresses, so that what was linked against other ones is told:
    /// [`Loader::restore`](crate::Loader::restore). `None` where that cannot be told; then nothing is saved.
    #[cfg(feature = "save")]
    fn fingerprint(&self) -> Option<u64> {
        None
    }
}

/// Looks for each name that has no address yet, one after the other.
fn one_by_one(exports: &(impl Exports + ?Sized), names: &[SymbolName<'_>], found: &mut [Option<usize>]) {
    for (name, found) in names.iter().zip(found).filter(|(_, found)| found.is_none()) {
        *found = exports.address(name);
    }
}

/// The number that stands for names, by a number each, and addresses: for [`Exports::fingerprint`].
#[cfg(feature = "save")]
pub fn fingerprint(items: impl IntoIterator<Item = (u64, usize)>) -> u64 {
    let add = |digest: Digest, (name, address)| digest.word(name).word(address as u64);
    items.into_iter().fold(Digest::NEW, add).number()
}

/// The fingerprint of `entries`.
#[cfg(feature = "save")]
fn fingerprint_of(entries: &[Export]) -> u64 {
    fingerprint(entries.iter().map(|entry| (entry.hash().into(), entry.address())))
}

impl<E: Exports + ?Sized> Exports for &E {
    fn address(&self, name: &SymbolName<'_>) -> Option<usize> {
        (**self).address(name)
    }

    fn addresses(&self, names: &[SymbolName<'_>], found: &mut [Option<usize>]) {
        (**self).addresses(names, found);
    }

    fn provides(&self, soname: &[u8]) -> bool {
        (**self).provides(soname)
    }

    fn group(&self, name: &SymbolName<'_>) -> Option<&'static str> {
        (**self).group(name)
    }

    #[cfg(feature = "slid")]
    fn has_slids(&self) -> bool {
        (**self).has_slids()
    }

    #[cfg(feature = "save")]
    fn fingerprint(&self) -> Option<u64> {
        (**self).fingerprint()
    }
}

impl<E: Exports> Exports for [E] {
    fn address(&self, name: &SymbolName<'_>) -> Option<usize> {
        self.iter().find_map(|exports| exports.address(name))
    }

    fn addresses(&self, names: &[SymbolName<'_>], found: &mut [Option<usize>]) {
        self.iter().for_each(|exports| exports.addresses(names, found));
    }

    fn provides(&self, soname: &[u8]) -> bool {
        self.iter().any(|exports| exports.provides(soname))
    }

    fn group(&self, name: &SymbolName<'_>) -> Option<&'static str> {
        self.iter().find(|exports| exports.address(name).is_some())?.group(name)
    }

    #[cfg(feature = "slid")]
    fn has_slids(&self) -> bool {
        self.iter().any(Exports::has_slids)
    }

    #[cfg(feature = "save")]
    fn fingerprint(&self) -> Option<u64> {
        let add = |digest: Digest, exports: &E| Some(digest.word(exports.fingerprint()?));
        self.iter().try_fold(Digest::NEW, add).map(Digest::number)
    }
}

impl<E: Exports, const N: usize> Exports for [E; N] {
    fn address(&self, name: &SymbolName<'_>) -> Option<usize> {
        self.as_slice().address(name)
    }

    fn addresses(&self, names: &[SymbolName<'_>], found: &mut [Option<usize>]) {
        self.as_slice().addresses(names, found);
    }

    fn provides(&self, soname: &[u8]) -> bool {
        self.as_slice().provides(soname)
    }

    fn group(&self, name: &SymbolName<'_>) -> Option<&'static str> {
        self.as_slice().group(name)
    }

    #[cfg(feature = "slid")]
    fn has_slids(&self) -> bool {
        self.as_slice().has_slids()
    }

    #[cfg(feature = "save")]
    fn fingerprint(&self) -> Option<u64> {
        self.as_slice().fingerprint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct One(&'static [u8], usize);

    impl Exports for One {
        fn address(&self, name: &SymbolName<'_>) -> Option<usize> {
            (name.bytes == self.0).then_some(self.1)
        }

        fn provides(&self, soname: &[u8]) -> bool {
            soname == self.0
        }
    }

    #[test]
    fn the_hash_is_the_one_of_elf_s_gnu_hash_tables() {
        for (name, hash) in
            [("", 0x0000_1505), ("printf", 0x156b_2bb8), ("exit", 0x7c96_7e3f), ("syscall", 0xbac2_12a0)]
        {
            assert_eq!(SymbolName::new(name.as_bytes()).hash, hash, "{name}");
        }
        assert_eq!(Export::new(c"syscall", core::ptr::null()).hash(), 0xbac2_12a0);
    }

    #[test]
    fn a_name_is_compared_whole() {
        let export = Export::new(c"log", core::ptr::null());
        assert!(export.is_named(b"log"));
        for other in ["", "lo", "log2", "logarithm", "log\0", "log\0x"] {
            assert!(!export.is_named(other.as_bytes()) && !export.is_spelt(other.as_bytes()), "{other:?}");
        }
        assert!(Export::new(c"", core::ptr::null()).is_named(b""));
        assert!(Export::new(c"", core::ptr::null()).is_spelt(b""));
    }

    #[test]
    fn names_of_any_length_are_the_same_only_where_every_byte_is() {
        let text = c"z_impl_log_submit";
        let name = text.to_bytes();
        let export = Export::new(text, core::ptr::null());
        assert!(export.is_spelt(name) && !export.is_spelt(text.to_bytes_with_nul()));
        for len in 0..name.len() {
            assert!(!export.is_spelt(&name[..len]), "{len} bytes of it");
            let mut other = *b"z_impl_log_submit";
            for changed in [other[len] ^ 0x80, 0] {
                other[len] = changed;
                assert!(!export.is_spelt(&other), "byte {len} is {changed:#x}");
            }
        }
    }

    #[test]
    fn an_entry_is_two_words_name_first() {
        assert_eq!(size_of::<Export>(), 2 * size_of::<usize>());
        assert_eq!(core::mem::offset_of!(Export, name), 0);
    }

    #[test]
    fn of_a_chain_the_first_that_knows_a_name_answers() {
        let chain: [&dyn Exports; 3] = [&One(b"a", 1), &One(b"a", 2), &One(b"b", 3)];
        assert_eq!(chain.address(&SymbolName::new(b"a")), Some(1));
        assert_eq!(chain.address(&SymbolName::new(b"b")), Some(3));
        assert_eq!(chain.address(&SymbolName::new(b"c")), None);
        assert!(chain.provides(b"b") && !chain.provides(b"c"));
    }
}
