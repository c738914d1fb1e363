//! Running other programs: shown, checked, and bounded where they might hang.

use std::env;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::error::{Result, bail};

/// Runs a command, shown, and fails if it does. What it prints goes to standard error: results alone go to standard output.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    show(command);
    run_unseen(command.stdout(std::io::stderr()))
}

/// Like [`run`], but leaves standard output to the command alone.
pub(crate) fn run_unseen(command: &mut Command) -> Result<()> {
    let status = spawn(command)?.wait()?;
    check(command, status)
}

/// Like [`run`], but ends the command after `limit`.
pub(crate) fn run_within(command: &mut Command, limit: Duration) -> Result<()> {
    show(command);
    let mut child = spawn(command)?;
    let status = wait_within(&mut child, limit)?;
    match status {
        Some(status) => check(command, status),
        None => bail!("`{}` was ended after {} s", line(command), limit.as_secs()),
    }
}

/// What a command prints on standard output, shown but for that; ended after `limit`. It must be little.
pub(crate) fn output_within(command: &mut Command, limit: Duration) -> Result<String> {
    show(command);
    let mut child = spawn(command.stdout(Stdio::piped()))?;
    let Some(status) = wait_within(&mut child, limit)? else {
        bail!("`{}` was ended after {} s", line(command), limit.as_secs())
    };
    check(command, status)?;
    Ok(std::io::read_to_string(child.stdout.take().expect("standard output is piped"))?)
}

/// Runs a command, shown, and gives each line of its standard output to `each` after printing it.
pub(crate) fn run_and_read(command: &mut Command, mut each: impl FnMut(&str)) -> Result<()> {
    show(command);
    let mut child = spawn(command.stdout(Stdio::piped()))?;
    let mut output = BufReader::new(child.stdout.take().expect("standard output is piped"));
    let mut bytes = Vec::new();
    while output.read_until(b'\n', &mut bytes)? > 0 {
        std::io::stdout().write_all(&bytes)?;
        each(String::from_utf8_lossy(&bytes).trim_end());
        bytes.clear();
    }
    let status = child.wait()?;
    check(command, status)
}

/// What a command prints on standard output; nothing of it is shown.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = match command.stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(error) => bail!("`{}` did not start: {error}", line(command)),
    };
    if !output.status.success() {
        bail!("`{}` failed: {}", line(command), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether a command runs and succeeds; nothing of it is shown.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    output(command).is_ok()
}

/// The file that a command's name stands for.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    folders().into_iter().map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// The newest of `name-N` that can be run, else `name`.
pub(crate) fn find_newest(name: &str) -> Option<PathBuf> {
    let version = |file: &Path| -> Option<u32> {
        file.file_name()?.to_str()?.strip_prefix(name)?.strip_prefix('-')?.parse().ok()
    };
    folders()
        .iter()
        .filter_map(|folder| folder.read_dir().ok())
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| version(file).is_some() && file.is_file())
        .max_by_key(|file| version(file))
        .or_else(|| find(name))
}

/// The path list with `first` in front.
pub(crate) fn path_with(first: &[&Path]) -> Result<std::ffi::OsString> {
    let first = first.iter().map(|folder| folder.to_path_buf());
    Ok(env::join_paths(first.chain(folders()))?)
}

fn folders() -> Vec<PathBuf> {
    env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect()
}

fn show(command: &Command) {
    eprintln!("$ {}", line(command));
}

fn line(command: &Command) -> String {
    let set = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let set = set.filter(|(name, _)| name.to_str() != Some("PATH"));
    let set = set.map(|(name, value)| format!("{}={}", name.display(), word(value)));
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args()).map(word);
    set.chain(words).collect::<Vec<_>>().join(" ")
}

fn word(word: &OsStr) -> String {
    let text = word.to_string_lossy().replace('\x1f', " ");
    if text.contains(' ') { format!("'{text}'") } else { text }
}

fn spawn(command: &mut Command) -> Result<Child> {
    std::io::stdout().flush()?;
    match command.stdin(Stdio::null()).spawn() {
        Ok(child) => Ok(child),
        Err(error) => bail!("`{}` did not start: {error}", line(command)),
    }
}

fn wait_within(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let end = Instant::now() + limit;
    while Instant::now() < end {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        sleep(Duration::from_millis(20));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

fn check(command: &Command, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("`{}` ended with {status}", line(command));
    }
    Ok(())
}
