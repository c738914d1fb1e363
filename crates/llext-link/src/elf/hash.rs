//! The two hash tables of a shared object's symbols, read without trust.
//!
//! gABI chapter 5, "Hash Table"; GNU hash: <https://sourceware.org/pipermail/binutils/2006-October/049350.html>

use super::symbol::Symbols;
use super::{Format, LOADS_ALIGNED, Quad, records};
use crate::addr::{SymbolIndex, Word};

/// The GNU hash of a name: h = h * 33 + c, from 5381.
pub const fn gnu_hash(name: &[u8]) -> u32 {
    let (mut hash, mut rest) = (SEED, name);
    while let Some((four, tail)) = rest.split_first_chunk() {
        if LOADS_ALIGNED {
            break; // a word would be put together of bytes
        }
        (hash, rest) = (mix_four(hash, u32::from_le_bytes(*four)), tail);
    }
    while let [byte, tail @ ..] = rest {
        (hash, rest) = (mix(hash, *byte), tail);
    }
    hash
}

/// The GNU hash of no name.
const SEED: u32 = 5381;

/// One step of the GNU hash.
const fn mix(hash: u32, byte: u8) -> u32 {
    hash.wrapping_mul(33).wrapping_add(byte as u32)
}

/// Four steps of the GNU hash, the first byte lowest: each half of the word takes its two at once.
const fn mix_four(hash: u32, bytes: u32) -> u32 {
    let pairs = (bytes & 0x00ff_00ff) * 33 + (bytes >> 8 & 0x00ff_00ff);
    hash.wrapping_mul(33 * 33 * 33 * 33).wrapping_add((pairs & 0xffff) * (33 * 33)).wrapping_add(pairs >> 16)
}

/// The length of the name that begins `bytes` and ends with NUL, and its GNU hash: one walk finds both. Its numbers stay in
/// registers as long as it is a function of its own.
#[inline(never)]
pub(super) fn measure_and_hash(bytes: &[u8]) -> Option<(usize, u32)> {
    let (mut hash, mut len) = (SEED, 0);
    for four in bytes.chunks_exact(4) {
        let Ok(four) = four.try_into() else { break };
        if LOADS_ALIGNED {
            break; // as above
        }
        let word = u32::from_le_bytes(four);
        if word.wrapping_sub(0x0101_0101) & 0x8080_8080 != 0 {
            break; // one of them is NUL, or no ASCII
        }
        (hash, len) = (mix_four(hash, word), len + 4);
    }
    for byte in bytes.get(len..)? {
        if *byte == 0 {
            return Some((len, hash));
        }
        (hash, len) = (mix(hash, *byte), len + 1);
    }
    None
}

/// The hash of a name as the System V ABI has it.
fn sysv_hash(name: &[u8]) -> u32 {
    name.iter().fold(0u32, |hash, byte| {
        let hash = (hash << 4).wrapping_add(u32::from(*byte));
        let top = hash & 0xf000_0000;
        (hash ^ top >> 24) & !top
    })
}

/// The longest chain that is searched. Linkers make chains of a few symbols; what is longer was made to keep whoever looks
/// names up busy, and its later symbols are not found.
const REACH: usize = 256;

/// A shared object's symbol hash table.
#[derive(Clone, Copy)]
pub enum HashTable<'a, F: Format> {
    /// `DT_GNU_HASH`.
    Gnu(Gnu<'a, F>),
    /// `DT_HASH`.
    SysV {
        /// First symbol of each bucket.
        buckets: &'a [Quad<F>],
        /// Next symbol of each symbol.
        chains: &'a [Quad<F>],
    },
}

/// The parts of a `DT_GNU_HASH` table.
#[derive(Clone, Copy)]
pub struct Gnu<'a, F: Format> {
    first_symbol: u32,
    bloom_shift: u32,
    bloom: &'a [F::RawWord],
    buckets: &'a [Quad<F>],
    chains: &'a [Quad<F>],
}

