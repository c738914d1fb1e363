//! A load as a value: it goes forward in slices of bounded work, and dropping it undoes it.

use super::buffer::{Buffer, Scratch};
use super::file::{BATCH, File, Reader};
use super::linked::PRE_LOCATED;
use super::shared::SHARED;
use super::stored::Stored;
use super::tables::Tables;
use super::{Options, exports, linked, relocatable, shared};
use crate::error::Error;
use crate::image::{Draft, Image};
use crate::lifecycle;
use crate::lock::RawMutex;
use crate::memory::Memory;
use crate::native::{ARCH, Native};
use crate::registry::{Claim, Handle, Id, Registry};
use crate::source::{ReadError, Source};
use core::task::Poll;
use llext_link::addr::{Extent, Part};
use llext_link::elf::header::{Header, Kind};
use llext_link::elf::section::{Role, relocation_size};
use llext_link::elf::{Format, write_word};
use llext_link::layout::Layout;
use llext_link::symbol::{Addresses, Assign, BOUND, Resolve};

/// An address of this build, as the linker counts.
pub(super) type Word = <Native as Format>::Word;

/// How far a load has come. The order is the order of the work. A stage reads from the source once at most, and changes
/// nothing before it has read: so a read that would block is asked again, and no other is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    /// The name is reserved; nothing has been read.
    Begin,
    /// The ELF header is read.
    Header,
    Relocatable(relocatable::Stage),
    Shared(shared::Stage),
    Linked(linked::Stage),
    /// All relocations are applied: exports are made, checked and indexed.
    Exports(exports::Stage),
    /// Protection, constructors.
    Finish,
    /// There is nothing left to do.
    Done,
}

/// How many bytes copied count as one unit of work.
pub(super) const COPIED: u32 = 256;

/// Where a walk over tables of records stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursor {
    pub(super) table: u32,
    pub(super) record: u32,
}

/// A load on its way: call [`Load::step`] until it is ready, as [`Loader::start`](super::Loader::start) shows.
///
/// Dropping it undoes it, and may take providers away that nobody else keeps: see [`Handle`]. One that is forgotten
/// (`mem::forget`) keeps its name [`Error::Busy`], its memory and its providers for good. It stays on its thread (it is
/// not `Send`), for it borrows the host's exports and the caller's closures, which need not be `Send`.
pub struct Load<'r, 'l, M: Memory, R: RawMutex, const N: usize, S: Source> {
    pub(super) registry: &'r Registry<M, R, N>,
    pub(super) options: Options<'r, 'l, M, R, N>,
    pub(super) name: &'l str,
    /// The reserved name, until the extension is published.
    pub(super) claim: Option<Id>,
    /// The extension, when it was live already.
    pub(super) live: Option<Handle<'r, M, R, N>>,
    stage: Stage,
    pub(super) file: File<'l, S, M::Scratch>,
    pub(super) scratch: Scratch<'r, 'l, M, R>,
    /// The program headers as they lie in the file.
    pub(super) headers: Buffer<'l, M::Scratch>,
    pub(super) segments: Buffer<'l, M::Scratch>,
    /// The section of notes that is being read.
    pub(super) notes: Buffer<'l, M::Scratch>,
    pub(super) values: Buffer<'l, M::Scratch>,
    pub(super) slots: Buffer<'l, M::Scratch>,
    /// Where far-call stubs are looked up.
    pub(super) index: Buffer<'l, M::Scratch>,
    /// The upper parts of addresses in one section.
    pub(super) uppers: Buffer<'l, M::Scratch>,
    /// Where code lies in the file that is used in place.
    pub(super) text_in_place: Buffer<'l, M::Scratch>,
    pub(super) resolve: Resolve,
    pub(super) assign: Assign,
    pub(super) layout: Layout,
    /// Where in the data the variables lie of which a copy is kept.
    #[cfg(feature = "reset")]
    pub(super) initial: Option<Extent>,
    pub(super) addresses: Addresses<Word>,
    pub(super) image: Option<Image<'r, M, R, Draft>>,
    pub(super) tables: Tables,
    pub(super) relocatable: relocatable::Progress,
    pub(super) shared: shared::Progress,
    pub(super) linked: linked::Progress,
}

