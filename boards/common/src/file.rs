//! An extension from the computer that the emulator runs on: a file called `extension.elf` in the folder it runs in.

use crate::computer::File;
use crate::demo::{Apps, in_use};
use crate::host::HOST;
use llext::{Error, Handle, Pool, RawMutex};
use semihosting::println;

/// The file, if there is one.
pub(crate) fn open() -> Option<File> {
    File::open(c"extension.elf")
}

/// Loads it, says where it lies and what it exports, calls its `int probe(void)` if it has one, and unloads it.
pub(crate) fn try_out<R: RawMutex>(apps: &Apps<R>, file: File) -> Result<(), Error> {
    // SAFETY: whoever gave the file wants it to be run.
    show(apps, unsafe { apps.loader(&HOST).load("extension", file)? })
}

/// Does what [`try_out`] does with one that is loaded.
pub(crate) fn show<R: RawMutex>(
    apps: &Apps<R>,
    extension: Handle<'_, Pool<'static>, R, 4>,
) -> Result<(), Error> {
    for region in extension.regions() {
        println!("{} at {:#x}: {} bytes", region.part, region.address, region.size);
    }
    for (name, address) in extension.exports() {
        println!("{} at {address:#x}", core::str::from_utf8(name).unwrap_or("a name that is not UTF-8"));
    }
    println!("memory in use: {}", in_use(apps));
    call_probe(&extension)?;
    extension.unload().map(drop).map_err(|refused| refused.error)
}

fn call_probe<R: RawMutex>(extension: &Handle<'_, Pool<'static>, R, 4>) -> Result<(), Error> {
    // SAFETY: that is what a `probe` is.
    match unsafe { extension.symbol::<extern "C" fn() -> i32>("probe") } {
        Ok(probe) => println!("probe: {}", probe.call(())),
        Err(Error::SymbolNotFound { .. }) => println!("there is no probe to call"),
        Err(error) => return Err(error),
    }
    Ok(())
}
