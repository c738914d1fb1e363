//! The architectures of the oracle: a row of data each.

use llext_link::arch::arm::{self, Core, Float};
use llext_link::arch::{Arch, aarch64, riscv as risc_v, x86, x86_64};

use super::follow::aarch64::AARCH64;
use super::follow::arm::ARM;
use super::follow::riscv::RISCV;
use super::follow::x86::{X86, X86_64};
use super::target::{Compiler, Linker, Model, Modes, Places, Target, Variant, Without};

/// All of them.
pub(super) static TARGETS: &[Target] = &[
    Target {
        name: "arm",
        wide: false,
        places: Places { low: 0x1002_0000, high: 0x1002_0000, far: 0x6000_0000 },
        rules: &ARM,
        assembly: Some(include_str!("assembly/arm.S")),
        linkers: &[gnu(&["arm-none-eabi-ld"], ".got", true), lld(&["ld.lld", "-m", "armelf"], ".got")],
        without: ARM_WITHOUT,
        variants: &[
            arm(
                "a32",
                &arm::ARCH,
                Modes::Both(0),
                &[
                    Compiler::gcc(&["arm-none-eabi-gcc", "-mcpu=cortex-a9", "-marm"]),
                    Compiler::clang(&["clang", "--target=armv7a-none-eabi", "-marm"]),
                ],
                ARM_MODELS,
                Some("armv7a-none-eabi"),
            ),
            arm(
                "t32",
                &arm::ARCH,
                Modes::Both(1),
                &[
                    Compiler::gcc(&["arm-none-eabi-gcc", "-mcpu=cortex-a9", "-mthumb"]),
                    Compiler::clang(&["clang", "--target=armv7a-none-eabi", "-mthumb"]),
                ],
                ARM_MODELS,
                None,
            ),
            // GNU ld makes no PLT for it.
            Variant {
                shared: ARM_LLD,
                ..arm(
                    "v6-m",
                    &BASELINE,
                    Modes::Thumb,
                    &[
                        Compiler::gcc(&["arm-none-eabi-gcc", "-mcpu=cortex-m0", "-mthumb"]),
                        Compiler::clang(&["clang", "--target=thumbv6m-none-eabi"]),
                    ],
                    ARM_M_MODELS,
                    Some("thumbv6m-none-eabi"),
                )
            },
            arm(
                "v7-m",
                &MAINLINE,
                Modes::Thumb,
                &[
                    Compiler::gcc(&["arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb"]),
                    Compiler::clang(&["clang", "--target=thumbv7m-none-eabi"]),
                ],
                ARM_M_MODELS,
                Some("thumbv7m-none-eabi"),
            ),
            arm(
                "v7e-m-hf",
                &MAINLINE,
                Modes::Thumb,
                &[
                    Compiler::gcc(&["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard"]),
                    Compiler::clang(&["clang", "--target=thumbv7em-none-eabihf", "-mcpu=cortex-m4"]),
                ],
                ARM_FEW_MODELS,
                None,
            ),
            arm(
                "v8-m",
                &MAINLINE,
                Modes::Thumb,
                &[
                    Compiler::gcc(&["arm-none-eabi-gcc", "-mcpu=cortex-m33", "-mthumb"]),
                    Compiler::clang(&["clang", "--target=thumbv8m.main-none-eabi"]),
                ],
                ARM_FEW_MODELS,
                None,
            ),
        ],
    },
    Target {
        name: "aarch64",
        wide: true,
        places: Places { low: 0x1002_0000, high: 0x7f_1234_0000, far: 0x5555_1234_0000 },
        rules: &AARCH64,
        assembly: Some(include_str!("assembly/aarch64.S")),
        linkers: &[
            gnu(&["aarch64-linux-gnu-ld"], ".got", true),
            lld(&["ld.lld", "-m", "aarch64elf"], ".got"),
        ],
        // Programs of the tiny model have less than 1 MiB.
        without: &[
            Without::new("clang", "", "ifunc.c"),
            Without::new("clang", "", "ifunc-exported.c"),
            Without::new("gcc", "tiny", "large-bss.c"),
        ],
        variants: &[Variant {
            name: "v8-a",
            arch: &aarch64::ARCH,
            modes: Modes::One,
            compilers: &[
                Compiler::gcc(&["aarch64-linux-gnu-gcc"]),
                Compiler::clang(&["clang", "--target=aarch64-none-elf"]),
            ],
            models: &[
                Model::both("default", &[]),
                Model::both("nopic", &["-fno-pic"]),
                Model::PIC,
                Model::both("small-pic", &["-fpic"]),
                Model::both("tiny", &["-fno-pic", "-mcmodel=tiny"]),
                Model::both("large", &["-fno-pic", "-mcmodel=large"]),
                Model::SECTIONS,
            ],
            shared: &[&["aarch64-linux-gnu-ld"], &["ld.lld", "-m", "aarch64elf"]],
            rust: Some("aarch64-unknown-none"),
        }],
    },
    riscv("riscv32", false, 0x1002_0000, 0xd123_0000, RISCV32_LINKERS, RISCV32),
    riscv("riscv64", true, 0x7f_1234_0000, 0x5555_1234_0000, RISCV64_LINKERS, RISCV64),
    Target {
        name: "x86",
        wide: false,
        places: Places { low: 0x1002_0000, high: 0x1002_0000, far: 0xd123_0000 },
        rules: &X86,
        assembly: Some(include_str!("assembly/x86.S")),
        linkers: &[
            gnu(&["ld", "-m", "elf_i386"], ".got.plt", false),
            lld(&["ld.lld", "-m", "elf_i386"], ".got.plt"),
        ],
        // For a hidden indirect function clang sets no register for the PLT: GNU ld refuses that.
        without: &[Without::new("clang", "", "ifunc.c")],
        variants: &[Variant {
            name: "i686",
            arch: &x86::ARCH,
            modes: Modes::One,
            compilers: &[Compiler::gcc(&["gcc", "-m32"]), Compiler::clang(&["clang", "-m32"])],
            models: &[
                Model::both("default", &[]),
                Model::both("nopic", &["-fno-pic"]),
                Model::PIC,
                Model::both("no-plt", &["-fPIC", "-fno-plt"]),
                Model::SECTIONS,
            ],
            shared: &[&["ld", "-m", "elf_i386"], &["ld.lld", "-m", "elf_i386"]],
            rust: Some("i686-unknown-linux-gnu"),
        }],
    },
    Target {
        name: "x86_64",
        wide: true,
        places: Places { low: 0x1002_0000, high: 0x7f12_3402_0000, far: 0x5555_1234_0000 },
        rules: &X86_64,
        assembly: Some(include_str!("assembly/x86_64.S")),
        // GNU ld leaves accesses through the GOT as they are, LLD makes them direct as we do.
        linkers: &[
            gnu(&["ld", "-m", "elf_x86_64"], ".got.plt", false),
            Linker { options: &[], ..lld(&["ld.lld", "-m", "elf_x86_64"], ".got.plt") },
        ],
        without: &[],
        variants: &[Variant {
            name: "x86-64",
            arch: &x86_64::ARCH,
            modes: Modes::One,
            compilers: &[Compiler::gcc(&["gcc"]), Compiler::clang(&["clang"])],
            models: &[
                Model::both("default", &[]),
                Model::both("nopic", &["-fno-pic"]),
                Model::PIC,
                Model::both("large", &["-fno-pic", "-mcmodel=large"]),
                Model::both("large-pic", &["-fPIC", "-mcmodel=large"]),
                Model::both("medium", &["-fno-pic", "-mcmodel=medium"]),
                Model::SECTIONS,
            ],
            shared: &[&["ld", "-m", "elf_x86_64"], &["ld.lld", "-m", "elf_x86_64"]],
            rust: Some("x86_64-unknown-linux-gnu"),
        }],
    },
];

