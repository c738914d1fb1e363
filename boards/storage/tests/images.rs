//! Extensions from the file systems that other programs made: littlefs-python, and mtools. `cargo xtask test boards` has them
//! make images that hold `blink.o`, of boards/extensions, for this machine, and says where they lie.
#![cfg(target_os = "linux")]

use littlefs2::fs::Filesystem;
use littlefs2::path;
use llext::source::{self, ReadError, Source};
use llext::{Error, Host};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use storage::fat;
use storage::littlefs::{Disk, File, SIZE};

static LEDS: AtomicU32 = AtomicU32::new(0);
static TICKS: AtomicU32 = AtomicU32::new(0);

extern "C" fn led_set(led: u8, on: bool) {
    LEDS.fetch_or(u32::from(on) << led, Ordering::Relaxed);
}

llext::exports! { static HOST; fn led_set(led: u8, on: bool); static TICKS: AtomicU32; }

fn image(variable: &str) -> PathBuf {
    std::env::var_os(variable).expect("cargo xtask test boards says where the image lies").into()
}

/// Loads `blink`, calls it twice and unloads it.
fn blink(file: impl Source) -> Result<(), Error> {
    let host = Host::without_libc(&HOST)?;
    // SAFETY: the file is what the compiler made of blink.c.
    let extension = unsafe { host.load("blink", file)? };
    // SAFETY: that is the function's type there.
    let blink = unsafe { extension.symbol::<extern "C" fn(u32) -> u32>("blink")? };
    assert_eq!((blink.call((5,)), blink.call((2,))), (10, 20));
    Ok(())
}

#[test]
fn an_extension_comes_from_littlefs() {
    let mut bytes: Box<[u8; SIZE]> = std::fs::read(image("LITTLEFS_IMAGE")).unwrap().try_into().unwrap();
    let mut disk = Disk(&mut bytes);
    let mut memory = Filesystem::allocate();
    let files = Filesystem::mount(&mut memory, &mut disk).unwrap();
    let loaded = files.open_file_and_then(path!("blink.o"), |file| Ok(blink(File(file))));
    assert_eq!(loaded.unwrap(), Ok(()));
    let past = files.open_file_and_then(path!("blink.o"), |file| {
        let size = file.len()? as u64;
        let expected = ReadError::PastTheEnd { offset: size - 1, wanted: 2, size };
        Ok(File(file).read_at(size - 1, &mut [0; 2]) == Err(expected))
    });
    assert!(past.unwrap());
}

#[test]
fn an_extension_comes_from_fat() {
    let card = || source::File::open(image("FAT_IMAGE")).unwrap();
    assert_eq!(fat::open(card(), "BLINK.O", |file| blink(file)).unwrap(), Ok(()));
    assert!(fat::open(card(), "OTHER.O", |_| ()).is_err());
    let past = fat::open(card(), "BLINK.O", |file| {
        let size = file.size().unwrap();
        (file.read_at(size - 1, &mut [0; 2]), ReadError::PastTheEnd { offset: size - 1, wanted: 2, size })
    });
    let (found, expected) = past.unwrap();
    assert_eq!(found, Err(expected));
}
