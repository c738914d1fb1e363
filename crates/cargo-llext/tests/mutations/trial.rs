//! One load of one damaged file, and whether all held that must.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use llext::export::{Exports, SymbolName};
use llext::loader::Footprint;
use llext::source::{Identity, ReadError, ReadOnly, Source};
use llext::{Error, NoopRawMutex, Registry};

use super::guarded::{Guarded, Store};

thread_local! {
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps what panics say for [`Trial::run`], instead of printing it.
pub(crate) fn hear_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let text = panic.to_string().replace('\n', " ");
        PANIC.with(|heard| *heard.borrow_mut() = text);
    }));
}

/// Pretends to export the names that an intact file needs. Nothing of it is ever called.
pub(crate) struct Pretender<'a> {
    pub(crate) names: &'a HashSet<Vec<u8>>,
    /// Where its exports are said to lie.
    pub(crate) base: usize,
}

/// How a host's exports may lie: near this program, or where 32-bit addresses reach.
pub(crate) fn bases() -> [usize; 2] {
    [hear_panics as fn() as usize & !0xf, 0x0800_0000]
}

impl Exports for Pretender<'_> {
    fn address(&self, name: &SymbolName<'_>) -> Option<usize> {
        self.names.contains(name.bytes).then(|| self.base + (name.hash as usize & 0xfff0))
    }

    fn provides(&self, soname: &[u8]) -> bool {
        soname.is_ascii() && !soname.is_empty()
    }
}

/// A source that is read, and counts how much.
struct Counted<'a> {
    bytes: ReadOnly<'a>,
    read: &'a Cell<u64>,
}

impl Source for Counted<'_> {
    fn size(&mut self) -> Result<u64, ReadError> {
        self.bytes.size()
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        self.read.set(self.read.get() + 64 + buffer.len() as u64);
        self.bytes.read_at(offset, buffer)
    }

    fn identity(&self) -> Option<Identity> {
        self.bytes.identity()
    }
}

/// What is tried, with what.
pub(crate) struct Trial<'a> {
    pub(crate) store: &'a RefCell<Store>,
    pub(crate) host: Pretender<'a>,
    pub(crate) bytes: &'a [u8],
    /// Whether the bytes are lent, or read.
    pub(crate) is_lent: bool,
}

/// What the loader said, and how long it took.
pub(crate) struct Answer {
    pub(crate) said: Result<Footprint, Error>,
    pub(crate) took: Duration,
}

type Guarding<'a> = Registry<Guarded<'a>, NoopRawMutex, 1>;

impl Trial<'_> {
    /// The loader's answer, or what went wrong.
    pub(crate) fn run(&self) -> Result<Answer, String> {
        self.store.borrow_mut().begin((8 << 20) + 6 * self.bytes.len());
        let registry = Guarding::new(Guarded(self.store));
        let (read, start) = (Cell::new(0), Instant::now());
        let caught = catch_unwind(AssertUnwindSafe(|| self.verify(&registry, &read)));
        let took = start.elapsed();
        let clean = self.store.borrow_mut().end();
        let said = caught.map_err(|_| PANIC.with(|heard| heard.borrow().clone()))?;
        clean?;
        is_empty(&registry, &self.host)?;
        self.store.borrow_mut().end()?;
        let most = (1 << 20) + 32 * self.bytes.len() as u64;
        if read.get() > most {
            return Err(format!("{} bytes read of {}", read.get(), self.bytes.len()));
        }
        Ok(Answer { said, took })
    }

    fn verify(&self, registry: &Guarding<'_>, read: &Cell<u64>) -> Result<Footprint, Error> {
        let mut names = 0;
        let mut count = |_: &[u8]| names += 1;
        let loader = registry.loader(&self.host).on_missing(&mut count);
        if self.is_lent {
            loader.verify("damaged", self.bytes)
        } else {
            loader.verify("damaged", Counted { bytes: ReadOnly(self.bytes), read })
        }
    }
}

/// The one slot and the name are free again: an empty file is refused for being empty.
fn is_empty(registry: &Guarding<'_>, host: &Pretender<'_>) -> Result<(), String> {
    if registry.iter().next().is_some() {
        return Err("the registry is not empty".to_owned());
    }
    match registry.loader(host).verify("damaged", &[][..]) {
        Err(Error::Busy { .. } | Error::RegistryFull { .. } | Error::Exists { .. }) | Ok(_) => {
            Err("the name stays taken".to_owned())
        }
        Err(_) => Ok(()),
    }
}
