//! What the firmware of every board does once its own part is done: loads an extension in C and one in Rust out of
//! slices, calls both and unloads them. The exit status says whether everything was as it should be.
#![no_std]

#[cfg(any(feature = "demo", feature = "suite"))]
#[cfg_attr(target_os = "linux", path = "computer/linux.rs")]
mod computer;
#[cfg(feature = "count")]
mod count;
#[cfg(feature = "demo")]
pub mod demo;
#[cfg(feature = "demo")]
mod file;
#[cfg(not(any(feature = "demo", feature = "suite", feature = "count")))]
mod footprint;
#[cfg(any(feature = "demo", feature = "loader"))]
mod host;
#[cfg(feature = "demo")]
mod in_place;
#[cfg(all(feature = "demo", feature = "located"))]
mod located;
#[cfg(feature = "mps2")]
pub mod mps2;
#[cfg(feature = "protection")]
pub mod protection;
#[cfg(feature = "saved")]
pub mod saved;
#[cfg(not(any(feature = "demo", feature = "suite", feature = "count")))]
mod stack;
#[cfg(feature = "storage")]
mod storage;
#[cfg(feature = "suite")]
mod suite;

use core::mem::MaybeUninit;
use core::panic::PanicInfo;
#[cfg(feature = "count")]
use count as run;
#[cfg(feature = "demo")]
use demo as run;
#[cfg(not(any(feature = "demo", feature = "suite", feature = "count")))]
use footprint as run;
#[cfg(feature = "suite")]
use suite as run;

pub use run::fault;

/// What the compiler made of boards/extensions/blink.c.
#[cfg(not(feature = "suite"))]
pub static IN_C: &[u8] = include_bytes!(concat!(env!("EXTENSIONS"), "/blink.o"));
/// What the compiler made of boards/extensions/chain.c.
#[cfg(feature = "mps2")]
pub static CHAIN: &[u8] = include_bytes!(concat!(env!("EXTENSIONS"), "/chain.o"));
/// What the compiler made of boards/extensions/wrong.c.
#[cfg(feature = "protection")]
pub static WRONG: &[u8] = include_bytes!(concat!(env!("EXTENSIONS"), "/wrong.o"));
/// What cargo made of boards/extensions/mean.
#[cfg(not(feature = "suite"))]
pub static IN_RUST: &[u8] = include_bytes!(concat!(env!("EXTENSIONS"), "/mean.o"));

/// The size of a board's pool for code, where it has plenty.
pub const CODE: usize = pool(256 << 10);
/// The size of its pool for data.
pub const DATA: usize = pool(3 << 19);

/// As much as the tests' extensions take, or a workload that is counted.
const fn pool(suite: usize) -> usize {
    if cfg!(feature = "suite") {
        suite
    } else if cfg!(feature = "count") {
        768 << 10
    } else {
        16 << 10
    }
}

/// Memory for a pool, in a static of its own.
pub type Room<const N: usize> = [MaybeUninit<u8>; N];

/// A [`Room`] with nothing in it.
pub const fn room<const N: usize>() -> Room<N> {
    [const { MaybeUninit::uninit() }; N]
}

/// What a firmware's `main` ends with.
pub fn main(code: &'static mut [MaybeUninit<u8>], data: &'static mut [MaybeUninit<u8>]) -> ! {
    run::main(code, data)
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    run::panic(info)
}
