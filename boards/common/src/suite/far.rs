//! What lies farther from extensions than a branch of theirs reaches.

use core::sync::atomic::{AtomicUsize, Ordering};

/// What is known of an architecture.
struct Row {
    /// How far its branches reach, bytes.
    reach: usize,
    /// Memory beyond that, if it is not where the firmware itself lies.
    memory: Option<usize>,
    /// `a + b`, as a function of C ints.
    add: &'static [u16],
}

/// `add r0, r0, r1; bx lr`
#[cfg(all(target_arch = "arm", feature = "far"))]
const ROW: Row = Row { reach: 32 << 20, memory: Some(0x4f00_0000), add: &[0x0001, 0xe080, 0xff1e, 0xe12f] };
/// Flash is far from RAM.
#[cfg(all(target_arch = "arm", not(feature = "far")))]
const ROW: Row = Row { reach: 32 << 20, memory: None, add: &[] };
/// `add w0, w0, w1; ret`
#[cfg(target_arch = "aarch64")]
const ROW: Row = Row { reach: 128 << 20, memory: Some(0x4f00_0000), add: &[0x0000, 0x0b01, 0x03c0, 0xd65f] };
/// `c.addw a0, a1; ret`
#[cfg(target_arch = "riscv64")]
const ROW: Row = Row { reach: 2 << 30, memory: Some(0x1_3000_0000), add: &[0x9d2d, 0x8082] };
/// In 32 bits every address is in reach, as long as addresses are what is 32 bits wide.
#[cfg(any(target_arch = "riscv32", target_arch = "x86", target_arch = "x86_64"))]
const ROW: Row = Row { reach: usize::MAX, memory: None, add: &[] };

const NUMBER: i32 = 78;
static NUMBER_HERE: i32 = NUMBER;
/// Where the number lies behind the function.
const OFFSET: usize = 64;

extern "C" fn add(a: i32, b: i32) -> i32 {
    a.wrapping_add(b)
}

/// Where code is loaded to.
static POOL: AtomicUsize = AtomicUsize::new(0);

/// Writes what is to lie far away.
pub(super) fn prepare(pool: usize) {
    POOL.store(pool, Ordering::Relaxed);
    let Some(memory) = ROW.memory else { return };
    let start = memory as *mut u16;
    for (index, half) in ROW.add.iter().enumerate() {
        // SAFETY: the board has memory there, which nothing else uses.
        unsafe { start.add(index).write_volatile(*half) };
    }
    // SAFETY: as above.
    unsafe { start.byte_add(OFFSET).cast::<i32>().write_volatile(NUMBER) };
    // Nothing of it was ever in an instruction cache.
}

pub(super) fn address(name: &[u8]) -> Option<usize> {
    let function = ROW.memory.unwrap_or(add as extern "C" fn(i32, i32) -> i32 as usize);
    let number = ROW.memory.map_or((&raw const NUMBER_HERE).addr(), |memory| memory + OFFSET);
    match name {
        b"host_far_add" => Some(function),
        b"host_far_number" => Some(number),
        _ => None,
    }
}

/// Whether a branch in an extension does not reach `address`.
pub(super) fn is_far(address: usize) -> bool {
    address.abs_diff(POOL.load(Ordering::Relaxed)) > ROW.reach
}