static MAINLINE: Arch = arm::of(Core::Mainline, Float::Any);
static BASELINE: Arch = arm::of(Core::Baseline, Float::Any);

const ARM_MODELS: &[Model] = &[
    Model::both("default", &[]),
    Model::PIC,
    Model::both("long-calls", &["-mlong-calls"]),
    Model::gcc("literals", &["-mword-relocations"]),
    Model::SECTIONS,
];

/// Pure code is read by nobody, so that it holds no addresses.
const ARM_M_MODELS: &[Model] = &[
    Model::both("default", &[]),
    Model::PIC,
    Model::both("long-calls", &["-mlong-calls"]),
    Model::gcc("pure", &["-mpure-code"]),
    Model::clang("pure", &["-mexecute-only"]),
    Model::SECTIONS,
];

/// Where the instruction set differs little from another.
const ARM_FEW_MODELS: &[Model] = &[Model::both("default", &[]), Model::PIC];

const fn gnu(program: &'static [&'static str], got: &'static str, makes_stubs: bool) -> Linker {
    Linker { program, options: &["--no-relax"], got, makes_stubs }
}

const fn lld(program: &'static [&'static str], got: &'static str) -> Linker {
    Linker { program, options: &["--no-relax"], got, makes_stubs: false }
}

const fn arm(
    name: &'static str,
    arch: &'static Arch,
    modes: Modes,
    compilers: &'static [Compiler],
    models: &'static [Model],
    rust: Option<&'static str>,
) -> Variant {
    Variant { name, arch, modes, compilers, models, shared: ARM_SHARED, rust }
}

