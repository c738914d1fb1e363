//! Live again where the memory outlived the registry: what was written down is checked as a stranger's, all of it before
//! anything is written.

use super::saved::{self, Contents, Header, Record, Records, Saved};
use super::saving::{PHASES, fingerprint};
use super::{Claim, ExportView, Extension, Handle, Id, Registry, State, Wanted};
use crate::error::{Error, Name};
use crate::export::{ENTRY, Export, Exports, check_entries};
use crate::lifecycle::{Context, Functions, Hooks, Lifecycle, Phase};
use crate::lock::RawMutex;
use crate::memory::{Block, Part, Pool, PoolBlock};
use crate::native::Native;
use crate::source::Identity;
use core::mem::forget;
use core::ptr::NonNull;
use core::time::Duration;
use llext_link::addr::Extent;
use llext_link::elf::dynamic::Dynamic;
use llext_link::elf::segment::Span;
use llext_link::elf::{Format, read_word};

type Word = <Native as Format>::Word;

/// An extension as it was written down, checked: what its record is made of.
struct Again<'a> {
    block: PoolBlock<'a>,
    sizes: [u32; 4],
    exports: ExportView,
    lifecycle: Lifecycle,
    #[cfg(feature = "reset")]
    initial: Option<super::Initial>,
    soname: Option<(usize, usize)>,
    phase: Phase,
    /// Where its context and its record go.
    places: [NonNull<u8>; 2],
}

