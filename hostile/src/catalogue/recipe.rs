//! A recipe: what is done to a good file, and what must come of it.

use crate::elf::{Field, File, WORD, e, header_sizes, sh};
use crate::sample::{Form, good, relocation_tags};
use crate::target::Target;

/// What must come of every file of a recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// It loads.
    Loads,
    /// It is refused with the error of this name.
    Refused(&'static str),
}
pub(crate) use Expect::{Loads, Refused};

/// One recipe.
pub(crate) struct Recipe {
    /// The row of the catalogue.
    pub(crate) row: u8,
    pub(crate) what: &'static str,
    pub(crate) forms: &'static [Form],
    pub(crate) make: Make,
    pub(crate) expect: Expect,
}

pub(crate) const ANY: &[Form] = &Form::ALL;
pub(crate) const RELOCATABLE: &[Form] = &[Form::Object, Form::Partial];
pub(crate) const SHARED: &[Form] = &[Form::Shared];

/// A recipe, in the order in which its facts are read.
pub(crate) const fn recipe(
    row: u8,
    what: &'static str,
    forms: &'static [Form],
    make: Make,
    expect: Expect,
) -> Recipe {
    Recipe { row, what, forms, make, expect }
}

/// How the files are made. A value that its field cannot hold makes no file.
pub(crate) enum Make {
    /// A field of the ELF header, with each of these values.
    Header(Field, Values),
    /// A field of the header of this section.
    Section(&'static str, Field, Values),
    /// A field of this program header.
    Segment(usize, Field, Values),
    /// A field of this symbol.
    Symbol(u64, Field, Values),
    /// A field of this relocation of the data: its number, and which of `r_offset`, `r_info`, `r_addend`.
    Relocation(usize, usize, Values),
    /// The value of an entry of the dynamic section, which is added where there is none.
    Dynamic(u64, Values),
    /// Anything else.
    Files(fn(&Good) -> Vec<Vec<u8>>),
}
pub(crate) type Values = &'static [Value];

/// A value for a field.
#[derive(Clone, Copy)]
pub(crate) enum Value {
    Is(u64),
    /// The file's size and so many.
    Eof(i64),
    /// The number of sections and so many.
    Sections(i64),
    /// What stands there and so many.
    More(i64),
    /// What stands there with these bits set.
    With(u64),
    /// The index of this section.
    Index(&'static str),
}
pub(crate) use Value::{Eof, Index, Is, More, Sections, With};

/// Where a recipe begins: the good file of one form for one architecture.
pub(crate) struct Good {
    pub(crate) target: &'static Target,
    pub(crate) form: Form,
}

impl Good {
    pub(crate) fn file(&self) -> File {
        good(self.target, self.form)
    }

    /// The file with one change.
    pub(crate) fn with(&self, change: impl FnOnce(&mut File)) -> Vec<Vec<u8>> {
        vec![self.file().with(change).bytes()]
    }

    /// The bytes with one change.
    pub(crate) fn patched(&self, change: impl FnOnce(&mut Vec<u8>)) -> Vec<Vec<u8>> {
        let mut bytes = self.file().bytes();
        change(&mut bytes);
        vec![bytes]
    }

    /// The files that `make` makes.
    pub(crate) fn files(&self, make: &Make) -> Vec<Vec<u8>> {
        match *make {
            Make::Header(field, values) => self.fields(field, values, |_, _| 0),
            Make::Section(name, field, values) => {
                let name = self.named(name);
                self.fields(field, values, |file, bytes| section(file, bytes, file.index(name)))
            }
            Make::Segment(index, field, values) => self.fields(field, values, |file, bytes| {
                let at = e::PHOFF.read(file.target.class, bytes, 0) as usize;
                at + index * header_sizes(file.target.class).1
            }),
            Make::Symbol(index, field, values) => self.fields(field, values, |file, bytes| {
                let table = if self.form == Form::Shared { ".dynsym" } else { ".symtab" };
                contents(file, bytes, table) + index as usize * file.target.class.pick(16, 24)
            }),
            Make::Relocation(number, word, values) => self.relocations(number, word, values),
            Make::Dynamic(tag, values) => values.iter().map(|value| self.dynamic(tag, *value)).collect(),
            Make::Files(make) => make(self),
        }
    }