const ARM_LLD: &[&[&str]] = &[&["ld.lld", "-m", "armelf"]];
const ARM_SHARED: &[&[&str]] = &[&["arm-none-eabi-ld"], &["ld.lld", "-m", "armelf"]];

const RISCV32: &[Variant] = &[
    Variant {
        name: "rv32imac",
        arch: &risc_v::RV32,
        modes: Modes::One,
        compilers: &[
            Compiler::gcc(&["riscv64-unknown-elf-gcc", "-march=rv32imac", "-mabi=ilp32"]),
            Compiler::clang(&["clang", "--target=riscv32-none-elf", "-march=rv32imac", "-mabi=ilp32"]),
        ],
        models: RISCV_MODELS,
        shared: &[&["riscv64-linux-gnu-ld", "-m", "elf32lriscv"], &["ld.lld", "-m", "elf32lriscv"]],
        rust: Some("riscv32imac-unknown-none-elf"),
    },
    Variant {
        name: "rv32im",
        arch: &risc_v::RV32,
        modes: Modes::One,
        compilers: &[
            Compiler::gcc(&["riscv64-unknown-elf-gcc", "-march=rv32im", "-mabi=ilp32"]),
            Compiler::clang(&["clang", "--target=riscv32-none-elf", "-march=rv32im", "-mabi=ilp32"]),
        ],
        models: RISCV_FEW_MODELS,
        shared: &[&["riscv64-linux-gnu-ld", "-m", "elf32lriscv"], &["ld.lld", "-m", "elf32lriscv"]],
        rust: None,
    },
    Variant {
        name: "rv32e",
        arch: &risc_v::RV32,
        modes: Modes::One,
        compilers: &[
            Compiler::gcc(&["riscv64-unknown-elf-gcc", "-march=rv32ec", "-mabi=ilp32e"]),
            Compiler::clang(&["clang", "--target=riscv32-none-elf", "-march=rv32ec", "-mabi=ilp32e"]),
        ],
        models: RISCV_MODELS,
        // GNU ld makes no PLT for it.
        shared: &[&["ld.lld", "-m", "elf32lriscv"]],
        rust: None,
    },
];

