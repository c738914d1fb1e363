//! The `.exported_sym` section of a shared object: the one thing that its section headers are read for.

use super::header::Header;
use super::section::must_hold_names;
use super::section_header::{decode, size};
use super::symbol::string_at;
use super::{Bytes, Format};
use crate::addr::Extent;
use crate::error::Error;

const SHT_PROGBITS: u32 = 1;
const SHF_ALLOC: u64 = 2;

/// Looks for `.exported_sym` among the section headers, batch by batch.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExportScan {
    next: u32,
    /// Its address and size, once found.
    pub found: Option<(u64, u64)>,
}

impl ExportScan {
    /// Reads the one header that says where the section names lie; empty when there are none.
    pub fn names<F: Format, B: Bytes>(file: &Header, bytes: &mut B) -> Result<Extent, B::Error> {
        if file.section_count == 0 || file.names == 0 {
            return Ok(Extent::default());
        }
        let entry = size::<F>() as usize;
        let at = file.sections.offset + file.names * entry as u32;
        let raw = decode::<F>(bytes.bytes(at, entry)?);
        must_hold_names(file, file.names, &raw)?;
        Ok(file.table("section names", raw.offset, raw.size)?)
    }

    /// Reads up to `budget` headers; true when there is nothing left to look for.
    pub fn step<F: Format, B: Bytes>(
        &mut self,
        file: &Header,
        bytes: &mut B,
        names: &[u8],
        budget: u32,
    ) -> Result<bool, B::Error> {
        // Header 0 and that of the names were read before, and no byte is read twice.
        if self.next == 0 || self.next == file.names {
            self.next += 1;
        }
        if self.next >= file.section_count || names.is_empty() {
            return Ok(true);
        }
        let entry = size::<F>() as usize;
        let end = if self.next < file.names { file.names } else { file.section_count };
        let batch = (bytes.batch() / entry).min((end - self.next).min(budget) as usize);
        let at = file.sections.offset + self.next * entry as u32;
        for raw in bytes.bytes(at, batch * entry)?.chunks_exact(entry).map(decode::<F>) {
            let bad = Error::BadName {
                what: "section",
                index: self.next,
                offset: raw.name,
                size: names.len() as u32,
            };
            let name = string_at(names, raw.name).ok_or(bad)?;
            if raw.kind == SHT_PROGBITS && raw.flags & SHF_ALLOC != 0 && name == b".exported_sym" {
                self.found = Some((raw.address, raw.size));
            }
            self.next += 1;
        }
        Ok(self.found.is_some() || self.next >= file.section_count)
    }
}
