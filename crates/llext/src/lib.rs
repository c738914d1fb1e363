//! Loads native code at run time: an ELF file is placed in memory, linked against what the host exports, protected,
//! run, counted and taken away again.
//!
//! On a microcontroller without an operating system, and in a process on Linux. The order of the modules is the order
//! of the work; each uses only those before it:
//!
//! [`source`] < [`memory`] < image < [`mod@export`] < lifecycle < [`registry`] < [`call`] < [`loader`]
//!
//! # Features
//!
//! Only `shared` is on by itself, and none changes what the others do.
//!
//! * `shared`: files that were linked with `-shared`. Firmware that loads none is smaller without.
//! * `std`: `Host`, for a process on Linux, its memory, files, and waiting; it brings `alloc`.
//! * `alloc`: no limit on the destructors and host objects that an extension registers.
//! * `critical-section`: the lock of the crate of that name, and `memory::protect`, pools behind an MPU or PMP.
//! * `slid`: exports by number, without names, as LLEXT has them.
//! * `pre-located`: files that `llext link` linked for fixed addresses ([`Places`](loader::Places)).
//! * `reset`: variables that begin again, and other instances of a shared object, without its file.
//! * `save`: extensions that outlive the program's own data.
//! * `inspect`: a loaded file's sections and symbols, for debuggers.
//! * `embedded-io-07`, `embedded-storage-03`: sources over the traits of these crates, in these versions.

#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod call;
#[cfg(feature = "save")]
mod digest;
pub mod error;
pub mod export;
#[cfg(all(feature = "std", target_os = "linux"))]
pub mod host;
mod image;
mod lifecycle;
pub mod loader;
pub mod lock;
pub mod memory;
pub mod native;
pub mod registry;
pub mod source;
mod sync;

pub use call::{Function, Symbol};
pub use error::Error;
#[cfg(all(feature = "std", target_os = "linux"))]
pub use host::{Host, Plugin};
pub use lifecycle::{ExtensionPanic, Leaving, LeavingHook, PanicHook, Phase, is_provided};
pub use llext_macros::{export, interface};
pub use loader::{Load, Loader};
pub use lock::{NoopRawMutex, RawMutex};
pub use memory::{Memory, Pool};
pub use registry::{Handle, Refused, Registry, Weak};
pub use source::Source;

/// The programs of the README compile.
#[cfg(all(doctest, feature = "std", target_os = "linux"))]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// What must not compile does not, and what differs from it in one thing does.
#[cfg(all(doctest, feature = "std", target_os = "linux"))]
#[doc = include_str!("../tests/lifetimes/borrows.md")]
#[doc = include_str!("../tests/lifetimes/threads.md")]
#[doc = include_str!("../tests/lifetimes/types.md")]
struct Lifetimes;
