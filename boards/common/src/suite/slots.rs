//! What is loaded, by number.

use super::Apps;
use super::host::OFFER;
use super::script::{From, What};
use crate::computer::{File, println};
use core::sync::atomic::{AtomicI32, Ordering};
use llext::source::{ReadError, ReadOnly, Source};
use llext::{Error, NoopRawMutex, Pool};

type Handle = llext::Handle<'static, Pool<'static>, NoopRawMutex, 4>;

pub(super) struct Slots {
    apps: &'static Apps,
    handles: [Option<Handle>; 3],
}

/// What POSIX calls a file that is not there, and memory that is too small.
const NO_ENTRY: i32 = 2;
const NO_MEMORY: i32 = 12;

/// What a file is read into before it is lent: where there is memory for that.
const BUFFER: usize = if cfg!(feature = "large") { 1 << 20 } else { 0 };

static mut BYTES: [u8; BUFFER] = [0; BUFFER];

impl Slots {
    pub(super) fn new(apps: &'static Apps) -> Self {
        Self { apps, handles: [const { None }; 3] }
    }

    pub(super) fn load(&mut self, what: What<'_>) -> Result<(), Error> {
        let handle = self.loaded(what)?;
        self.handles[what.slot] = Some(handle);
        Ok(())
    }

    fn loaded(&self, what: What<'_>) -> Result<Handle, Error> {
        let nothing = Error::Read { error: ReadError::Failed { os: NO_ENTRY } };
        let mut file = File::open(what.path).ok_or(nothing)?;
        match what.from {
            From::File => self.load_from(what, file),
            From::Lent => self.load_from(what, read_all(&mut file)?),
            From::ReadOnly => self.load_from(what, ReadOnly(read_all(&mut file)?)),
        }
    }

    fn load_from(&self, what: What<'_>, source: impl Source) -> Result<Handle, Error> {
        let mut missing = |name: &[u8]| println!("missing {}", core::str::from_utf8(name).unwrap_or("?"));
        let loader = self.apps.loader(&OFFER).on_missing(&mut missing);
        let loader =
            self.handles[..what.slot].iter().flatten().fold(loader, |loader, needed| loader.needs(needed));
        // SAFETY: the file is one of the project's own extensions.
        unsafe { loader.load(what.name, source) }
    }

    /// Calls a function of C ints.
    pub(super) fn call(&self, slot: usize, name: &str, arguments: [Option<i32>; 2]) -> Result<i32, Error> {
        let handle = self.handle(slot)?;
        // SAFETY: the script says how many ints the function takes, and that it returns one.
        Ok(unsafe {
            match arguments {
                [Some(a), Some(b)] => handle.symbol::<extern "C" fn(i32, i32) -> i32>(name)?.call((a, b)),
                [Some(a), _] => handle.symbol::<extern "C" fn(i32) -> i32>(name)?.call((a,)),
                _ => handle.symbol::<extern "C" fn() -> i32>(name)?.call(()),
            }
        })
    }

    pub(super) fn read(&self, slot: usize, name: &str) -> Result<i32, Error> {
        Ok(self.object(slot, name)?.load(Ordering::Relaxed))
    }

    pub(super) fn write(&self, slot: usize, name: &str, value: i32) -> Result<(), Error> {
        self.object(slot, name)?.store(value, Ordering::Relaxed);
        Ok(())
    }

    fn object(&self, slot: usize, name: &str) -> Result<&AtomicI32, Error> {
        // SAFETY: the script says that it is an int.
        unsafe { self.handle(slot)?.object::<AtomicI32>(name) }
    }

    /// Without the bit that says that a function is in Thumb code.
    pub(super) fn address(&self, slot: usize, name: &str) -> Result<usize, Error> {
        Ok(self.handle(slot)?.address(name)? & if cfg!(target_arch = "arm") { !1 } else { !0 })
    }

    /// Whether an export is listed and found; both or none.
    pub(super) fn has(&self, slot: usize, name: &str) -> Result<&'static str, Error> {
        let handle = self.handle(slot)?;
        let listed = handle.exports().any(|(own, _)| own == name.as_bytes());
        Ok(match (listed, handle.address(name).is_ok()) {
            (true, true) => "there",
            (false, false) => "not there",
            _ => "there by half",
        })
    }

    /// The uses that are left. An extension that is refused stays in its slot.
    pub(super) fn unload(&mut self, slot: usize) -> Result<u32, Error> {
        let handle = self.handles.get_mut(slot).and_then(Option::take).ok_or(Error::Died)?;
        handle.unload().map_err(|refused| {
            self.handles[slot] = Some(refused.handle);
            refused.error
        })
    }

    /// Loads, calls and unloads again and again.
    pub(super) fn cycle(&mut self, count: u32, what: What<'_>) -> Result<(), Error> {
        for _ in 0..count {
            self.load(what)?;
            self.call(what.slot, "probe", [None; 2])?;
            self.unload(what.slot)?;
        }
        Ok(())
    }

    fn handle(&self, slot: usize) -> Result<&Handle, Error> {
        self.handles.get(slot).and_then(Option::as_ref).ok_or(Error::Died)
    }
}

fn read_all(file: &mut File) -> Result<&'static [u8], Error> {
    let read = |error| Error::Read { error };
    let size = usize::try_from(file.size().map_err(read)?).unwrap_or(usize::MAX);
    // SAFETY: nothing else names the static, and what was lent before is over.
    let buffer: &'static mut [u8] = unsafe { &mut *(&raw mut BYTES) };
    let bytes = buffer.get_mut(..size).ok_or(read(ReadError::Failed { os: NO_MEMORY }))?;
    file.read_at(0, bytes).map_err(read)?;
    Ok(bytes)
}
