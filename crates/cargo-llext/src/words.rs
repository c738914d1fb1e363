//! Words of an ELF file that is changed in place: as wide as its addresses, in its byte order.

use object::{Endianness, File, Object, SectionIndex};

/// How a file writes its words.
#[derive(Clone, Copy)]
pub(crate) struct Words {
    wide: bool,
    little: bool,
}

impl Words {
    pub(crate) fn of(file: &File<'_>) -> Self {
        Self { wide: file.is_64(), little: file.endianness() == Endianness::Little }
    }

    /// The size of a word, bytes.
    pub(crate) fn size(self) -> usize {
        if self.wide { 8 } else { 4 }
    }

    /// The word at an offset of the file.
    pub(crate) fn read(self, bytes: &[u8], at: usize) -> Option<u64> {
        let word = bytes.get(at..at.checked_add(self.size())?)?;
        let add = |word: u64, byte: &u8| word << 8 | u64::from(*byte);
        Some(if self.little { word.iter().rev().fold(0, add) } else { word.iter().fold(0, add) })
    }

    /// Changes the word at an offset of the file, which is inside it.
    pub(crate) fn write(self, bytes: &mut [u8], at: usize, word: u64) {
        let Some(place) = bytes.get_mut(at..at + self.size()) else { return };
        if self.little {
            place.copy_from_slice(&word.to_le_bytes()[..place.len()]);
        } else {
            place.copy_from_slice(&word.to_be_bytes()[8 - place.len()..]);
        }
    }

    /// The SLID of a name, as wide as a word.
    pub(crate) fn slid(self, name: &[u8]) -> u64 {
        let slid = llext_link::symbol::slid(name);
        if self.wide { slid } else { slid >> 32 }
    }

    /// A SLID as LLEXT's listings show it.
    pub(crate) fn show(self, slid: u64) -> String {
        format!("0x{slid:0width$X}", width = self.size() * 2)
    }

    /// Where a section's `sh_flags` lie in the file.
    pub(crate) fn flags_of(self, file: &File<'_>, index: SectionIndex) -> Option<usize> {
        let (table, header) = match file {
            File::Elf32(file) => (u64::from(file.elf_header().e_shoff.get(file.endian())), 40),
            File::Elf64(file) => (file.elf_header().e_shoff.get(file.endian()), 64),
            _ => return None,
        };
        usize::try_from(table).ok()?.checked_add(index.0.checked_mul(header)?)?.checked_add(8)
    }
}
