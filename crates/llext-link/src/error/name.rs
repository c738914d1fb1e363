//! Names in errors: copies, so that an error borrows nothing.

use core::fmt;

/// The first bytes of a symbol's name, kept by value so that an error borrows nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Name {
    bytes: [u8; Name::CAPACITY],
    len: u8,
}

impl Name {
    /// How many bytes of a name an error keeps.
    pub const CAPACITY: usize = 47;

    /// The name of nothing.
    pub const EMPTY: Self = Self { bytes: [0; Self::CAPACITY], len: 0 };

    /// Keeps as much of `name` as fits.
    #[cold]
    #[inline(never)]
    pub fn new(name: &[u8]) -> Self {
        let mut bytes = [0; Self::CAPACITY];
        for (kept, byte) in bytes.iter_mut().zip(name) {
            *kept = *byte;
        }
        Self { bytes, len: name.len().min(usize::from(u8::MAX)) as u8 }
    }

    /// The bytes that were kept.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&self.bytes)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.as_bytes().utf8_chunks() {
            // Names come from files: what would move a terminal's cursor is shown as its escape.
            for c in chunk.valid().chars() {
                if is_hidden(c) { write!(f, "{}", c.escape_default())? } else { write!(f, "{c}")? }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        f.write_str(if usize::from(self.len) > Self::CAPACITY { "..." } else { "" })
    }
}

/// Whether a character would act on a terminal, or on the direction of the text, rather than show.
fn is_hidden(c: char) -> bool {
    let acts =
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    c.is_control() || acts
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// A symbol, for an error: by its index, and by its name once somebody looked that up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SymbolRef {
    /// Its index in the symbol table.
    pub index: u32,
    /// Its name; empty when it has none or nobody looked.
    pub name: Name,
}

impl SymbolRef {
    /// The symbol at `index`, not named yet.
    pub const fn new(index: u32) -> Self {
        Self { index, name: Name::EMPTY }
    }
}

impl fmt::Display for SymbolRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name == Name::EMPTY {
            write!(f, "symbol {}", self.index)
        } else {
            fmt::Display::fmt(&self.name, f)
        }
    }
}
