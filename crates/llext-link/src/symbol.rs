//! Symbols: each is looked up once, and ends as one word, its address.
//!
//! First [`Resolve`] finds those that others provide, before anything is reserved; all that are missing are reported
//! together. Then, when the parts have addresses, [`Assign`] gives the file's own symbols theirs.

use crate::addr::{MAX_ALIGN, SymbolIndex, Window, Word, align_up};
use crate::elf::Format;
use crate::elf::header::Kind;
use crate::elf::section::Section;
use crate::elf::symbol::{Place, STB_LOCAL, STB_WEAK, STT_FILE, STT_GNU_IFUNC, STT_TLS, Symbol, Symbols};
use crate::error::{Error, Name};

mod assign;
mod boundary;
mod query;
mod slid;

pub use assign::{Addresses, Assign};
use query::Waiting;
pub use query::{BATCH, Query};
pub use slid::{sha256, slid};

/// Values that no symbol has: marks that wait for an address, or say that there is none.
///
/// On 64 bits they are no address of any processor, on 32 bits they lie where no known one has memory.
pub struct Mark;

impl Mark {
    const FIRST: u64 = 0x8bad_f00d_db00_0000;
    const LAST: u64 = Self::FIRST + 0xff_ffff;
    const STOP: u64 = 0x80_0000;

    /// The symbol lies in a section that is not loaded: using it is an error.
    pub fn unusable<W: Word>() -> W {
        W::of(Self::LAST)
    }

    /// The symbol is an indirect function: its address is known when the image can run.
    pub fn deferred<W: Word>() -> W {
        W::of(Self::LAST - 1)
    }

    fn got<W: Word>() -> W {
        W::of(Self::LAST - 2)
    }

    fn dso_handle<W: Word>() -> W {
        W::of(Self::LAST - 3)
    }

    /// The symbol is a function of the host that is called through the image's binding stub of this number:
    /// what a host answers to a [`Query`] before the stub has an address.
    pub fn bound<W: Word>(stub: usize) -> W {
        W::of(Self::LAST - 4 - stub as u64)
    }

    /// Whether the value is what [`Mark::bound`] gives.
    pub(crate) fn is_bound<W: Word>(value: W) -> bool {
        (0..BOUND).any(|stub| value == Self::bound(stub))
    }

    /// Whether the value is one of the marks: its symbol will lie in the image, or nowhere.
    pub(crate) fn is_mark<W: Word>(value: W) -> bool {
        value >= W::of(Self::FIRST) && value <= W::of(Self::LAST)
    }

    /// The symbol is the start or the end of a section.
    fn boundary<W: Word>((section, start): (usize, bool)) -> W {
        W::of(Self::FIRST | if start { 0 } else { Self::STOP } | section as u64)
    }

    fn of_boundary<W: Word>(value: W) -> Option<(usize, bool)> {
        let low = value.get() & 0xff_ffff;
        Self::is_mark(value).then_some(((low & !Self::STOP) as usize, low & Self::STOP == 0))
    }
}

/// How many functions of the run time are called through binding stubs.
pub const BOUND: usize = 4;

/// Answers for names in turn: the address of each that is provided.
pub type Lookup<'l> = &'l mut dyn FnMut(&[Query<'_>], &mut [Option<u64>]);

/// What resolving counted.
#[derive(Clone, Copy, Debug)]
pub struct Tally {
    /// How many symbols nobody provides.
    pub missing: u32,
    /// The first of them.
    pub first_missing: Option<SymbolIndex>,
    /// The room that common symbols take, bytes.
    pub common_size: u32,
    /// The alignment of that room, bytes.
    pub common_align: u32,
    /// Whether the binding stubs are used.
    pub bound: bool,
    /// How many symbols the file defines for others.
    pub exports: u32,
    /// The length of their names with a NUL each, bytes.
    pub export_names: u32,
    /// Between which addresses everything lies that is not in the image: what others define, and what is in place. What
    /// nobody defines is at 0.
    pub others: Window,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            missing: 0,
            first_missing: None,
            common_size: 0,
            common_align: 0,
            bound: false,
            exports: 0,
            export_names: 0,
            others: Window::NONE,
        }
    }
}

impl Tally {
    /// Fails when any of `symbols` is missing.
    pub fn complete<F: Format>(&self, symbols: &Symbols<'_, F>) -> Result<(), Error> {
        let Some(index) = self.first_missing else { return Ok(()) };
        let name = symbols.get(index).and_then(|symbol| symbols.name(index, &symbol))?;
        Err(Error::UndefinedSymbols { count: self.missing, first: Name::new(name) })
    }
}

/// Looks up what the file does not define.
#[derive(Clone, Copy, Debug, Default)]
pub struct Resolve {
    next: u32,
    /// The run address of the file, if sections of it are used in place: their symbols get their addresses at once.
    pub file: Option<u64>,
    /// Whether the host lends its thread-local storage: it then provides symbols there too, by their offsets.
    pub thread_local: bool,
    /// The length of the names of sections whose starts and ends were looked for, bytes.
    boundaries: u32,
    /// What was counted so far.
    pub tally: Tally,
}

