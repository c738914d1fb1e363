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
    /// A place-relative number, and its width in bits.
    pub(crate) narrow: (u32, u32),
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
}

/// Every architecture.
pub(crate) static ALL: &[&Target] = &[&X86_64, &ARM];

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
    narrow: (2, 32),
    relative: 8,
    slot: 7,
    dynamic_only: &[6, 7, 8, 37],
    refused: &[5, 16, 18, 23],
    unknown: 200,
    function_bit: 0,
    compiler: ("gcc", &[]),
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
    narrow: (42, 31),
    relative: 23,
    slot: 22,
    dynamic_only: &[21, 22, 23],
    refused: &[],
    unknown: 200,
    function_bit: 1,
    compiler: ("arm-none-eabi-gcc", &["-mcpu=cortex-m3", "-mthumb"]),
};

/// The one this program was built for.
pub(crate) fn native() -> &'static Target {
    let machine = llext::native::ARCH.machine;
    let found = ALL.iter().find(|target| target.machine == machine);
    found.expect("an architecture has a row")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_row_is_that_of_the_build() {
        assert_eq!(super::native().name, llext::native::ARCH.name);
    }
}