impl<'a, R: RawMutex, const N: usize> Registry<Pool<'a>, R, N> {
    /// Makes what was written down live again, and gives a handle of each; how many they are.
    ///
    /// # Safety
    /// The memory holds what it held, and so does the program; nobody uses the registry meanwhile.
    pub(crate) unsafe fn restore<'r>(
        &'r self,
        host: &dyn Exports,
        hooks: Hooks,
        bytes: &[u8],
        each: &mut dyn FnMut(Handle<'r, Pool<'a>, R, N>),
    ) -> Result<usize, Error> {
        let (header, records) = saved::open(bytes)?;
        self.check(&header, host)?;
        self.check_memory(&header, records)?;
        let contents = Contents::of(header.contents);
        let contents = contents.ok_or(Error::BadSaved { what: "contents", number: 0 })?;
        for (index, saved) in records.enumerate() {
            // SAFETY: the caller vouches for the memory.
            unsafe { self.check_extension(index, &saved, records, contents)? };
        }
        // From here on nothing is refused.
        if !self.memory.with(|pool| pool.keep(|| records.map(|saved| saved.record.taken))) {
            return Err(Error::NotFresh);
        }
        for saved in records {
            // SAFETY: as above; it was checked just now.
            unsafe { self.revive(&saved, hooks)? };
        }
        let (mut after, until) = (0, self.table.with(|table| table.loads));
        while let Some((order, handle)) = self.take_revived(after, until) {
            each(handle);
            after = order;
        }
        Ok(header.count)
    }

    /// The program must be the one that saved, and this registry must have nothing yet.
    fn check(&self, header: &Header, host: &dyn Exports) -> Result<(), Error> {
        let names = ["slots", "record", "context"];
        for ((what, found), expected) in names.into_iter().zip(header.build).zip(Self::BUILD) {
            if found != expected {
                return Err(Error::OtherBuild { what, found: found as u64, expected: expected as u64 });
            }
        }
        let (found, expected) = (fingerprint::<R>(host)?, u64::from_ne_bytes(header.exports));
        if found != expected {
            return Err(Error::OtherExports { found, expected });
        }
        let is_empty = |slot| self.statuses(slot).is_some_and(|status| status.state == State::Empty);
        if !(0..N).all(is_empty) || !self.memory.with(|pool| pool.is_fresh()) {
            return Err(Error::NotFresh);
        }
        let most = header.count <= N;
        if most { Ok(()) } else { Err(Error::BadSaved { what: "number of extensions", number: 0 }) }
    }

    fn check_memory(&self, header: &Header, records: Records<'_>) -> Result<(), Error> {
        let slices = self.memory.with(|pool| pool.slices());
        for ((part, found), expected) in [Part::Code, Part::Data].into_iter().zip(slices).zip(header.slices) {
            if found != expected {
                let [found, expected] = [found, expected].map(|[address, ..]| address as u64);
                return Err(Error::OtherMemory { part, found, expected });
            }
        }
        let held = self.memory.with(|pool| pool.holds(|| records.map(|saved| saved.record.taken)));
        if held { Ok(()) } else { Err(Error::BadSaved { what: "place", number: 0 }) }
    }

    /// Checks all that is written down of one extension, and of what its memory holds all that the run time follows.
    ///
    /// # Safety
    /// Its memory is initialised.
    unsafe fn check_extension(
        &self,
        index: usize,
        saved: &Saved<'_>,
        all: Records<'_>,
        contents: Contents,
    ) -> Result<(), Error> {
        let bad = |what| Error::BadSaved { what, number: index as u32 + 1 };
        let name = saved.name().ok_or(bad("name"))?;
        if all.into_iter().take(index).any(|other| other.name() == Some(name)) {
            return Err(bad("name"));
        }
        let mut providers = saved.providers().enumerate();
        if !providers.all(|(at, one)| one < index && saved.providers().take(at).all(|other| other != one)) {
            return Err(bad("provider"));
        }
        // SAFETY: the caller vouches for the memory.
        let again = unsafe { self.again(&saved.record) }.map_err(bad)?;
        let sizes = again.sizes.map(|size| size as usize);
        let variables = saved.record.record + size_of::<Extension<Pool<'a>, R, N>>();
        // SAFETY: as above.
        if !unsafe { Parts::read(&again.block, sizes, variables) }.holds(&again.exports) {
            return Err(bad("exports"));
        }
        // SAFETY: as above.
        let found = unsafe { contents.digest(&again.block, sizes, again.exports.constant(), variables) };
        let expected = u64::from_ne_bytes(saved.record.contents);
        if found != expected {
            return Err(Error::MemoryChanged { name: Name::new(name.as_bytes()), found, expected });
        }
        let is_code = |function| {
            all.into_iter().any(|other| {
                let block = self.memory.with(|pool| pool.kept(other.record.taken));
                block.is_some_and(|block| Parts::of(&block, other.record.sizes).code(function).is_some())
            })
        };
        let fit = Context::<R>::has_room(saved.record.exits);
        if fit && saved.exits().all(|[function, _]| is_code(function)) {
            Ok(())
        } else {
            Err(bad("destructor"))
        }
    }

    /// What an extension's record is made of; or which number of it is wrong.
    ///
    /// # Safety
    /// Its memory is initialised.
    unsafe fn again(&self, record: &Record) -> Result<Again<'a>, &'static str> {
        let block = self.memory.with(|pool| pool.kept(record.taken)).ok_or("place")?;
        let fits = |part: usize| record.sizes[part] <= record.taken[part][1];
        let sizes = record.sizes.map(|size| size as u32);
        if !(0..4).all(fits) || sizes.map(|size| size as usize) != record.sizes {
            return Err("size");
        }
        let places = Self::places(&block, record).ok_or("place of its record")?;
        let variables = record.record + size_of::<Extension<Pool<'a>, R, N>>();
        // SAFETY: the caller vouches for it.
        let parts = unsafe { Parts::read(&block, record.sizes, variables) };
        Ok(Again {
            sizes,
            exports: parts.exports(record.exports).ok_or("exports")?,
            lifecycle: parts.lifecycle(record).ok_or("function")?,
            #[cfg(feature = "reset")]
            initial: parts.initial(record.initial, variables).ok_or("copy of its variables")?,
            soname: parts.soname(record.soname).ok_or("soname")?,
            phase: PHASES.get(record.phase).copied().ok_or("phase")?,
            places,
            block,
        })
    }

    /// Where its context and its record go, one behind the other in its data.
    fn places(block: &PoolBlock<'_>, record: &Record) -> Option<[NonNull<u8>; 2]> {
        let context = block.place(Part::Data, record.context, size_of::<Context<R>>())?;
        let size = size_of::<Extension<Pool<'a>, R, N>>();
        let linked = block.place(Part::Data, record.record, size)?;
        let apart = record.context + size_of::<Context<R>>() <= record.record;
        let inside = record.record + size <= record.sizes[Part::Data as usize];
        let aligned = context.cast::<Context<R>>().is_aligned()
            && linked.cast::<Extension<Pool<'a>, R, N>>().is_aligned();
        (apart && inside && aligned).then_some([context, linked])
    }

    /// Makes one extension live again.
    ///
    /// # Safety
    /// It was checked, and so was its memory.
    unsafe fn revive(&self, saved: &Saved<'_>, hooks: Hooks) -> Result<(), Error> {
        // SAFETY: the caller vouches for the memory.
        let again = unsafe { self.again(&saved.record) };
        let again = again.map_err(|what| Error::BadSaved { what, number: 0 })?;
        let identity = Identity::of_numbers(saved.record.identity.map(u64::from_ne_bytes));
        let wanted = Wanted {
            name: saved.name().unwrap_or_default(),
            identity: Some(identity).filter(|_| saved.record.identified != 0),
            same_name_is_enough: false,
            patience: Duration::ZERO,
        };
        let Claim::New(id) = self.claim(&wanted)? else { return Err(Error::NotFresh) };
        let mut providers = [false; N];
        for provider in saved.providers() {
            // The registry was empty, so that each is in the slot of its number.
            providers.get_mut(provider).into_iter().for_each(|slot| *slot = self.pin(provider).is_ok());
        }
        let [context, record] = again.places;
        let (context, record) = (context.cast::<Context<R>>(), record.cast());
        again.block.show_all();
        let extension: Extension<Pool<'a>, R, N> = Extension {
            addresses: again.block.addresses(),
            block: again.block,
            sizes: again.sizes,
            in_place: (0, 0),
            #[cfg(feature = "reset")]
            initial: again.initial,
            #[cfg(feature = "reset")]
            template: None,
            exports: again.exports,
            lifecycle: again.lifecycle,
            context,
            providers,
            soname: again.soname,
        };
        // SAFETY: both lie in the extension's own data, aligned and apart; what is there was of the registry that is lost.
        unsafe {
            context.write(Context::again(wanted.name, hooks, again.phase, saved.exits()));
            record.write(extension);
        }
        self.initialise(id, record);
        forget(self.publish(id, record));
        Ok(())
    }

    /// The handle that keeps the next extension since it was published, and when that was.
    fn take_revived(&self, after: u64, until: u64) -> Option<(u64, Handle<'_, Pool<'a>, R, N>)> {
        self.table.with(|table| {
            let (slot, entry) = table.next(after, until)?;
            let id = Id { slot, generation: self.statuses(slot)?.generation };
            Some((entry.order, Handle::first(self, id, entry.extension?)))
        })
    }
}

