//! What a file needs of a board's memory, told from its headers.

use object::{Object, ObjectSection, ObjectSegment, ObjectSymbol};

/// What the loader keeps of an extension, and what allocation costs, bytes.
const RECORD: u64 = 1024;
/// What it needs while it links, for a section.
const SECTION: u64 = 16;
/// What it needs while it links, and to find an export by its name, for a symbol without that name.
const SYMBOL: u64 = 32;

/// About as many bytes as a load of this file takes; 0 for one that cannot be read.
pub(super) fn needed(bytes: &[u8]) -> u64 {
    let Ok(file) = object::File::parse(bytes) else { return 0 };
    let loaded: u64 = match file.kind() {
        object::ObjectKind::Dynamic => {
            let end = |segment: object::Segment<'_, '_>| segment.address() + segment.size();
            file.segments().map(end).max().unwrap_or(0)
        }
        _ => file
            .sections()
            .filter(is_loaded)
            .map(|section| section.size().next_multiple_of(section.align().max(1)))
            .sum(),
    };
    let common: u64 = file.symbols().filter(|symbol| symbol.is_common()).map(|symbol| symbol.size()).sum();
    let names: u64 =
        file.symbols().filter_map(|symbol| symbol.name_bytes().ok()).map(|name| name.len() as u64).sum();
    // Names are read, and those of exports kept.
    let names = 2 * names;
    let scratch = file.sections().count() as u64 * SECTION + file.symbols().count() as u64 * SYMBOL + names;
    RECORD + loaded + common + scratch
}

fn is_loaded(section: &object::Section<'_, '_>) -> bool {
    let object::SectionFlags::Elf { sh_flags, .. } = section.flags() else { return false };
    sh_flags.contains(object::elf::SHF_ALLOC)
}
