//! The library as others build, install and find it: by CMake and by pkg-config.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::suite;
use crate::board::{LIMIT, littlefs};
use crate::error::{Result, bail};
use crate::process::{find, output, run_within};
use crate::project;
use crate::setup::bare;

/// The one that boards/c is built for by CMake.
const BOARD: &str = "c-mps2-an385";

/// What is not there to try it, if anything.
pub(crate) fn missing() -> Option<String> {
    let tool = ["cmake", "make", "gcc", "pkg-config"].into_iter().find(|tool| find(tool).is_none())?;
    Some(format!("{tool} is missing: the library is not installed for trial"))
}

/// Builds and installs it by CMake, then builds and runs a program and its extension that find it there.
pub(crate) fn test() -> Result<()> {
    let folder = project::target().join("capi/package");
    let installed = install(&folder, None)?;
    let (source, used) = (suite::folder().join("crates/llext-capi/suite/package"), folder.join("used"));
    output(cmake(&source, &used, None).arg(format!("-DCMAKE_PREFIX_PATH={}", installed.display())))?;
    build(&used)?;
    answers(&used.join("program"), &used)?;

    let mut ask = Command::new("pkg-config");
    ask.env("PKG_CONFIG_PATH", installed.join("lib/pkgconfig")).args(["--cflags", "--libs", "llext"]);
    let (flags, program) = (output(&mut ask)?, used.join("by-pkg-config"));
    let mut gcc = Command::new("gcc");
    gcc.arg(source.join("program.c")).args(flags.split_whitespace()).arg("-o").arg(&program);
    output(&mut gcc)?;
    answers(&program, &used)
}

/// What is not there to try it for a board, if anything.
pub(crate) fn misses_for_board() -> Option<String> {
    missing().or_else(|| suite::firmware(BOARD).ok()?.missing())
}

/// The same for a board, by another compiler: the firmware and its extension find it where it was installed.
pub(crate) fn test_for_board() -> Result<()> {
    let folder = project::target().join("capi/package-for-board");
    let source = suite::folder().join("boards/c");
    let toolchain = source.join("mps2-an385.cmake");
    let installed = install(&folder, Some(&toolchain))?;
    let used = folder.join("used");
    let mut configure = cmake(&source, &used, Some(&toolchain));
    configure.arg(format!("-DCMAKE_PREFIX_PATH={}", installed.display()));
    output(configure.arg(format!("-DLITTLEFS={}", littlefs()?)))?;
    build(&used)?;
    run_within(&mut suite::firmware(BOARD)?.emulator(&used.join("firmware"))?, LIMIT)
}

/// Where it is installed, in a folder of its own.
fn install(folder: &Path, toolchain: Option<&Path>) -> Result<PathBuf> {
    // What an earlier version installed must not be found.
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let (made, installed) = (folder.join("made"), folder.join("installed"));
    let mut configure = cmake(&suite::folder(), &made, toolchain);
    configure.arg(format!("-DLLEXT_CARGO_FOLDER={}", bare::folder().display()));
    configure.arg(format!("-DCMAKE_INSTALL_PREFIX={}", installed.display()));
    output(&mut configure)?;
    build(&made)?;
    output(Command::new("cmake").arg("--install").arg(&made))?;
    Ok(installed)
}

fn cmake(source: &Path, made: &Path, toolchain: Option<&Path>) -> Command {
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(source).arg("-B").arg(made);
    configure.args(toolchain.map(|file| format!("-DCMAKE_TOOLCHAIN_FILE={}", file.display())));
    configure
}

fn build(made: &Path) -> Result<()> {
    output(Command::new("cmake").arg("--build").arg(made)).map(drop)
}

fn answers(program: &Path, used: &Path) -> Result<()> {
    let said = output(Command::new(program).arg(used.join("app.llext")))?;
    if said != "42" {
        bail!("{}: it said {said:?}", program.display())
    }
    Ok(())
}
