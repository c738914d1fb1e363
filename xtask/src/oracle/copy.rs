//! The file as another linker gets it: the same contents and relocations, made plain.
//!
//! Every loaded section gets a name of its own, so that a script can place each alone, and loses what a linker acts on
//! by itself: kinds like unwind tables, flags like merging, groups. What the file lacks becomes an absolute symbol.

use super::view::View;

/// What becomes of a symbol: its new address.
pub(super) type Fixed = (usize, u64);

/// The name that the section of this index gets.
pub(super) fn name(index: usize) -> String {
    format!(".o{index}")
}

/// Makes the copy. `fixed` symbols become absolute; `functions` are marked as such.
pub(super) fn make(view: &View, original: &[u8], fixed: &[Fixed], functions: &[usize]) -> Option<Vec<u8>> {
    let mut copy = Copy { bytes: original.to_vec(), wide: view.wide };
    let headers = copy.get(if view.wide { 40 } else { 32 }, view.wide)?;
    let count = copy.half(if view.wide { 60 } else { 48 })?;
    let names = copy.half(if view.wide { 62 } else { 50 })?;
    let first = Header(headers);
    let count = if count == 0 { copy.field(first, SIZE)? as usize } else { count };
    let names = if names == 0xffff { copy.field(first, LINK)? as usize } else { names };
    let header = |index: usize| Header(headers + (index * if view.wide { 64 } else { 40 }) as u64);

    copy.add_names(header(names), view.sections.iter().map(|section| header(section.index)), view)?;
    for index in 1..count {
        copy.make_plain(header(index), header)?;
    }
    let table = (1..count).map(header).find(|header| copy.field(*header, KIND) == Some(SYMTAB))?;
    for (symbol, value) in fixed {
        copy.fix(table, *symbol, *value)?;
    }
    for symbol in functions {
        copy.mark_function(table, *symbol)?;
    }
    Some(copy.bytes)
}

/// Where a section header lies.
#[derive(Clone, Copy)]
struct Header(u64);

/// A field of a section header: its place in either class, and whether it is as wide as the class.
#[derive(Clone, Copy)]
struct Field(u64, u64, bool);

const NAME: Field = Field(0, 0, false);
const KIND: Field = Field(4, 4, false);
const FLAGS: Field = Field(8, 8, true);
const OFFSET: Field = Field(16, 24, true);
const SIZE: Field = Field(20, 32, true);
const LINK: Field = Field(24, 40, false);
const INFO: Field = Field(28, 44, false);
const ENTRY: Field = Field(36, 56, true);

const NULL: u64 = 0;
const PROGBITS: u64 = 1;
const SYMTAB: u64 = 2;
const RELA: u64 = 4;
const NOBITS: u64 = 8;
const REL: u64 = 9;
const GROUP: u64 = 17;
/// `SHF_WRITE`, `SHF_ALLOC` and `SHF_EXECINSTR`.
const PLAIN: u64 = 7;
const ALLOC: u64 = 2;
const IN_GROUP: u64 = 0x200;

const SHN_ABS: u64 = 0xfff1;
const STT_FUNC: u64 = 2;

struct Copy {
    bytes: Vec<u8>,
    wide: bool,
}

impl Copy {
    fn get(&self, at: u64, wide: bool) -> Option<u64> {
        self.number(at, if wide { 8 } else { 4 })
    }

    fn half(&self, at: u64) -> Option<usize> {
        self.number(at, 2).map(|half| half as usize)
    }

    fn number(&self, at: u64, len: usize) -> Option<u64> {
        let bytes = self.bytes.get(at as usize..)?.get(..len)?;
        Some(bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn set(&mut self, at: u64, len: usize, value: u64) -> Option<()> {
        let bytes = self.bytes.get_mut(at as usize..)?.get_mut(..len)?;
        bytes.copy_from_slice(value.to_le_bytes().get(..len)?);
        Some(())
    }

    fn place(&self, header: Header, Field(narrow, wide, as_class): Field) -> (u64, usize) {
        let len = if as_class && self.wide { 8 } else { 4 };
        (header.0 + if self.wide { wide } else { narrow }, len)
    }

    fn field(&self, header: Header, field: Field) -> Option<u64> {
        let (at, len) = self.place(header, field);
        self.number(at, len)
    }

    fn set_field(&mut self, header: Header, field: Field, value: u64) -> Option<()> {
        let (at, len) = self.place(header, field);
        self.set(at, len, value)
    }

    /// Puts a longer table of names at the end of the file.
    fn add_names(&mut self, names: Header, headers: impl Iterator<Item = Header>, view: &View) -> Option<()> {
        let (offset, size) = (self.field(names, OFFSET)? as usize, self.field(names, SIZE)? as usize);
        let mut table = self.bytes.get(offset..offset + size)?.to_vec();
        for (header, section) in headers.zip(&view.sections) {
            self.set_field(header, NAME, table.len() as u64)?;
            table.extend(name(section.index).bytes().chain([0]));
        }
        self.set_field(names, OFFSET, self.bytes.len() as u64)?;
        self.set_field(names, SIZE, table.len() as u64)?;
        self.bytes.extend(table);
        Some(())
    }

    /// Drops groups and what is for debuggers; what is loaded becomes ordinary.
    fn make_plain(&mut self, header: Header, of: impl Fn(usize) -> Header) -> Option<()> {
        let (kind, flags) = (self.field(header, KIND)?, self.field(header, FLAGS)?);
        let is_loaded = |header| Some(self.field(header, FLAGS)? & ALLOC != 0);
        let is_dropped = match kind {
            GROUP => true,
            REL | RELA => !is_loaded(of(self.field(header, INFO)? as usize))?,
            _ => kind == PROGBITS && !is_loaded(header)?,
        };
        if is_dropped {
            return self.set_field(header, KIND, NULL);
        }
        if flags & ALLOC == 0 {
            return self.set_field(header, FLAGS, flags & !IN_GROUP);
        }
        self.set_field(header, FLAGS, flags & PLAIN)?;
        self.set_field(header, LINK, 0)?;
        self.set_field(header, ENTRY, 0)?;
        if kind == NOBITS { Some(()) } else { self.set_field(header, KIND, PROGBITS) }
    }

    fn symbol(&self, table: Header, index: usize) -> Option<u64> {
        Some(self.field(table, OFFSET)? + (index * if self.wide { 24 } else { 16 }) as u64)
    }

    fn fix(&mut self, table: Header, index: usize, value: u64) -> Option<()> {
        let at = self.symbol(table, index)?;
        let (section, word) = if self.wide { (6, 8) } else { (14, 4) };
        self.set(at + section, 2, SHN_ABS)?;
        self.set(at + if self.wide { 8 } else { 4 }, word, value)
    }

    fn mark_function(&mut self, table: Header, index: usize) -> Option<()> {
        let at = self.symbol(table, index)? + if self.wide { 4 } else { 12 };
        let info = self.number(at, 1)?;
        self.set(at, 1, info & 0xf0 | STT_FUNC)
    }
}
