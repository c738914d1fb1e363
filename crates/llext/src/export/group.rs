//! A group of symbols: what the host can allow one extension and deny another.

use super::{Exports, SymbolName};

/// Exports under a common name, which a load must be [allowed](crate::Loader::allow) to use.
///
/// ```
/// use llext::export::{Exports, Group};
///
/// extern "C" fn led_set(on: bool) { let _ = on; }
/// extern "C" fn flash_erase(sector: u32) { let _ = sector; }
/// llext::exports! { static LEDS; fn led_set(on: bool); }
/// llext::exports! { static FLASH; fn flash_erase(sector: u32); }
///
/// let host: [&dyn Exports; 2] = [&LEDS, &Group::new("flash", &FLASH)];
/// // registry.loader(&host).allow(&[]).load(..) refuses an extension that erases flash.
/// # let _ = host;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Group<E> {
    name: &'static str,
    exports: E,
}

impl<E: Exports> Group<E> {
    /// The group called `name` of all that `exports` has.
    pub const fn new(name: &'static str, exports: E) -> Self {
        Self { name, exports }
    }
}

impl<E: Exports> Exports for Group<E> {
    fn address(&self, name: &SymbolName<'_>) -> Option<usize> {
        self.exports.address(name)
    }

    fn addresses(&self, names: &[SymbolName<'_>], found: &mut [Option<usize>]) {
        self.exports.addresses(names, found);
    }

    fn provides(&self, soname: &[u8]) -> bool {
        self.exports.provides(soname)
    }

    fn group(&self, name: &SymbolName<'_>) -> Option<&'static str> {
        self.exports.address(name).map(|_| self.name)
    }

    #[cfg(feature = "slid")]
    fn has_slids(&self) -> bool {
        self.exports.has_slids()
    }

    #[cfg(feature = "save")]
    fn fingerprint(&self) -> Option<u64> {
        self.exports.fingerprint()
    }
}
