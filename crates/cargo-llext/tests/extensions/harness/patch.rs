//! Changes to a finished ELF file that no compiler or linker makes on request.

use std::fs;
use std::ops::Range;
use std::path::Path;

use super::directive::Patch;

/// Where a field lies from the start of its header, and how many bytes it has: in files of 32 bits, and of 64.
type Field = (&'static str, [(usize, usize); 2]);

const HEADER: &[Field] = &[
    ("e_ident_class", [(4, 1), (4, 1)]),
    ("e_ident_data", [(5, 1), (5, 1)]),
    ("e_type", [(16, 2), (16, 2)]),
    ("e_machine", [(18, 2), (18, 2)]),
    ("e_phoff", [(28, 4), (32, 8)]),
    ("e_shoff", [(32, 4), (40, 8)]),
    ("e_flags", [(36, 4), (48, 4)]),
    ("e_phnum", [(44, 2), (56, 2)]),
    ("e_shnum", [(48, 2), (60, 2)]),
    ("e_shstrndx", [(50, 2), (62, 2)]),
];

const SECTION: &[Field] = &[
    ("sh_name", [(0, 4), (0, 4)]),
    ("sh_type", [(4, 4), (4, 4)]),
    ("sh_flags", [(8, 4), (8, 8)]),
    ("sh_addr", [(12, 4), (16, 8)]),
    ("sh_offset", [(16, 4), (24, 8)]),
    ("sh_size", [(20, 4), (32, 8)]),
    ("sh_link", [(24, 4), (40, 4)]),
    ("sh_info", [(28, 4), (44, 4)]),
    ("sh_addralign", [(32, 4), (48, 8)]),
    ("sh_entsize", [(36, 4), (56, 8)]),
];

const HEADER_SIZE: [usize; 2] = [52, 64];
const SECTION_SIZE: [usize; 2] = [40, 64];
const CLASS64: u8 = 2;
const NOBITS: u64 = 8;

/// Applies all patches to the file at `path`.
pub(crate) fn apply<'a>(path: &Path, patches: impl Iterator<Item = &'a Patch>) -> Result<(), String> {
    let mut patches = patches.peekable();
    if patches.peek().is_none() {
        return Ok(());
    }
    let mut file = File::new(fs::read(path).map_err(|error| error.to_string())?);
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
    fs::write(path, file.bytes).map_err(|error| error.to_string())
}

struct File {
    bytes: Vec<u8>,
    /// Which of two columns counts; what the file says of itself may be patched later.
    class: usize,
}

impl File {
    fn new(bytes: Vec<u8>) -> Self {
        let class = usize::from(bytes.get(4) == Some(&CLASS64));
        Self { bytes, class }
    }

    fn get(&self, header: usize, fields: &[Field], name: &str) -> Result<u64, String> {
        let bytes = self.bytes.get(self.place(header, fields, name)?).ok_or("the file is too short")?;
        Ok(bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn set(&mut self, header: usize, fields: &[Field], name: &str, value: u64) -> Result<(), String> {
        let place = self.place(header, fields, name)?;
        let bytes = self.bytes.get_mut(place).ok_or("the file is too short")?;
        bytes.copy_from_slice(&value.to_le_bytes()[..bytes.len()]);
        Ok(())
    }

    /// Where each section header lies.
    fn headers(&self) -> Result<Vec<usize>, String> {
        let start = self.get(0, HEADER, "e_shoff")? as usize;
        let count = self.get(0, HEADER, "e_shnum")? as usize;
        Ok((0..count).map(|index| start + index * SECTION_SIZE[self.class]).collect())
    }

    fn find_section(&self, name: &str) -> Result<usize, String> {
        let headers = self.headers()?;
        let strings = headers[self.get(0, HEADER, "e_shstrndx")? as usize];
        let strings = self.get(strings, SECTION, "sh_offset")? as usize;
        for header in headers {
            let start = strings + self.get(header, SECTION, "sh_name")? as usize;
            if self.bytes[start..].split(|byte| *byte == 0).next() == Some(name.as_bytes()) {
                return Ok(header);
            }
        }
        Err(format!("there is no section {name}"))
    }

    /// The header, the section headers, then the contents of the last section first.
    fn with_sections_reversed(&self) -> Result<Self, String> {
        let headers = self.headers()?;
        let (first, size) = (HEADER_SIZE[self.class], SECTION_SIZE[self.class]);
        let mut file = Self::new(self.bytes[..first].to_vec());
        file.set(0, HEADER, "e_shoff", first as u64)?;
        for header in &headers {
            file.bytes.extend(&self.bytes[*header..*header + size]);
        }
        for (index, header) in headers.iter().enumerate().rev() {
            let offset = file.append(self.contents(*header)?);
            file.set(first + index * size, SECTION, "sh_offset", offset)?;
        }
        Ok(file)
    }

    fn contents(&self, header: usize) -> Result<&[u8], String> {
        if self.get(header, SECTION, "sh_type")? == NOBITS {
            return Ok(&[]);
        }
        let offset = self.get(header, SECTION, "sh_offset")? as usize;
        let size = self.get(header, SECTION, "sh_size")? as usize;
        self.bytes.get(offset..offset + size).ok_or_else(|| "a section lies outside the file".to_owned())
    }

    /// At an offset that suits every table.
    fn append(&mut self, contents: &[u8]) -> u64 {
        let offset = self.bytes.len().next_multiple_of(64);
        self.bytes.resize(offset, 0);
        self.bytes.extend(contents);
        offset as u64
    }

    fn place(&self, header: usize, fields: &[Field], name: &str) -> Result<Range<usize>, String> {
        let field = fields.iter().find(|field| field.0 == name);
        let (_, places) = field.ok_or_else(|| format!("no header field is called {name}"))?;
        let (offset, size) = places[self.class];
        Ok(header + offset..header + offset + size)
    }
}