impl<'a, F: Format> HashTable<'a, F> {
    /// Reads a `DT_GNU_HASH` table that begins `bytes`.
    pub fn gnu(bytes: &'a [u8]) -> Option<Self> {
        let (header, rest) = bytes.split_at_checked(16)?;
        let [buckets, first, bloom, shift] = records::<Quad<F>>(header) else { return None };
        let (bloom_len, bucket_len) = (bloom.get() as usize, buckets.get() as usize);
        if !bloom_len.is_power_of_two() || bucket_len == 0 || shift.get() >= 32 {
            return None;
        }
        let (bloom, rest) = rest.split_at_checked(bloom_len.checked_mul(F::Word::SIZE)?)?;
        let (buckets, chains) = rest.split_at_checked(bucket_len.checked_mul(4)?)?;
        Some(Self::Gnu(Gnu {
            first_symbol: first.get(),
            bloom_shift: shift.get(),
            bloom: records(bloom),
            buckets: records(buckets),
            chains: records(chains),
        }))
    }

    /// Reads a `DT_HASH` table that begins `bytes`.
    pub fn sysv(bytes: &'a [u8]) -> Option<Self> {
        let (header, rest) = bytes.split_at_checked(8)?;
        let [buckets, chains] = records::<Quad<F>>(header) else { return None };
        let (bucket_len, chain_len) = (buckets.get() as usize, chains.get() as usize);
        let (buckets, rest) = rest.split_at_checked(bucket_len.checked_mul(4)?)?;
        let chains = rest.get(..chain_len.checked_mul(4)?)?;
        (bucket_len > 0).then_some(Self::SysV { buckets: records(buckets), chains: records(chains) })
    }

    /// How many symbols the table covers: the symbol table's length, which nothing else tells. 0 when the table is
    /// empty and so tells nothing, `None` when it is malformed.
    pub fn symbol_count(&self) -> Option<u32> {
        match self {
            Self::SysV { chains, .. } => Some(chains.len() as u32),
            Self::Gnu(table) => {
                let last = table.buckets.iter().map(|bucket| bucket.get()).max()?;
                if last < table.first_symbol {
                    return Some(0);
                }
                let chain = table.chains.get((last - table.first_symbol) as usize..)?;
                let len = chain.iter().position(|hash| hash.get() & 1 != 0)?;
                last.checked_add(len as u32 + 1)
            }
        }
    }

    /// The defined symbol called `name`.
    pub fn find(&self, symbols: &Symbols<'_, F>, name: &[u8]) -> Option<SymbolIndex> {
        match self {
            Self::SysV { buckets, chains } => find_sysv(buckets, chains, symbols, name),
            Self::Gnu(table) => table.find(symbols, name),
        }
    }
}

fn is_called<F: Format>(symbols: &Symbols<'_, F>, index: SymbolIndex, name: &[u8]) -> bool {
    symbols.get(index).is_ok_and(|symbol| {
        symbol.section != 0
            && symbol.is_exported()
            && symbols.name(index, &symbol).is_ok_and(|found| found == name)
    })
}

fn find_sysv<F: Format>(
    buckets: &[Quad<F>],
    chains: &[Quad<F>],
    symbols: &Symbols<'_, F>,
    name: &[u8],
) -> Option<SymbolIndex> {
    let mut index = buckets.get(sysv_hash(name) as usize % buckets.len().max(1))?.get();
    // A chain cannot be longer than the table: a loop in it ends here.
    for _ in 0..chains.len().min(REACH) {
        if index == 0 {
            return None;
        }
        if is_called(symbols, SymbolIndex(index), name) {
            return Some(SymbolIndex(index));
        }
        index = chains.get(index as usize)?.get();
    }
    None
}

