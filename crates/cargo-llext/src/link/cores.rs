//! The processor that a firmware runs on, as the linker must know it: which stubs it understands, which ABI it has.

use llext_link::arch::arm::{self, Core, Float};
use llext_link::arch::{Arch, riscv};
use llext_link::elf::Elf32Le;
use llext_link::elf::attributes::attribute;
use object::{FileFlags, Object, ObjectSection, elf};

use crate::elf::Extension;

/// The build attributes of "Addenda to, and Errata in, the ABI for the Arm Architecture".
const CPU_ARCH: u32 = 6;
const CPU_ARCH_PROFILE: u32 = 7;
const ABI_VFP_ARGS: u32 = 28;
/// The bit of `e_flags` for code with compressed instructions.
const RVC: u32 = 1;
/// The values of `Tag_CPU_arch` of cores that have the small instruction set only: v6-M, v6S-M, v8-M baseline.
const BASELINES: [u32; 3] = [11, 12, 16];

/// The architecture of `host`, where there are several for its machine.
pub(crate) fn of(host: &Extension<'_>) -> Option<Arch> {
    match (host.machine(), host.file.flags()) {
        (elf::EM_ARM, _) => Some(arm_core(host)),
        (elf::EM_RISCV, FileFlags::Elf { e_flags, .. }) => {
            let (mask, _) = riscv::abi(riscv::Float::Soft, e_flags.0 & RVC != 0, false);
            let flags = (mask, e_flags.0 & mask);
            Some(if host.file.is_64() { riscv::rv64(flags) } else { riscv::rv32(flags) })
        }
        _ => None,
    }
}

fn arm_core(host: &Extension<'_>) -> Arch {
    let section = host.file.section_by_name_bytes(b".ARM.attributes");
    let bytes = section.and_then(|section| section.data().ok()).unwrap_or_default();
    let value = |tag| attribute::<Elf32Le>(bytes, b"aeabi", tag);
    let core = match (value(CPU_ARCH), value(CPU_ARCH_PROFILE)) {
        (core, _) if BASELINES.contains(&core) => Core::Baseline,
        (_, profile) if profile == u32::from(b'M') => Core::Mainline,
        _ => Core::Both,
    };
    let float = match value(ABI_VFP_ARGS) {
        _ if bytes.is_empty() => Float::Any,
        1 => Float::Hard,
        _ => Float::Soft,
    };
    arm::of(core, float)
}