const RISCV32_LINKERS: &[Linker] = &[
    gnu(&["riscv64-unknown-elf-ld", "-m", "elf32lriscv"], ".got", false),
    lld(&["ld.lld", "-m", "elf32lriscv"], ".got"),
];

const RISCV64: &[Variant] = &[
    Variant {
        name: "rv64gc",
        arch: &risc_v::RV64,
        modes: Modes::One,
        compilers: &[
            Compiler::gcc(&["riscv64-unknown-elf-gcc", "-march=rv64gc", "-mabi=lp64d"]),
            Compiler::clang(&["clang", "--target=riscv64-none-elf", "-march=rv64gc", "-mabi=lp64d"]),
        ],
        models: RISCV_MODELS,
        shared: &[&["riscv64-linux-gnu-ld", "-m", "elf64lriscv"], &["ld.lld", "-m", "elf64lriscv"]],
        rust: Some("riscv64gc-unknown-none-elf"),
    },
    Variant {
        name: "rv64im",
        arch: &risc_v::RV64,
        modes: Modes::One,
        compilers: &[
            Compiler::gcc(&["riscv64-unknown-elf-gcc", "-march=rv64im", "-mabi=lp64"]),
            Compiler::clang(&["clang", "--target=riscv64-none-elf", "-march=rv64im", "-mabi=lp64"]),
        ],
        models: RISCV_FEW_MODELS,
        shared: &[&["riscv64-linux-gnu-ld", "-m", "elf64lriscv"], &["ld.lld", "-m", "elf64lriscv"]],
        rust: None,
    },
];

const RISCV64_LINKERS: &[Linker] = &[
    gnu(&["riscv64-unknown-elf-ld", "-m", "elf64lriscv"], ".got", false),
    lld(&["ld.lld", "-m", "elf64lriscv"], ".got"),
];

/// Without `-mno-relax` padding for alignment may have to be cut, which no loader does.
const RISCV_MODELS: &[Model] = &[
    Model::both("medlow", &["-mno-relax", "-fno-pic", "-mcmodel=medlow"]),
    Model::both("medany", &["-mno-relax", "-fno-pic", "-mcmodel=medany"]),
    Model::shared("pic", &["-mno-relax", "-fPIC"]),
    Model::both("sections", &["-mno-relax", "-ffunction-sections", "-fdata-sections"]),
    Model::generated("relax", &["-DUNALIGNED"]),
];

/// Without compressed instructions, where clang pads to be relaxed.
const RISCV_FEW_MODELS: &[Model] = &[
    Model::both("medany", &["-mno-relax", "-fno-pic", "-mcmodel=medany"]),
    Model::shared("pic", &["-mno-relax", "-fPIC"]),
];

/// Neither compiler knows indirect functions where there is no operating system.
const RISCV_WITHOUT: &[Without] = &[
    Without::new("gcc", "", "ifunc.c"),
    Without::new("gcc", "", "ifunc-exported.c"),
    Without::new("clang", "", "ifunc.c"),
    Without::new("clang", "", "ifunc-exported.c"),
];

/// The same on arm; and v6-M has no atomic addition.
const ARM_WITHOUT: &[Without] = &[
    Without::new("gcc", "", "ifunc.c"),
    Without::new("gcc", "", "ifunc-exported.c"),
    Without::new("clang", "", "ifunc.c"),
    Without::new("clang", "", "ifunc-exported.c"),
    Without::new("rustc", "v6-m", "rust-plain.rs"),
];

const fn riscv(
    name: &'static str,
    wide: bool,
    high: u64,
    far: u64,
    linkers: &'static [Linker],
    variants: &'static [Variant],
) -> Target {
    let places = Places { low: 0x1002_0000, high, far };
    Target {
        name,
        wide,
        places,
        rules: &RISCV,
        assembly: Some(include_str!("assembly/riscv.S")),
        linkers,
        without: RISCV_WITHOUT,
        variants,
    }
}
