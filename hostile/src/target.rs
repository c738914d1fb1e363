//! What differs between the architectures whose files are made here: a row each.

use crate::elf::Class::{self, Narrow, Wide};

/// One architecture's numbers.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) class: Class,
    /// `e_machine`.
    pub(crate) machine: u16,
    /// `e_flags` of a good file, and of files for another ABI.
    pub(crate) flags: u32,
    pub(crate) other_flags: &'static [u32],
    /// Whether addends lie beside the relocation: `SHT_RELA`.
    pub(crate) rela: bool,
    /// Code that returns at once.
    pub(crate) ret: &'static [u8],
    /// A word that holds `S + A`.
    pub(crate) word: u32,
    /// A call: its type, the instruction's bytes, its addend.
    pub(crate) call: (u32, &'static [u8], i64),
    /// Place-relative numbers: their types, their width in bits, and what they are multiples of.
    pub(crate) narrow: &'static [(u32, u32, i64)],
    /// `B + A`, and a slot of the procedure linkage table.
    pub(crate) relative: u32,
    pub(crate) slot: u32,
    /// Known types that no relocatable file may have.
    pub(crate) dynamic_only: &'static [u32],
    /// What every file may not have.
    pub(crate) refused: &'static [u32],
    /// A number that no type has.
    pub(crate) unknown: u32,
    /// What a function's address has besides where it lies.
    pub(crate) function_bit: u64,
    /// How the extensions are compiled: the compiler, and its options.
    pub(crate) compiler: (&'static str, &'static [&'static str]),
    /// What links its shared objects, and its options.
    pub(crate) linker: (&'static str, &'static [&'static str]),
}

/// Every architecture.
pub(crate) static ALL: &[&Target] = &[&X86_64, &AARCH64, &ARM, &RISCV32];

static X86_64: Target = Target {
    name: "x86_64",
    class: Wide,
    machine: 62,
    flags: 0,
    other_flags: &[],
    rela: true,
    ret: b"\xc3",
    word: 1,
    call: (4, b"\xe8\0\0\0\0", -4),
    narrow: &[(2, 32, 1), (13, 16, 1), (15, 8, 1)],
    relative: 8,
    slot: 7,
    dynamic_only: &[6, 7, 8, 37],
    refused: &[5, 16, 18, 23],
    unknown: 200,
    function_bit: 0,
    compiler: ("gcc", &[]),
    linker: ("ld", &[]),
};

static AARCH64: Target = Target {
    name: "aarch64",
    class: Wide,
    machine: 183,
    flags: 0,
    other_flags: &[],
    rela: true,
    ret: b"\xc0\x03\x5f\xd6",
    word: 257,
    call: (283, b"\0\0\0\x94", 0),
    narrow: &[(261, 32, 1), (262, 16, 1), (274, 21, 1), (280, 21, 4), (279, 16, 4)],
    relative: 1027,
    slot: 1026,
    // Slots hold `S + A`, as words do, and may be anywhere.
    dynamic_only: &[1027, 1032],
    refused: &[512, 560, 1024, 1028, 1029, 1030, 1031],
    unknown: 200,
    function_bit: 0,
    compiler: ("aarch64-linux-gnu-gcc", &["-mno-outline-atomics"]),
    linker: ("aarch64-linux-gnu-ld", &[]),
};

static ARM: Target = Target {
    name: "arm",
    class: Narrow,
    machine: 40,
    flags: 0x0500_0000,
    other_flags: &[0, 0x0400_0000, 0xff00_0000],
    rela: false,
    ret: b"\x70\x47",
    word: 2,
    call: (10, b"\xff\xf7\xfe\xff", -4),
    narrow: &[(42, 31, 1)],
    relative: 23,
    slot: 22,
    dynamic_only: &[21, 22, 23],
    refused: &[],
    unknown: 200,
    function_bit: 1,
    compiler: ("arm-none-eabi-gcc", &["-mcpu=cortex-m3", "-mthumb"]),
    linker: ("arm-none-eabi-ld", &[]),
};

static RISCV32: Target = Target {
    name: "riscv32",
    class: Narrow,
    machine: 243,
    flags: 0,
    other_flags: &[2, 4, 6, 8],
    rela: true,
    ret: b"\x67\x80\0\0",
    word: 1,
    call: (19, b"\x97\0\0\0\xe7\x80\0\0", 0),
    narrow: &[(44, 9, 2), (45, 12, 2), (16, 13, 2), (17, 21, 2)],
    relative: 3,
    slot: 5,
    dynamic_only: &[3, 5, 58],
    refused: &[4, 6, 8, 10, 21, 29, 62],
    unknown: 200,
    function_bit: 0,
    compiler: ("riscv64-unknown-elf-gcc", &["-march=rv32imac", "-mabi=ilp32", "-mno-relax"]),
    // The compiler's own links no shared objects.
    linker: ("riscv64-linux-gnu-ld", &["-m", "elf32lriscv"]),
};

/// The one this program was built for.
pub(crate) fn native() -> &'static Target {
    let found = ALL.iter().find(|target| target.name == llext::native::ARCH.name);
    found.expect("an architecture has a row")
}

/// Whether an address may be built by two relocations, of which one names the other.
pub(crate) fn has_pairs() -> bool {
    native().name == RISCV32.name
}

/// Whether its code runs here.
pub(crate) fn runs_here() -> bool {
    native().name == std::env::consts::ARCH
}
