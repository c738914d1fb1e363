//! Another instance of a shared object that is linked already: of what lies in memory, not of its file.
//!
//! What the first load kept is enough: the segments and what may be written, as the file has it; and in the image, in place
//! of the `st_value` that an undefined symbol has no use for, what that was resolved to. Constants are copied from the
//! instance that is there. The stages of a load do the rest, from the reservation on; none reads, looks up or indexes.

use super::super::load::{COPIED, Cursor, Load, Word};
use super::super::{Begun, Loader};
use super::Progress;
use crate::error::Error;
use crate::lifecycle::Context;
use crate::lock::RawMutex;
use crate::memory::Memory;
use crate::native::Native;
use crate::registry::{Handle, Template};
use crate::source::Source;
use core::ptr::NonNull;
use llext_link::Error as LinkError;
use llext_link::addr::{Extent, Part, SymbolIndex};
use llext_link::elf::segment::Segment;
use llext_link::elf::symbol::Symbols;
use llext_link::elf::{Format, write_word};

/// Where a symbol holds `st_value`, bytes.
const VALUE: usize = size_of::<Word>();
/// The size of a symbol, bytes.
const SYMBOL: usize = size_of::<<Native as Format>::RawSymbol>();

impl<'r, 'l, M: Memory, R: RawMutex, const N: usize> Loader<'r, 'l, M, R, N> {
    /// Makes another instance of a live shared object, called `name`: with the variables that `of` began with, and constructors
    /// that run for it. No file is read, and no symbol looked up: it uses what `of` uses, and holds it. Either may go first,
    /// and either can be instantiated again.
    ///
    /// `of` was loaded with [`keep_initial_data`](Self::keep_initial_data), or is such an instance. All else is refused: a
    /// relocatable object, whose relocations are not in memory and which has to be loaded again, under another name; a file
    /// that is linked for fixed addresses; and what `restore` made live again.
    ///
    /// Of the loader's choices, those of hooks, of bringing up, of waiting, of scratch and of the
    /// [same name](Self::same_name_is_enough) count, and what it [`needs`](Self::needs) is held besides.
    ///
    /// # Errors
    /// [`Error::NotInstantiable`], [`Error::ForeignProvider`]; [`Error::Busy`] also where something that it needs is on its
    /// way down; those of a load's beginning, and of its end from the reservation of memory on. Nothing of it remains then.
    ///
    /// # Safety
    /// As for [`Loader::load`]; and the extension may be there twice.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
    /// // SAFETY: we trust the extension, and may have it twice.
    /// let [left, right] = unsafe {
    ///     let left = apps.loader(&HOST).keep_initial_data(true).load("left", bytes)?;
    ///     let right = apps.loader(&HOST).instantiate("right", &left)?;
    ///     [left, right]
    /// };
    /// # drop([left, right]);
    /// # Ok(()) }
    /// ```
    pub unsafe fn instantiate(
        mut self,
        name: &'l str,
        of: &Handle<'r, M, R, N>,
    ) -> Result<Handle<'r, M, R, N>, Error> {
        if !of.is_of(self.registry) {
            return Err(Error::ForeignProvider);
        }
        let template = of.template().ok_or(Error::NotInstantiable { name: of.name() })?;
        self.options.keep_initial_data = true;
        self.options.export_globals = false;
        self.options.thread_local = template.thread_local;
        self.options.providers.need_as(of)?;
        match self.begin(name, &[][..])? {
            Begun::Placed(mut placed) => placed.load().instantiate(of, &template),
            Begun::Live(live) => Ok(live),
        }
    }
}

impl<'r, M: Memory, R: RawMutex, const N: usize> Load<'r, '_, M, R, N, &'static [u8]> {
    /// All of a load but what the first one did for good. What an address may have changed is checked as in a load.
    fn instantiate(
        &mut self,
        of: &Handle<'r, M, R, N>,
        template: &Template,
    ) -> Result<Handle<'r, M, R, N>, Error> {
        self.segments = self.scratch.table::<Segment>(template.span.count)?;
        let [image, _, constants, _] = of.addresses;
        // SAFETY: they lie there, sealed, as long as the caller's handle lives.
        unsafe { copy(constants + template.kept as usize, self.segments.bytes_mut()) };
        let (span, dynamic) = (template.span, Some(template.dynamic));
        self.shared = Progress { span, dynamic, ..Progress::default() };
        self.shared.scan.found = template.exported;
        self.reserve_span(&mut u32::MAX.clone())?;
        let changed = LinkError::TableChanged { what: "instance" };
        if self.layout.sizes != of.sizes {
            return Err(changed.into());
        }
        while !self.commit(&mut u32::MAX.clone())? {}
        let (pristine, kept, segments) = (self.pristine(), self.kept(), size_of_val(self.loads()));
        let [own, _, own_constants, _] = self.image()?.working();
        let (own, variables) = own.split_at_mut_checked(pristine.offset as usize).ok_or(changed)?;
        // SAFETY: the parts are as large as those of the other instance, sealed there and never written: of the image, as far
        // as the first segment that may be.
        unsafe {
            copy(image, own);
            copy(constants, own_constants);
        }
        let kept = kept.and_then(|kept| kept.of(own_constants)?.get(segments..));
        fill(variables, kept.ok_or(changed)?);
        self.link_again()?;
        // SAFETY: as above.
        let unchanged = unsafe { core::slice::from_raw_parts(image as *const u8, pristine.offset as usize) };
        if self.image()?.part(Part::Image).get(..unchanged.len()) != Some(unchanged) {
            return Err(LinkError::TextRelocations.into());
        }
        self.check_exports(0, &mut u32::MAX.clone())?;
        self.finish()
    }

    /// Gives every symbol its address and applies every relocation.
    fn link_again(&mut self) -> Result<(), Error> {
        let table = self.dynamic()?.symbols;
        self.values = self.scratch.table::<Word>(table.size / SYMBOL as u32)?;
        let image = self.image.as_mut().map_or(&mut [][..], |image| image.part(Part::Image));
        let symbols = table.of(image).unwrap_or_default().chunks_exact(SYMBOL);
        for (value, raw) in self.values.table_mut::<Word>().iter_mut().zip(symbols) {
            let symbol = Symbols::<Native>::new(raw, &[], &[])?.get(SymbolIndex(0))?;
            if symbol.section == 0 {
                *value = symbol.value;
            }
        }
        while let super::Stage::Assign = self.assign_dynamic(&mut u32::MAX.clone())? {}
        let mut at = Cursor::default();
        while let Some(next) = self.relocate_image(at, &mut u32::MAX.clone())? {
            at = next;
        }
        Ok(())
    }
}

