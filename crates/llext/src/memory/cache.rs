//! Makes code that was written as data visible to instruction fetch: the one step of loading that
//! every processor wants differently. The manuals' sequences are in `sequence`.

#[cfg(all(test, not(any(loom, shuttle))))]
pub(crate) mod double;
mod sequence;

/// Cleans the data cache and invalidates the instruction cache over `len` bytes at `address`.
///
/// The code may then be run by the calling thread, and by others that learn of it afterwards through
/// a lock or an atomic.
///
/// # Safety
///
/// The range is readable. On a Cortex-M the caller runs privileged.
// Never inlined, so that the instructions in it can be found in a firmware and compared with the manual.
#[inline(never)]
pub unsafe fn synchronize(address: usize, len: usize) {
    if len != 0 {
        macro_rules! perform {
            ($($at:literal)*) => {
                $(if let Some(step) = const { sequence::step(native::SEQUENCE, $at) } {
                    // SAFETY: the range is readable, as the caller promised.
                    unsafe { native::perform(step, address, len) };
                })*
            };
        }
        // Each is a constant, so what is left of it are its instructions, one step after the other.
        perform!(0 1 2 3 4 5 6);
        const { assert!(native::SEQUENCE.len() <= 7) };
        #[cfg(all(test, feature = "std", target_os = "linux", not(any(loom, shuttle))))]
        // SAFETY: as above.
        double::record(address, unsafe { core::slice::from_raw_parts(address as *const u8, len) });
    }
}

/// The first addresses of the cache lines, of a power of two of at least 4 bytes, that `len` bytes at `address` touch.
#[cfg(any(test, target_arch = "aarch64", all(target_arch = "arm", not(target_os = "linux"))))]
fn lines(address: usize, len: usize, power: usize) -> impl Iterator<Item = usize> {
    let last = address.saturating_add(len - 1);
    (address >> power..(last >> power) + 1).map(move |line| line << power)
}

/// Only the compiler can be late.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod native {
    use super::sequence::{self, Step};
    use core::sync::atomic::{Ordering, compiler_fence};

    pub(super) const SEQUENCE: &[Step] = sequence::X86;

    pub(super) unsafe fn perform(_: Step, _: usize, _: usize) {
        compiler_fence(Ordering::SeqCst);
    }
}

#[cfg(target_arch = "aarch64")]
mod native {
    use super::lines;
    use super::sequence::{self, Step};
    use core::arch::asm;

    pub(super) const SEQUENCE: &[Step] = sequence::AARCH64;

    /// CTR_EL0: instruction fetch sees data once it has left the core.
    const NO_DATA_CLEAN: usize = 1 << 28;
    /// CTR_EL0: the instruction cache needs no invalidation.
    const NO_INSTRUCTION_INVALIDATE: usize = 1 << 29;

    #[inline(always)]
    pub(super) unsafe fn perform(step: Step, address: usize, len: usize) {
        let ctr: usize;
        // SAFETY: CTR_EL0 can be read at every level; Linux traps and emulates it where it must.
        unsafe { asm!("mrs {}, ctr_el0", out(reg) ctr, options(nomem, nostack, preserves_flags)) };
        // SAFETY: a line holds a byte of the caller's range; maintenance and barriers change no memory.
        unsafe {
            match step {
                Step::Clean if ctr & NO_DATA_CLEAN == 0 => {
                    for line in lines(address, len, 2 + (ctr >> 16 & 15)) {
                        asm!("dc cvau, {}", in(reg) line, options(nostack, preserves_flags));
                    }
                }
                Step::Invalidate if ctr & NO_INSTRUCTION_INVALIDATE == 0 => {
                    for line in lines(address, len, 2 + (ctr & 15)) {
                        asm!("ic ivau, {}", in(reg) line, options(nostack, preserves_flags));
                    }
                }
                Step::Barrier => asm!("dsb ish", options(nostack, preserves_flags)),
                Step::Refetch => asm!("isb", options(nostack, preserves_flags)),
                Step::Clean | Step::Invalidate | Step::ForgetBranches | Step::Ask => {}
            }
        }
    }
}

