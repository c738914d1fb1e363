//! The entries of an export table as an object file holds them: two words each, filled by relocations.

use object::{File, Object, ObjectSection, ObjectSymbol, Relocation, RelocationTarget, SectionIndex};

/// An entry of an export table: its name, and the section in which its address lies.
pub(crate) type Entry = (String, SectionIndex);

/// The entries of a table in an object for x86-64, ordered by name.
pub(crate) fn entries(file: &File<'_>, table: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    for section in file.sections().filter(|section| section.name() == Ok(table)) {
        let words: Vec<(u64, Relocation)> = section.relocations().collect();
        assert_eq!(section.size() / 8, words.len() as u64, "every word is an address");
        for place in (0..section.size()).step_by(16) {
            let word = |place| {
                words.iter().find(|(at, _)| *at == place).map(|(_, relocation)| place_of(file, relocation))
            };
            let (name, address) = (word(place).unwrap(), word(place + 8).unwrap());
            entries.push((text(file, name), address.0));
        }
    }
    entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    entries
}

/// The section and the offset to which a relocation points.
fn place_of(file: &File<'_>, relocation: &Relocation) -> (SectionIndex, u64) {
    let RelocationTarget::Symbol(symbol) = relocation.target() else { panic!("{relocation:?}") };
    let symbol = file.symbol_by_index(symbol).unwrap();
    (symbol.section_index().unwrap(), symbol.address().wrapping_add_signed(relocation.addend()))
}

/// The NUL-terminated string at a place.
fn text(file: &File<'_>, (section, offset): (SectionIndex, u64)) -> String {
    let data = file.section_by_index(section).unwrap().data().unwrap();
    let text = std::ffi::CStr::from_bytes_until_nul(&data[offset as usize..]).unwrap();
    text.to_str().unwrap().to_owned()
}
