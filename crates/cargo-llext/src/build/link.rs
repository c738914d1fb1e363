//! The link: all objects into one relocatable, by LLD, which rustup brings along with rustc.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::objects::{Contents, Object};
use crate::error::Error;
use crate::process;
use crate::terminal::Terminal;

const SCRIPT: &str = include_str!("relocatable.x");

/// Links the objects; `collect` drops every section that no kept section needs.
pub(crate) fn link(
    objects: &[Object],
    scratch: &Path,
    folder: &Path,
    collect: bool,
    terminal: &Terminal,
) -> Result<Vec<u8>, Error> {
    std::fs::create_dir_all(scratch).map_err(Error::unwritable(scratch))?;
    let inputs = write_inputs(objects, scratch)?;
    let (script, linked) = (scratch.join("relocatable.x"), scratch.join("linked.o"));
    std::fs::write(&script, SCRIPT).map_err(Error::unwritable(&script))?;

    let mut command = linker(folder, terminal)?;
    command.args(["-r", "--strip-debug", "--force-group-allocation", "--color-diagnostics=auto"]);
    if collect {
        command.arg("--gc-sections");
    }
    command.arg("-T").arg(&script).arg("-o").arg(&linked).arg(response_argument(&inputs));
    let output = process::output(&mut command, terminal)?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
        let (program, status) = (process::name(&command), output.status.to_string());
        return Err(Error::LinkerFailed { program, status, text });
    }
    std::fs::read(&linked).map_err(Error::unreadable(&linked))
}

/// Writes the marked objects, and a file that names them: a command line could not hold them all.
fn write_inputs(objects: &[Object], scratch: &Path) -> Result<PathBuf, Error> {
    let mut names = String::new();
    for (index, object) in objects.iter().enumerate() {
        let path = match &object.contents {
            Contents::Library(path) => path.clone(),
            Contents::Whole(bytes) | Contents::OnDemand(bytes) => {
                let path = scratch.join(format!("{index}.o"));
                std::fs::write(&path, bytes).map_err(Error::unwritable(&path))?;
                path
            }
        };
        let escaped = path.display().to_string().replace('\\', "\\\\").replace('"', "\\\"");
        // Writing to a String cannot fail.
        let _ = match object.contents {
            Contents::OnDemand(_) => writeln!(names, "--start-lib \"{escaped}\" --end-lib"),
            _ => writeln!(names, "\"{escaped}\""),
        };
    }
    let inputs = scratch.join("inputs");
    std::fs::write(&inputs, names).map_err(Error::unwritable(&inputs))?;
    Ok(inputs)
}

fn response_argument(file: &Path) -> std::ffi::OsString {
    let mut argument = std::ffi::OsString::from("@");
    argument.push(file);
    argument
}

/// rust-lld of the project's toolchain, else LLD from PATH.
fn linker(folder: &Path, terminal: &Terminal) -> Result<Command, Error> {
    let bundled = rust_lld(folder, terminal);
    let generic = bundled.clone().ok().or_else(|| process::on_path("rust-lld"));
    if let Some(program) = generic {
        let mut command = Command::new(program);
        command.args(["-flavor", "gnu"]);
        return Ok(command);
    }
    match process::on_path("ld.lld") {
        Some(program) => Ok(Command::new(program)),
        None => Err(Error::MissingLinker {
            sought: format!(
                "{}, rust-lld and ld.lld on PATH",
                bundled.unwrap_or_else(|sought| sought).display()
            ),
        }),
    }
}

/// Where rustup puts rust-lld: the path when it is there, else the path that was sought.
fn rust_lld(folder: &Path, terminal: &Terminal) -> Result<PathBuf, PathBuf> {
    let mut command = Command::new(process::from_environment("RUSTC", "rustc"));
    command.args(["--print", "sysroot"]).current_dir(folder);
    let output = process::output(&mut command, terminal).map(|output| output.stdout).unwrap_or_default();
    let sysroot = PathBuf::from(String::from_utf8_lossy(&output).trim());
    let libraries = sysroot.join("lib").join("rustlib");
    let hosts = std::fs::read_dir(&libraries).into_iter().flatten().flatten();
    let mut places = hosts.map(|host| host.path().join("bin").join("rust-lld"));
    places.find(|place| place.is_file()).ok_or_else(|| libraries.join("HOST").join("bin").join("rust-lld"))
}