impl<F: Format> Gnu<'_, F> {
    fn find(&self, symbols: &Symbols<'_, F>, name: &[u8]) -> Option<SymbolIndex> {
        use super::RawWord;
        let hash = gnu_hash(name);
        let bits = F::Word::SIZE as u32 * 8;
        let word = self.bloom.get((hash / bits) as usize & (self.bloom.len() - 1))?.word().get();
        let wanted = 1u64 << (hash % bits) | 1u64 << ((hash >> self.bloom_shift) % bits);
        if word & wanted != wanted {
            return None;
        }
        let mut index = self.buckets.get(hash as usize % self.buckets.len().max(1))?.get();
        for _ in 0..REACH {
            let stored = self.chains.get(index.checked_sub(self.first_symbol)? as usize)?.get();
            if stored | 1 == hash | 1 && is_called(symbols, SymbolIndex(index), name) {
                return Some(SymbolIndex(index));
            }
            if stored & 1 != 0 {
                return None;
            }
            index = index.checked_add(1)?;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elf::Elf64Le;

    #[test]
    fn hashes_are_those_of_the_specifications() {
        assert_eq!(gnu_hash(b""), 5381);
        assert_eq!(gnu_hash(b"printf"), 0x156b_2bb8);
        assert_eq!(sysv_hash(b"printf"), 0x0779_05a6);
    }

    /// Names of every length up to 20, and of every byte but NUL.
    fn names() -> impl Iterator<Item = Vec<u8>> {
        let bytes = (0_u32..20 * 255).map(|at| (at * 89 % 255) as u8 + 1).collect::<Vec<u8>>();
        (0..=20).flat_map(move |len| {
            bytes.chunks(len.max(1)).map(|name| name[..len.min(name.len())].to_vec()).collect::<Vec<_>>()
        })
    }

    #[test]
    fn a_hash_is_the_same_four_bytes_at_a_time() {
        for name in names() {
            assert_eq!(gnu_hash(&name), name.iter().fold(SEED, |hash, byte| mix(hash, *byte)), "{name:?}");
        }
        let with_nul = b"ab\0c\0\0ef\0";
        assert_eq!(gnu_hash(with_nul), with_nul.iter().fold(SEED, |hash, byte| mix(hash, *byte)));
    }

    #[test]
    fn a_name_ends_with_its_first_nul() {
        for name in names() {
            assert_eq!(measure_and_hash(&name), None, "{name:?} has no end");
            for after in [&b"\0"[..], b"\0\0", b"\0next\0", b"\0\x01\x80\xff"] {
                let bytes = [&name, after].concat();
                assert_eq!(measure_and_hash(&bytes), Some((name.len(), gnu_hash(&name))), "then {after:?}");
            }
        }
    }

    #[test]
    fn a_chain_that_loops_ends() {
        let table: [u32; 5] = [1, 2, 1, 0, 1];
        let bytes: Vec<u8> = table.iter().flat_map(|word| word.to_le_bytes()).collect();
        let symbols = Symbols::<Elf64Le>::new(&[0; 48], b"\0", &[]).unwrap();
        assert_eq!(HashTable::sysv(&bytes).unwrap().find(&symbols, b"x"), None);
    }

    /// One bucket, whose chain holds every symbol.
    #[test]
    fn a_chain_without_end_is_not_searched_to_its_end() {
        const COUNT: u32 = 1000;
        let words = [1, COUNT, 1, 0].into_iter().chain((1..COUNT).map(|index| (index + 1) % COUNT));
        let bytes: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
        let mut entries = std::vec![0; 24 * COUNT as usize];
        for (index, entry) in entries.chunks_exact_mut(24).enumerate() {
            let place = if index == REACH || index == REACH + 1 { 1 } else { 0 };
            entry[..8].copy_from_slice(&[1, 0, 0, 0, 0x12, 0, place, 0]);
        }
        let symbols = Symbols::<Elf64Le>::new(&entries, b"\0x\0", &[]).unwrap();
        let table = HashTable::sysv(&bytes).unwrap();
        assert_eq!(table.find(&symbols, b"x"), Some(SymbolIndex(REACH as u32)));
        entries[24 * REACH + 6] = 0;
        let symbols = Symbols::<Elf64Le>::new(&entries, b"\0x\0", &[]).unwrap();
        assert_eq!(table.find(&symbols, b"x"), None);
    }

    #[test]
    fn a_gnu_table_with_wild_counts_is_refused() {
        for table in [[0u32, 1, 1, 6], [1, 1, 3, 6], [1, 1, 1, 64], [u32::MAX, 1, u32::MAX, 6]] {
            let bytes: Vec<u8> = table.iter().flat_map(|word| word.to_le_bytes()).collect();
            assert!(HashTable::<Elf64Le>::gnu(&bytes).is_none());
        }
    }

    extern crate std;
    use std::vec::Vec;
}
