//! What the tests need besides Rust, by name: how its presence shows, and which packages bring it.

use std::path::Path;
use std::process::Command;

use crate::process::{find, find_newest, output, succeeds};

/// One thing to install.
pub(super) struct Need {
    /// What people call it.
    pub(super) name: &'static str,
    pub(super) present: fn() -> bool,
    pub(super) packages: &'static [Package],
    /// What is left out where it cannot be installed.
    pub(super) without: &'static str,
}

/// How a distribution names what brings it.
pub(super) enum Package {
    /// One name, the same in every release.
    Named(&'static str),
    /// `PREFIX-N`, of which the highest N that the distribution offers is taken.
    Newest(&'static str),
    /// `gcc-N-PART`, where N is the version that the distribution takes for gcc.
    GccPart(&'static str),
}
use Package::{Named, Newest};

const C_TESTS: &str = "the extensions in C and C++ are left out";
const BOARDS: &str = "the boards that want it are left out";
const C_FIRMWARE: &str = "the firmware in C is left out";
const ORACLE: &str = "what it makes is left out of the oracle";

pub(super) const NEEDS: &[Need] = &[
    Need {
        name: "gcc",
        present: || find("gcc").is_some() && Path::new("/usr/include/stdio.h").exists(),
        packages: &[Named("gcc"), Named("libc6-dev")],
        without: C_TESTS,
    },
    Need { name: "g++", present: || find("g++").is_some(), packages: &[Named("g++")], without: C_TESTS },
    Need {
        name: "binutils",
        present: || find("ld").is_some() && find("objcopy").is_some(),
        packages: &[Named("binutils")],
        without: C_TESTS,
    },
    Need {
        name: "clang",
        present: || find_newest("clang").is_some(),
        packages: &[Newest("clang")],
        without: "what clang makes of the extensions is left out",
    },
    Need {
        name: "lld",
        present: || find_newest("lld").is_some(),
        packages: &[Newest("lld")],
        without: "what lld links is left out",
    },
    Need {
        name: "llvm",
        present: || {
            ["llvm-cov", "llvm-profdata", "llvm-objdump"].into_iter().all(|tool| find_newest(tool).is_some())
        },
        packages: &[Newest("llvm")],
        without: "cargo xtask coverage cannot be run, and barriers in the boards' firmware are not looked for",
    },
    Need {
        name: "cmake",
        present: || ["cmake", "make", "pkg-config"].into_iter().all(|tool| find(tool).is_some()),
        packages: &[Named("cmake"), Named("make"), Named("pkg-config")],
        without: "the library in C is not installed for trial, and the tests of what CMake builds fail",
    },
    Need {
        name: "lz4",
        present: || find("lz4").is_some(),
        packages: &[Named("lz4")],
        without: "the suite in C loads no compressed files",
    },
    Need {
        name: "gcc-arm-none-eabi",
        present: || output(Command::new("arm-none-eabi-gcc").arg("--version")).is_ok(),
        packages: &[Named("gcc-arm-none-eabi")],
        without: BOARDS,
    },
    Need {
        name: "newlib",
        present: || Path::new("/usr/include/newlib/stdint.h").exists() || compiler_has(ARM_GCC, "libc.a"),
        packages: &[Named("libnewlib-arm-none-eabi")],
        without: BOARDS,
    },
    Need {
        name: "picolibc for Arm",
        present: || compiler_has(ARM_GCC, PICOLIBC),
        packages: &[Named("picolibc-arm-none-eabi")],
        without: C_FIRMWARE,
    },
    Need {
        name: "picolibc for RISC-V",
        present: || compiler_has("riscv64-unknown-elf-gcc", PICOLIBC),
        packages: &[Named("picolibc-riscv64-unknown-elf")],
        without: C_FIRMWARE,
    },
    Need {
        name: "gcc-aarch64-linux-gnu",
        present: || find("aarch64-linux-gnu-gcc").is_some(),
        packages: &[Named("gcc-aarch64-linux-gnu")],
        without: ORACLE,
    },
    Need {
        name: "g++-aarch64-linux-gnu",
        present: || find("aarch64-linux-gnu-g++").is_some(),
        packages: &[Named("g++-aarch64-linux-gnu")],
        without: "the extensions in C++ are left out of the matrix for aarch64",
    },
    Need {
        name: "gcc-riscv64-unknown-elf",
        present: || find("riscv64-unknown-elf-gcc").is_some(),
        packages: &[Named("gcc-riscv64-unknown-elf")],
        without: ORACLE,
    },
    // The one above links no shared objects.
    Need {
        name: "binutils-riscv64-linux-gnu",
        present: || find("riscv64-linux-gnu-ld").is_some(),
        packages: &[Named("binutils-riscv64-linux-gnu")],
        without: ORACLE,
    },
    Need { name: "gcc -m32", present: links_for_x86_32, packages: &[MULTILIB], without: ORACLE },
    Need {
        name: "qemu-system-arm",
        present: || find("qemu-system-arm").is_some() && find("qemu-system-aarch64").is_some(),
        packages: &[Named("qemu-system-arm")],
        without: BOARDS,
    },
    Need {
        name: "qemu-user",
        present: || find("qemu-aarch64").is_some() && Path::new(ARM64_HEADERS).exists(),
        packages: &[Named("qemu-user"), Named("libc6-dev-arm64-cross")],
        without: "the suite in C is left out for arm64",
    },
    Need {
        name: "qemu-system-riscv",
        present: || find("qemu-system-riscv32").is_some() && find("qemu-system-riscv64").is_some(),
        packages: &[Named("qemu-system-misc"), Named("qemu-system-riscv")],
        without: BOARDS,
    },
    Need {
        name: "mtools",
        present: || find("mformat").is_some() && find("mcopy").is_some(),
        packages: &[Named("mtools")],
        without: BOARDS,
    },
    Need {
        name: "python3-venv",
        present: || succeeds(Command::new("python3").args(["-m", "venv", "--help"])),
        packages: &[Named("python3-venv")],
        without: "the tests of file systems are left out",
    },
    Need {
        name: "gcc-riscv64-unknown-elf",
        present: || find("riscv64-unknown-elf-gcc").is_some(),
        packages: &[Named("gcc-riscv64-unknown-elf")],
        without: BOARDS,
    },
    Need {
        name: "gcc-aarch64-linux-gnu",
        present: || find("aarch64-linux-gnu-gcc").is_some(),
        packages: &[Named("gcc-aarch64-linux-gnu")],
        without: BOARDS,
    },
];

/// The parts of the distribution's own gcc for 32 bits. The metapackage `gcc-multilib` would remove all cross compilers.
const MULTILIB: Package = Package::GccPart("multilib");

/// Whether gcc has what it links 32-bit programs with: its own library, and the C library's start. Where it has no library
/// for 32 bits, it names the one for 64.
fn links_for_x86_32() -> bool {
    let gcc = |options: &[&str]| output(Command::new("gcc").args(options));
    let (narrow, wide) = (gcc(&["-m32", "-print-libgcc-file-name"]), gcc(&["-print-libgcc-file-name"]));
    let start = gcc(&["-m32", "-print-file-name=crt1.o"]);
    start.is_ok_and(|path| Path::new(&path).is_absolute()) && narrow.ok() != wide.ok()
}

/// What programs for this target cannot be linked without, if it is missing: other than a compiler for Rust.
pub(crate) fn missing_linker(target: &str) -> Option<String> {
    (target.starts_with("i686") && !links_for_x86_32()).then(|| "gcc -m32 is missing".to_owned())
}

/// Debian's own Rust, from whose source the standard library is built for targets that rustup cannot bring.
pub(super) const DEBIAN_RUST: Need = Need {
    name: "rustc-web with its source",
    present: || {
        ["/usr/bin/rustc", "/usr/bin/cargo", "/usr/lib/rustlib/src/rust/library/core/Cargo.toml"]
            .iter()
            .all(|file| Path::new(file).exists())
    },
    packages: &[
        Named("rustc-web"),
        Named("cargo-web"),
        Named("libstd-rust-web-dev"),
        Named("rust-web-src"),
        Newest("lld"),
    ],
    without: BOARDS,
};

const ARM64_HEADERS: &str = "/usr/aarch64-linux-gnu/include/stdio.h";
const ARM_GCC: &str = "arm-none-eabi-gcc";
const PICOLIBC: &str = "picolibc.specs";

/// Whether a compiler finds a file of its C library: it prints the whole path of those it does.
fn compiler_has(compiler: &str, file: &str) -> bool {
    let found = output(Command::new(compiler).arg(format!("-print-file-name={file}")));
    found.is_ok_and(|path| Path::new(&path).is_absolute())
}
