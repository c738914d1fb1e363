//! What a file needs: extensions and libraries, named by `DT_NEEDED` or by a note of the SDK's.

use std::fmt;

use llext_link::elf::{Elf32Be, Elf32Le, Elf64Be, Elf64Le, note};
use object::read::elf::{ElfFile, FileHeader, ProgramHeader, SectionHeader};
use object::{Endianness, File, Object, ObjectKind, elf};
use serde::Serialize;

use crate::demangle::printable;

/// One thing a file needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Need {
    pub(crate) name: String,
    by: By,
}

/// How the file says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum By {
    #[serde(rename = "DT_NEEDED")]
    Dynamic,
    #[serde(rename = "note")]
    Note,
}

/// All that the file needs, in the order in which a load sees to it.
pub(crate) fn of(file: &File<'_>) -> Vec<Need> {
    match file {
        File::Elf32(file) => collect(file),
        File::Elf64(file) => collect(file),
        _ => Vec::new(),
    }
}

/// `DT_SONAME`: what the file calls itself.
pub(crate) fn soname(file: &File<'_>) -> Option<String> {
    match file {
        File::Elf32(file) => strings(file, elf::DT_SONAME).pop(),
        File::Elf64(file) => strings(file, elf::DT_SONAME).pop(),
        _ => None,
    }
}

fn collect<'d, Elf: FileHeader<Endian = Endianness>>(file: &ElfFile<'d, Elf>) -> Vec<Need> {
    let dynamic = strings(file, elf::DT_NEEDED).into_iter().map(|name| Need { name, by: By::Dynamic });
    let names = notes(file).into_iter().flat_map(|notes| named_in(file, notes));
    dynamic.chain(names.map(|name| Need { name, by: By::Note })).collect()
}

/// The texts of the dynamic section's entries with this tag.
fn strings<'d, Elf: FileHeader<Endian = Endianness>>(
    file: &ElfFile<'d, Elf>,
    tag: elf::DynamicTag,
) -> Vec<String> {
    let Ok(table) = file.elf_dynamic_table() else { return Vec::new() };
    let tagged = table.iter().filter(|entry| entry.tag == tag);
    tagged.filter_map(|entry| table.string(entry).ok()).map(text).collect()
}

/// The notes that a load reads: all sections of them, or in a linked file the segments.
fn notes<'d, Elf: FileHeader<Endian = Endianness>>(file: &ElfFile<'d, Elf>) -> Vec<&'d [u8]> {
    let (endian, data) = (file.endian(), file.data());
    if file.kind() == ObjectKind::Relocatable {
        let sections = file.elf_section_table().iter();
        let notes = sections.filter(|section| section.sh_type(endian) == elf::SHT_NOTE);
        return notes.filter_map(|section| section.data(endian, data).ok()).collect();
    }
    let segments = file.elf_program_headers().iter();
    let notes = segments.filter(|segment| segment.p_type(endian) == elf::PT_NOTE);
    notes.filter_map(|segment| segment.data(endian, data).ok()).collect()
}

/// The names in notes, up to the first note that is malformed.
fn named_in<Elf: FileHeader<Endian = Endianness>>(file: &ElfFile<'_, Elf>, notes: &[u8]) -> Vec<String> {
    fn read<'d>(names: impl Iterator<Item = Result<&'d [u8], llext_link::Error>>) -> Vec<String> {
        names.map_while(Result::ok).map(text).collect()
    }
    match (file.is_64(), file.endian()) {
        (true, Endianness::Little) => read(note::needed::<Elf64Le>(notes)),
        (true, Endianness::Big) => read(note::needed::<Elf64Be>(notes)),
        (false, Endianness::Little) => read(note::needed::<Elf32Le>(notes)),
        (false, Endianness::Big) => read(note::needed::<Elf32Be>(notes)),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = if self.by == By::Note { "note" } else { "DT_NEEDED" };
        write!(f, "{} ({by})", printable(&self.name))
    }
}
