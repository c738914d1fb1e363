//! Checks an ELF file, plans its memory and relocates it: bytes in, linked bytes out.
//!
//! This crate never dereferences an address it computes and never allocates: the caller lends every table. So the
//! same code links in place on a microcontroller, for a board from a laptop, and under a fuzzer.
//!
//! The order of the modules is the order of the work; each uses only those before it:
//!
//! [`error`] < [`addr`] < [`elf`] < [`arch`] < [`symbol`] < [`veneer`] < [`layout`] < [`relocate`] < `whole`
//!
//! The last of them runs all stages on a whole file. It needs an allocator, and so the feature `alloc`.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;

pub mod addr;
pub mod arch;
pub mod elf;
pub mod error;
pub mod layout;
pub mod relocate;
pub mod symbol;
pub mod veneer;
#[cfg(feature = "alloc")]
pub mod whole;

pub use error::Error;
