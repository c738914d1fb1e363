//! Which format and architecture this build loads: the one place that asks.

use llext_link::arch::{self, Arch};
use llext_link::elf;

#[cfg(all(target_pointer_width = "64", target_endian = "little"))]
/// The ELF format of this build.
pub type Native = elf::Elf64Le;
#[cfg(all(target_pointer_width = "32", target_endian = "little"))]
/// The ELF format of this build.
pub type Native = elf::Elf32Le;

// Tests link for a processor that this machine has not, and run nothing: `--cfg llext_arch --cfg llext_arch="arm"`.

/// The architecture of this build.
#[cfg(any(all(target_arch = "x86_64", not(llext_arch)), llext_arch = "x86_64"))]
pub static ARCH: &Arch = &arch::x86_64::ARCH;
/// The architecture of this build.
#[cfg(any(all(target_arch = "aarch64", not(llext_arch)), llext_arch = "aarch64"))]
pub static ARCH: &Arch = &arch::aarch64::ARCH;

/// The architecture of this build.
#[cfg(any(all(target_arch = "arm", not(llext_arch)), llext_arch = "arm"))]
pub static ARCH: &Arch = {
    use arch::arm::{Core, Float, of};
    const CORE: Core = match (cfg!(cortex_m = "baseline"), cfg!(cortex_m = "mainline")) {
        (true, _) => Core::Baseline,
        (_, true) => Core::Mainline,
        _ => Core::Both,
    };
    const FLOAT: Float = if cfg!(target_abi = "eabihf") { Float::Hard } else { Float::Soft };
    static OURS: Arch = of(CORE, FLOAT);
    &OURS
};

/// The architecture of this build.
#[cfg(all(target_arch = "x86", not(llext_arch)))]
pub static ARCH: &Arch = &arch::x86::ARCH;

/// The architecture of this build.
#[cfg(any(
    all(any(target_arch = "riscv32", target_arch = "riscv64"), not(llext_arch)),
    llext_arch = "riscv"
))]
pub static ARCH: &Arch = {
    use arch::riscv::{Float, abi, rv32, rv64};
    const FLOAT: Float = match (cfg!(riscv_float = "single"), cfg!(riscv_float = "double")) {
        (true, _) => Float::Single,
        (_, true) => Float::Double,
        _ => Float::Soft,
    };
    const COMPRESSED: bool = cfg!(any(target_feature = "c", llext_arch));
    const ABI: (u32, u32) = abi(FLOAT, COMPRESSED, cfg!(target_abi = "ilp32e"));
    static OURS: Arch = if cfg!(target_pointer_width = "32") { rv32(ABI) } else { rv64(ABI) };
    &OURS
};
