//! What only RISC-V has, run: addresses in two parts that come in any order, jumps of one instruction that do not reach,
//! and what is not there.
#![cfg(all(feature = "std", target_os = "linux", target_arch = "riscv64"))]

mod common;

use common::{compile, load, probe, start};
use llext::source::ReadOnly;
use llext::{Host, Source};
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;

static TICKS: AtomicU32 = AtomicU32::new(0);

extern "C" fn tick(by: u32) -> u32 {
    TICKS.fetch_add(by, Ordering::Relaxed) + by
}

llext::exports! { static HOST; fn tick(by: u32) -> u32; static TICKS: AtomicU32; }

/// The lower parts come before the upper one, which jumps back to them, and once more behind it.
const LATE: &str = r#"
    static int value = 40;
    int *keep = &value;
    __asm__(".text; .globl probe; .type probe, @function; probe: j 2f;"
            "1: lw a0, %pcrel_lo(2f)(a1); addi a0, a0, 1; sw a0, %pcrel_lo(2f)(a1); j 3f;"
            "2: auipc a1, %pcrel_hi(value); j 1b;"
            "3: lw a0, %pcrel_lo(2b)(a1); addi a0, a0, 1; ret");
"#;

fn run_in_steps(host: &Host, source: &mut dyn Source, budget: u32) -> i32 {
    let mut load = start(host, "late", source);
    loop {
        if let Poll::Ready(plugin) = load.step(budget) {
            return probe(&plugin.unwrap());
        }
    }
}

#[test]
fn a_lower_part_may_come_before_its_upper_part() {
    let (host, bytes) = (Host::without_libc(&HOST).unwrap(), compile("late", LATE, &["-O2"]));
    for budget in [1, 2, 3, u32::MAX] {
        assert_eq!(run_in_steps(&host, &mut &bytes[..], budget), 42);
        assert_eq!(run_in_steps(&host, &mut ReadOnly(&bytes), budget), 42);
    }
}

#[test]
fn a_jump_reaches_the_host_by_a_stub() {
    let source = r#"
        __asm__(".text; .option norvc; .globl probe; .type probe, @function; probe: addi sp, sp, -16; sd ra, 8(sp);"
                "li a0, 5; jal ra, tick; li a0, 6; jal ra, tick; ld ra, 8(sp); addi sp, sp, 16; ret");
    "#;
    let (host, bytes) = (Host::without_libc(&HOST).unwrap(), compile("jump", source, &["-O2"]));
    let plugin = load(&host, "jump", &bytes[..]).unwrap();
    let before = TICKS.load(Ordering::Relaxed);
    assert!(probe(&plugin) >= before as i32 + 11);
}

#[test]
fn what_is_not_there_is_0_and_is_not_called() {
    let source = "
        extern unsigned tick(unsigned);
        extern unsigned TICKS;
        __attribute__((weak)) extern unsigned absent(void);
        __attribute__((weak)) extern int nothing[];
        int probe(void) {
            unsigned before = TICKS;
            tick(absent ? absent() : 7);
            return nothing ? 1 : TICKS - before >= 7 ? 42 : 0;
        }";
    let host = Host::without_libc(&HOST).unwrap();
    for (name, flags) in [
        ("any", &["-O2", "-fno-pic", "-mcmodel=medany"][..]),
        ("pic", &["-O2", "-fPIC"]),
        ("shared", &["-O2", "-shared", "-nostdlib"]),
    ] {
        let bytes = compile(&format!("absent_{name}"), source, flags);
        let plugin = load(&host, name, &bytes[..]).unwrap();
        assert_eq!(probe(&plugin), 42, "{name}");
    }
}

/// Such code lies below 2 GiB, and the host far above it: calls go by a stub.
#[test]
fn absolute_pairs_of_64_bits_work_below_2_gib() {
    let source = "
        extern unsigned tick(unsigned);
        static int table[] = {1, 2, 3};
        int *const keep = table;
        int probe(void) { keep[1] += tick(1) ? 38 : 0; return table[1] + table[0] + (long)table / (1L << 31); }";
    let (host, flags) = (Host::without_libc(&HOST).unwrap(), ["-O2", "-fno-pic", "-mcmodel=medlow"]);
    let bytes = compile("low", source, &flags);
    let plugin = load(&host, "low", &bytes[..]).unwrap();
    assert_eq!(probe(&plugin), 41);
}
