//! What a load in a process promises, and all that may follow it. One program: so the loader is compiled for it once.
#![cfg(all(
    feature = "std",
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "x86", target_arch = "riscv64")
))]

#[cfg(target_arch = "x86_64")]
mod alias;
#[path = "../common/mod.rs"]
mod common;
mod complete;
#[cfg(target_arch = "x86_64")]
mod footprint;
mod in_place;
#[cfg(feature = "inspect")]
mod inspect;
#[cfg(feature = "reset")]
mod instantiate;
mod loads;
#[cfg(feature = "reset")]
mod reset;
#[cfg(feature = "save")]
mod save;
#[cfg(feature = "slid")]
mod slid;
#[cfg(target_arch = "x86_64")]
mod steps;
#[cfg(target_arch = "x86_64")]
mod thread_local;
#[cfg(target_arch = "x86_64")]
#[path = "../common/workload.rs"]
mod workload;

/// A registry of the one kind that these tests have over a pool.
type Pooled<'a> = llext::Registry<llext::Pool<'a>, llext::NoopRawMutex, 4>;
