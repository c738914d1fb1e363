//! The architectures of the matrix: a row of data each.

use super::harness::kind::Place;

/// An architecture, its tools and the board its code runs on.
pub(super) struct Row {
    pub(super) name: &'static str,
    /// What directives call it.
    pub(super) place: Place,
    /// What Rust calls it; the board is the one with this target.
    pub(super) target: &'static str,
    pub(super) gcc: &'static [&'static str],
    pub(super) clang: &'static [&'static str],
    /// GNU ld, to link partially.
    pub(super) ld: &'static [&'static str],
    /// Who links shared objects: for gcc, and for the others.
    pub(super) shared: [&'static [&'static str]; 2],
    /// What an extension may need, bytes: the board's pools are hardly larger.
    pub(super) memory: u64,
    /// Whether files fit the board's memory as a whole, to be lent.
    pub(super) lends: bool,
}

/// What an extension may need where there are megabytes.
const PLENTY: u64 = 1 << 20;

pub(super) const ROWS: &[Row] = &[
    // GNU ld makes no PLT for it.
    Row {
        shared: [&[], LLD_ARM],
        memory: 11 << 8,
        lends: false,
        ..arm(
            "v6-m",
            &["pool", "arm", "v6-m"],
            "thumbv6m-none-eabi",
            &["arm-none-eabi-gcc", "-mcpu=cortex-m0", "-mthumb"],
            &["clang", "--target=thumbv6m-none-eabi"],
        )
    },
    arm(
        "v7-m",
        &["pool", "arm", "v7-m"],
        "thumbv7m-none-eabi",
        &["arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb"],
        &["clang", "--target=thumbv7m-none-eabi"],
    ),
    arm(
        "v7e-m",
        &["pool", "arm", "v7e-m"],
        "thumbv7em-none-eabihf",
        &["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard"],
        &["clang", "--target=thumbv7em-none-eabihf", "-mcpu=cortex-m4"],
    ),
    arm(
        "v8-m",
        &["pool", "arm", "v8-m"],
        "thumbv8m.main-none-eabihf",
        &["arm-none-eabi-gcc", "-mcpu=cortex-m33", "-mthumb", "-mfloat-abi=hard"],
        &["clang", "--target=thumbv8m.main-none-eabihf", "-mcpu=cortex-m33"],
    ),
    arm(
        "a32",
        &["pool", "arm", "a32"],
        "armv7a-none-eabi",
        &["arm-none-eabi-gcc", "-mcpu=cortex-a15", "-marm", "-mno-unaligned-access"],
        &["clang", "--target=armv7a-none-eabi", "-marm", "-mno-unaligned-access"],
    ),
    Row {
        name: "aarch64",
        place: &["pool", "aarch64"],
        target: "aarch64-unknown-none",
        gcc: &["aarch64-linux-gnu-gcc"],
        clang: &["clang", "--target=aarch64-linux-gnu"],
        ld: &["aarch64-linux-gnu-ld"],
        shared: [&["aarch64-linux-gnu-ld"], &["ld.lld", "-m", "aarch64elf"]],
        memory: PLENTY,
        lends: true,
    },
    Row {
        name: "riscv32",
        place: &["pool", "riscv", "riscv32"],
        target: "riscv32imac-unknown-none-elf",
        gcc: &["riscv64-unknown-elf-gcc", "-march=rv32imac", "-mabi=ilp32", "-mno-relax"],
        clang: &["clang", "--target=riscv32-none-elf", "-march=rv32imac", "-mabi=ilp32", "-mno-relax"],
        ld: &["riscv64-unknown-elf-ld", "-m", "elf32lriscv"],
        shared: [&["riscv64-linux-gnu-ld", "-m", "elf32lriscv"], &["ld.lld", "-m", "elf32lriscv"]],
        memory: PLENTY,
        lends: true,
    },
    Row {
        name: "riscv64",
        place: &["pool", "riscv", "riscv64"],
        target: "riscv64gc-unknown-none-elf",
        gcc: &["riscv64-unknown-elf-gcc", "-march=rv64gc", "-mabi=lp64d", "-mcmodel=medany", "-mno-relax"],
        clang: &[
            "clang",
            "--target=riscv64-none-elf",
            "-march=rv64gc",
            "-mabi=lp64d",
            "-mcmodel=medany",
            "-mno-relax",
        ],
        ld: &["riscv64-unknown-elf-ld", "-m", "elf64lriscv"],
        shared: [&["riscv64-linux-gnu-ld", "-m", "elf64lriscv"], &["ld.lld", "-m", "elf64lriscv"]],
        memory: PLENTY,
        lends: true,
    },
    Row {
        name: "x86",
        place: &["pool", "x86"],
        target: "i686-unknown-linux-gnu",
        gcc: &["gcc", "-m32"],
        clang: &["clang", "-m32"],
        ld: &["ld", "-m", "elf_i386"],
        shared: [&["ld", "-m", "elf_i386"], &["ld.lld", "-m", "elf_i386"]],
        memory: PLENTY,
        lends: true,
    },
    Row {
        name: "x86_64",
        place: &["pool", "x86_64"],
        target: "x86_64-unknown-linux-gnu",
        gcc: &["gcc"],
        clang: &["clang"],
        ld: &["ld"],
        shared: [&["ld"], &["ld.lld", "-m", "elf_x86_64"]],
        memory: PLENTY,
        lends: true,
    },
];

const LLD_ARM: &[&str] = &["ld.lld", "-m", "armelf"];

const fn arm(
    name: &'static str,
    place: Place,
    target: &'static str,
    gcc: &'static [&'static str],
    clang: &'static [&'static str],
) -> Row {
    let shared: [&[&str]; 2] = [&["arm-none-eabi-ld"], LLD_ARM];
    Row { name, place, target, gcc, clang, ld: &["arm-none-eabi-ld"], shared, memory: PLENTY, lends: true }
}

/// The names of all architectures.
pub(crate) fn names() -> Vec<&'static str> {
    ROWS.iter().map(|row| row.name).collect()
}

#[cfg(test)]
mod tests {
    use super::super::harness::kind::{Selector, Variant};
    use super::*;
    use crate::board;
    use crate::setup::bare::TARGETS;

    #[test]
    fn every_row_has_a_board_and_can_be_set_up() {
        for row in ROWS {
            assert!(board::of_target(row.target).is_ok(), "{}", row.name);
            assert!(TARGETS.contains(&row.target) || row.target.starts_with("x86_64"), "{}", row.name);
        }
    }

    #[test]
    fn directives_know_every_place() {
        for row in ROWS {
            let variant = Variant::all(row.place).next().unwrap();
            for word in row.place {
                assert!(Selector::parse(word).unwrap().selects(&variant));
                assert!(!Selector::parse(&format!("!{word} native")).unwrap().selects(&variant));
            }
        }
        assert!(Selector::parse("!nowhere").is_err());
    }
}
