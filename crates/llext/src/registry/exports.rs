//! What an extension exports: a table of entries with an index, or a shared object's own dynamic symbols.

use crate::export::{Export, SymbolName, lookup};
use crate::native::{ARCH, Native};
use core::slice::from_raw_parts;
use llext_link::addr::SymbolIndex;
use llext_link::elf::Format;
use llext_link::elf::dynamic::Dynamic;
use llext_link::elf::symbol::{SHN_ABS, STT_GNU_IFUNC, Symbol};

type Word = <Native as Format>::Word;

/// Where the exports of an extension lie. All of it is in the extension's sealed image.
pub(crate) enum ExportView {
    /// Entries and the index over them.
    Table {
        /// The address and number of the entries.
        entries: (usize, usize),
        /// The address and number of the index's buckets.
        buckets: (usize, usize),
    },
    /// The dynamic symbols of a shared object.
    Dynamic {
        /// Where its tables lie.
        tables: Dynamic,
        /// The address and size of the image.
        image: (usize, usize),
        /// The size of its constant beginning, in which the tables lie.
        constant: usize,
        /// How far it lies from where it was linked.
        bias: usize,
    },
}

impl ExportView {
    /// The size of the image's constant beginning, bytes: none where there is no image, or where it is not known.
    #[cfg(feature = "save")]
    pub(super) fn constant(&self) -> usize {
        match self {
            Self::Dynamic { constant, .. } => *constant,
            Self::Table { .. } => 0,
        }
    }

    fn table(&self) -> Option<(&[Export], &[u32])> {
        let Self::Table { entries, buckets } = self else { return None };
        // SAFETY: the loader checked both tables and sealed them read-only; they live as long as the record.
        Some(unsafe {
            (
                from_raw_parts(entries.0 as *const _, entries.1),
                from_raw_parts(buckets.0 as *const _, buckets.1),
            )
        })
    }

    fn dynamic(&self) -> Option<(&Dynamic, &[u8], usize)> {
        let Self::Dynamic { tables, image: (start, _), constant, bias } = self else { return None };
        if !cfg!(feature = "shared") {
            return None; // nobody loads one, and the look-up need not be there
        }
        // SAFETY: the image lives as long as the record; the loader found where its first writable segment begins. What lies
        // between the segments before it may be writable too, but belongs to nobody, so that nobody writes it.
        Some((tables, unsafe { from_raw_parts(*start as *const u8, *constant) }, *bias))
    }

    /// The address of the export called `name`, unless it is an indirect function: nothing of the extension runs.
    pub(crate) fn find_plain(&self, name: &SymbolName<'_>) -> Option<usize> {
        match self.find_symbol(name.bytes) {
            Some((symbol, _)) if symbol.kind() == STT_GNU_IFUNC => None,
            Some((symbol, bias)) => Some(bias.wrapping_add(symbol.value as usize)),
            None => self.find(name),
        }
    }

    /// The dynamic symbol called `name`, and how far the image lies from where it was linked.
    fn find_symbol(&self, name: &[u8]) -> Option<(Symbol<Word>, usize)> {
        let (tables, image, bias) = self.dynamic()?;
        let symbols = tables.symbols::<Native>(image).ok()?;
        let index = tables.hash_table::<Native>(image).ok()??.find(&symbols, name)?;
        let symbol = symbols.get(index).ok()?;
        self.is_offered(&symbol).then_some((symbol, bias))
    }

    /// The address of the export called `name`.
    pub(crate) fn find(&self, name: &SymbolName<'_>) -> Option<usize> {
        match self.table() {
            Some((entries, buckets)) => entries.get(lookup(entries, buckets, name)?).map(Export::address),
            None => self.find_dynamic(name.bytes),
        }
    }

    /// The same of a shared object: apart, for what it keeps on the stack.
    #[inline(never)]
    fn find_dynamic(&self, name: &[u8]) -> Option<usize> {
        let (symbol, bias) = self.find_symbol(name)?;
        Some(address(&symbol, bias))
    }

    /// The export at `index`, if it is one; `None` past the last.
    fn get(&self, index: usize) -> Option<Option<(&[u8], usize)>> {
        self.get_by(index, address)
    }

    /// The export that lies nearest before `address`, but not before `start`: its name, and where it lies. Nothing of the
    /// extension runs.
    pub(super) fn nearest(&self, start: usize, address: usize) -> Option<(&[u8], usize)> {
        let all = (0..).map_while(|index| self.get_by(index, place)).flatten();
        let bit = usize::from(ARCH.interwork.is_some());
        let places = all.map(|(name, at)| (name, at & !bit));
        places.filter(|(_, at)| (start..=address).contains(at)).max_by_key(|(_, at)| *at)
    }

    fn get_by(
        &self,
        index: usize,
        address: fn(&Symbol<Word>, usize) -> usize,
    ) -> Option<Option<(&[u8], usize)>> {
        if let Some((entries, _)) = self.table() {
            return entries.get(index).map(|entry| Some((entry.name().to_bytes(), entry.address())));
        }
        let (tables, image, bias) = self.dynamic()?;
        let symbols = tables.symbols::<Native>(image).ok()?;
        let index = SymbolIndex(u32::try_from(index).ok()?);
        let symbol = symbols.get(index).ok()?;
        let exported = symbol.section != 0 && symbol.is_exported() && self.is_offered(&symbol);
        let name = symbols.name(index, &symbol).ok()?;
        Some(exported.then(|| (name, address(&symbol, bias))))
    }

    /// Whether a dynamic symbol lies in the image, or nowhere: what a linker's script defines beside it is no export.
    fn is_offered(&self, symbol: &Symbol<Word>) -> bool {
        let Self::Dynamic { image: (start, size), bias, .. } = self else { return false };
        let offset = bias.wrapping_add(symbol.value as usize).wrapping_sub(*start);
        u32::from(symbol.section) == SHN_ABS || offset <= *size
    }
}

/// Where a dynamic symbol lies.
fn place(symbol: &Symbol<Word>, bias: usize) -> usize {
    let is_absolute = u32::from(symbol.section) == SHN_ABS;
    if is_absolute { symbol.value as usize } else { bias.wrapping_add(symbol.value as usize) }
}

/// The same, but that an indirect function lies where its resolver says.
fn address(symbol: &Symbol<Word>, bias: usize) -> usize {
    let address = place(symbol, bias);
    if u32::from(symbol.section) == SHN_ABS || symbol.kind() != STT_GNU_IFUNC {
        return address;
    }
    // SAFETY: the loader checked that the resolver lies in the extension's code, which its loader vouched for.
    unsafe { core::mem::transmute::<usize, extern "C" fn() -> usize>(address)() }
}

/// The exports of an extension: name and address of each. See [`Extension::exports`](super::Extension::exports).
pub struct ExtensionExports<'a> {
    view: &'a ExportView,
    next: usize,
}

impl<'a> ExtensionExports<'a> {
    pub(crate) fn new(view: &'a ExportView) -> Self {
        Self { view, next: 0 }
    }
}

impl<'a> Iterator for ExtensionExports<'a> {
    type Item = (&'a [u8], usize);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let found = self.view.get(self.next)?;
            self.next += 1;
            if found.is_some() {
                return found;
            }
        }
    }
}