impl<'r, 'l, M: Memory, R: RawMutex, const N: usize, S: Source> Load<'r, 'l, M, R, N, S> {
    pub(super) fn begin(
        registry: &'r Registry<M, R, N>,
        options: Options<'r, 'l, M, R, N>,
        scratch: Scratch<'r, 'l, M, R>,
        source: S,
        name: &'l str,
        claim: Claim<'r, M, R, N>,
    ) -> Self {
        let (claim, live) = match claim {
            Claim::New(id) => (Some(id), None),
            Claim::Live(handle) => (None, Some(handle)),
        };
        let file = File {
            source: Stored::new(source),
            header: None,
            extents: Default::default(),
            sections: Buffer::Nothing,
            tables: Buffer::Nothing,
            batch: Buffer::Nothing,
            held: Extent::default(),
            exports_globals: true,
        };
        let nowhere = Addresses { parts: [0; 4], commons: 0, got: 0, dso_handle: 0, bound: [0; BOUND] };
        let mut resolve = Resolve::default();
        resolve.thread_local = options.thread_local.is_some();
        Self {
            registry,
            options,
            name,
            claim,
            live,
            stage: Stage::Begin,
            file,
            scratch,
            headers: Buffer::Nothing,
            segments: Buffer::Nothing,
            notes: Buffer::Nothing,
            values: Buffer::Nothing,
            slots: Buffer::Nothing,
            index: Buffer::Nothing,
            uppers: Buffer::Nothing,
            text_in_place: Buffer::Nothing,
            resolve,
            assign: Assign::default(),
            layout: Layout::default(),
            #[cfg(feature = "reset")]
            initial: None,
            addresses: nowhere,
            image: None,
            tables: Tables::default(),
            relocatable: relocatable::Progress::default(),
            shared: shared::Progress::default(),
            linked: linked::Progress::default(),
        }
    }

