//! Changes to a finished ELF64 file that no compiler or linker makes on request.

use std::fs;
use std::ops::Range;
use std::path::Path;

use super::directive::Patch;

/// Where a field lies from the start of its header, and how many bytes it has.
type Field = (&'static str, usize, usize);

const HEADER: &[Field] = &[
    ("e_ident_class", 4, 1),
    ("e_ident_data", 5, 1),
    ("e_type", 16, 2),
    ("e_machine", 18, 2),
    ("e_phoff", 32, 8),
    ("e_shoff", 40, 8),
    ("e_flags", 48, 4),
    ("e_phnum", 56, 2),
    ("e_shnum", 60, 2),
    ("e_shstrndx", 62, 2),
];

const SECTION: &[Field] = &[
    ("sh_name", 0, 4),
    ("sh_type", 4, 4),
    ("sh_flags", 8, 8),
    ("sh_addr", 16, 8),
    ("sh_offset", 24, 8),
    ("sh_size", 32, 8),
    ("sh_link", 40, 4),
    ("sh_info", 44, 4),
    ("sh_addralign", 48, 8),
    ("sh_entsize", 56, 8),
];

const HEADER_SIZE: usize = 64;
const SECTION_SIZE: usize = 64;
const NOBITS: u64 = 8;

/// Applies all patches to the file at `path`.
pub(crate) fn apply(path: &Path, patches: &[Patch]) -> Result<(), String> {
    if patches.is_empty() {
        return Ok(());
    }
    let mut file = File(fs::read(path).map_err(|error| error.to_string())?);
    for patch in patches {
        match patch {
            Patch::ReverseSections => file = file.with_sections_reversed()?,
            Patch::Field { section: None, field, value } => file.set(0, HEADER, field, *value)?,
            Patch::Field { section: Some(name), field, value } => {
                let header = file.find_section(name)?;
                file.set(header, SECTION, field, *value)?;
            }
        }
    }
    fs::write(path, file.0).map_err(|error| error.to_string())
}

struct File(Vec<u8>);

impl File {
    fn get(&self, header: usize, fields: &[Field], name: &str) -> Result<u64, String> {
        let bytes = self.0.get(place(header, fields, name)?).ok_or("the file is too short")?;
        Ok(bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn set(&mut self, header: usize, fields: &[Field], name: &str, value: u64) -> Result<(), String> {
        let bytes = self.0.get_mut(place(header, fields, name)?).ok_or("the file is too short")?;
        bytes.copy_from_slice(&value.to_le_bytes()[..bytes.len()]);
        Ok(())
    }

    /// Where each section header lies.
    fn headers(&self) -> Result<Vec<usize>, String> {
        let start = self.get(0, HEADER, "e_shoff")? as usize;
        let count = self.get(0, HEADER, "e_shnum")? as usize;
        Ok((0..count).map(|index| start + index * SECTION_SIZE).collect())
    }

    fn find_section(&self, name: &str) -> Result<usize, String> {
        let headers = self.headers()?;
        let strings = headers[self.get(0, HEADER, "e_shstrndx")? as usize];
        let strings = self.get(strings, SECTION, "sh_offset")? as usize;
        for header in headers {
            let start = strings + self.get(header, SECTION, "sh_name")? as usize;
            if self.0[start..].split(|byte| *byte == 0).next() == Some(name.as_bytes()) {
                return Ok(header);
            }
        }
        Err(format!("there is no section {name}"))
    }

    /// The header, the section headers, then the contents of the last section first.
    fn with_sections_reversed(&self) -> Result<Self, String> {
        let headers = self.headers()?;
        let mut file = Self(self.0[..HEADER_SIZE].to_vec());
        file.set(0, HEADER, "e_shoff", HEADER_SIZE as u64)?;
        for header in &headers {
            file.0.extend(&self.0[*header..*header + SECTION_SIZE]);
        }
        for (index, header) in headers.iter().enumerate().rev() {
            let offset = file.append(self.contents(*header)?);
            file.set(HEADER_SIZE + index * SECTION_SIZE, SECTION, "sh_offset", offset)?;
        }
        Ok(file)
    }

    fn contents(&self, header: usize) -> Result<&[u8], String> {
        if self.get(header, SECTION, "sh_type")? == NOBITS {
            return Ok(&[]);
        }
        let offset = self.get(header, SECTION, "sh_offset")? as usize;
        let size = self.get(header, SECTION, "sh_size")? as usize;
        self.0.get(offset..offset + size).ok_or_else(|| "a section lies outside the file".to_owned())
    }

    /// At an offset that suits every table.
    fn append(&mut self, contents: &[u8]) -> u64 {
        let offset = self.0.len().next_multiple_of(64);
        self.0.resize(offset, 0);
        self.0.extend(contents);
        offset as u64
    }
}

fn place(header: usize, fields: &[Field], name: &str) -> Result<Range<usize>, String> {
    let (_, offset, size) = fields
        .iter()
        .find(|field| field.0 == name)
        .ok_or_else(|| format!("no header field is called {name}"))?;
    Ok(header + offset..header + offset + size)
}
