//! The objects a link takes: out of an archive, and marked so that garbage collection keeps what nobody names.

use std::path::{Path, PathBuf};

use object::read::archive::ArchiveFile;
use object::read::elf::{FileHeader, SectionHeader};
use object::{Endianness, FileKind, elf};

use crate::elf::TABLE;
use crate::error::Error;

/// One input of the link.
pub(crate) struct Object {
    pub(crate) name: String,
    pub(crate) contents: Contents,
}

pub(crate) enum Contents {
    /// An object, to be linked whole.
    Whole(Vec<u8>),
    /// An object, to be linked if something needs it.
    OnDemand(Vec<u8>),
    /// An archive, of which only what is needed is linked.
    Library(PathBuf),
}

impl Object {
    pub(crate) fn new(name: String, bytes: Vec<u8>) -> Self {
        Self { name, contents: Contents::Whole(bytes) }
    }

    pub(crate) fn library(path: PathBuf) -> Self {
        Self { name: path.display().to_string(), contents: Contents::Library(path) }
    }

    fn lazy(self) -> Self {
        let contents = match self.contents {
            Contents::Whole(bytes) => Contents::OnDemand(bytes),
            other => other,
        };
        Self { contents, ..self }
    }
}

/// Every ELF member of an archive.
pub(crate) fn from_archive(path: &Path, bytes: &[u8]) -> Result<Vec<Object>, Error> {
    let bad = |reason: object::Error| Error::BadObject {
        file: path.display().to_string(),
        reason: reason.to_string(),
    };
    let archive = ArchiveFile::parse(bytes).map_err(bad)?;
    let mut objects = Vec::new();
    for member in archive.members() {
        let member = member.map_err(bad)?;
        let data = member.data(bytes).map_err(bad)?;
        if matches!(FileKind::parse(data), Ok(FileKind::Elf32 | FileKind::Elf64)) {
            objects.push(Object::new(String::from_utf8_lossy(member.name()).into_owned(), data.to_vec()));
        }
    }
    Ok(objects)
}

/// Has every object linked on demand only, but those in which a run time finds something by itself. The linker would drop
/// what nothing needs anyway, but first it compares flags: among what comes with Rust are objects in C that claim another
/// float ABI than all others.
pub(crate) fn on_demand(objects: Vec<Object>) -> Vec<Object> {
    let wanted: Vec<bool> = objects.iter().map(is_found_by_itself).collect();
    if !wanted.contains(&true) {
        return objects;
    }
    objects
        .into_iter()
        .zip(wanted)
        .map(|(object, wanted)| if wanted { object } else { object.lazy() })
        .collect()
}

/// An object that cannot be read counts: it is reported when it is marked.
fn is_found_by_itself(object: &Object) -> bool {
    let Contents::Whole(bytes) = &object.contents else { return true };
    let found = match FileKind::parse(&**bytes) {
        Ok(FileKind::Elf32) => sections_to_keep::<elf::FileHeader32<Endianness>>(bytes),
        _ => sections_to_keep::<elf::FileHeader64<Endianness>>(bytes),
    };
    found.map_or(true, |(places, _)| !places.is_empty())
}

/// Sets SHF_GNU_RETAIN on the sections a run time finds by itself: exports, constructors, notes, and sections whose
/// names make `__start_` and `__stop_` symbols. Returns how many exports there are.
pub(crate) fn keep_what_nobody_names(objects: &mut [Object]) -> Result<usize, Error> {
    let mut exports = 0;
    for object in objects {
        let Contents::Whole(bytes) = &mut object.contents else { continue };
        let marked = match FileKind::parse(&**bytes) {
            Ok(FileKind::Elf32) => mark::<elf::FileHeader32<Endianness>>(bytes),
            Ok(FileKind::Elf64) => mark::<elf::FileHeader64<Endianness>>(bytes),
            Ok(other) => Err(format!("{other:?} is not ELF")),
            Err(reason) => Err(reason.to_string()),
        };
        exports += marked.map_err(|reason| Error::BadObject { file: object.name.clone(), reason })?;
    }
    Ok(exports)
}

