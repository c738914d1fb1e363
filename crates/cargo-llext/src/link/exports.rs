//! The tables that a linked file brings along, so that a device need not make them: its exports and the index over them.

use std::ffi::{CStr, CString};

use llext::export::{Export, buckets_for, insert};
use llext_link::Error as LinkError;
use llext_link::addr::{Extent, Part, SymbolIndex, Word};
use llext_link::elf::section::Role;
use llext_link::elf::symbol::{Place, SHN_ABS, string_at};
use llext_link::elf::{Format, read_word, write_word};
use llext_link::layout::{Extra, Layout};
use llext_link::whole::{Linked, Object};

/// The exports of an object, before it is linked.
pub(super) struct Exports {
    /// Its global symbols and their names; none where it lists its exports itself.
    globals: Option<Vec<(SymbolIndex, CString)>>,
    count: usize,
    word: usize,
}

impl Exports {
    pub(super) fn of<F: Format>(object: &Object<'_, F>) -> Result<Self, LinkError> {
        let word = F::Word::SIZE;
        if object.exports_globals() {
            let globals = globals(object)?;
            return Ok(Self { count: globals.len(), globals: Some(globals), word });
        }
        let tables = object.sections.iter().filter(|section| section.role() == Role::Exports);
        let bytes: usize = tables.map(|section| section.size() as usize).sum();
        Ok(Self { count: bytes / (2 * word), globals: None, word })
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    fn made(&self) -> usize {
        self.globals.as_ref().map_or(0, |globals| globals.len() * 2 * self.word)
    }

    fn index(&self) -> usize {
        buckets_for(self.count) * 4
    }

    /// The room they need: made entries, the index, made names.
    pub(super) fn extra(&self) -> Extra {
        let names = self.globals.iter().flatten().map(|(_, name)| name.as_bytes_with_nul().len());
        let constants = self.made() + self.index() + names.sum::<usize>();
        Extra { constants: u32::try_from(constants).unwrap_or(u32::MAX), data: 0 }
    }

    /// Where the entries and the index lie in the constants.
    pub(super) fn extents(&self, layout: &Layout) -> [Extent; 2] {
        let at = layout.extra_constants.offset;
        let entries = match self.globals {
            Some(_) => Extent { offset: at, size: self.made() as u32 },
            None => layout.exports,
        };
        [entries, Extent { offset: at + self.made() as u32, size: self.index() as u32 }]
    }

    /// Writes what is made.
    pub(super) fn write<F: Format>(self, linked: &mut Linked<F::Word>) -> Result<(), llext::Error> {
        let [entries, index] = self.extents(&linked.layout);
        self.write_entries::<F>(linked, entries, index);
        let names = (0..self.count).map(|number| name_of::<F>(linked, entries, number));
        let buckets = buckets(names.collect::<Result<_, _>>()?)?;
        let constants = &mut linked.parts[Part::Constants as usize];
        for (at, bucket) in (index.offset as usize..).step_by(4).zip(buckets) {
            let order = if F::DATA == 1 { bucket.to_le_bytes() } else { bucket.to_be_bytes() };
            constants[at..at + 4].copy_from_slice(&order);
        }
        Ok(())
    }

    fn write_entries<F: Format>(&self, linked: &mut Linked<F::Word>, entries: Extent, index: Extent) {
        let start = linked.addresses.part(Part::Constants);
        let constants = &mut linked.parts[Part::Constants as usize];
        let (mut entry_at, mut name_at) = (entries.offset as usize, index.end() as usize);
        for (symbol, name) in self.globals.iter().flatten() {
            let name = name.as_bytes_with_nul();
            constants[name_at..name_at + name.len()].copy_from_slice(name);
            let (first, second) = constants[entry_at..].split_at_mut(self.word);
            write_word::<F>(first, start.plus(F::Word::of(name_at as u64)));
            write_word::<F>(second, linked.values[symbol.0 as usize]);
            (entry_at, name_at) = (entry_at + 2 * self.word, name_at + name.len());
        }
    }
}

/// The global symbols of the file that will lie in memory.
fn globals<F: Format>(object: &Object<'_, F>) -> Result<Vec<(SymbolIndex, CString)>, LinkError> {
    let mut globals = Vec::new();
    for index in (0..object.symbols.len()).map(SymbolIndex) {
        let symbol = object.symbols.get(index)?;
        let is_loaded = match object.symbols.section(index, &symbol)? {
            Place::Section(section) => object.sections.get(section as usize).is_some_and(|s| s.is_loaded()),
            Place::Common => true,
            Place::Undefined | Place::Absolute => false,
        };
        if is_loaded && symbol.is_exported() && u32::from(symbol.section) != SHN_ABS {
            let name = object.symbols.name(index, &symbol)?;
            globals.push((index, CString::new(name).unwrap_or_default()));
        }
    }
    Ok(globals)
}

/// The name that an entry points to.
fn name_of<F: Format>(
    linked: &Linked<F::Word>,
    entries: Extent,
    number: usize,
) -> Result<CString, llext::Error> {
    let at = entries.offset as usize + number * 2 * F::Word::SIZE;
    let address = read_word::<F>(&linked.parts[Part::Constants as usize], at).unwrap_or_default();
    let in_part = |(part, bytes): (Part, &Vec<u8>)| {
        let offset = u32::try_from(address.minus(linked.addresses.part(part)).get()).ok()?;
        CString::new(string_at(bytes, offset)?).ok()
    };
    let name = Part::ALL.into_iter().zip(&linked.parts).find_map(in_part);
    name.ok_or(llext::Error::BadExports { index: number as u32, found: address.get() })
}

/// The index over exports of these names, as a device looks them up: made by what makes it there.
fn buckets(names: Vec<CString>) -> Result<Vec<u32>, llext::Error> {
    let mut buckets = vec![0; buckets_for(names.len())];
    // The index holds no addresses; the entries that it is made over live as long as this process.
    let leak = |name: CString| -> &'static CStr { Box::leak(name.into_boxed_c_str()) };
    let entries: Vec<_> = names.into_iter().map(|name| Export::new(leak(name), std::ptr::null())).collect();
    for (number, entry) in entries.iter().enumerate() {
        match insert(&entries, &mut buckets, number) {
            Ok(true) => {}
            Ok(false) => {
                let name = llext::error::Name::new(entry.name().to_bytes());
                return Err(llext::Error::DuplicateExport { name });
            }
            Err(_) => return Err(llext::Error::BadExports { index: number as u32, found: 0 }),
        }
    }
    Ok(buckets)
}
