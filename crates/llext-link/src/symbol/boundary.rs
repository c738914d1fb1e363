//! Symbols that are the starts and ends of sections: `__start_X` and `__stop_X`.

use super::{Resolve, View};
use crate::addr::SymbolIndex;
use crate::elf::Format;
use crate::elf::section::Section;
use crate::error::Error;

/// How long the names of such symbols may be together, bytes: each is compared with those of all sections, and a file
/// that had both without bound would take the product of them.
const MOST: u32 = 1 << 14;

impl Resolve {
    /// The section that the symbol called `symbol` is the start or the end of, and which of them, if it is one: the first
    /// section called `X` for `__start_X`, the last one for `__stop_X`.
    pub(super) fn boundary<F: Format>(
        &mut self,
        view: &View<'_, F>,
        index: SymbolIndex,
        symbol: &[u8],
    ) -> Result<Option<(usize, bool)>, Error> {
        let (name, start) = match (symbol.strip_prefix(b"__start_"), symbol.strip_prefix(b"__stop_")) {
            (Some(name), _) => (name, true),
            (None, Some(name)) => (name, false),
            (None, None) => return Ok(None),
        };
        self.boundaries = self.boundaries.saturating_add(symbol.len() as u32);
        if self.boundaries > MOST {
            let (found, expected) = (self.boundaries, MOST);
            return Err(Error::TooManyBoundaries { symbol: index.0, found, expected });
        }
        let is_called = |section: &Section| {
            let rest = view.names.get(section.name() as usize..).and_then(|found| found.strip_prefix(name));
            section.is_loaded() && rest.is_some_and(|rest| rest.first() == Some(&0))
        };
        let mut sections = view.sections.iter();
        let found = if start { sections.position(is_called) } else { sections.rposition(is_called) };
        Ok(found.map(|section| (section, start)))
    }
}