/// A user program asks Linux, which knows of all cores.
#[cfg(all(target_arch = "arm", target_os = "linux"))]
mod native {
    use super::sequence::{self, Step};
    use core::arch::asm;

    pub(super) const SEQUENCE: &[Step] = sequence::LINUX;
    const CACHEFLUSH: usize = 0x0f_0002;

    pub(super) unsafe fn perform(_: Step, address: usize, len: usize) {
        // SAFETY: the call reads registers only; r7, which compilers keep for themselves, is put back.
        unsafe {
            asm!(
                "mov {kept}, r7", "mov r7, {call}", "svc 0", "mov r7, {kept}",
                kept = out(reg) _, call = in(reg) CACHEFLUSH,
                inlateout("r0") address => _, in("r1") address.saturating_add(len), in("r2") 0,
                options(nostack),
            );
        }
    }
}

/// Arm A and R without Linux. Of all bare Arm, these alone have 64-bit atomics.
#[cfg(all(target_arch = "arm", not(target_os = "linux"), target_has_atomic = "64"))]
mod native {
    use super::lines;
    use super::sequence::{self, Step};
    use core::arch::asm;

    pub(super) const SEQUENCE: &[Step] = sequence::ARM_A;

    #[inline(always)]
    pub(super) unsafe fn perform(step: Step, address: usize, len: usize) {
        let ctr: usize;
        // SAFETY: reads the cache type register.
        unsafe { asm!("mrc p15, 0, {}, c0, c0, 1", out(reg) ctr, options(nomem, nostack, preserves_flags)) };
        // SAFETY: a line holds a byte of the caller's range; DCCMVAU, ICIMVAU, BPIALL and barriers change no memory.
        unsafe {
            match step {
                Step::Clean => {
                    for line in lines(address, len, 2 + (ctr >> 16 & 15)) {
                        asm!("mcr p15, 0, {}, c7, c11, 1", in(reg) line, options(nostack, preserves_flags));
                    }
                }
                Step::Invalidate => {
                    for line in lines(address, len, 2 + (ctr & 15)) {
                        asm!("mcr p15, 0, {}, c7, c5, 1", in(reg) line, options(nostack, preserves_flags));
                    }
                }
                Step::ForgetBranches => {
                    asm!("mcr p15, 0, {}, c7, c5, 6", in(reg) 0, options(nostack, preserves_flags));
                }
                Step::Barrier => asm!("dsb", options(nostack, preserves_flags)),
                Step::Refetch => asm!("isb", options(nostack, preserves_flags)),
                Step::Ask => {}
            }
        }
    }
}

/// Arm M: the registers of the caches lie in memory, and say whether there are any.
#[cfg(all(target_arch = "arm", not(target_os = "linux"), not(target_has_atomic = "64")))]
mod native {
    use super::lines;
    use super::sequence::{self, Step};
    use core::arch::asm;

    pub(super) const SEQUENCE: &[Step] = sequence::ARM_M;

    /// Configuration and control: bits 16 and 17 say that data and instruction caches are on.
    const CCR: *const u32 = 0xe000_ed14 as *const u32;
    const DATA: u32 = 1 << 16;
    const INSTRUCTIONS: u32 = 1 << 17;
    /// Cache type: the size of a line.
    const CTR: *const u32 = 0xe000_ed7c as *const u32;
    /// Invalidates the whole instruction cache.
    const ICIALLU: *mut u32 = 0xe000_ef50 as *mut u32;
    /// Cleans the line of the data cache whose address is written.
    const DCCMVAU: *mut u32 = 0xe000_ef64 as *mut u32;
    /// Invalidates all branch predictions.
    const BPIALL: *mut u32 = 0xe000_ef78 as *mut u32;

