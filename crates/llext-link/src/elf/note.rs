//! ELF notes: the ABI version of an extension, and what it needs.
//!
//! gABI chapter 5, "Note Section". Owner `llext`; type 1: the version, one 32-bit word in the file's byte order; type 2:
//! the name of an extension that must be there first, NUL-terminated, a note for each. A file linked for fixed addresses
//! has two more. Type 16: where its tables lie, [`LinkedTables`]; type 17: a symbol that it uses of others, its address as
//! one word of the format and its name, NUL-terminated, a note for each.

use super::{Format, Quad, read_word, record, records};
use crate::addr::{Extent, Word};
use crate::error::Error;
use core::marker::PhantomData;

/// The newest ABI version this build understands.
pub const ABI_VERSION: u32 = 1;

/// The types of `llext`'s notes.
const ABI: u32 = 1;
const NEEDED: u32 = 2;
const LINKED: u32 = 16;
const IMPORT: u32 = 17;

/// Where the tables of a file that was linked for fixed addresses lie: extents of its constants, each as two 32-bit words
/// in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkedTables {
    /// The exports, as in `.exported_sym`.
    pub exports: Extent,
    /// The index over them: 32-bit words.
    pub index: Extent,
    /// Functions to run first.
    pub preinit: Extent,
    /// Constructors.
    pub init: Extent,
    /// Destructors.
    pub fini: Extent,
}

/// The descriptions of `llext`'s notes of one type.
struct Descriptions<'a, F> {
    notes: &'a [u8],
    at: usize,
    /// Where the note lies that was read last, bytes.
    note: usize,
    kind: u32,
    format: PhantomData<F>,
}

impl<'a, F: Format> Descriptions<'a, F> {
    fn new(notes: &'a [u8], kind: u32) -> Self {
        Self { notes, at: 0, note: 0, kind, format: PhantomData }
    }

    /// The next note: whether it is one of those, and its description.
    fn advance(&mut self) -> Result<Option<(bool, &'a [u8])>, Error> {
        let at = self.at;
        let Some(header) = self.notes.get(at..).and_then(|rest| rest.first_chunk::<12>()) else {
            return Ok(None);
        };
        self.note = at;
        // A malformed note ends the walk.
        self.at = self.notes.len();
        let malformed = Error::BadNote { offset: at as u32 };
        let word = |from: usize| header.get(from..).and_then(record::<Quad<F>>).map_or(0, |word| word.get());
        let (name_size, desc_size, kind) = (word(0) as usize, word(4) as usize, word(8));
        let name_at = at + header.len();
        let desc_at = padded(name_at, name_size).ok_or(malformed)?;
        let end = padded(desc_at, desc_size).ok_or(malformed)?;
        let name = self.notes.get(name_at..).and_then(|rest| rest.get(..name_size)).ok_or(malformed)?;
        let desc = self.notes.get(desc_at..).and_then(|rest| rest.get(..desc_size)).ok_or(malformed)?;
        self.at = end;
        Ok(Some((name == b"llext\0" && kind == self.kind, desc)))
    }
}

