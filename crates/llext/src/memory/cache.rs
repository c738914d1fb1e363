//! Makes code that was written as data visible to instruction fetch: the one step of loading that
//! every processor wants differently.
//!
//! * x86: <https://www.intel.com/sdm>, volume 3, "Self-Modifying Code"
//! * Arm A: <https://developer.arm.com/documentation/ddi0487>, section B2.7 (AArch64), G4.2.9 (AArch32)
//! * Arm M: <https://developer.arm.com/documentation/ddi0403>, section B2.2.7
//! * RISC-V: <https://docs.riscv.org/reference/isa/unpriv/zifencei.html>

/// Cleans the data cache and invalidates the instruction cache over `len` bytes at `address`.
///
/// The code may then be run by the calling thread, and by others that learn of it afterwards through
/// a lock or an atomic.
///
/// # Safety
///
/// The range is readable. On a Cortex-M the caller runs privileged.
pub unsafe fn synchronize(address: usize, len: usize) {
    if len != 0 {
        // SAFETY: the range is readable, as the caller promised.
        unsafe { native::synchronize(address, len) };
        #[cfg(all(test, feature = "std", target_os = "linux", not(any(loom, shuttle))))]
        // SAFETY: as above.
        double::record(unsafe { core::slice::from_raw_parts(address as *const u8, len) });
    }
}

/// What tests look at: the bytes that instruction fetch of a machine with caches would see.
#[cfg(all(test, feature = "std", target_os = "linux", not(any(loom, shuttle))))]
pub(crate) mod double {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    std::thread_local! {
        static SEEN: RefCell<BTreeMap<usize, u8>> = const { RefCell::new(BTreeMap::new()) };
    }

    /// These bytes are written back and fetched anew.
    pub(super) fn record(bytes: &[u8]) {
        let addresses = bytes.as_ptr().addr()..;
        SEEN.with_borrow_mut(|seen| seen.extend(addresses.zip(bytes.iter().copied())));
    }

    /// What this thread would fetch at an address: nothing, if it was never synchronised.
    pub(crate) fn fetched(address: usize) -> Option<u8> {
        SEEN.with_borrow(|seen| seen.get(&address).copied())
    }
}

/// The first addresses of the cache lines of `line` bytes that `len` bytes at `address` touch.
#[cfg(any(test, target_arch = "aarch64", all(target_arch = "arm", not(target_os = "linux"))))]
fn lines(address: usize, len: usize, line: usize) -> impl Iterator<Item = usize> {
    let first = address & !(line - 1);
    let last = address.saturating_add(len - 1) & !(line - 1);
    (first..=last).step_by(line)
}

/// Instruction fetch snoops: only the compiler must not move the writes.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod native {
    use core::sync::atomic::{Ordering, compiler_fence};

    pub(super) unsafe fn synchronize(_: usize, _: usize) {
        compiler_fence(Ordering::SeqCst);
    }
}

#[cfg(target_arch = "aarch64")]
mod native {
    use super::lines;
    use core::arch::asm;

    /// CTR_EL0: instruction fetch sees data once it has left the core.
    const NO_DATA_CLEAN: usize = 1 << 28;
    /// CTR_EL0: the instruction cache needs no invalidation.
    const NO_INSTRUCTION_INVALIDATE: usize = 1 << 29;

    pub(super) unsafe fn synchronize(address: usize, len: usize) {
        let ctr: usize;
        // SAFETY: CTR_EL0 can be read at every level; Linux traps and emulates it where it must.
        unsafe { asm!("mrs {}, ctr_el0", out(reg) ctr, options(nomem, nostack, preserves_flags)) };
        if ctr & NO_DATA_CLEAN == 0 {
            for line in lines(address, len, 4 << (ctr >> 16 & 15)) {
                // SAFETY: the line holds a byte of the caller's range; cleaning changes no memory.
                unsafe { asm!("dc cvau, {}", in(reg) line, options(nostack, preserves_flags)) };
            }
        }
        // SAFETY: barriers change nothing.
        unsafe { asm!("dsb ish", options(nostack, preserves_flags)) };
        if ctr & NO_INSTRUCTION_INVALIDATE == 0 {
            for line in lines(address, len, 4 << (ctr & 15)) {
                // SAFETY: as above.
                unsafe { asm!("ic ivau, {}", in(reg) line, options(nostack, preserves_flags)) };
            }
        }
        // SAFETY: barriers change nothing.
        unsafe { asm!("dsb ish", "isb", options(nostack, preserves_flags)) };
    }
}