    /// A shared object has one table of relocations, whichever section they are for.
    fn named(&self, name: &'static str) -> &'static str {
        if self.form == Form::Shared && name.starts_with(".rel.") { ".rel.dyn" } else { name }
    }

    fn fields(&self, field: Field, values: Values, place: impl Fn(&File, &[u8]) -> usize) -> Vec<Vec<u8>> {
        let file = self.file();
        let good = file.bytes();
        let at = place(&file, &good);
        let class = self.target.class;
        let now = field.read(class, &good, at);
        let spoil = |value: &Value| {
            let mut bytes = good.clone();
            let value = value.of(&file, good.len(), now);
            field.write(class, &mut bytes, at, value).then_some(bytes)
        };
        values.iter().filter_map(spoil).collect()
    }

    fn relocations(&self, number: usize, word: usize, values: Values) -> Vec<Vec<u8>> {
        let words = if self.target.rela { 3 } else { 2 };
        if word >= words {
            return Vec::new();
        }
        let at = (number * words + word) * self.target.class.word();
        self.fields(WORD, values, |file, bytes| contents(file, bytes, self.named(".rel.data")) + at)
    }

    fn dynamic(&self, tag: u64, value: Value) -> Vec<u8> {
        let file = self.file();
        let mut bytes = file.bytes();
        let (class, word) = (self.target.class, self.target.class.word());
        let table = contents(&file, &bytes, ".dynamic");
        let mut entries = (table..).step_by(2 * word);
        let found = entries.find(|at| [tag, 0].contains(&WORD.read(class, &bytes, *at)));
        let at = found.expect("the table ends");
        let value = value.of(&file, bytes.len(), WORD.read(class, &bytes, at + word));
        bytes[at..at + 2 * word].copy_from_slice(&class.words(&[tag, value]));
        bytes
    }

    /// The tags of the relocation table of a shared object.
    pub(crate) fn relocation_tags(&self) -> [u64; 3] {
        relocation_tags(self.target)
    }

    /// The file whose dynamic section has these entries too, or instead.
    pub(crate) fn entries(&self, all: &[(u64, u64)]) -> Vec<u8> {
        let mut file = self.file();
        for (tag, value) in all {
            set_dynamic(&mut file, *tag, *value);
        }
        file.bytes()
    }
}

/// Sets an entry of the dynamic section; `DT_NEEDED` is added each time.
pub(crate) fn set_dynamic(file: &mut File, tag: u64, value: u64) {
    let class = file.target.class;
    let entry = class.words(&[tag, value]);
    let data = &mut file.section(".dynamic").data;
    let free = class.words(&[0]);
    let same = class.words(&[tag]);
    let word = class.word();
    let mut places = (0..data.len()).step_by(2 * word);
    let is_it = |at: &usize| {
        let found = &data[*at..*at + word];
        found == free || found == same && tag != 1
    };
    let at = places.find(is_it).expect("the dynamic section has room");
    data[at..at + 2 * word].copy_from_slice(&entry);
}

/// Where the header of a section lies.
pub(crate) fn section(file: &File, bytes: &[u8], index: usize) -> usize {
    e::SHOFF.read(file.target.class, bytes, 0) as usize + index * header_sizes(file.target.class).0
}

/// Where the contents of a section lie.
pub(crate) fn contents(file: &File, bytes: &[u8], name: &str) -> usize {
    sh::OFFSET.read(file.target.class, bytes, section(file, bytes, file.index(name))) as usize
}

impl Value {
    fn of(self, file: &File, size: usize, now: u64) -> u64 {
        match self {
            Is(value) => value,
            Eof(by) => (size as u64).wrapping_add_signed(by),
            Sections(by) => (file.sections.len() as u64).wrapping_add_signed(by),
            More(by) => now.wrapping_add_signed(by),
            With(bits) => now | bits,
            Index(name) => file.index(name) as u64,
        }
    }
}
