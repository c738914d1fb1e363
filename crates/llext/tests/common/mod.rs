//! Compiles small C sources for the tests of this crate.

use llext::{Error, Host, Load, Plugin, Source};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles `source` with `cc` and `flags`; the bytes of the file it made.
pub(crate) fn compile(name: &str, source: &str, flags: &[&str]) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let (input, output) = (folder.join("source.c"), folder.join("output"));
    std::fs::write(&input, source).unwrap();
    let kind = if flags.contains(&"-shared") { "-fPIC" } else { "-c" };
    run(Command::new("cc").arg(kind).args(flags).arg(&input).arg("-o").arg(&output), &input);
    std::fs::read(&output).unwrap()
}

fn run(command: &mut Command, input: &Path) {
    let output = command.output().expect("a C compiler called cc");
    assert!(output.status.success(), "{}: {}", input.display(), String::from_utf8_lossy(&output.stderr));
}

/// Loads what [`compile`] made.
pub(crate) fn load<'h>(host: &'h Host, name: &str, source: impl Source) -> Result<Plugin<'h>, Error> {
    // SAFETY: the sources of these tests are in these tests.
    unsafe { host.load(name, source) }
}

/// Begins to load what [`compile`] made.
pub(crate) fn start<'h, 'l, S: Source>(
    host: &'h Host,
    name: &'l str,
    source: S,
) -> Load<'h, 'l, llext::memory::Linux, llext::lock::StdRawMutex, { llext::host::CAPACITY }, S>
where
    'h: 'l,
{
    // SAFETY: the sources of these tests are in these tests.
    unsafe { host.loader().start(name, source) }.unwrap()
}

/// Calls `int probe(void)`.
pub(crate) fn probe(plugin: &Plugin<'_>) -> i32 {
    // SAFETY: every `probe` of these tests has this type.
    unsafe { plugin.symbol::<extern "C" fn() -> i32>("probe") }.unwrap().call(())
}
