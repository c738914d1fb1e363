//! ELF notes: the one that carries the ABI version of an extension.
//!
//! gABI chapter 5, "Note Section". The note: owner `llext`, type 1, one 32-bit word in the file's byte order.

use super::{Format, Quad, record};
use crate::error::Error;

/// The newest ABI version this build understands.
pub const ABI_VERSION: u32 = 1;

/// Looks through a note section for `llext`'s note; its version, if it is there.
pub fn abi_version<F: Format>(notes: &[u8]) -> Result<Option<u32>, Error> {
    let mut at = 0usize;
    while let Some(header) = notes.get(at..).and_then(|rest| rest.first_chunk::<12>()) {
        let malformed = Error::BadNote { offset: at as u32 };
        let word = |from: usize| header.get(from..).and_then(record::<Quad<F>>).map_or(0, |word| word.get());
        let (name_size, desc_size, kind) = (word(0) as usize, word(4) as usize, word(8));
        let name_at = at + header.len();
        let desc_at = padded(name_at, name_size).ok_or(malformed)?;
        let end = padded(desc_at, desc_size).ok_or(malformed)?;
        let name = notes.get(name_at..).and_then(|rest| rest.get(..name_size)).ok_or(malformed)?;
        let desc = notes.get(desc_at..).and_then(|rest| rest.get(..desc_size)).ok_or(malformed)?;
        if name == b"llext\0" && kind == 1 {
            return record::<Quad<F>>(desc).map(|word| Some(word.get())).ok_or(malformed);
        }
        at = end;
    }
    Ok(None)
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