/// What [`Resolve`] looks at.
#[derive(Clone, Copy)]
pub struct View<'a, F: Format> {
    /// The file's kind: a shared object's own symbols are addresses, whatever their section.
    pub kind: Kind,
    /// The symbols.
    pub symbols: Symbols<'a, F>,
    /// The sections, for their number and, by their names, `__start_X` and `__stop_X`.
    pub sections: &'a [Section],
    /// The sections' names.
    pub names: &'a [u8],
    /// Whether the file's global symbols are its exports: not where it lists them in `.exported_sym`.
    pub exports_globals: bool,
}

impl<F: Format> View<'_, F> {
    fn exports(&self, symbol: &Symbol<F::Word>) -> bool {
        self.exports_globals && symbol.is_exported()
    }

    /// How many symbols from `from` on lie in `section` as well and ask for nothing now: they are checked and counted as
    /// [`Resolve::own`] would, and their addresses come later.
    fn own_in(&self, section: u32, from: u32, values: &mut [F::Word]) -> u32 {
        if self.sections.get(section as usize).is_some_and(Section::is_in_place) {
            return 0;
        }
        self.symbols.each_in(section, from, values, |symbol| {
            if symbol.kind() == STT_GNU_IFUNC || self.exports(symbol) {
                return None;
            }
            Some(F::Word::default())
        })
    }
}

impl Resolve {
    /// Resolves up to `budget` symbols into `values`; true when all are done. `lookup` answers from the host and its
    /// extensions, [`BATCH`] names at a time; `missing` hears every name that nobody provides.
    pub fn step<F: Format>(
        &mut self,
        view: &View<'_, F>,
        values: &mut [F::Word],
        budget: u32,
        lookup: Lookup<'_>,
        missing: &mut dyn FnMut(&[u8]),
    ) -> Result<bool, Error> {
        let end = view.symbols.len().min(self.next.saturating_add(budget));
        let mut waiting = Waiting::NONE;
        // The lowest and the highest of the answers.
        let mut ends = (F::Word::of(u64::MAX), F::Word::default());
        while self.next < end {
            let index = SymbolIndex(self.next);
            let symbol = view.symbols.get(index)?;
            let value = match self.place(view, index, &symbol)? {
                Place::Undefined => match undefined(view, index, &symbol, self)? {
                    Undefined::Value(value) => value,
                    Undefined::Unknown(query) => {
                        if waiting.push(self.next, query) {
                            self.answer(&mut waiting, &mut ends, values, lookup, missing);
                        }
                        self.next += 1;
                        continue;
                    }
                },
                Place::Absolute => self.absolute(&symbol),
                Place::Common => {
                    self.count_export(view, index, &symbol)?;
                    self.common(index, &symbol)?
                }
                Place::Section(section) => {
                    let rest = values.get_mut(self.next as usize + 1..end as usize);
                    self.next += view.own_in(section, self.next + 1, rest.unwrap_or_default());
                    self.own(view, section, index, &symbol)?
                }
            };
            if let Some(slot) = values.get_mut(index.0 as usize) {
                *slot = value;
            }
            self.next += 1;
        }
        self.answer(&mut waiting, &mut ends, values, lookup, missing);
        let (low, high) = ends;
        if low <= high {
            self.tally.others.take_in(low.get());
            self.tally.others.take_in(high.get());
        }
        Ok(self.next == view.symbols.len())
    }

    /// Looks up what waits.
    fn answer<W: Word>(
        &mut self,
        waiting: &mut Waiting<'_>,
        (low, high): &mut (W, W),
        values: &mut [W],
        lookup: Lookup<'_>,
        missing: &mut dyn FnMut(&[u8]),
    ) {
        let mut found = [None; BATCH];
        let queries = waiting.queries.get(..waiting.len).unwrap_or_default();
        lookup(queries, found.get_mut(..waiting.len).unwrap_or_default());
        for ((query, symbol), address) in queries.iter().zip(&waiting.symbols).zip(&found) {
            if address.is_none() && !query.weak {
                missing(query.name);
                self.tally.missing += 1;
                self.tally.first_missing.get_or_insert(SymbolIndex(*symbol));
            }
            let value = W::of(address.unwrap_or(0));
            self.tally.bound |= Mark::is_bound(value);
            if !Mark::is_mark(value) {
                (*low, *high) = ((*low).min(value), (*high).max(value));
            }
            if let Some(slot) = values.get_mut(*symbol as usize) {
                *slot = value;
            }
        }
        waiting.len = 0;
    }

    #[cold]
    fn check_thread_local(&self, index: SymbolIndex) -> Result<(), Error> {
        if self.thread_local { Ok(()) } else { Err(Error::ThreadLocal { what: "symbol", index: index.0 }) }
    }

