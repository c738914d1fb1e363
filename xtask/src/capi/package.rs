//! The library as others build, install and find it: by CMake and by pkg-config.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::suite;
use crate::error::{Result, bail};
use crate::process::{find, output};
use crate::project;
use crate::setup::bare;

/// What is not there to try it, if anything.
pub(crate) fn missing() -> Option<String> {
    let tool = ["cmake", "make", "gcc", "pkg-config"].into_iter().find(|tool| find(tool).is_none())?;
    Some(format!("{tool} is missing: the library is not installed for trial"))
}

/// Builds and installs it by CMake, then builds and runs a program and its extension that find it there.
pub(crate) fn test() -> Result<()> {
    let folder = project::target().join("capi/package");
    // What an earlier version installed must not be found.
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let (made, installed, used) = (folder.join("made"), folder.join("installed"), folder.join("used"));
    let mut configure = cmake(&suite::folder(), &made);
    configure.arg(format!("-DLLEXT_CARGO_FOLDER={}", bare::folder().display()));
    configure.arg(format!("-DCMAKE_INSTALL_PREFIX={}", installed.display()));
    output(&mut configure)?;
    build(&made)?;
    output(Command::new("cmake").arg("--install").arg(&made))?;

    let source = suite::folder().join("crates/llext-capi/suite/package");
    output(cmake(&source, &used).arg(format!("-DCMAKE_PREFIX_PATH={}", installed.display())))?;
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

fn cmake(source: &Path, made: &Path) -> Command {
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(source).arg("-B").arg(made);
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