fn mark<Elf: FileHeader<Endian = Endianness>>(bytes: &mut [u8]) -> Result<usize, String> {
    let (places, exports) = sections_to_keep::<Elf>(bytes).map_err(|reason| reason.to_string())?;
    if is_slim::<Elf>(bytes).map_err(|reason| reason.to_string())? {
        return Err("made with -flto: it holds gcc's intermediate code and no other".to_owned());
    }
    for place in places {
        let flags = bytes.get_mut(place).ok_or("a section header lies outside the file")?;
        *flags |= RETAIN_BIT;
    }
    Ok(exports)
}

/// SHF_GNU_RETAIN is bit 21 of sh_flags: this bit of one byte of it.
const RETAIN_BIT: u8 = 1 << (21 % 8);

/// Where in the file that byte of each section's flags lies, and how many exports the sections hold.
fn sections_to_keep<Elf: FileHeader<Endian = Endianness>>(
    bytes: &[u8],
) -> object::Result<(Vec<usize>, usize)> {
    let header = Elf::parse(bytes)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, bytes)?;
    let table: u64 = header.e_shoff(endian).into();
    let entry = u64::from(header.e_shentsize(endian));
    let word = if header.is_type_64() { 8 } else { 4 };
    let byte_of_flags = if header.is_little_endian() { 2 } else { word - 3 };
    let (mut places, mut exports) = (Vec::new(), 0);
    for (index, section) in sections.enumerate() {
        let name = sections.section_name(endian, section)?;
        if !section.sh_flags(endian).contains(elf::SHF_ALLOC) || !is_found_at_run_time(name) {
            continue;
        }
        // sh_flags follows sh_name and sh_type, 4 bytes each.
        places.push((table + entry * index.0 as u64 + 8 + byte_of_flags) as usize);
        // Copies of one COMDAT section become one.
        if name == TABLE && !section.sh_flags(endian).contains(elf::SHF_GROUP) {
            exports += (section.sh_size(endian).into() / (2 * word)) as usize;
        }
    }
    Ok((places, exports))
}

/// Whether gcc left code for its own linking only: what is to be loaded is empty.
fn is_slim<Elf: FileHeader<Endian = Endianness>>(bytes: &[u8]) -> object::Result<bool> {
    let header = Elf::parse(bytes)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, bytes)?;
    let mut is_slim = false;
    for section in sections.iter() {
        if section.sh_flags(endian).contains(elf::SHF_ALLOC) && section.sh_size(endian).into() > 0 {
            return Ok(false);
        }
        is_slim |= sections.section_name(endian, section)?.starts_with(b".gnu.lto_");
    }
    Ok(is_slim)
}

fn is_found_at_run_time(name: &[u8]) -> bool {
    let arrays: [&[u8]; 5] = [b".init_array", b".fini_array", b".preinit_array", b".ctors", b".dtors"];
    name == TABLE
        || name == b".note.llext"
        || arrays.iter().any(|array| name.starts_with(array))
        || is_c_name(name)
}

fn is_c_name(name: &[u8]) -> bool {
    let letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    name.first().is_some_and(letter) && name.iter().all(|byte| letter(byte) || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c_names_are_those_of_start_and_stop_symbols() {
        assert!(is_c_name(b"my_section2") && !is_c_name(b".text") && !is_c_name(b"2a") && !is_c_name(b""));
    }

    #[test]
    fn what_cannot_be_read_is_left_to_the_linker() {
        let objects = on_demand(vec![Object::new("a.o".into(), b"hello".to_vec())]);
        assert!(matches!(&objects[..], [Object { contents: Contents::Whole(_), .. }]));
    }

    /// A header for 64 bits and nothing else.
    #[test]
    fn an_object_without_anything_is_linked_on_demand() {
        let mut empty = b"\x7fELF\x02\x01\x01".to_vec();
        empty.resize(64, 0);
        let others = || Object::new("b.o".into(), b"hello".to_vec());
        let objects = on_demand(vec![Object::new("a.o".into(), empty.clone()), others()]);
        let kinds = objects.iter().map(|object| matches!(object.contents, Contents::OnDemand(_)));
        assert_eq!(kinds.collect::<Vec<_>>(), [true, false]);
        let alone = on_demand(vec![Object::new("a.o".into(), empty)]);
        assert!(matches!(&alone[..], [Object { contents: Contents::Whole(_), .. }]));
    }

    #[test]
    fn what_is_not_elf_is_refused() {
        let mut objects = [Object::new("a.o".into(), b"hello".to_vec())];
        assert_eq!(keep_what_nobody_names(&mut objects).unwrap_err().code(), 726);
    }
}
