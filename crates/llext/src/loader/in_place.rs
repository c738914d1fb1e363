//! What of a relocatable file is used where it lies, because its source keeps it.

use super::load::{Cursor, Load, Word};
use super::relocatable::Stage;
use crate::error::Error;
use crate::lock::RawMutex;
use crate::memory::{Memory, synchronize};
use crate::source::Source;
use llext_link::Error as LinkError;
use llext_link::addr::{Extent, Part};
use llext_link::elf::in_place::{InPlace, give_up};
use llext_link::elf::section::{Role, Section};
use llext_link::veneer::Needs;

impl<M: Memory, R: RawMutex, const N: usize, S: Source> Load<'_, '_, M, R, N, S> {
    /// Chooses what is used in place: its symbols get their addresses when they are resolved.
    #[inline(never)]
    pub(super) fn choose_in_place(&mut self) -> Result<(), Error> {
        let Self { file, options, .. } = self;
        let Some(bytes) = file.source.stays() else {
            let why = "the bytes of its file do not stay";
            let refused = Err(LinkError::NotInPlace { section: 0, why }.into());
            return if options.detached.is_some() { refused } else { Ok(()) };
        };
        let in_place = InPlace {
            address: bytes.as_ptr().addr() as u64,
            code: options.code_in_place,
            writable: file.source.is_writable(),
        };
        let names = file.extents.names.of(bytes);
        let mut nothing = |_: u32, _: &[u8]| false;
        let detached: &mut dyn FnMut(u32, &[u8]) -> bool = match &mut options.detached {
            Some(detached) => detached,
            None => &mut nothing,
        };
        in_place.choose(file.sections.table_mut(), names.unwrap_or_default(), detached)?;
        self.resolve.file = Some(in_place.address);
        Ok(())
    }

    /// Everything is counted: on, unless what is in place is out of reach.
    pub(super) fn counted(&mut self) -> Stage {
        let out_of_reach = |needs: Needs| needs.out_of_reach;
        if self.may_copy_all() && self.relocatable.needs.is_some_and(out_of_reach) {
            self.copy_all()
        } else {
            Stage::Plan
        }
    }

    /// Whether anything is in place that need not be.
    pub(super) fn may_copy_all(&self) -> bool {
        self.file.source.stays().is_some() && self.options.detached.is_none() && self.in_place().size > 0
    }

    /// Has everything copied, and counts anew.
    pub(super) fn copy_all(&mut self) -> Stage {
        give_up(self.file.sections.table_mut());
        self.relocatable.needs = Some(self.no_needs());
        for buffer in [&mut self.slots, &mut self.index, &mut self.uppers, &mut self.text_in_place] {
            self.scratch.give_back(buffer);
        }
        Stage::Count(Cursor::default())
    }

    /// The bytes of the file from the first to the last section that is in place.
    pub(super) fn in_place(&self) -> Extent {
        if self.file.source.stays().is_none() {
            return Extent::default();
        }
        let sections = self.file.sections().iter();
        let mut sections = sections.filter(|section| section.is_in_place());
        let Some(Extent { offset, size }) = sections.next().map(Section::extent) else {
            return Extent::default();
        };
        let end = sections.next_back().map_or(offset + size, |last| last.extent().end() as u32);
        Extent { offset, size: end - offset }
    }

    /// How far each part reaches from its address, bytes: the file, where it is in place, to the last section that is.
    pub(super) fn spans(&self) -> [u32; 4] {
        let [image, code, constants, data] = self.layout.sizes;
        [image.max(self.relocatable.in_place.end() as u32), code, constants, data]
    }

    /// Lists the sections of code that are in place, in the order of the file, so that each is found by halving.
    pub(super) fn list_text_in_place(&mut self) -> Result<(), Error> {
        if self.file.source.stays().is_none() {
            return Ok(());
        }
        let text = || self.file.sections().iter().filter(|it| it.is_in_place() && it.role() == Role::Text);
        self.text_in_place = self.scratch.table::<Extent>(text().count() as u32)?;
        for (listed, section) in self.text_in_place.table_mut().iter_mut().zip(text()) {
            *listed = section.extent();
        }
        Ok(())
    }

    /// Whether `address` lies in code that is in place.
    pub(super) fn is_text_in_place(&self, address: Word) -> bool {
        let text = self.text_in_place.table::<Extent>();
        let at = address.wrapping_sub(self.addresses.part(Part::Image));
        let begun = text.partition_point(|section| section.offset as Word <= at);
        let last = text.get(..begun).and_then(<[Extent]>::last);
        last.is_some_and(|section| at - (section.offset as Word) < section.size as Word)
    }

    /// Makes code in place visible to instruction fetch; the address and size of all that is in place.
    pub(super) fn show_in_place(&self) -> (usize, usize) {
        if self.file.source.stays().is_none() {
            return (0, 0);
        }
        let file = self.addresses.part(Part::Image) as usize;
        let (all, text) = (self.relocatable.in_place, self.text_in_place.table::<Extent>());
        if let (Some(first), Some(last)) = (text.first(), text.last()) {
            let (offset, end) = (first.offset as usize, last.end() as usize);
            // SAFETY: these bytes lie in the file, which stays and can be read.
            unsafe { synchronize(file + offset, end - offset) };
        }
        (file + all.offset as usize, all.size as usize)
    }
}