    #[inline(always)]
    pub(super) unsafe fn perform(step: Step, address: usize, len: usize) {
        // SAFETY: every Cortex-M has CCR, and the caller is privileged.
        let has = |cache| unsafe { CCR.read_volatile() } & cache != 0;
        // SAFETY: a core with a cache has its registers; cleaning changes no memory, and what is dropped can be fetched
        // again; barriers change nothing.
        unsafe {
            match step {
                Step::Clean if has(DATA) => {
                    let power = 2 + (CTR.read_volatile() >> 16 & 15) as usize;
                    lines(address, len, power).for_each(|line| DCCMVAU.write_volatile(line as u32));
                }
                Step::Invalidate if has(INSTRUCTIONS) => ICIALLU.write_volatile(0),
                Step::ForgetBranches if has(INSTRUCTIONS) => BPIALL.write_volatile(0),
                Step::Barrier => asm!("dsb", options(nostack, preserves_flags)),
                Step::Refetch => asm!("isb", options(nostack, preserves_flags)),
                Step::Clean | Step::Invalidate | Step::ForgetBranches | Step::Ask => {}
            }
        }
    }
}

/// A user thread can move to another core at any moment, so Linux does it on all of them.
#[cfg(all(any(target_arch = "riscv32", target_arch = "riscv64"), target_os = "linux"))]
mod native {
    use super::sequence::{self, Step};
    use core::arch::asm;

    pub(super) const SEQUENCE: &[Step] = sequence::LINUX;
    const RISCV_FLUSH_ICACHE: usize = 259;

    pub(super) unsafe fn perform(_: Step, address: usize, len: usize) {
        // SAFETY: the call reads registers only; the last argument 0 means every thread.
        unsafe {
            asm!(
                "ecall",
                inlateout("a0") address => _, in("a1") address.saturating_add(len), in("a2") 0,
                in("a7") RISCV_FLUSH_ICACHE, options(nostack),
            );
        }
    }
}

/// Covers the calling core; a host with more sends the others a `fence.i` of its own.
#[cfg(all(any(target_arch = "riscv32", target_arch = "riscv64"), not(target_os = "linux")))]
mod native {
    use super::sequence::{self, Step};
    use core::arch::asm;

    pub(super) const SEQUENCE: &[Step] = sequence::RISCV;

    #[inline(always)]
    pub(super) unsafe fn perform(step: Step, _: usize, _: usize) {
        // SAFETY: barriers change nothing.
        unsafe {
            match step {
                Step::Barrier => asm!("fence rw, rw", options(nostack, preserves_flags)),
                Step::Refetch => asm!(
                    ".option push",
                    ".option arch, +zifencei",
                    "fence.i",
                    ".option pop",
                    options(nostack, preserves_flags),
                ),
                Step::Clean | Step::Invalidate | Step::ForgetBranches | Step::Ask => {}
            }
        }
    }
}

#[cfg(not(any(
    target_arch = "x86",
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "arm",
    target_arch = "riscv32",
    target_arch = "riscv64",
)))]
compile_error!("llext does not know how this processor makes written code visible to instruction fetch");

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn lines_cover_the_range_and_no_more() {
        let of = |address, len| lines(address, len, 5).collect::<Vec<_>>();
        assert_eq!(of(64, 32), [64]);
        assert_eq!(of(64, 33), [64, 96]);
        assert_eq!(of(95, 2), [64, 96]);
        assert_eq!(of(95, 1), [64]);
        let end = usize::MAX & !31;
        assert_eq!(of(end, 32), [end]);
        assert_eq!(of(end, 64), [end]);
    }

    #[test]
    fn nothing_is_done_over_nothing() {
        // SAFETY: the ranges are empty, and a local variable.
        unsafe { synchronize(0, 0) };
        let bytes = [0u8; 100];
        // SAFETY: the bytes are readable.
        unsafe { synchronize(bytes.as_ptr().addr(), bytes.len()) };
    }
}