    fn place<F: Format>(
        &self,
        view: &View<'_, F>,
        index: SymbolIndex,
        symbol: &Symbol<F::Word>,
    ) -> Result<Place, Error> {
        if view.kind == Kind::Shared {
            return Ok(if symbol.section == 0 {
                Place::Undefined
            } else {
                Place::Section(symbol.section.into())
            });
        }
        view.symbols.section(index, symbol)
    }

    /// A number, to which branches may lead as well; but not the name of the source.
    fn absolute<W: Word>(&mut self, symbol: &Symbol<W>) -> W {
        if symbol.kind() != STT_FILE {
            self.tally.others.take_in(symbol.value.get());
        }
        symbol.value
    }

    /// A symbol of the file itself: its address comes later, but in place; here it is checked and counted as an export.
    #[inline]
    fn own<F: Format>(
        &mut self,
        view: &View<'_, F>,
        found: u32,
        index: SymbolIndex,
        symbol: &Symbol<F::Word>,
    ) -> Result<F::Word, Error> {
        let mut value = F::Word::default();
        if view.kind == Kind::Relocatable {
            let count = view.sections.len() as u32;
            let outside = Error::BadSymbolSection { symbol: index.0, found, count };
            let section = view.sections.get(found as usize).ok_or(outside)?;
            if let Some(file) = self.file.filter(|_| section.is_in_place()) {
                let start = file.wrapping_add(section.extent().offset.into());
                value = F::Word::of(start).plus(symbol.value);
                self.tally.others.take_in(value.get());
            }
            if symbol.kind() == STT_GNU_IFUNC {
                return Err(Error::UnsupportedSymbol { symbol: index.0, kind: symbol.kind() });
            }
            self.count_export(view, index, symbol)?;
        }
        Ok(value)
    }

    #[inline]
    fn count_export<F: Format>(
        &mut self,
        view: &View<'_, F>,
        index: SymbolIndex,
        symbol: &Symbol<F::Word>,
    ) -> Result<(), Error> {
        if view.exports(symbol) {
            self.tally.exports += 1;
            let len = view.symbols.name(index, symbol)?.len() as u32 + 1;
            self.tally.export_names = self.tally.export_names.saturating_add(len);
        }
        Ok(())
    }

    /// Room for a common symbol: its value until then is its offset in that room.
    fn common<W: Word>(&mut self, index: SymbolIndex, symbol: &Symbol<W>) -> Result<W, Error> {
        let (align, size) = (symbol.value.get().max(1), symbol.size.get());
        if !align.is_power_of_two() || align > MAX_ALIGN {
            return Err(Error::BadCommon { symbol: index.0, align });
        }
        let tally = &mut self.tally;
        tally.common_align = tally.common_align.max(align as u32);
        let offset = align_up(tally.common_size.into(), align).unwrap_or(u64::MAX);
        let end = offset.saturating_add(size);
        tally.common_size = u32::try_from(end).map_err(|_| Error::ImageTooLarge { wanted: end })?;
        Ok(W::of(offset))
    }

    /// Fails when any of `symbols` is missing.
    pub fn finish<F: Format>(&self, symbols: &Symbols<'_, F>) -> Result<(), Error> {
        self.tally.complete(symbols)
    }
}

/// What is known of an undefined symbol before anybody is asked.
enum Undefined<'a, W> {
    /// Its value, or a mark.
    Value(W),
    /// Nothing.
    Unknown(Query<'a>),
}

fn undefined<'a, F: Format>(
    view: &View<'a, F>,
    index: SymbolIndex,
    symbol: &Symbol<F::Word>,
    resolve: &mut Resolve,
) -> Result<Undefined<'a, F::Word>, Error> {
    if symbol.binding() == STB_LOCAL && symbol.name == 0 {
        // The null symbol: relocations without a symbol use it.
        return Ok(Undefined::Value(F::Word::default()));
    }
    if symbol.kind() == STT_TLS {
        resolve.check_thread_local(index)?;
    }
    let (name, hash) = view.symbols.hashed_name(index, symbol)?;
    let query = Query {
        name,
        hash,
        weak: symbol.binding() == STB_WEAK,
        #[cfg(feature = "slid")]
        slid: symbol.value.get(),
    };
    let value = linker_defined(view, index, name, resolve)?;
    Ok(value.map_or(Undefined::Unknown(query), Undefined::Value))
}

/// The symbols that the linker itself defines.
fn linker_defined<F: Format>(
    view: &View<'_, F>,
    index: SymbolIndex,
    name: &[u8],
    resolve: &mut Resolve,
) -> Result<Option<F::Word>, Error> {
    if !name.starts_with(b"_") {
        return Ok(None);
    }
    Ok(match name {
        b"_GLOBAL_OFFSET_TABLE_" => Some(Mark::got()),
        b"__dso_handle" => Some(Mark::dso_handle()),
        _ => resolve.boundary(view, index, name)?.map(Mark::boundary),
    })
}
