//! The variables of a relocatable file as they are linked, kept beside its constants for a reset.

use super::load::Load;
use crate::error::Error;
use crate::lock::RawMutex;
use crate::memory::Memory;
use crate::native::{ARCH, Native};
use crate::registry::Initial;
use crate::source::Source;
use llext_link::addr::{Extent, Part};
use llext_link::elf::section::{Role, Section};
use llext_link::layout::{self, Layout};

impl<M: Memory, R: RawMutex, const N: usize, S: Source> Load<'_, '_, M, R, N, S> {
    /// Plans the file; with room for a copy of its variables if the caller wants one.
    pub(super) fn plan(&mut self) -> Result<Layout, Error> {
        let needs = self.relocatable.needs()?;
        // A file that is planned again, because all of it is copied after all, needs the room again.
        self.initial = None;
        let mut extra = self.tables.extra();
        loop {
            let sections = self.file.sections.table_mut();
            let layout = layout::plan::<Native>(sections, ARCH, &self.resolve.tally, needs, extra)?;
            if !self.options.keep_initial_data || self.initial.is_some() {
                return Ok(layout);
            }
            self.initial = variables(sections, &layout);
            let Some(variables) = self.initial else { return Ok(layout) };
            extra.constants = extra.constants.saturating_add(variables.size);
        }
    }

    /// Copies the variables, which are linked by now; where to.
    pub(super) fn keep_initial(&mut self) -> Option<Initial> {
        let variables = self.initial?;
        let constants = self.layout.extra_constants;
        let kept = Extent { offset: constants.end() as u32 - variables.size, ..variables };
        let [_, _, constants, data] = self.image.as_mut()?.working();
        let to = constants.get_mut(kept.offset as usize..kept.end() as usize)?;
        to.copy_from_slice(variables.of(data)?);
        Some(Initial { kept: kept.offset, variables, end: self.layout.size(Part::Data) })
    }
}

/// Where in the data the variables with initial values lie, those without behind them; `None` where some lie elsewhere.
fn variables(sections: &[Section], layout: &Layout) -> Option<Extent> {
    let start = layout.extra_data.end();
    let mut end = start;
    for section in sections.iter().filter(|section| section.role() == Role::Data) {
        if section.is_in_place() {
            return None;
        }
        end = end.max(u64::from(section.place()) + u64::from(section.size()));
    }
    Some(Extent { offset: start as u32, size: (end - start) as u32 })
}
