//! One load of one file, and whether all held that must.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use llext::loader::Footprint;
use llext::source::{File, Identity, ReadError, ReadOnly, Source};
use llext::{Error, NoopRawMutex, Registry};

use crate::counter::counted;
use crate::fence::Fence;
use crate::guarded::{Guarded, Store};
use crate::heap;
use crate::host::Pretender;

thread_local! {
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps what panics say for [`Room::run`], instead of printing it.
pub(crate) fn hear_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let text = panic.to_string().replace('\n', " ");
        PANIC.with(|heard| *heard.borrow_mut() = text);
    }));
}

/// What a panic of this thread said.
pub(crate) fn heard() -> String {
    PANIC.with(|heard| heard.take())
}

/// A source that is read, and counts how much.
struct Counted<'a, S> {
    source: S,
    read: &'a Cell<u64>,
}

impl<S: Source> Source for Counted<'_, S> {
    fn size(&mut self) -> Result<u64, ReadError> {
        self.source.size()
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        self.read.set(self.read.get() + 64 + buffer.len() as u64);
        self.source.read_at(offset, buffer)
    }

    fn identity(&self) -> Option<Identity> {
        self.source.identity()
    }
}

/// Where a file is loaded from.
#[derive(Clone, Copy)]
pub(crate) enum From<'a> {
    /// Memory that lends it, and ends where it ends.
    Lent,
    /// Memory that is read.
    Read,
    /// A file of the system's, written here first.
    File(&'a Path),
}

impl From<'_> {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Lent => "lent",
            Self::Read => "read",
            Self::File(_) => "file",
        }
    }
}

/// Where one thread loads one file after the other.
pub(crate) struct Room {
    store: RefCell<Store>,
    fence: Fence,
}

/// What the loader said, and what it took.
pub(crate) struct Answer {
    pub(crate) said: Result<Footprint, Error>,
    /// Branches taken.
    pub(crate) work: u64,
}

/// The name that every file is loaded by.
pub(crate) const NAME: &str = "hostile";

/// How much one load may do: so many branches, and so many for each byte of the file.
pub(crate) const WORK: (u64, u64) = (200_000, 64);

type Guarding<'a> = Registry<Guarded<'a>, NoopRawMutex, 1>;

impl Room {
    /// For files of up to `most` bytes.
    pub(crate) fn new(most: usize) -> Result<Self, String> {
        Ok(Self { store: RefCell::new(Store::new()?), fence: Fence::new(most)? })
    }

    /// The loader's answer, or what went wrong.
    pub(crate) fn run(
        &mut self,
        bytes: &[u8],
        from: From<'_>,
        host: &Pretender<'_>,
    ) -> Result<Answer, String> {
        let opened = match from {
            From::File(path) => Some(write(path, bytes)?),
            _ => None,
        };
        let lent = if matches!(from, From::Lent) { self.fence.hold(bytes) } else { bytes };
        self.store.borrow_mut().begin((8 << 20) + 6 * bytes.len());
        let registry = Guarding::new(Guarded(&self.store));
        let (read, heap, start) = (Cell::new(0), heap::live(), counted());
        let caught = catch_unwind(AssertUnwindSafe(|| match opened {
            Some(file) => verify(&registry, Counted { source: file, read: &read }, host),
            None if matches!(from, From::Read) => {
                verify(&registry, Counted { source: ReadOnly(bytes), read: &read }, host)
            }
            None => verify(&registry, lent, host),
        }));
        let work = counted() - start;
        let clean = self.store.borrow_mut().end();
        let said = caught.map_err(|_| heard())?;
        clean?;
        if matches!(from, From::Lent) && lent != bytes {
            return Err("the file was written".to_owned());
        }
        if heap::was_damaged() || heap::live() > heap {
            return Err(format!("{} bytes of the heap lost, or its red zones damaged", heap::live() - heap));
        }
        is_empty(&registry, host)?;
        self.store.borrow_mut().end()?;
        bounded(bytes.len() as u64, work, read.get())?;
        Ok(Answer { said, work })
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<File, String> {
    let said = |error| format!("{}: {error}", path.display());
    std::fs::write(path, bytes).map_err(said)?;
    File::open(path).map_err(said)
}

fn verify<S: Source>(registry: &Guarding<'_>, source: S, host: &Pretender<'_>) -> Result<Footprint, Error> {
    let mut names = 0;
    registry.loader(host).on_missing(&mut |_: &[u8]| names += 1).verify(NAME, source)
}

fn bounded(size: u64, work: u64, read: u64) -> Result<(), String> {
    let (some, each) = WORK;
    if work > some + each * size {
        return Err(format!("{work} branches for {size} bytes"));
    }
    if read > (1 << 20) + 32 * size {
        return Err(format!("{read} bytes read of {size}"));
    }
    Ok(())
}

/// The one slot and the name are free again: an empty file is refused for being empty.
fn is_empty(registry: &Guarding<'_>, host: &Pretender<'_>) -> Result<(), String> {
    if registry.iter().next().is_some() {
        return Err("the registry is not empty".to_owned());
    }
    match registry.loader(host).verify(NAME, &[][..]) {
        Err(Error::Busy { .. } | Error::RegistryFull { .. } | Error::Exists { .. }) | Ok(_) => {
            Err("the name stays taken".to_owned())
        }
        Err(_) => Ok(()),
    }
}
