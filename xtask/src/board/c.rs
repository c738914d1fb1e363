//! Firmware in C: boards/c, which GNU ld links with libllext.a. The same sources serve every board.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{Board, LIMIT, of_target, share};
use crate::capi::{self, Build};
use crate::error::{Result, bail};
use crate::process::{self, find, output};
use crate::project;
use crate::setup::bare::Compiler;

/// One board: `boards/c/NAME.ld` is its memory.
pub(crate) struct Firmware {
    pub(crate) name: &'static str,
    /// The board is the one with this target.
    target: &'static str,
    memory: &'static str,
    /// What the library may take, bytes of code and constants. When it becomes smaller, so does this.
    budget: u64,
}

pub(crate) const FIRMWARE: &[Firmware] = &[
    Firmware {
        name: "c-mps2-an385",
        target: "thumbv7m-none-eabi",
        memory: "boards/c/mps2-an385.ld",
        budget: 133_120,
    },
    Firmware {
        name: "c-riscv32-virt",
        target: "riscv32imac-unknown-none-elf",
        memory: "boards/c/riscv32-virt.ld",
        budget: 163_840,
    },
];

/// How a file of the firmware is compiled.
const STRICT: &[&str] = &["-Os", "-Wall", "-Wextra", "-Werror", "-I", "include"];
/// The C library, whose files and output are the emulator's.
const C_LIBRARY: &[&str] = &["--specs=picolibc.specs", "--oslib=semihost", "--crt0=semihost"];
/// The scripts after that of the memory, in this order: llext's names its regions, and the last has the section it wants.
const SCRIPTS: &[&str] = &["-T", "crates/llext/llext.x", "-T", "boards/c/firmware.ld"];
/// Rust's `__popcountsi2` for RISC-V, which littlefs calls, has debug information with relocations that GNU ld 2.40 does not
/// know and crashes at: R_RISCV_SET_ULEB128. Without debug information nothing relocates it.
const LINKER: &[&str] = &["-Wl,-z,noexecstack,--strip-debug"];
/// How the extension is compiled, which knows no C library.
const EXTENSION: &[&str] =
    &["-O2", "-ffreestanding", "-I", "include", "-c", "boards/c/extension/area.c", "-o"];
const SOURCES: &[&str] = &["boards/c/main.c", "boards/c/host_files.c", "boards/c/littlefs.c"];
/// littlefs says nothing, and its folder follows.
const LITTLEFS: &[&str] =
    &["-DLFS_NO_DEBUG", "-DLFS_NO_WARN", "-DLFS_NO_ERROR", "-DLFS_NO_ASSERT", "-isystem"];

impl Firmware {
    /// The first thing it lacks.
    pub(crate) fn missing(&self) -> Option<String> {
        let board = self.board().ok()?;
        let (compiler, emulator) = (board.c_compiler[0], board.emulator[0]);
        let program = [compiler, emulator].into_iter().find(|program| find(program).is_none());
        let no_rust = || Compiler::find(self.target).is_none().then(|| format!("Rust for {}", self.target));
        let missing = program.map(str::to_owned).or_else(no_rust).or_else(|| {
            let mut library = Command::new(compiler);
            library.args([C_LIBRARY[0], "-x", "c", "-include", "stdio.h", "-fsyntax-only", "/dev/null"]);
            output(&mut library).err().map(|_| format!("picolibc for {compiler}"))
        });
        missing.map(|missing| format!("{missing} is missing"))
    }

    /// Builds the firmware and its extension, says how large it is, and runs it; its own exit status decides.
    pub(crate) fn run(&self) -> Result<()> {
        let library = capi::library(self.target, Build::BARE)?;
        let folder = project::target().join("capi").join(self.name);
        fs::create_dir_all(&folder)?;
        self.compile(&self.extension(&folder))?;
        let map = folder.join("map");
        let mut link = self.link(&folder, &library, &littlefs()?);
        link.push(format!("-Wl,-Map={}", map.display()));
        self.compile(&link)?;
        self.measure(&folder.join("firmware"))?;
        self.check(share::of_library(&fs::read_to_string(map)?))?;
        process::run_within(&mut self.emulator(&folder.join("firmware"))?, LIMIT)
    }