    /// Goes on with at most `budget` units of work: a section, a symbol, a relocation or 256 bytes copied or cleared
    /// are one unit each. Constructors, and what ends a load, run in its last step.
    ///
    /// Some walks are not cut, however small the budget: over all sections, where the image is planned; over a section of
    /// notes and the dynamic section; over packed relocations (`DT_RELR`), and over the imports of a pre-located file.
    ///
    /// `Pending` means: call again, now or, when the source said `WouldBlock`, later. A budget of 0 does nothing and is
    /// always pending.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
    /// // SAFETY: we trust the extension.
    /// let mut load = unsafe { apps.loader(&HOST).start("app", bytes)? };
    /// let ready = load.step(1).is_ready(); // one unit of work
    /// drop(load); // nothing of it remains
    /// # let _ = ready;
    /// # Ok(()) }
    /// ```
    pub fn step(&mut self, budget: u32) -> Poll<Result<Handle<'r, M, R, N>, Error>> {
        let mut budget = budget;
        while budget > 0 {
            match self.advance(&mut budget) {
                Ok(None) => {}
                Ok(Some(handle)) => return Poll::Ready(Ok(handle)),
                Err(Error::Read { error: ReadError::WouldBlock }) => return Poll::Pending,
                Err(error) => {
                    self.undo();
                    return Poll::Ready(Err(error));
                }
            }
        }
        Poll::Pending
    }

    /// Goes on to the end; what has failed is undone when it is dropped.
    pub(super) fn run(&mut self) -> Result<Handle<'r, M, R, N>, Error> {
        loop {
            match self.advance(&mut u32::MAX.clone()) {
                Ok(None) | Err(Error::Read { error: ReadError::WouldBlock }) => {}
                Ok(Some(handle)) => return Ok(handle),
                Err(error) => return Err(error),
            }
        }
    }

    /// Goes on to the end, short of sealing and running.
    pub(super) fn verify(&mut self) -> Result<Footprint, Error> {
        while !matches!(self.stage, Stage::Finish) {
            self.advance(&mut u32::MAX.clone())?;
        }
        self.check_ends()?;
        Ok(Footprint { parts: self.layout.sizes, scratch: self.scratch.taken() })
    }

    /// The story of a load. Each stage leaves more that is fixed:
    #[inline(never)]
    fn advance(&mut self, budget: &mut u32) -> Result<Option<Handle<'r, M, R, N>>, Error> {
        if let Some(handle) = self.live.take() {
            self.stage = Stage::Done;
            return Ok(Some(handle));
        }
        if self.scratch.is_dirty {
            self.clear_scratch(budget);
            return Ok(None);
        }
        self.stage = match self.stage {
            // what the file is, and where its tables lie
            Stage::Begin => self.read_header(budget)?,
            Stage::Header => self.complete_header(budget)?,
            // sections, symbols, sizes, addresses, contents: in relocatable.rs
            Stage::Relocatable(stage) => self.advance_relocatable(stage, budget)?,
            // segments, addresses, contents, symbols: in shared.rs
            Stage::Shared(stage) if SHARED => self.advance_shared(stage, budget)?,
            // what others provide, contents where they belong: in linked.rs
            Stage::Linked(stage) if PRE_LOCATED => self.advance_linked(stage, budget)?,
            // entries, checks, the index over them: in exports.rs
            Stage::Exports(stage) => self.advance_exports(stage, budget)?,
            // functions, protection, constructors: in finish.rs; from here on others find it
            Stage::Finish => {
                #[cfg(feature = "inspect")]
                self.keep_inspection()?;
                self.stage = Stage::Done;
                return self.finish().map(Some);
            }
            Stage::Shared(_) | Stage::Linked(_) | Stage::Done => return Err(Error::LoadEnded),
        };
        Ok(None)
    }

    #[inline(never)]
    fn read_header(&mut self, budget: &mut u32) -> Result<Stage, Error> {
        *budget -= 1;
        let file = &mut self.file;
        file.source.settle();
        if file.source.lent().is_none() && file.batch.bytes().is_empty() {
            file.batch = self.scratch.bytes(BATCH * relocation_size::<Native>(Role::Rela) as usize)?;
            return Ok(Stage::Begin); // when it is clear
        }
        let size = file.source.size()?;
        let extent = Header::extent::<Native>(size)?;
        file.fetch(extent)?;
        let header = Header::parse::<Native>(file.fetched(extent), size)?;
        ARCH.check(&header)?;
        file.header = Some(header);
        Ok(Stage::Header)
    }

    /// Counts that did not fit the header are in section header 0.
    #[inline(never)]
    fn complete_header(&mut self, budget: &mut u32) -> Result<Stage, Error> {
        *budget = budget.saturating_sub(1);
        let mut header = self.file.header()?;
        self.file.fetch(header.first_section())?;
        header.complete::<Native>(self.file.fetched(header.first_section()))?;
        self.file.header = Some(header);
        match (header.kind, self.options.places) {
            (Kind::Linked, places) if !PRE_LOCATED || places.is_none() => return Err(Error::NotPreLocated),
            (Kind::Relocatable | Kind::Shared, Some(_)) => {
                return Err(Error::NotLinked { found: header.kind.number() });
            }
            (Kind::Shared, _) if !SHARED => return Err(Error::SharedLeftOut),
            _ => {}
        }
        Ok(match header.kind {
            Kind::Linked => Stage::Linked(linked::Stage::Segments),
            Kind::Relocatable => Stage::Relocatable(relocatable::Stage::Sections),
            Kind::Shared => Stage::Shared(shared::Stage::Segments),
        })
    }

    pub(super) fn reader(&mut self) -> Reader<'_, S> {
        Reader { source: &mut self.file.source, batch: self.file.batch.bytes_mut() }
    }

    pub(super) fn image(&mut self) -> Result<&mut Image<'r, M, R, Draft>, Error> {
        self.image.as_mut().ok_or(Error::Link(llext_link::Error::NothingToLoad))
    }

    /// Clears more of the image; whether all of it can be written.
    #[inline(never)]
    pub(super) fn commit(&mut self, budget: &mut u32) -> Result<bool, Error> {
        let bytes = budget.saturating_mul(COPIED);
        let Some(image) = &mut self.image else { return Ok(true) };
        let cleared = image.clear(bytes as usize) as u32;
        if cleared == bytes {
            *budget = 0;
            return Ok(false);
        }
        *budget -= cleared / COPIED;
        image.commit()?;
        self.write_bound();
        Ok(true)
    }

    /// Writes the binding stubs: they tell functions of the run time which extension calls.
    fn write_bound(&mut self) {
        let (at, handle) = (self.layout.bound.offset as usize, self.addresses.dso_handle);
        let start = self.addresses.part(Part::Code).wrapping_add(at as Word);
        let (Some(binder), Some(image)) = (&ARCH.binder, &mut self.image) else { return };
        let size = binder.code.len();
        let code = image.part(Part::Code).get_mut(at..).unwrap_or_default();
        for (index, (stub, target)) in code.chunks_exact_mut(size).zip(lifecycle::bound::<R>()).enumerate() {
            if self.layout.bound.size == 0 {
                return;
            }
            stub.copy_from_slice(binder.code);
            for (at, word) in [(binder.context, handle), (binder.target, target as Word)] {
                write_word::<Native>(stub.get_mut(usize::from(at)..).unwrap_or_default(), word);
            }
            if let Some(address) = self.addresses.bound.get_mut(index) {
                *address = start.wrapping_add((index * size + usize::from(binder.entry)) as Word);
            }
        }
    }

    /// Gives everything back; nothing of the load remains.
    pub(super) fn undo(&mut self) {
        self.stage = Stage::Done;
        #[cfg(feature = "inspect")]
        self.options.inspection.take().into_iter().for_each(super::inspection::clear);
        self.image = None;
        self.free_scratch();
        if let Some(id) = self.claim.take() {
            self.registry.abandon(id);
        }
        // Last: a provider that goes here may run a hook of the host's, which may panic.
        self.options.providers.release();
    }

    pub(super) fn free_scratch(&mut self) {
        let (scratch, buffers) = self.buffers();
        buffers.into_iter().for_each(|buffer| scratch.give_back(buffer));
    }

    /// Clears what was taken of scratch memory since this was done, before it is used.
    #[inline(never)]
    fn clear_scratch(&mut self, budget: &mut u32) {
        let most = budget.saturating_mul(COPIED) as usize;
        let cleared = self
            .buffers()
            .1
            .into_iter()
            .fold(0, |cleared, buffer| cleared + Scratch::<M, R>::clear(buffer, most - cleared));
        self.scratch.is_dirty = cleared == most;
        *budget -= cleared as u32 / COPIED;
    }

    /// All scratch memory, and where it comes from.
    fn buffers(&mut self) -> (&mut Scratch<'r, 'l, M, R>, [&mut Buffer<'l, M::Scratch>; 11]) {
        let Self { scratch, file, headers, segments, notes, values, slots, index, uppers, .. } = self;
        let File { sections, tables, batch, .. } = file;
        let text = &mut self.text_in_place;
        let all = [sections, tables, batch, headers, segments, notes, values, slots, index, uppers, text];
        (scratch, all)
    }
}

impl<M: Memory, R: RawMutex, const N: usize, S: Source> Drop for Load<'_, '_, M, R, N, S> {
    fn drop(&mut self) {
        self.undo();
    }
}

/// What a load takes, bytes: see [`Loader::verify`](super::Loader::verify).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// Each part of the image, in the order of [`Part::ALL`](llext_link::addr::Part::ALL); what stays while it lives.
    pub parts: [u32; 4],
    /// Scratch memory, only while it is loaded, the state of the load included.
    pub scratch: usize,
}
