//! What fuzzing begins with: the sources in extensions/, compiled for every architecture that there is a compiler for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Result;
use crate::process::{find, succeeds};
use crate::project;

/// A compiler, and the options that choose its processor.
type Compiler = &'static [&'static str];

const COMPILERS: &[Compiler] = &[
    &["gcc"],
    &["gcc", "-m32"],
    &["arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb"],
    &["aarch64-linux-gnu-gcc"],
    &["riscv64-unknown-elf-gcc", "-march=rv32imac", "-mabi=ilp32"],
    &["riscv64-unknown-elf-gcc", "-march=rv64gc", "-mabi=lp64d", "-mcmodel=medany"],
];

/// The options of each kind. Not every compiler links a shared object, and not every source is for every kind.
const KINDS: &[(&str, &[&str])] = &[("o", &["-c"]), ("so", &["-fPIC", "-shared", "-nostdlib"])];

/// Larger files only slow it down, bytes.
const LARGEST: u64 = 16 << 10;

/// What stands before a file for the target `link`: where the host's exports lie, and how many relocations come at once.
const WORLDS: [u8; 3] = [0x01, 0x1b, 0x04];
/// For the target `load`: which memory, where the host lies, how the file is read.
const LOADS: std::ops::Range<u8> = 0..8;

/// Fills a folder for each target, once: until a new checkout's, they stay.
pub(super) fn make(folder: &Path) -> Result<()> {
    let done = folder.join("done");
    if done.exists() {
        return Ok(());
    }
    println!("making seeds of extensions/");
    for target in super::TARGETS {
        fs::create_dir_all(folder.join(target))?;
    }
    let mut sources: Vec<PathBuf> = Vec::new();
    project::files(&project::root().join("extensions"), "c", &mut sources)?;
    project::files(&project::root().join("extensions"), "S", &mut sources)?;
    for (number, compiler) in COMPILERS.iter().enumerate().filter(|(_, compiler)| find(compiler[0]).is_some())
    {
        for source in &sources {
            for (kind, options) in KINDS {
                let stem = source.file_stem().unwrap_or_default().to_string_lossy();
                let name = format!("{stem}-{number}.{kind}");
                if let Some(file) = compile(compiler, options, source, &folder.join("compiled"))? {
                    write(folder, &name, &file)?;
                }
            }
        }
    }
    Ok(fs::write(done, "")?)
}

/// The file, if this compiler makes one of this source, and it is small.
fn compile(compiler: Compiler, options: &[&str], source: &Path, output: &Path) -> Result<Option<Vec<u8>>> {
    let mut command = Command::new(compiler[0]);
    command.args(&compiler[1..]).args(["-Os", "-w"]).args(options).arg(source).arg("-o").arg(output);
    if !succeeds(&mut command) || output.metadata()?.len() > LARGEST {
        return Ok(None);
    }
    Ok(Some(fs::read(output)?))
}

fn write(folder: &Path, name: &str, file: &[u8]) -> Result<()> {
    fs::write(folder.join("parse").join(name), file)?;
    let [class, machine] = [file[4], file[18]];
    let fits = |arch: &llext_link::arch::Arch| arch.machine == u16::from(machine) && arch.format[0] == class;
    let arches = llext_link::arch::all().enumerate().filter(|(_, arch)| fits(arch));
    for (arch, _) in arches {
        for world in WORLDS {
            let seed = [&[arch as u8, world], file].concat();
            fs::write(folder.join("link").join(format!("{name}-{arch}-{world}")), seed)?;
        }
    }
    if machine == X86_64 {
        for load in LOADS {
            fs::write(folder.join("load").join(format!("{name}-{load}")), [&[load], file].concat())?;
        }
    }
    Ok(())
}

/// The `e_machine` of what this machine loads.
const X86_64: u8 = 62;
