//! A host that pretends: what it exports has an address, and nothing of it is ever called.

use std::collections::HashSet;

use llext::export::{Exports, SymbolName};

use crate::target;

/// Exports these names.
pub(crate) struct Pretender<'a> {
    pub(crate) names: &'a HashSet<Vec<u8>>,
    /// Where its exports are said to lie.
    pub(crate) base: usize,
    /// Whether it provides every library, or only the one called `libhost.so`.
    pub(crate) has_libraries: bool,
}

/// How a host's exports may lie: near this program, or where 32-bit addresses reach.
pub(crate) fn bases() -> [usize; 2] {
    [bases as fn() -> [usize; 2] as usize & !0xfff, 0x0800_0000]
}

impl Exports for Pretender<'_> {
    fn address(&self, name: &SymbolName<'_>) -> Option<usize> {
        let at = self.base + (name.hash as usize & 0xfff0);
        self.names.contains(name.bytes).then_some(at | target::native().function_bit as usize)
    }

    fn provides(&self, soname: &[u8]) -> bool {
        if self.has_libraries { soname.is_ascii() && !soname.is_empty() } else { soname == b"libhost.so" }
    }
}
