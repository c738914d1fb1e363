//! The suites: the same sources for several machines and builds of the library, a row of data each.

use super::Build;
use super::suite::{Machine, Suite, Tool};
use crate::matrix::harness::kind::NATIVE;

pub(crate) const SUITES: &[Suite] = &[
    Suite { name: "heap", build: Build::BARE.with_lz4(), tool: Tool::Link, ..ON_LINUX },
    Suite { name: "process", build: Build::CHECKED, ..ON_LINUX },
    Suite {
        name: "heap-32",
        target: "i686-unknown-linux-gnu",
        build: Build::BARE,
        // The kernel's headers serve both, and lie with those of 64 bits.
        gcc: &["gcc", "-m32", "-idirafter", "/usr/include/x86_64-linux-gnu"],
        shared: &["gcc", "-m32", "-nostdlib"],
        place: &["x86"],
        ..ON_LINUX
    },
    Suite { name: "slid", build: Build::TERSE, tool: Tool::Slids, ..ON_LINUX },
    Suite {
        name: "arm64",
        target: "aarch64-unknown-linux-gnu",
        build: Build::BARE,
        gcc: &["aarch64-linux-gnu-gcc"],
        shared: &["aarch64-linux-gnu-gcc", "-nostdlib"],
        machine: Machine::Emulated(&["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"]),
        place: &["aarch64"],
        ..ON_LINUX
    },
    AN385,
    RISCV32,
    // The boards' libraries with names are those of the firmware in C, and know no compression.
    Suite { name: "slid-mps2-an385", build: Build::TERSE.with_lz4(), tool: Tool::Slids, ..AN385 },
    Suite { name: "slid-riscv32-virt", build: Build::TERSE.with_lz4(), tool: Tool::Slids, ..RISCV32 },
];

/// This machine's.
const ON_LINUX: Suite = Suite {
    name: "",
    target: "x86_64-unknown-linux-gnu",
    build: Build::BARE,
    gcc: &["gcc", "-m64"],
    shared: &["gcc", "-m64", "-nostdlib"],
    machine: Machine::Own,
    tool: Tool::Nothing,
    place: NATIVE,
};

const AN385: Suite = Suite {
    name: "mps2-an385",
    target: "thumbv7m-none-eabi",
    build: Build::BARE,
    gcc: &["arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb"],
    shared: &["arm-none-eabi-ld"],
    machine: Machine::Board("c-mps2-an385"),
    tool: Tool::Nothing,
    place: &["pool", "arm", "v7-m"],
};

const RISCV32: Suite = Suite {
    name: "riscv32-virt",
    target: "riscv32imac-unknown-none-elf",
    build: Build::BARE,
    gcc: RISCV32_GCC,
    // The one beside this gcc links no shared objects.
    shared: &["riscv64-linux-gnu-ld", "-m", "elf32lriscv"],
    machine: Machine::Board("c-riscv32-virt"),
    tool: Tool::Nothing,
    place: &["pool", "riscv", "riscv32"],
};

/// Variables lie in the sections that the suite looks for, not in those of small ones.
const RISCV32_GCC: &[&str] =
    &["riscv64-unknown-elf-gcc", "-march=rv32imac", "-mabi=ilp32", "-mno-relax", "-msmall-data-limit=0"];
