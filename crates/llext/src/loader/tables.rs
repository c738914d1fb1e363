//! The run time's own tables about an extension: what they need is known before memory is reserved.

use super::load::Load;
use crate::error::Error;
use crate::export::{ENTRY, buckets_for};
use crate::lifecycle::Context;
use crate::lock::RawMutex;
use crate::memory::Memory;
use crate::registry::Extension;
#[cfg(feature = "reset")]
use crate::registry::Template;
use crate::source::Source;
use llext_link::addr::Extent;
use llext_link::elf::note::LinkedTables;
use llext_link::elf::section::Role;
use llext_link::elf::segment::Span;
use llext_link::layout::Extra;

/// What an extension's exports come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Origin {
    /// A relocatable file's global symbols: entries and names are made for them.
    #[default]
    Globals,
    /// A relocatable file's `.exported_sym` sections.
    Sections,
    /// A shared object's `.exported_sym`, at this place in the image.
    Image(Extent),
    /// A shared object's own dynamic symbols.
    Dynamic,
    /// The table of a linked file, and the index over it at this place in the constants.
    Linked(Extent),
}

/// The tables, planned.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tables {
    pub(super) origin: Origin,
    /// How many entries the table of exports has.
    pub(super) entries: u32,
    /// Room for the names of made entries, bytes.
    names: u32,
    /// Room for what the registry knows, bytes.
    record: u32,
    /// Where in that room the record begins, after the context.
    pub(super) record_at: u32,
    /// Room in the constants for what another instance is made of, bytes; 0 if that is not kept.
    #[cfg(feature = "reset")]
    pub(super) kept: u32,
}

impl Tables {
    /// The size of the entries that are made, bytes.
    pub(super) fn made(&self) -> usize {
        if self.origin == Origin::Globals { (self.entries as usize).saturating_mul(ENTRY) } else { 0 }
    }

    /// The size of the index over the entries, bytes.
    pub(super) fn buckets(&self) -> usize {
        buckets_for(self.entries as usize).saturating_mul(4)
    }

    pub(super) fn extra(&self) -> Extra {
        let constants = self.made().saturating_add(self.buckets()).saturating_add(self.names as usize);
        #[cfg(feature = "reset")]
        let constants = constants.saturating_add(self.kept as usize);
        Extra { constants: u32::try_from(constants).unwrap_or(u32::MAX), data: self.record }
    }
}

impl<M: Memory, R: RawMutex, const N: usize, S: Source> Load<'_, '_, M, R, N, S> {
    /// Where in the room for the record that lies which another instance is made of: after the context, aligned for all.
    #[cfg(feature = "reset")]
    pub(super) const TEMPLATE_AT: usize = size_of::<Context<R>>().next_multiple_of(16);

    fn with_record(&self, tables: Tables) -> Tables {
        let align = align_of::<Extension<M, R, N>>();
        let before = size_of::<Context<R>>();
        #[cfg(feature = "reset")]
        let before = if tables.kept > 0 { Self::TEMPLATE_AT + size_of::<Template>() } else { before };
        let record_at = before.next_multiple_of(align);
        let record = record_at + size_of::<Extension<M, R, N>>();
        Tables { record: record as u32, record_at: record_at as u32, ..tables }
    }

    /// What a relocatable file's tables need.
    pub(super) fn plan_tables(&self) -> Tables {
        if self.file.exports_globals {
            let (entries, names) = (self.resolve.tally.exports, self.resolve.tally.export_names);
            return self.with_record(Tables { entries, names, ..Tables::default() });
        }
        let exports = self.file.sections().iter().filter(|section| section.role() == Role::Exports);
        let size = exports.map(|section| section.size()).fold(0, u32::saturating_add);
        let entries = size / ENTRY as u32;
        self.with_record(Tables { origin: Origin::Sections, entries, ..Tables::default() })
    }

    /// What a shared object's tables need; `exported` is where its `.exported_sym` was linked.
    pub(super) fn plan_shared_tables(
        &self,
        span: Span,
        exported: Option<(u64, u64)>,
    ) -> Result<Tables, Error> {
        let mut tables = Tables { origin: Origin::Dynamic, ..Tables::default() };
        #[cfg(feature = "reset")]
        {
            tables.kept = self.kept_size();
        }
        let Some((address, size)) = exported else { return Ok(self.with_record(tables)) };
        let bad = Error::BadExports { index: 0, found: address };
        let offset = address.checked_sub(span.base).ok_or(bad)?;
        let extent = Extent::within(offset, size, span.size.into()).ok_or(bad)?;
        tables.entries = extent.size / ENTRY as u32;
        if extent.size % ENTRY as u32 != 0 {
            return Err(Error::BadExports { index: tables.entries, found: size });
        }
        Ok(self.with_record(Tables { origin: Origin::Image(extent), ..tables }))
    }
}

impl<M: Memory, R: RawMutex, const N: usize, S: Source> Load<'_, '_, M, R, N, S> {
    /// What a linked file's tables need: only the record, for the rest it brings.
    pub(super) fn plan_linked_tables(&self, tables: &LinkedTables) -> Result<Tables, Error> {
        let LinkedTables { exports, index, .. } = *tables;
        let entries = exports.size / ENTRY as u32;
        if exports.size % ENTRY as u32 != 0 || index.size as usize != buckets_for(entries as usize) * 4 {
            return Err(Error::BadExports { index: entries, found: exports.size.into() });
        }
        Ok(self.with_record(Tables { origin: Origin::Linked(index), entries, ..Tables::default() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names that were counted up to the greatest number once wrapped to a small table, which then overflowed.
    #[test]
    fn sums_of_sizes_do_not_wrap() {
        let tables = Tables { entries: 4, names: u32::MAX, ..Tables::default() };
        assert_eq!(tables.extra().constants, u32::MAX);
    }
}