impl<'a, F: Format> Iterator for Descriptions<'a, F> {
    type Item = Result<&'a [u8], Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.advance() {
                Ok(Some((true, desc))) => return Some(Ok(desc)),
                Ok(Some((false, _))) => {}
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// The version in `llext`'s note, if it is there.
pub fn abi_version<F: Format>(notes: &[u8]) -> Result<Option<u32>, Error> {
    let mut versions = Descriptions::<F>::new(notes, ABI);
    let Some(desc) = versions.next().transpose()? else { return Ok(None) };
    record::<Quad<F>>(desc)
        .map(|word| Some(word.get()))
        .ok_or(Error::BadNote { offset: versions.note as u32 })
}

/// The names of the extensions that the file needs.
pub fn needed<F: Format>(notes: &[u8]) -> impl Iterator<Item = Result<&[u8], Error>> {
    Descriptions::<F>::new(notes, NEEDED).map(|desc| {
        let desc = desc?;
        Ok(desc.split(|byte| *byte == 0).next().unwrap_or_default())
    })
}

/// Where the tables of a linked file lie.
pub fn linked<F: Format>(notes: &[u8]) -> Result<LinkedTables, Error> {
    let mut found = Descriptions::<F>::new(notes, LINKED);
    let Some(desc) = found.next().transpose()? else {
        return Err(Error::MissingTable { what: "note of llext link" });
    };
    let mut words = records::<Quad<F>>(desc).iter().map(|word| word.get());
    let mut extent = || Some(Extent { offset: words.next()?, size: words.next()? });
    let mut tables = || {
        let (exports, index) = (extent()?, extent()?);
        Some(LinkedTables { exports, index, preinit: extent()?, init: extent()?, fini: extent()? })
    };
    tables().ok_or(Error::BadNote { offset: found.note as u32 })
}

/// The symbols that a linked file uses of others: the name of each, and where it was when the file was linked.
pub fn imports<F: Format>(notes: &[u8]) -> impl Iterator<Item = Result<(&[u8], F::Word), Error>> {
    let mut found = Descriptions::<F>::new(notes, IMPORT);
    core::iter::from_fn(move || {
        let desc = match found.next()? {
            Ok(desc) => desc,
            Err(error) => return Some(Err(error)),
        };
        let bad = Error::BadNote { offset: found.note as u32 };
        let name = desc.get(F::Word::SIZE..).and_then(|rest| rest.split_last());
        let parts = read_word::<F>(desc, 0).zip(name);
        Some(parts.map(|(address, (_, name))| (name, address)).ok_or(bad))
    })
}

/// Refuses a version that is newer than [`ABI_VERSION`].
pub fn check_abi<F: Format>(notes: &[u8]) -> Result<(), Error> {
    match abi_version::<F>(notes)? {
        Some(found) if found > ABI_VERSION => Err(Error::AbiTooNew { found, expected: ABI_VERSION }),
        _ => Ok(()),
    }
}

fn padded(at: usize, size: usize) -> Option<usize> {
    Some(at.checked_add(size)?.checked_add(3)? & !3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elf::Elf64Le;

    #[test]
    fn the_tables_of_a_linked_file_are_ten_words() {
        let mut bytes = [0; 60];
        bytes[..20].copy_from_slice(b"\x06\0\0\0\x28\0\0\0\x10\0\0\0llext\0\0\0");
        (0..10).for_each(|word| bytes[20 + 4 * word] = word as u8);
        let extent = |offset| Extent { offset, size: offset + 1 };
        let [exports, index, preinit, init, fini] = [0, 2, 4, 6, 8].map(extent);
        let tables = LinkedTables { exports, index, preinit, init, fini };
        assert_eq!(linked::<Elf64Le>(&bytes), Ok(tables));
        bytes[4] = 0x24;
        assert_eq!(linked::<Elf64Le>(&bytes), Err(Error::BadNote { offset: 0 }));
        assert_eq!(linked::<Elf64Le>(&[]), Err(Error::MissingTable { what: "note of llext link" }));
    }

    #[test]
    fn an_import_is_a_word_and_a_name() {
        let bytes = b"\x06\0\0\0\x0a\0\0\0\x11\0\0\0llext\0\0\0\x10\0\0\0\0\0\0\0a\0\0\0";
        assert!(imports::<Elf64Le>(bytes).eq([Ok((&b"a"[..], 0x10))]));
        let mut short = *bytes;
        short[4] = 8;
        assert!(imports::<Elf64Le>(&short[..28]).eq([Err(Error::BadNote { offset: 0 })]));
    }

    fn note(version: u32) -> [u8; 24] {
        let mut bytes = *b"\x06\0\0\0\x04\0\0\0\x01\0\0\0llext\0\0\0\0\0\0\0";
        bytes[20..].copy_from_slice(&version.to_le_bytes());
        bytes
    }

    #[test]
    fn a_newer_abi_is_refused() {
        assert_eq!(check_abi::<Elf64Le>(&note(1)), Ok(()));
        assert_eq!(check_abi::<Elf64Le>(&note(2)), Err(Error::AbiTooNew { found: 2, expected: 1 }));
        assert_eq!(check_abi::<Elf64Le>(&[]), Ok(()));
    }

    #[test]
    fn a_note_that_ends_too_early_is_refused() {
        assert_eq!(check_abi::<Elf64Le>(&note(1)[..20]), Err(Error::BadNote { offset: 0 }));
        assert_eq!(check_abi::<Elf64Le>(&[0xff; 12]), Err(Error::BadNote { offset: 0 }));
    }
}
