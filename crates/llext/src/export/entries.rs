//! An extension's own table of exports, checked: whoever looks a name up follows its addresses.

use super::Export;
use crate::error::Error;
use crate::native::Native;
use core::ops::Range;
use llext_link::addr::Word as _;
use llext_link::elf::symbol::MAX_NAME;
use llext_link::elf::{Format, read_word};

type Word = <Native as Format>::Word;

/// The size of an entry, bytes.
pub(crate) const ENTRY: usize = size_of::<Export>();

/// Of the entries that are `checked`, each name must end inside the image, and each address lie in it: `parts`, which
/// begin at `starts` and span `sizes` bytes.
pub(crate) fn check_entries(
    entries: &[u8],
    checked: Range<u32>,
    parts: &[&[u8]; 4],
    starts: [Word; 4],
    sizes: [u32; 4],
) -> Result<(), Error> {
    let is_named = |name: Word| {
        parts.iter().zip(&starts).any(|(part, start)| {
            let offset = usize::try_from(name.wrapping_sub(*start)).ok();
            let name = offset.and_then(|offset| part.get(offset..));
            name.is_some_and(|name| name.get(..MAX_NAME).unwrap_or(name).contains(&0))
        })
    };
    // A symbol may stand at the very end of its part: the end of `.bss`, an empty section.
    let is_inside = |address: Word| {
        address != 0
            && sizes.iter().zip(&starts).any(|(size, start)| address.wrapping_sub(*start) <= *size as Word)
    };
    for index in checked {
        let entry = entries.get(index as usize * ENTRY..).unwrap_or_default();
        let name = read_word::<Native>(entry, 0).unwrap_or_default();
        let address = read_word::<Native>(entry, ENTRY / 2).unwrap_or_default();
        if !is_named(name) {
            return Err(Error::BadExports { index, found: name.get() });
        }
        if !is_inside(address) {
            return Err(Error::BadExports { index, found: address.get() });
        }
    }
    Ok(())
}
