//! Compiles small C sources.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// The C compiler for the processor of these tests.
const COMPILER: (&str, &[&str]) = if cfg!(target_arch = "riscv64") {
    ("riscv64-linux-gnu-gcc", &["-mno-relax"])
} else if cfg!(target_arch = "x86") {
    ("cc", &["-m32"])
} else {
    ("cc", &[])
};

/// Compiles `source` with `cc` and `flags`; the bytes of the file it made.
pub(crate) fn compile(name: &str, source: &str, flags: &[&str]) -> Vec<u8> {
    // Tests run side by side, and some compile the same.
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let (input, output) = (folder.join(format!("source{call}.c")), folder.join(format!("output{call}")));
    std::fs::write(&input, source).unwrap();
    let kind = if flags.contains(&"-shared") { "-fPIC" } else { "-c" };
    let (cc, options) = COMPILER;
    run(Command::new(cc).args(options).arg(kind).args(flags).arg(&input).arg("-o").arg(&output), &input);
    let bytes = std::fs::read(&output).unwrap();
    std::fs::rename(&output, folder.join("output")).unwrap();
    bytes
}

fn run(command: &mut Command, input: &Path) {
    let output = command.output().expect("a C compiler");
    assert!(output.status.success(), "{}: {}", input.display(), String::from_utf8_lossy(&output.stderr));
}
