//! An extension that `llext link` linked for this firmware: a file called `linked.elf` in the folder the emulator runs in.
//! What of it was linked for flash is there already; the rest is copied into RAM.

use crate::computer::File;
use crate::demo::Apps;
use crate::file;
use crate::host::HOST;
use core::ops::Range;
use llext::loader::Places;
use llext::{Error, RawMutex};

unsafe extern "C" {
    static __located_flash_start: u8;
    static __located_flash_end: u8;
    static __located_ram_start: u8;
    static __located_ram_end: u8;
}

fn between(start: *const u8, end: *const u8) -> Range<usize> {
    start.addr()..end.addr()
}

/// The file, if there is one.
pub(crate) fn open() -> Option<File> {
    File::open(c"linked.elf")
}

/// Loads it where it was linked for, and tries it out.
pub(crate) fn try_out<R: RawMutex>(apps: &Apps<R>, file: File) -> Result<(), Error> {
    let flash = between(&raw const __located_flash_start, &raw const __located_flash_end);
    let ram = between(&raw const __located_ram_start, &raw const __located_ram_end);
    let places = Places { in_place: &[flash], copied: &[ram] };
    // SAFETY: memory.x keeps both for this, and one file at a time is loaded.
    let loader = unsafe { apps.loader(&HOST).pre_located(places) };
    // SAFETY: whoever gave the file wants it to be run.
    file::show(apps, unsafe { loader.load("linked", file)? })
}