    /// What makes firmware for the board of any sources, in the folder of the workspace.
    pub(crate) fn linking(&self) -> Vec<&'static str> {
        [C_LIBRARY, &["-T", self.memory], SCRIPTS, LINKER].concat()
    }

    fn board(&self) -> Result<&'static Board> {
        of_target(self.target)
    }

    fn compile(&self, words: &[String]) -> Result<()> {
        let compiler = self.board()?.c_compiler;
        process::run(Command::new(compiler[0]).current_dir(project::root()).args(&compiler[1..]).args(words))
    }

    /// As the GNU tools beside the compiler count it.
    fn measure(&self, firmware: &Path) -> Result<()> {
        let size = self.board()?.c_compiler[0].replace("-gcc", "-size");
        process::run(Command::new(size).arg(firmware))
    }

    /// Fails if the library has grown beyond its budget, or is not there.
    fn check(&self, found: u64) -> Result<()> {
        println!("{}: {found} bytes of code and constants are the library's", self.name);
        if found == 0 || found > self.budget {
            bail!("{}: the library has {found} bytes, its budget is {}", self.name, self.budget);
        }
        Ok(())
    }

    /// The words after the compiler's that make the extension.
    fn extension(&self, folder: &Path) -> Vec<String> {
        words(&[EXTENSION, &[&place(folder, "area.o")]])
    }

    /// Those that make the firmware.
    fn link(&self, folder: &Path, library: &Path, littlefs: &str) -> Vec<String> {
        let include = format!("-Wa,-I{}", folder.display());
        let library = library.display().to_string();
        let to = place(folder, "firmware");
        let its = ["lfs.c", "lfs_util.c"].map(|name| format!("{littlefs}/{name}"));
        let files = [littlefs, &its[0], &its[1], &library];
        words(&[STRICT, &[&include], SOURCES, LITTLEFS, &files, &self.linking(), &["-o", &to]])
    }

    /// The board with this program, ready to run in the program's folder.
    pub(crate) fn emulator(&self, program: &Path) -> Result<Command> {
        let board = self.board()?;
        let mut qemu = board.emulator(program);
        qemu.current_dir(program.parent().unwrap_or(Path::new(".")));
        Ok(qemu)
    }
}

/// The folder of littlefs's own sources, which a crate that boards/storage uses brings along.
pub(crate) fn littlefs() -> Result<String> {
    let mut cargo = project::cargo();
    cargo.current_dir(project::root().join("boards/storage"));
    let metadata: Value =
        serde_json::from_str(&output(cargo.args(["metadata", "--format-version=1", "--locked"]))?)?;
    let mut packages = metadata["packages"].as_array().into_iter().flatten();
    let package = packages.find(|package| package["name"] == "littlefs2-sys");
    match package.and_then(|package| Path::new(package["manifest_path"].as_str()?).parent()) {
        Some(folder) => Ok(place(folder, "littlefs")),
        None => bail!("boards/storage has no littlefs2-sys"),
    }
}

fn place(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

fn words(parts: &[&[&str]]) -> Vec<String> {
    parts.concat().into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_for_users_has_the_commands() {
        let page = fs::read_to_string(project::root().join("docs/from-llext.md")).unwrap();
        let page = page.replace('\\', " ");
        let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
        let firmware = &FIRMWARE[0];
        let board = firmware.board().unwrap();
        let commands = [
            firmware.extension(Path::new("target")),
            firmware.link(
                Path::new("target"),
                Path::new("target/capi/thumbv7m-none-eabi/capi/libllext.a"),
                "$LITTLEFS",
            ),
        ];
        for command in commands {
            let command = format!("{} {}", board.c_compiler.join(" "), command.join(" "));
            assert!(page.contains(&command), "docs/from-llext.md lacks: {command}");
        }
        let emulator = firmware.emulator(Path::new("firmware")).unwrap();
        let words: Vec<_> = emulator.get_args().map(|word| word.to_string_lossy()).collect();
        let command = format!("{} {}", board.emulator[0], words.join(" "));
        assert!(page.contains(&command), "docs/from-llext.md lacks: {command}");
    }

    #[test]
    fn a_library_that_has_grown_is_found() {
        let firmware = &FIRMWARE[0];
        assert!(firmware.check(firmware.budget).is_ok());
        assert!(firmware.check(firmware.budget + 1).is_err());
        assert!(firmware.check(0).is_err());
    }

    #[test]
    fn every_board_has_its_memory_described() {
        for firmware in FIRMWARE {
            assert!(project::root().join(firmware.memory).exists());
            assert!(firmware.board().is_ok());
        }
    }
}