/// Where a table of exports may lie.
const ENTRIES: [Part; 2] = [Part::Image, Part::Constants];

/// The parts of an extension: where they begin when they run, and what they hold; of the data, what is its own.
struct Parts<'b> {
    starts: [usize; 4],
    sizes: [usize; 4],
    bytes: [&'b [u8]; 4],
}

impl<'b> Parts<'b> {
    /// Without a look at what they hold.
    fn of(block: &PoolBlock<'_>, sizes: [usize; 4]) -> Self {
        Self { starts: block.addresses(), sizes, bytes: Default::default() }
    }

    /// # Safety
    /// What they hold is initialised, up to `sizes`, and nobody writes it; of the data, from `variables` on.
    unsafe fn read(block: &PoolBlock<'_>, sizes: [usize; 4], variables: usize) -> Self {
        let mut parts = Self::of(block, sizes);
        let begins = [0, 0, 0, variables];
        for (at, part) in Part::ALL.into_iter().enumerate() {
            // SAFETY: the caller vouches for it.
            parts.bytes[at] = unsafe { block.bytes(part, begins[at]..sizes[at]) };
            parts.starts[at] = parts.starts[at].wrapping_add(begins[at]);
            parts.sizes[at] = parts.bytes[at].len();
        }
        parts
    }

