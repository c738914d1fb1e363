//! The end of every load: functions are checked, the image is sealed, constructors run, others may find it.

use super::load::{Load, Word};
use super::shared::SHARED;
use super::tables::Origin;
use crate::error::{Error, Name};
use crate::export::SymbolName;
use crate::image::{Image, Sealed};
use crate::lifecycle::{Context, Functions, Lifecycle};
use crate::lock::RawMutex;
use crate::memory::{Memory, Protection, Segment as Protected};
use crate::native::{ARCH, Native};
#[cfg(feature = "reset")]
use crate::registry::Initial;
use crate::registry::{ExportView, Extension, Handle};
use crate::source::Source;
use core::ptr::NonNull;
use llext_link::Error as LinkError;
use llext_link::addr::{Extent, Part, SymbolIndex, Word as _};
use llext_link::arch::Expr;
use llext_link::elf::dynamic::Dynamic;
use llext_link::elf::relocation::{Relocation, Relocations};
use llext_link::elf::section::relocation_size;
use llext_link::elf::segment::MAX_LOADS;
use llext_link::elf::symbol::{STT_GNU_IFUNC, Symbols, string_at};
use llext_link::elf::{Format, read_word};

impl<'r, M: Memory, R: RawMutex, const N: usize, S: Source> Load<'r, '_, M, R, N, S> {
    /// Checks what [`Load::finish`] would use.
    pub(super) fn check_ends(&mut self) -> Result<(), Error> {
        let exports = self.export_view()?;
        self.find_functions(&exports)?;
        Ok(())
    }

    /// Ends the load: what was checked is sealed, runs, and is published.
    #[inline(never)]
    pub(super) fn finish(&mut self) -> Result<Handle<'r, M, R, N>, Error> {
        let record = self.seal()?;
        self.free_scratch();
        self.initialise(record)
    }

    /// Protects the image, whose code may run from here on, and leaves the extension's record in it.
    #[inline(never)]
    fn seal(&mut self) -> Result<NonNull<Extension<M, R, N>>, Error> {
        let exports = self.export_view()?;
        let lifecycle = self.find_functions(&exports)?;
        let soname = self.soname();
        #[cfg(feature = "reset")]
        let initial = self.keep_initial();
        let mut image = self.protect()?;
        let context = self.addresses.dso_handle as usize;
        let record = context + self.tables.record_at as usize;
        let (Some(context), Some(record)) = (NonNull::new(context as *mut _), NonNull::new(record as *mut _))
        else {
            return Err(Error::BadExports { index: 0, found: 0 });
        };
        const { assert!(align_of::<Extension<M, R, N>>() <= 16 && align_of::<Context<R>>() <= 16) };
        // SAFETY: the layout kept this room for both, aligned to 16, in the data part, which stays writable; nothing
        // else lies there and no code has run yet: resolvers may use the context.
        unsafe { self.write_context(context) };
        if let Err(error) = self.run_early(&mut image) {
            // SAFETY: it was written just now, and the image is still there.
            unsafe { context.drop_in_place() };
            return Err(error);
        }
        let block = image.into_block().ok_or(Error::Link(LinkError::NothingToLoad))?;
        // SAFETY: as above.
        unsafe {
            self.write_record(
                (record, context),
                block,
                exports,
                lifecycle,
                soname,
                #[cfg(feature = "reset")]
                initial,
            );
        }
        Ok(record)
    }

    /// Protects the image. Apart, as what follows is: what each needs of the stack is not needed at once.
    #[inline(never)]
    fn protect(&mut self) -> Result<Image<'r, M, R, Sealed>, Error> {
        let mut segments = [Protected { offset: 0, size: 0, protection: Protection::Read }; MAX_LOADS];
        segments.iter_mut().zip(self.protections()).for_each(|(room, segment)| *room = segment);
        let image = self.image.take().ok_or(Error::Link(LinkError::NothingToLoad))?;
        image.seal(segments.get(..self.loads().len()).unwrap_or_default())
    }

    /// # Safety
    /// Nothing lies there, and there is room.
    #[inline(never)]
    unsafe fn write_context(&self, context: NonNull<Context<R>>) {
        // SAFETY: the caller says so.
        unsafe { context.write(Context::new(self.name, self.options.hooks)) };
    }

    /// # Safety
    /// As for the context, which lies there already.
    #[inline(never)]
    unsafe fn write_record(
        &mut self,
        (record, context): (NonNull<Extension<M, R, N>>, NonNull<Context<R>>),
        block: M::Block,
        exports: ExportView,
        lifecycle: Lifecycle,
        soname: Option<(usize, usize)>,
        #[cfg(feature = "reset")] initial: Option<Initial>,
    ) {
        let extension = Extension {
            block,
            addresses: self.addresses.parts.map(|address| address as usize),
            sizes: self.layout.sizes,
            in_place: self.show_in_place(),
            #[cfg(feature = "reset")]
            initial,
            #[cfg(feature = "reset")]
            template: self.write_template(context),
            exports,
            lifecycle,
            context,
            providers: self.options.providers.hand_over(),
            soname,
        };
        // SAFETY: the caller says so.
        unsafe { record.write(extension) };
    }

    /// Runs what must run before the image is as it will stay: resolvers, whose results lie where RELRO protects.
    fn run_early(&self, image: &mut Image<'_, M, R, Sealed>) -> Result<(), Error> {
        if !SHARED {
            return Ok(());
        }
        if self.shared.deferred > 0 {
            self.run_resolvers(image)?;
        }
        if let Some(relro) = self.shared.span.relro {
            let (offset, size) = (relro.offset as usize, relro.size as usize);
            image.protect(Protected { offset, size, protection: Protection::Read })?;
        }
        Ok(())
    }

    /// Runs the constructors and publishes the extension, or takes it away again.
    #[inline(never)]
    fn initialise(&mut self, record: NonNull<Extension<M, R, N>>) -> Result<Handle<'r, M, R, N>, Error> {
        let busy = Error::Busy { name: Name::new(self.name.as_bytes()) };
        let id = self.claim.take().ok_or(busy)?;
        self.registry.initialise(id, record);
        if self.options.bring_up {
            // SAFETY: the record was just written, and nobody takes it away before it is published.
            let brought_up = unsafe { record.as_ref() }.bringup();
            brought_up.inspect_err(|_| self.registry.roll_back(id))?;
        }
        // From here on nothing is undone, and what was kept stays.
        #[cfg(feature = "inspect")]
        self.options.inspection.take();
        Ok(self.registry.publish(id, record))
    }

    fn offset_in(&self, part: Part, address: Word) -> Option<Word> {
        let offset = address.wrapping_sub(self.addresses.part(part));
        (offset < self.layout.size(part) as Word).then_some(offset)
    }

    /// Finds constructors and destructors, each of which must lie in the extension's code.
    #[inline(never)]
    fn find_functions(&mut self, exports: &ExportView) -> Result<Lifecycle, Error> {
        let mut lifecycle = Lifecycle::default();
        for (name, hook) in [("llext_init", &mut lifecycle.start), ("llext_fini", &mut lifecycle.stop)] {
            if let Some(function) = exports.find_plain(&SymbolName::new(name.as_bytes())) {
                self.check_function(name, 0, function as Word)?;
                *hook = Some(function);
            }
        }
        if let Some(dynamic) = self.shared.dynamic() {
            lifecycle.init = self.functions("init_array", Part::Image, dynamic.init_array)?;
            lifecycle.fini = self.functions("fini_array", Part::Image, dynamic.fini_array)?;
            lifecycle.first = self.function("DT_INIT", dynamic.init)?;
            lifecycle.last = self.function("DT_FINI", dynamic.fini)?;
        } else {
            let layout = self.layout;
            lifecycle.preinit = self.functions("preinit_array", Part::Constants, layout.preinit)?;
            lifecycle.init = self.functions("init_array", Part::Constants, layout.init)?;
            lifecycle.fini = self.functions("fini_array", Part::Constants, layout.fini)?;
        }
        Ok(lifecycle)
    }

    fn functions(&mut self, array: &'static str, part: Part, extent: Extent) -> Result<Functions, Error> {
        let start = (self.addresses.part(part) as usize).wrapping_add(extent.offset as usize);
        let count = extent.size as usize / size_of::<usize>();
        if extent.size == 0 {
            return Ok(Functions::default());
        }
        if start % align_of::<usize>() != 0 || extent.size as usize % size_of::<usize>() != 0 {
            return Err(Error::FunctionOutsideText { array, index: count as u32, found: start as u64 });
        }
        for index in 0..count {
            let at = extent.offset as usize + index * size_of::<usize>();
            let bytes = match self.tables.origin {
                Origin::Linked(_) => self.located().get(part as usize).copied().unwrap_or_default(),
                _ => self.image()?.part(part),
            };
            let function = read_word::<Native>(bytes, at).unwrap_or_default();
            self.check_function(array, index as u32, function)?;
        }
        Ok(Functions { start, count })
    }

    fn function(&self, array: &'static str, offset: Option<u32>) -> Result<Option<usize>, Error> {
        let Some(offset) = offset else { return Ok(None) };
        let function = self.addresses.part(Part::Image).wrapping_add(offset as Word);
        self.check_function(array, 0, function)?;
        Ok(Some(function as usize))
    }

    pub(super) fn check_function(
        &self,
        array: &'static str,
        index: u32,
        function: Word,
    ) -> Result<(), Error> {
        let base = self.shared.span.base;
        let in_code =
            self.offset_in(Part::Code, function).is_some_and(|at| at < self.layout.bound.offset as Word);
        let mut segments = self.loads().iter().filter(|segment| segment.is_executable());
        let in_segment = self.offset_in(Part::Image, function).is_some_and(|at| {
            segments.any(|segment| {
                let start = segment.address().wrapping_sub(base);
                (start..start + u64::from(segment.size())).contains(&at.get())
            })
        });
        let found = function.get();
        let in_code = in_code || self.is_text_in_place(function);
        if in_code || in_segment { Ok(()) } else { Err(Error::FunctionOutsideText { array, index, found }) }
    }

    fn soname(&mut self) -> Option<(usize, usize)> {
        let (dynamic, start) = (self.shared.dynamic()?, self.addresses.part(Part::Image) as usize);
        let image: &[u8] = self.image.as_mut()?.part(Part::Image);
        let len = string_at(dynamic.strings.of(image)?, dynamic.soname?)?.len();
        Some((start + dynamic.strings.offset as usize + dynamic.soname? as usize, len))
    }

    /// Calls the resolvers of indirect functions and stores what they answer. They lie in the extension's own text.
    #[inline(never)]
    fn run_resolvers(&self, image: &Image<'_, M, R, Sealed>) -> Result<(), Error> {
        let Some(dynamic) = self.shared.dynamic() else { return Ok(()) };
        let [start, ..] = image.addresses();
        for table in dynamic.relocations {
            let size = relocation_size::<Native>(table.role) as u32;
            for index in 0..table.extent.size / size {
                // Resolvers may write the image: each record is used from a copy, and no slice of the image is kept.
                let mut record = [0; 24];
                let record = record.get_mut(..size as usize).unwrap_or_default();
                self.copy_out(start, table.extent.offset as usize + (index * size) as usize, record);
                if let Some(relocation) = Relocations::<Native>::new(table.role, record).first() {
                    self.run_resolver(start, &dynamic, &relocation)?;
                }
            }
        }
        Ok(())
    }

    /// Calls the resolver that a relocation names, if it names one.
    fn run_resolver(
        &self,
        start: usize,
        dynamic: &Dynamic,
        relocation: &Relocation<Word>,
    ) -> Result<(), Error> {
        let at = relocation.offset.wrapping_sub(self.shared.span.base as Word);
        let mut symbol = [0; size_of::<<Native as Format>::RawSymbol>()];
        self.copy_out(
            start,
            dynamic.symbols.offset as usize + relocation.symbol as usize * symbol.len(),
            &mut symbol,
        );
        let symbol = Symbols::<Native>::new(&symbol, &[], &[])?.get(SymbolIndex(0))?;
        let irelative = ARCH.howto(relocation.r_type).is_some_and(|howto| howto.expr == Expr::IRelative);
        let resolver = if irelative {
            let mut in_place = [0; size_of::<Word>()];
            self.copy_out(start, at as usize, &mut in_place);
            let addend = relocation.addend.or_else(|| read_word::<Native>(&in_place, 0));
            addend.unwrap_or_default()
        } else if symbol.kind() == STT_GNU_IFUNC && symbol.section != 0 {
            symbol.value
        } else {
            return Ok(());
        };
        let resolver = resolver.wrapping_add(self.shared.bias);
        self.check_function("resolver", relocation.symbol, resolver)?;
        let outside = Error::SlotNotWritable { found: relocation.offset.get() };
        let slot = self.writable_slot(at).ok_or(outside)?;
        // SAFETY: the resolver lies in the extension's text, which may run now; the slot lies in a writable segment.
        unsafe {
            let resolve = core::mem::transmute::<usize, extern "C" fn() -> usize>(resolver as usize);
            ((start + slot) as *mut usize).write_unaligned(resolve());
        }
        Ok(())
    }

    /// Copies bytes of the sealed image; those that would lie outside it stay as they are.
    fn copy_out(&self, start: usize, at: usize, to: &mut [u8]) {
        let size = self.layout.size(Part::Image) as usize;
        if at.checked_add(to.len()).is_some_and(|end| end <= size) {
            // SAFETY: the image is sealed, readable, kept by the caller, and reaches this far; `to` is our own.
            unsafe { core::ptr::copy_nonoverlapping((start + at) as *const u8, to.as_mut_ptr(), to.len()) }
        }
    }

    /// The offset of a word of the image, if it lies in a writable segment.
    fn writable_slot(&self, at: Word) -> Option<usize> {
        let end = (at as usize).checked_add(size_of::<usize>())?;
        let fits = |segment: Protected| {
            segment.protection == Protection::ReadWrite
                && at as usize >= segment.offset
                && end <= segment.offset + segment.size
        };
        self.protections().any(fits).then_some(at as usize)
    }
}
