//! The addresses of a file's own symbols, once its parts have theirs.

use super::{BOUND, Mark, View};
use crate::addr::{Part, SymbolIndex, Word};
use crate::elf::Format;
use crate::elf::section::Section;
use crate::elf::symbol::{Place, SHN_ABS, STB_LOCAL, STT_GNU_IFUNC, STT_NOTYPE, STT_TLS, Symbol};
use crate::error::Error;

/// Where the parts of an image lie, and what else a symbol can stand for.
#[derive(Clone, Copy, Debug)]
pub struct Addresses<W> {
    /// The run address of each part.
    pub parts: [W; 4],
    /// The offset of the common symbols' room in the data part.
    pub commons: u32,
    /// `_GLOBAL_OFFSET_TABLE_`.
    pub got: W,
    /// `__dso_handle`: what tells one extension from another.
    pub dso_handle: W,
    /// The binding stubs.
    pub bound: [W; BOUND],
}

impl<W: Word> Addresses<W> {
    /// The run address of a part.
    pub fn part(&self, part: Part) -> W {
        self.parts.get(part as usize).copied().unwrap_or_default()
    }

    /// The run address of a loaded section.
    pub fn of(&self, section: &Section) -> W {
        self.part(section.part()).plus(W::of(section.place().into()))
    }
}

/// Gives the file's own symbols their addresses.
#[derive(Clone, Copy, Debug, Default)]
pub struct Assign {
    next: u32,
}

impl Assign {
    /// Assigns up to `budget` symbols of a relocatable file; true when all are done.
    pub fn step<F: Format>(
        &mut self,
        view: &View<'_, F>,
        values: &mut [F::Word],
        addresses: &Addresses<F::Word>,
        budget: u32,
    ) -> Result<bool, Error> {
        let end = view.symbols.len().min(self.next.saturating_add(budget));
        let slots = values.get_mut(..end as usize).unwrap_or_default();
        while let Some((slot, rest)) =
            slots.get_mut(self.next as usize..).and_then(<[F::Word]>::split_first_mut)
        {
            let index = SymbolIndex(self.next);
            let symbol = view.symbols.get(index)?;
            self.next += 1;
            *slot = match view.symbols.section(index, &symbol)? {
                Place::Undefined => waiting(view.sections, *slot, addresses),
                Place::Absolute => symbol.value,
                Place::Common => {
                    addresses.part(Part::Data).plus(F::Word::of(addresses.commons.into())).plus(*slot)
                }
                Place::Section(section) => match home(view.sections, section, addresses) {
                    Some(home) => {
                        self.next +=
                            view.symbols.each_in(section, self.next, rest, |symbol| home.address_of(symbol));
                        home.address_of(&symbol).ok_or_else(|| home.outside(index, &symbol))?
                    }
                    None => Mark::unusable(),
                },
            };
        }
        Ok(self.next == view.symbols.len())
    }

    /// Assigns up to `budget` symbols of a shared object of `size` bytes that lies `bias` bytes from where it was
    /// linked, its lowest address there being `base`; true when all are done.
    pub fn step_shared<F: Format>(
        &mut self,
        view: &View<'_, F>,
        values: &mut [F::Word],
        addresses: &Addresses<F::Word>,
        (base, size, bias): (F::Word, u32, F::Word),
        budget: u32,
    ) -> Result<bool, Error> {
        let end = view.symbols.len().min(self.next.saturating_add(budget));
        while self.next < end {
            let index = SymbolIndex(self.next);
            let symbol = view.symbols.get(index)?;
            if let Some(slot) = values.get_mut(self.next as usize) {
                *slot =
                    match (symbol.section, symbol.kind()) {
                        (0, _) => waiting(view.sections, *slot, addresses),
                        (_, STT_TLS) => Mark::unusable(),
                        (section, _) if u32::from(section) == SHN_ABS => symbol.value,
                        (_, kind) if symbol.value.minus(base).get() <= size.into() => {
                            if kind == STT_GNU_IFUNC { Mark::deferred() } else { symbol.value.plus(bias) }
                        }
                        // What a linker's script defines, as GNU ld for bare-metal Arm does `_stack`: no part of this.
                        (_, STT_NOTYPE) => Mark::unusable(),
                        _ => {
                            let (value, low) = (symbol.value.get(), base.get());
                            let high = low.saturating_add(size.into());
                            return Err(Error::SymbolOutsideImage { symbol: index.0, value, low, high });
                        }
                    };
            }
            self.next += 1;
        }
        Ok(self.next == view.symbols.len())
    }
}

/// What an undefined symbol's mark stands for, now that addresses are known.
fn waiting<W: Word>(sections: &[Section], value: W, addresses: &Addresses<W>) -> W {
    if !Mark::is_mark(value) {
        return value;
    }
    if value == Mark::got() {
        return addresses.got;
    }
    if value == Mark::dso_handle() {
        return addresses.dso_handle;
    }
    for (stub, address) in addresses.bound.into_iter().enumerate() {
        if value == Mark::bound(stub) {
            return address;
        }
    }
    match Mark::of_boundary(value).and_then(|(index, start)| Some((sections.get(index)?, start))) {
        Some((section, true)) => addresses.of(section),
        Some((section, false)) => addresses.of(section).plus(W::of(section.size().into())),
        None => value,
    }
}

/// A section of a relocatable file, as its symbols see it.
#[derive(Clone, Copy)]
struct Home<W> {
    /// Its run address.
    address: W,
    /// Its size, bytes.
    size: W,
}

/// The section of this number, if it is loaded.
fn home<W: Word>(sections: &[Section], section: u32, addresses: &Addresses<W>) -> Option<Home<W>> {
    let section = sections.get(section as usize).filter(|section| section.is_loaded())?;
    Some(Home { address: addresses.of(section), size: W::of(section.size().into()) })
}

impl<W: Word> Home<W> {
    /// The address of a symbol in it; `None` where it lies outside. gcc's section anchors (`.LANCHOR0`) may stand beyond
    /// their section: what is local is only added to.
    #[inline]
    fn address_of(&self, symbol: &Symbol<W>) -> Option<W> {
        if symbol.value > self.size && symbol.binding() != STB_LOCAL {
            return None;
        }
        Some(self.address.plus(symbol.value))
    }

    #[cold]
    fn outside(&self, index: SymbolIndex, symbol: &Symbol<W>) -> Error {
        let (value, size) = (symbol.value.get(), self.size.get());
        Error::SymbolOutsideSection { symbol: index.0, value, size }
    }
}
