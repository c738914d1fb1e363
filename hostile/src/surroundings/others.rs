//! What fails in a way of its own: a pool, a registry, a file.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs;
use std::mem::MaybeUninit;
use std::path::Path;

use llext::loader::Need;
use llext::source::{File, Identity, ReadError, ReadOnly, Source};
use llext::{Error, NoopRawMutex, Pool, Registry};

use super::faults::{Failing, Faults};
use super::{Outcome, host, names, regions, verify};
use crate::guarded::{Guarded, Store};
use crate::sample::Form;
use crate::target;

/// How many mappings this process has.
pub(crate) fn mappings() -> usize {
    fs::read_to_string("/proc/self/maps").map_or(0, |maps| maps.lines().count())
}

pub(super) fn run(form: Form, bytes: &[u8], folder: &Path, tell: &mut dyn FnMut(String, Outcome)) {
    let mut tell = |what: &str, outcome| tell(format!("{}: {what}", form.name()), outcome);
    tell("a file that is cut between reads", cut(bytes, folder));
    tell("a source larger than files may be", too_large(bytes));
    tell("a registry without a free slot", full(bytes));
    tell("a provider that is not there", gone(bytes));
    if target::runs_here() {
        tell("a pool too small, byte by byte", pool(bytes));
        // A shared object lies in one piece, which no protected pool has.
        if form != Form::Shared {
            tell("a protection unit with too few regions", regions::too_few(bytes));
            tell("regions that are powers of two", regions::doubled(bytes));
        }
    }
}

/// A file of which another writer takes the end away after the k-th read.
struct Cut<'a> {
    file: File,
    path: &'a Path,
    reads: usize,
    at: usize,
}

impl Source for Cut<'_> {
    fn size(&mut self) -> Result<u64, ReadError> {
        self.file.size()
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        self.reads += 1;
        if self.reads == self.at {
            let cut = fs::File::options().write(true).open(self.path).and_then(|file| file.set_len(70));
            cut.map_err(|error| ReadError::Failed { os: error.raw_os_error().unwrap_or(0) })?;
        }
        self.file.read_at(offset, buffer)
    }
}

fn cut(bytes: &[u8], folder: &Path) -> Outcome {
    let path = folder.join(format!("{}.cut", std::process::id()));
    let result = cut_at_every_read(bytes, &path);
    // It may never have been made.
    let _ = fs::remove_file(&path);
    result
}

fn cut_at_every_read(bytes: &[u8], path: &Path) -> Outcome {
    let store = RefCell::new(Store::new()?);
    for at in 1.. {
        store.borrow_mut().begin(16 << 20);
        fs::write(path, bytes).map_err(|error| error.to_string())?;
        let file = File::open(path).map_err(|error| error.to_string())?;
        let registry: Registry<_, NoopRawMutex, 1> = Registry::new(Guarded(&store));
        let mut source = Cut { file, path, reads: 0, at };
        let said = verify(&registry, &mut source)?;
        if source.reads < at {
            return said.map(|()| at - 1).map_err(|error| error.to_string());
        }
        // The first read is of the header, which is still there.
        if !matches!(said, Err(Error::Read { error: ReadError::PastTheEnd { .. } })) && at > 1 {
            return Err(format!("cut at read {at}: {said:?}"));
        }
        store.borrow_mut().end()?;
    }
    unreachable!("a load ends")
}

/// Says that it has more bytes than an offset can tell.
struct Large<'a>(ReadOnly<'a>, u64);

impl Source for Large<'_> {
    fn size(&mut self) -> Result<u64, ReadError> {
        Ok(self.1)
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        self.0.read_at(offset, buffer)
    }

    fn identity(&self) -> Option<Identity> {
        None
    }
}

fn too_large(bytes: &[u8]) -> Outcome {
    let store = RefCell::new(Store::new()?);
    let sizes = [1 << 32, (1 << 32) + 1, 1 << 63, u64::MAX];
    for size in sizes {
        store.borrow_mut().begin(16 << 20);
        let registry: Registry<_, NoopRawMutex, 1> = Registry::new(Guarded(&store));
        match verify(&registry, Large(ReadOnly(bytes), size))? {
            Err(Error::Link(llext_link::Error::FileTooLarge { .. })) => {}
            other => return Err(format!("{size} bytes: {other:?}")),
        }
        store.borrow_mut().end()?;
    }
    Ok(sizes.len())
}

/// Two loads on their way take both slots.
fn full(bytes: &[u8]) -> Outcome {
    let store = RefCell::new(Store::new()?);
    store.borrow_mut().begin(16 << 20);
    let faults = Faults::default();
    // As other loads of this program, so that none is made for this alone.
    let memory = Failing { memory: Guarded(&store), faults: &faults };
    let registry: Registry<_, NoopRawMutex, 2> = Registry::new(memory);
    let names = names();
    let host = host(&names);
    let (mut one, mut other) = (ReadOnly(bytes), ReadOnly(bytes));
    let [one, other]: [&mut dyn Source; 2] = [&mut one, &mut other];
    // SAFETY: both are dropped before their end.
    let (first, second) = unsafe {
        (registry.loader(&host).start("first", one), registry.loader(&host).start("second", other))
    };
    match verify(&registry, ReadOnly(bytes))? {
        Err(Error::RegistryFull { slots: 2 }) => {}
        other => return Err(format!("a third: {other:?}")),
    }
    drop((first, second));
    verify(&registry, ReadOnly(bytes))?.map_err(|error| format!("trying again: {error}"))?;
    store.borrow_mut().end()?;
    Ok(1)
}

/// A host that exports nothing at all, then the one that does.
fn gone(bytes: &[u8]) -> Outcome {
    let store = RefCell::new(Store::new()?);
    store.borrow_mut().begin(16 << 20);
    let registry: Registry<_, NoopRawMutex, 1> = Registry::new(Guarded(&store));
    let nothing = HashSet::new();
    let mut asked = 0;
    let mut never = |_: &Need<'_, '_, _, _, 1>| {
        asked += 1;
        Err(Error::Died)
    };
    match registry.loader(&host(&nothing)).on_needed(&mut never).verify("hostile", bytes) {
        Err(Error::Link(llext_link::Error::UndefinedSymbols { count: 1, .. })) => {}
        other => return Err(format!("without a provider: {other:?}")),
    }
    store.borrow_mut().end()?;
    store.borrow_mut().begin(16 << 20);
    verify(&registry, bytes)?.map_err(|error| format!("trying again: {error}"))?;
    store.borrow_mut().end()?;
    Ok(1)
}

/// A pool of every size, up to one that is large enough; the same pool then takes what it refused.
fn pool(bytes: &[u8]) -> Outcome {
    let mut room = vec![MaybeUninit::new(0u8); 1 << 16];
    for size in (0..room.len()).step_by(64) {
        let registry: Registry<_, NoopRawMutex, 2> = Registry::new(Pool::unified(&mut room[..size]));
        let first = verify(&registry, ReadOnly(bytes))?;
        let second = verify(&registry, ReadOnly(bytes))?;
        match (first, second) {
            (Ok(()), Ok(())) => return Ok(size / 64),
            (Err(Error::Memory { .. }), Err(Error::Memory { .. })) => {}
            other => return Err(format!("{size} bytes: {other:?}")),
        }
    }
    Err("no pool is large enough".to_owned())
}