impl<M: Memory, R: RawMutex, const N: usize, S: Source> Load<'_, '_, M, R, N, S> {
    /// Where in the image that lies which may be written, as far as the file holds it.
    fn pristine(&self) -> Extent {
        let offset = |segment: &Segment| (segment.address() - self.shared.span.base) as u32;
        let writable = self.loads().iter().filter(|segment| segment.is_writable());
        let start = writable.map(offset).min().unwrap_or(self.shared.span.size);
        let ends = self.loads().iter().map(|segment| offset(segment) + segment.extent().size);
        Extent { offset: start, size: ends.max().unwrap_or(start).saturating_sub(start) }
    }

    /// How much room the caller's choice takes in the constants, bytes.
    pub(in super::super) fn kept_size(&self) -> u32 {
        let segments = size_of_val(self.loads()) as u32;
        if self.options.keep_initial_data { segments.saturating_add(self.pristine().size) } else { 0 }
    }

    /// Where in the constants the segments lie, and behind them the copy of what may be written.
    fn kept(&self) -> Option<Extent> {
        let size = self.tables.kept;
        let end = u32::try_from(self.layout.extra_constants.end()).ok()?;
        Some(Extent { offset: end.checked_sub(size)?, size }).filter(|_| size > 0)
    }

    /// Keeps what another instance is made of, before anything is relocated.
    pub(super) fn keep_template(&mut self, budget: &mut u32) -> Result<(), Error> {
        let Some(kept) = self.kept() else { return Ok(()) };
        *budget = budget.saturating_sub(kept.size.div_ceil(COPIED));
        let (table, pristine, segments) =
            (self.dynamic()?.symbols, self.pristine(), size_of_val(self.loads()));
        let Some(image) = &mut self.image else { return Ok(()) };
        let [image, _, constants, _] = image.working();
        let symbols = image.get_mut(table.offset as usize..table.end() as usize).unwrap_or_default();
        for (value, raw) in self.values.table::<Word>().iter().zip(symbols.chunks_exact_mut(SYMBOL)) {
            let symbol = Symbols::<Native>::new(raw, &[], &[])?.get(SymbolIndex(0))?;
            if symbol.section == 0 {
                write_word::<Native>(raw.get_mut(VALUE..).unwrap_or_default(), *value);
            }
        }
        let segments = self.segments.bytes().get(..segments).unwrap_or_default();
        let to = constants.get_mut(kept.offset as usize..).unwrap_or_default();
        fill(to, segments);
        fill(to.get_mut(segments.len()..).unwrap_or_default(), pristine.of(image).unwrap_or_default());
        Ok(())
    }

    /// Leaves what another instance is made of beside the record, in the sealed image whose context lies there.
    pub(in super::super) fn write_template(&self, context: NonNull<Context<R>>) -> Option<NonNull<Template>> {
        const { assert!(align_of::<Template>() <= 16) };
        let kept = self.kept()?;
        let template = Template {
            span: self.shared.span,
            dynamic: self.shared.dynamic?,
            exported: self.shared.scan.found.filter(|_| !self.options.export_globals),
            thread_local: self.options.thread_local,
            kept: kept.offset,
        };
        // SAFETY: the layout kept this room for it, aligned to 16, between the context and the record.
        unsafe {
            let place = context.byte_add(Self::TEMPLATE_AT).cast();
            place.write(template);
            Some(place)
        }
    }
}

/// Copies what there is, as far as there is room.
fn fill(to: &mut [u8], from: &[u8]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
}

/// # Safety
/// At `from` lie as many bytes, which nobody writes, and none of them is among these.
unsafe fn copy(from: usize, to: &mut [u8]) {
    // SAFETY: as the caller says.
    unsafe { core::ptr::copy_nonoverlapping(from as *const u8, to.as_mut_ptr(), to.len()) }
}
