//! What an llext extension written in Rust builds against.
//!
//! ```
//! #![no_std]
//! # extern crate std;
//!
//! use core::sync::atomic::{AtomicU32, Ordering};
//!
//! #[llext_sdk::export]
//! static CALLS: AtomicU32 = AtomicU32::new(0);
//!
//! #[llext_sdk::export]
//! extern "C" fn add(a: i32, b: i32) -> i32 {
//!     CALLS.fetch_add(1, Ordering::Relaxed);
//!     a + b
//! }
//!
//! #[llext_sdk::init]
//! fn init() -> Result<(), i32> {
//!     Ok(())
//! }
//!
//! #[llext_sdk::fini]
//! fn fini() {}
//! # fn main() {}
//! ```
//!
//! An extension is a `no_std` crate with `crate-type = ["staticlib"]` that is built with `panic = "abort"`: `cargo llext build`
//! makes one file of it. What the host offers comes from the crate in which the host's makers wrote
//! [`interface!`](llext_macros::interface).
//!
//! # Features
//!
//! * `panic-handler` (default): a panic is reported to the host as file and line, and does not return.
//! * `alloc`: boxes, vectors and strings come from the host's memory.
//! * `log`: records of the `log` crate go to the host, once `log_to_host` was called.
//!
//! The panic handler and the global allocator exist only where panics abort, as they must in an extension: so tests of an
//! extension, which have those of `std`, need not switch anything off.
//!
//! # What a host sees
//!
//! * exports: entries {name, address} in section `.exported_sym`;
//! * [`init`](macro@init) and [`fini`](macro@fini): exports `llext_init` and `llext_fini`;
//! * the ABI version: an ELF note of owner `llext`, type 1, in section `.note.llext`, with the number [`ABI_VERSION`];
//! * what it [`needs!`]: a note each of type 2, with the name and a NUL.
#![no_std]

#[cfg(feature = "alloc")]
mod alloc;
#[cfg(feature = "log")]
mod logger;
mod note;
mod outcome;
#[cfg(all(feature = "panic-handler", panic = "abort"))]
mod panic;
#[cfg(all(feature = "panic-handler", panic = "abort", not(target_os = "none")))]
mod unwind;

#[cfg(feature = "alloc")]
pub use alloc::HostAllocator;
#[cfg(feature = "log")]
pub use logger::log_to_host;
pub use note::ABI_VERSION;
#[doc(hidden)]
pub use note::{Note, padded};
pub use outcome::Outcome;

/// Exports an `extern "C"` function or a static of the extension.
///
/// `#[export(name = "...")]` exports it under another name than its own.
///
/// ```
/// #[llext_sdk::export]
/// extern "C" fn add(a: i32, b: i32) -> i32 {
///     a + b
/// }
///
/// #[llext_sdk::export(name = "version")]
/// static VERSION: u32 = 3;
/// ```
pub use llext_macros::extension_export as export;

/// Runs a function when the extension has been loaded, after its constructors and before anything else of it is called.
///
/// It returns nothing, or `Result<(), i32>`: an error ends the load, and the host is told the number.
///
/// ```
/// #[llext_sdk::init]
/// fn init() -> Result<(), i32> {
///     Err(-19)
/// }
/// ```
pub use llext_macros::init;

/// Runs a function when the extension is unloaded, before its destructors.
///
/// ```
/// #[llext_sdk::fini]
/// fn fini() {}
/// ```
pub use llext_macros::fini;

pub use llext_macros::{device, interface};
