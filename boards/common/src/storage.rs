//! The extension in C once more, from file systems: a littlefs in RAM, which it is written to as if it had just come in, and
//! FAT on a card, for which a file of the computer's stands.

use crate::IN_C;
use crate::computer::File;
use crate::demo::{Apps, check};
use crate::host::HOST;
use littlefs2::fs::{Allocation, Filesystem};
use littlefs2::path;
use llext::source::{ReadError, Source};
use llext::{Error, RawMutex};
use storage::fat;
use storage::littlefs::{self, Disk, SIZE};

/// Loads it from each.
pub(crate) fn run<R: RawMutex>(apps: &Apps<R>) -> Result<(), Error> {
    from_littlefs(apps, Disk(&mut [0; SIZE])).map_err(littlefs::failed)??;
    let card = File::open(c"card.img").ok_or(ReadError::Failed { os: 0 })?;
    fat::open(card, "BLINK.O", |file| call(apps, "blink from FAT", file))
        .map_err(|_| ReadError::Failed { os: 0 })?
}

fn from_littlefs<R: RawMutex>(
    apps: &Apps<R>,
    mut disk: Disk<'_>,
) -> littlefs2::io::Result<Result<(), Error>> {
    Filesystem::format(&mut disk)?;
    let mut memory = Allocation::new();
    let files = Filesystem::mount(&mut memory, &mut disk)?;
    files.write(path!("blink.o"), IN_C)?;
    files.open_file_and_then(path!("blink.o"), |file| {
        Ok(call(apps, "blink from littlefs", littlefs::File(file)))
    })
}

fn call<R: RawMutex>(apps: &Apps<R>, what: &str, file: impl Source) -> Result<(), Error> {
    // SAFETY: the file is what this board's compiler made of blink.c.
    let extension = unsafe { apps.loader(&HOST).load("blink", file)? };
    // SAFETY: that is the function's type there.
    let blink = unsafe { extension.symbol::<extern "C" fn(u32) -> u32>("blink")? };
    check(what, blink.call((1,)), 10);
    extension.unload().map(drop).map_err(|refused| refused.error)
}
