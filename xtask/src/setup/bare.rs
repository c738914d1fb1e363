//! A Rust compiler for targets without an operating system: rustup's where its servers answer, else Debian's
//! own Rust with `core` and `alloc` built once from its source package. Both take plain cargo commands.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{RUSTUP_LIMIT, needs};
use crate::error::{Result, bail};
use crate::process::{find, find_newest, output, path_with, run, run_within};
use crate::project;

/// The targets that tests build for.
pub(crate) const TARGETS: &[&str] = &[
    "armv7a-none-eabi",
    "i686-unknown-linux-gnu",
    "thumbv6m-none-eabi",
    "thumbv7m-none-eabi",
    "thumbv7em-none-eabihf",
    "thumbv8m.main-none-eabihf",
    "riscv32imac-unknown-none-elf",
    "riscv32imc-unknown-none-elf",
    "riscv64gc-unknown-none-elf",
    "aarch64-unknown-none",
];

/// What else the oracle and the suite in C compile for where rustup can bring it: the libraries alone, so nothing is built
/// here.
const OTHER_TARGETS: &[&str] = &[
    "aarch64-unknown-linux-gnu",
    "aarch64-unknown-none",
    "armv7a-none-eabi",
    "i686-unknown-linux-gnu",
    "riscv32imac-unknown-none-elf",
    "riscv64gc-unknown-none-elf",
    "thumbv6m-none-eabi",
];

/// What can be done without is not waited for long.
const OTHER_LIMIT: Duration = Duration::from_secs(45);

const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// Where rustc looks for its linker once that folder is on the path.
const LINKER: &str = "bin/rust-lld";

/// Whose compiler builds for one target.
pub(crate) enum Compiler {
    /// The compiler that runs this task.
    Own,
    /// Debian's, with the library of this private sysroot.
    Debian { sysroot: PathBuf },
}

impl Compiler {
    /// The compiler that can build for `target` as things are, if there is one.
    pub(crate) fn find(target: &str) -> Option<Self> {
        if has_core(&own_library(target)?) {
            return Some(Self::Own);
        }
        let sysroot = debian_sysroot().ok()?;
        let complete = has_core(&library(&sysroot, target)) && sysroot.join(LINKER).exists();
        complete.then_some(Self::Debian { sysroot })
    }

    /// A cargo that builds for the target without further words but `--target`.
    pub(crate) fn cargo(&self) -> Result<Command> {
        let mut cargo = match self {
            Self::Own => project::cargo(),
            Self::Debian { .. } => Command::new(DEBIAN_CARGO),
        };
        cargo.current_dir(project::root());
        self.serve(cargo)
    }

    /// A command that will find this compiler when it looks for one, and build into [`folder`].
    pub(crate) fn serve(&self, mut command: Command) -> Result<Command> {
        command.env("CARGO_TARGET_DIR", folder());
        if let Self::Debian { sysroot } = self {
            let linker = sysroot.join(LINKER);
            let folder = linker.parent().expect("the linker lies in a folder");
            serve_debian(&mut command, &[folder], &["--sysroot", utf8(sysroot)?])?;
        }
        Ok(command)
    }

    /// The compiler itself, and the first words to it.
    pub(crate) fn rustc(&self) -> Option<(PathBuf, Vec<String>)> {
        Some(match self {
            Self::Own => (find("rustc")?, Vec::new()),
            Self::Debian { sysroot } => {
                (DEBIAN_RUSTC.into(), vec!["--sysroot".to_owned(), utf8(sysroot).ok()?.to_owned()])
            }
        })
    }

    /// Whether this compiler has clippy beside it.
    pub(crate) fn has_clippy(&self) -> bool {
        matches!(self, Self::Own) && super::has_component("clippy")
    }
}

/// Where builds for other targets go: apart from the workspace's, because another compiler may make them.
pub(crate) fn folder() -> PathBuf {
    project::target().join("bare")
}

/// Targets that no compiler here builds for yet.
fn missing() -> impl Iterator<Item = &'static str> {
    TARGETS.iter().copied().filter(|target| Compiler::find(target).is_none())
}

/// The quick way, where rustup is and its servers answer.
pub(super) fn add_targets_by_rustup() {
    let missing: Vec<&str> = missing().collect();
    if !add_by_rustup(&missing, RUSTUP_LIMIT) {
        println!("setup: rustup cannot bring them here; the distribution's Rust will do");
    }
    let missing = OTHER_TARGETS.iter().copied().filter(|target| !has_own_library(target));
    if !add_by_rustup(&missing.collect::<Vec<_>>(), OTHER_LIMIT) {
        println!("setup: rustup cannot bring them here; the oracle and the suite in C do without");
    }
}

/// Whether nothing is missing any more, as far as rustup can tell.
fn add_by_rustup(missing: &[&str], limit: Duration) -> bool {
    if missing.is_empty() || find("rustup").is_none() {
        return true;
    }
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add"]).args(missing).env_remove("RUST_BACKTRACE");
    run_within(&mut rustup, limit).is_ok()
}

/// Whether Debian's Rust has to be installed.
pub(super) fn wants_debian() -> bool {
    missing().next().is_some() && !(needs::DEBIAN_RUST.present)()
}

