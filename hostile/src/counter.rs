//! Counts work: every branch that this program and all it is made of takes adds one to its thread's count.
//!
//! The compiler writes a call at each edge of the control flow when it is told so (`-Cpasses=sancov-module`, see the
//! task runner). What is called is written in assembly, or it would count itself.

#[cfg(target_arch = "x86_64")]
std::arch::global_asm!(
    ".pushsection .tbss,\"awT\",@nobits",
    ".balign 8",
    "llext_hostile_count: .zero 8",
    ".popsection",
    ".pushsection .text.llext_hostile_count,\"ax\",@progbits",
    ".globl __sanitizer_cov_trace_pc_guard",
    "__sanitizer_cov_trace_pc_guard: inc qword ptr fs:[llext_hostile_count@tpoff]",
    "ret",
    ".globl __sanitizer_cov_trace_pc_guard_init",
    "__sanitizer_cov_trace_pc_guard_init: ret",
    ".globl llext_hostile_counted",
    "llext_hostile_counted: mov rax, fs:[llext_hostile_count@tpoff]",
    "ret",
    ".popsection"
);

#[cfg(target_arch = "x86")]
std::arch::global_asm!(
    ".pushsection .tbss,\"awT\",@nobits",
    ".balign 8",
    "llext_hostile_count: .zero 8",
    ".popsection",
    ".pushsection .text.llext_hostile_count,\"ax\",@progbits",
    ".globl __sanitizer_cov_trace_pc_guard",
    "__sanitizer_cov_trace_pc_guard: add dword ptr gs:[llext_hostile_count@ntpoff], 1",
    "adc dword ptr gs:[llext_hostile_count@ntpoff+4], 0",
    "ret",
    ".globl __sanitizer_cov_trace_pc_guard_init",
    "__sanitizer_cov_trace_pc_guard_init: ret",
    ".globl llext_hostile_counted",
    "llext_hostile_counted: mov eax, gs:[llext_hostile_count@ntpoff]",
    "mov edx, gs:[llext_hostile_count@ntpoff+4]",
    "ret",
    ".popsection"
);

#[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
// SAFETY: it reads this thread's count and touches nothing else.
unsafe extern "C" {
    safe fn llext_hostile_counted() -> u64;
}

/// Elsewhere nothing is counted.
#[cfg(not(any(target_arch = "x86_64", target_arch = "x86")))]
fn llext_hostile_counted() -> u64 {
    0
}

/// This thread's count so far; it stays 0 in a program that was built without counting.
pub(crate) fn counted() -> u64 {
    llext_hostile_counted()
}

/// Whether this program counts.
pub(crate) fn is_counting() -> bool {
    counted() > 0
}