/// A user program asks Linux, which knows of all cores.
#[cfg(all(target_arch = "arm", target_os = "linux"))]
mod native {
    use core::arch::asm;

    const CACHEFLUSH: usize = 0x0f_0002;

    pub(super) unsafe fn synchronize(address: usize, len: usize) {
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
    use core::arch::asm;

    pub(super) unsafe fn synchronize(address: usize, len: usize) {
        let ctr: usize;
        // SAFETY: reads the cache type register.
        unsafe { asm!("mrc p15, 0, {}, c0, c0, 1", out(reg) ctr, options(nomem, nostack, preserves_flags)) };
        for line in lines(address, len, 4 << (ctr >> 16 & 15)) {
            // SAFETY: DCCMVAU on a line that holds a byte of the caller's range changes no memory.
            unsafe { asm!("mcr p15, 0, {}, c7, c11, 1", in(reg) line, options(nostack, preserves_flags)) };
        }
        // SAFETY: barriers change nothing.
        unsafe { asm!("dsb", options(nostack, preserves_flags)) };
        for line in lines(address, len, 4 << (ctr & 15)) {
            // SAFETY: ICIMVAU drops what can be fetched again.
            unsafe { asm!("mcr p15, 0, {}, c7, c5, 1", in(reg) line, options(nostack, preserves_flags)) };
        }
        // SAFETY: BPIALL drops branch predictions; barriers change nothing.
        unsafe {
            asm!("mcr p15, 0, {}, c7, c5, 6", "dsb", "isb", in(reg) 0, options(nostack, preserves_flags));
        }
    }
}

/// Arm M: the registers of the caches lie in memory, and say whether there are any.
#[cfg(all(target_arch = "arm", not(target_os = "linux"), not(target_has_atomic = "64")))]
mod native {
    use super::lines;
    use core::arch::asm;

    /// Configuration and control: bits 16 and 17 say that data and instruction caches are on.
    const CCR: *const u32 = 0xe000_ed14 as *const u32;
    /// Cache type: the size of a line.
    const CTR: *const u32 = 0xe000_ed7c as *const u32;
    /// Invalidates the whole instruction cache.
    const ICIALLU: *mut u32 = 0xe000_ef50 as *mut u32;
    /// Cleans the line of the data cache whose address is written.
    const DCCMVAU: *mut u32 = 0xe000_ef64 as *mut u32;
    /// Invalidates all branch predictions.
    const BPIALL: *mut u32 = 0xe000_ef78 as *mut u32;

    pub(super) unsafe fn synchronize(address: usize, len: usize) {
        barrier();
        // SAFETY: every Cortex-M has CCR, and the caller is privileged.
        let ccr = unsafe { CCR.read_volatile() };
        if ccr & 1 << 16 != 0 {
            // SAFETY: a core with a data cache has CTR and DCCMVAU; cleaning changes no memory.
            unsafe {
                let line = 4 << (CTR.read_volatile() >> 16 & 15);
                lines(address, len, line).for_each(|line| DCCMVAU.write_volatile(line as u32));
            }
            barrier();
        }
        if ccr & 1 << 17 != 0 {
            // SAFETY: a core with an instruction cache has these; they drop what can be fetched again.
            unsafe {
                ICIALLU.write_volatile(0);
                BPIALL.write_volatile(0);
            }
            barrier();
        }
    }

    fn barrier() {
        // SAFETY: barriers change nothing.
        unsafe { asm!("dsb", "isb", options(nostack, preserves_flags)) };
    }
}

/// A user thread can move to another core at any moment, so Linux does it on all of them.
#[cfg(all(any(target_arch = "riscv32", target_arch = "riscv64"), target_os = "linux"))]
mod native {
    use core::arch::asm;

    const RISCV_FLUSH_ICACHE: usize = 259;

    pub(super) unsafe fn synchronize(address: usize, len: usize) {
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
    use core::arch::asm;

    pub(super) unsafe fn synchronize(_: usize, _: usize) {
        // SAFETY: a barrier changes nothing.
        unsafe {
            asm!(
                ".option push",
                ".option arch, +zifencei",
                "fence rw, rw",
                "fence.i",
                ".option pop",
                options(nostack, preserves_flags),
            );
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
        let of = |address, len| lines(address, len, 32).collect::<Vec<_>>();
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