/// The other way, where Debian's Rust is installed by now.
pub(super) fn build_other_targets() -> Result<()> {
    if !(needs::DEBIAN_RUST.present)() {
        return Ok(()); // whoever asked reports what is still missing
    }
    missing().try_for_each(|target| match build_sysroot(target) {
        Ok(()) => Ok(()),
        Err(error) => bail!("core for {target} could not be built from rust-web-src: {error}"),
    })
}

/// Whether the compiler that runs this task has the library of `target`.
pub(crate) fn has_own_library(target: &str) -> bool {
    own_library(target).is_some_and(|library| has_core(&library))
}

fn own_library(target: &str) -> Option<PathBuf> {
    output(Command::new("rustc").args(["--print", "target-libdir", "--target", target]))
        .ok()
        .map(PathBuf::from)
}

fn library(sysroot: &Path, target: &str) -> PathBuf {
    sysroot.join("lib/rustlib").join(target).join("lib")
}

fn has_core(library: &Path) -> bool {
    let files = library.read_dir().into_iter().flatten().flatten();
    files.map(|file| file.file_name()).any(|name| name.to_string_lossy().starts_with("libcore-"))
}

/// Where the library of Debian's compiler lies once built: another version of the compiler, another folder.
fn debian_sysroot() -> Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    debian_rustc(&["-vV"])?.hash(&mut hasher);
    Ok(project::target().join(format!("sysroot-{:016x}", hasher.finish())))
}

fn debian_rustc(arguments: &[&str]) -> Result<String> {
    output(Command::new(DEBIAN_RUSTC).args(arguments))
}

/// Puts Debian's compiler before rustup's: `first` in front of the path, and these flags for what is built.
fn serve_debian(command: &mut Command, first: &[&Path], flags: &[&str]) -> Result<()> {
    let folders: Vec<&Path> = first.iter().copied().chain([Path::new("/usr/bin")]).collect();
    command.env("PATH", path_with(&folders)?).env("CARGO", DEBIAN_CARGO).env("RUSTC", DEBIAN_RUSTC);
    command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    for name in ["RUSTFLAGS", "RUSTUP_TOOLCHAIN", "RUSTC_WRAPPER"] {
        command.env_remove(name);
    }
    Ok(())
}

/// Builds `core`, `alloc` and `compiler_builtins` for one target. Only this needs a flag that is not stable.
fn build_sysroot(target: &str) -> Result<()> {
    let sysroot = debian_sysroot()?;
    println!("setup: building core and alloc for {target} from rust-web-src (about a minute, once)");
    link_host_parts(&sysroot)?;
    let work = sysroot.join("build");
    write_empty_crate(&work)?;
    let mut cargo = Command::new(DEBIAN_CARGO);
    serve_debian(&mut cargo, &[], &["-Cembed-bitcode=yes"])?; // fat LTO looks for the bitcode
    cargo.current_dir(&work).env("RUSTC_BOOTSTRAP", "1");
    cargo.args(["build", "--release", "-Zbuild-std=core,alloc"]);
    cargo.args(["-Zbuild-std-features=compiler-builtins-mem", "--target", target, "--target-dir", "target"]);
    run(&mut cargo)?;
    keep_library(&work.join("target").join(target).join("release/deps"), &library(&sysroot, target))?;
    fs::remove_dir_all(&work)?;
    Ok(())
}

/// A sysroot must also serve the host, for build scripts and macros, and give a linker named `rust-lld`.
fn link_host_parts(sysroot: &Path) -> Result<()> {
    let host = PathBuf::from(debian_rustc(&["--print", "target-libdir"])?);
    let host = host.parent().expect("the library folder lies in the target's").to_owned();
    let name = host.file_name().expect("the target's folder has its name");
    link(&host, &sysroot.join("lib/rustlib").join(name))?;
    let Some(lld) = find_newest("lld") else { bail!("lld is missing") };
    link(&lld.canonicalize()?, &sysroot.join(LINKER))
}

fn link(from: &Path, to: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    if to.symlink_metadata().is_ok() {
        fs::remove_file(to)?;
    }
    std::os::unix::fs::symlink(from, to)?;
    Ok(())
}

fn write_empty_crate(folder: &Path) -> Result<()> {
    let manifest = "[package]\nname = \"empty\"\nedition = \"2021\"\n[workspace]\n[profile.release]\npanic = \"abort\"\n";
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::write(folder.join("src/lib.rs"), "#![no_std]\n")?;
    Ok(())
}

/// Copies the finished library to its place in one step, so that a build cut short leaves nothing behind.
fn keep_library(built: &Path, library: &Path) -> Result<()> {
    let partial = library.with_extension("partial");
    fs::create_dir_all(&partial)?;
    for file in built.read_dir()? {
        let file = file?;
        let name = file.file_name().to_string_lossy().into_owned();
        let wanted =
            ["libcore-", "liballoc-", "libcompiler_builtins-"].iter().any(|part| name.starts_with(part));
        if wanted && (name.ends_with(".rlib") || name.ends_with(".rmeta")) {
            fs::copy(file.path(), partial.join(name))?;
        }
    }
    fs::rename(partial, library)?;
    Ok(())
}

fn utf8(path: &Path) -> Result<&str> {
    match path.to_str() {
        Some(text) => Ok(text),
        None => bail!("{} is not UTF-8", path.display()),
    }
}
