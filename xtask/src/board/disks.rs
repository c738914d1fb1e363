//! Images of disks that hold an extension, made by programs that know nothing of llext: mtools, littlefs-python.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::boards;
use crate::error::Result;
use crate::process::{self, find, find_newest};
use crate::project;
use crate::setup::{bare, python};

/// The board that reads file systems: littlefs, which it makes itself, and FAT on a card.
pub(super) const BOARD: &str = "mps2-an385";
/// What the card of that board is called in the folder that the emulator runs in.
const CARD: &str = "card.img";

/// Where the partition begins, and how long it is: enough for FAT with 16 bits. In sectors of 512 bytes.
const START: u32 = 64;
const SECTORS: u32 = 8192;

/// A program that puts a file into a littlefs of version 2.0, all that `littlefs2` reads, on the disk of boards/storage.
const MAKE_LITTLEFS: &str = "
import sys
from littlefs import LittleFS

_, image, source = sys.argv
files = LittleFS(block_size=512, block_count=128, disk_version=0x20000)
with files.open('blink.o', 'wb') as file:
    file.write(open(source, 'rb').read())
open(image, 'wb').write(files.context.buffer)
";

/// Makes the card: one partition of FAT that holds `file`.
pub(super) fn card(folder: &Path, file: &Path) -> Result<PathBuf> {
    let image = folder.join(CARD);
    write_partition(&image)?;
    let mut drive = image.clone().into_os_string();
    drive.push(format!("@@{}", START * 512));
    let of = |program: &str| {
        let mut command = Command::new(program);
        command.arg("-i").arg(&drive);
        command
    };
    let sectors = SECTORS.to_string();
    process::run(of("mformat").args(["-T", &sectors, "-h", "16", "-s", "32", "-c", "1", "::"]))?;
    process::run(of("mcopy").arg(file).arg("::"))?;
    Ok(image)
}

/// A disk with a master boot record that names one partition.
fn write_partition(image: &Path) -> Result<()> {
    const FAT_16: u8 = 0x06;
    let mut file = File::create(image)?;
    file.set_len(u64::from(START + SECTORS) * 512)?;
    file.seek(SeekFrom::Start(446))?;
    file.write_all(&[0, 0, 0, 0, FAT_16, 0, 0, 0])?;
    file.write_all(&START.to_le_bytes())?;
    file.write_all(&SECTORS.to_le_bytes())?;
    file.seek(SeekFrom::Start(510))?;
    Ok(file.write_all(&[0x55, 0xaa])?)
}

/// What the card and the C of littlefs are made with, as far as it is missing.
pub(super) fn missing() -> Option<String> {
    let program = ["mformat", "mcopy"].into_iter().find(|program| find(program).is_none());
    let program = program.or_else(|| find_newest("clang").is_none().then_some("clang"));
    program.map(|program| format!("{program} is missing"))
}

/// What keeps the tests of boards/storage from being run, if anything does.
pub(crate) fn tests_miss() -> Option<String> {
    missing().or_else(|| python::littlefs().is_none().then(|| "littlefs-python is missing".to_owned()))
}

/// The tests of boards/storage, on this machine: a command that runs them.
pub(crate) fn tests() -> Result<Command> {
    let folder = bare::folder().join("disks");
    fs::create_dir_all(&folder)?;
    let object = folder.join("blink.o");
    let source = boards().join("extensions/blink.c");
    process::run(
        Command::new("gcc").args(["-O2", "-ffreestanding", "-c"]).arg(source).arg("-o").arg(&object),
    )?;
    let littlefs = folder.join("littlefs.img");
    let mut python = Command::new(python::littlefs().unwrap_or_default());
    process::run(python.args(["-c", MAKE_LITTLEFS]).arg(&littlefs).arg(&object))?;
    let mut cargo = project::cargo();
    cargo.current_dir(boards().join("storage")).env("CARGO_TARGET_DIR", bare::folder());
    cargo.env("LITTLEFS_IMAGE", littlefs).env("FAT_IMAGE", card(&folder, &object)?);
    cargo.args(["test", "--release"]);
    Ok(cargo)
}