    /// What lies at `address`, aligned, in one of `parts`.
    fn at(&self, parts: &[Part], address: usize, count: usize, size: usize) -> Option<&'b [u8]> {
        let bytes = count.checked_mul(size)?;
        let aligned = address % size.min(size_of::<usize>()) == 0;
        parts.iter().filter(|_| aligned).find_map(|part| {
            let offset = address.wrapping_sub(self.starts[*part as usize]);
            self.bytes[*part as usize].get(offset..)?.get(..bytes)
        })
    }

    /// The function at `address`, if there is code.
    fn code(&self, address: usize) -> Option<usize> {
        let holds = |part: Part| address.wrapping_sub(self.starts[part as usize]) < self.sizes[part as usize];
        (holds(Part::Code) || holds(Part::Image)).then_some(address)
    }

    fn exports(&self, numbers: [usize; 5]) -> Option<ExportView> {
        match numbers {
            [0, _, 0, ..] => Some(ExportView::Table {
                entries: (align_of::<Export>(), 0),
                buckets: (align_of::<u32>(), 0),
            }),
            [0, entries, count, buckets, places] => {
                self.at(&ENTRIES, entries, count, ENTRY)?;
                self.at(&[Part::Constants], buckets, places, size_of::<u32>())?;
                Some(ExportView::Table { entries: (entries, count), buckets: (buckets, places) })
            }
            [1, bias, constant, offset, size] => self.dynamic(bias, constant, (offset, size)),
            _ => None,
        }
    }

    /// Whether the names and addresses of a table lie in these parts.
    fn holds(&self, exports: &ExportView) -> bool {
        let ExportView::Table { entries: (entries, count @ 1..), .. } = exports else { return true };
        let table = self.at(&ENTRIES, *entries, *count, ENTRY).unwrap_or_default();
        let starts = self.starts.map(|start| start as Word);
        let sizes = self.sizes.map(|size| size as u32);
        check_entries(table, 0..*count as u32, &self.bytes, starts, sizes).is_ok()
    }

    /// The dynamic symbols of a shared object, whose dynamic section is parsed anew.
    fn dynamic(&self, bias: usize, constant: usize, section: (usize, usize)) -> Option<ExportView> {
        let ([start, ..], [image, ..]) = (self.starts, self.bytes);
        let section = Extent::within(section.0 as u64, section.1 as u64, image.len() as u64)?;
        let base = start.wrapping_sub(bias) as u64;
        let span = Span { base, size: image.len() as u32, dynamic: Some(section), ..Span::default() };
        let tables = Dynamic::parse::<Native>(image, &span).ok()?;
        let sealed = image.get(..constant)?;
        tables.hash_table::<Native>(sealed).ok()?;
        tables.symbols.of(sealed)?;
        tables.strings.of(sealed)?;
        Some(ExportView::Dynamic { tables, image: (start, image.len()), constant, bias })
    }

    fn lifecycle(&self, record: &Record) -> Option<Lifecycle> {
        let functions = |[start, count]: [usize; 2]| {
            let array = self.at(&[Part::Image, Part::Constants], start, count, size_of::<usize>());
            let array = if count == 0 { &[][..] } else { array? };
            let function =
                |index| self.code(read_word::<Native>(array, index * size_of::<usize>())? as usize);
            (0..count).all(|index| function(index).is_some()).then_some(Functions { start, count })
        };
        let function = |address| if address == 0 { Some(None) } else { self.code(address).map(Some) };
        let [preinit, init, fini] = record.arrays;
        let [first, last, start, stop] = record.functions;
        Some(Lifecycle {
            preinit: functions(preinit)?,
            first: function(first)?,
            init: functions(init)?,
            fini: functions(fini)?,
            last: function(last)?,
            start: function(start)?,
            stop: function(stop)?,
        })
    }

    fn soname(&self, [start, len]: [usize; 2]) -> Option<Option<(usize, usize)>> {
        if len == 0 {
            return Some(None);
        }
        self.at(&[Part::Image], start, len, 1).map(|_| Some((start, len)))
    }

    /// The copy of its variables lies in the constants, and what it is a copy of in the data.
    #[cfg(feature = "reset")]
    fn initial(&self, numbers: [usize; 5], begins: usize) -> Option<Option<super::Initial>> {
        let [is_there, kept, offset, size, end] = numbers;
        if is_there == 0 {
            return Some(None);
        }
        let [_, _, constants, data] = self.bytes;
        constants.get(kept..)?.get(..size)?;
        let own = offset.checked_sub(begins)?..end.checked_sub(begins)?;
        let fits = size <= own.len() && own.end <= data.len();
        let variables = Extent { offset: offset as u32, size: size as u32 };
        fits.then_some(Some(super::Initial { kept: kept as u32, variables, end: end as u32 }))
    }
}
