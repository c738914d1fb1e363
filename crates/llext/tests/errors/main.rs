//! Every error of a load, a look-up or an unload, produced by what is wrong in one way, with its exact facts.
//!
//! What the linker finds wrong with bytes is produced in the tests of `llext-link`; here only what needs a run time.
#![cfg(all(feature = "std", target_os = "linux", target_arch = "x86_64"))]

#[path = "../common/mod.rs"]
mod common;
mod exports;
mod files;
mod functions;
#[cfg(feature = "reset")]
mod instantiate;
mod keeping;
mod linking;
mod memory;
mod reading;
mod registry;
mod table;

use llext::export::ExportTable;
use llext::{Error, Host};

static NOTHING: [ExportTable; 0] = [];

/// A process that exports nothing.
fn host() -> Host {
    Host::without_libc(&NOTHING).unwrap()
}

/// What was tried failed with exactly this error, which says this, and whose number leads to its explanation.
#[track_caller]
fn says<T>(result: Result<T, Error>, expected: impl Into<Error>, text: &str) {
    let expected = expected.into();
    let Err(found) = result else { panic!("no error, instead of: {expected}") };
    assert_eq!(found, expected);
    assert_eq!(found.to_string(), text);
    let mut rows = Error::ALL.iter().chain(llext_link::Error::ALL);
    let row = rows.find(|row| row.code == found.code());
    assert_eq!(row.map(|row| (row.name, row.cure)), Some((found.name(), found.cure())));
}

/// What was tried failed; the error.
#[track_caller]
fn error_of<T>(result: Result<T, Error>) -> Error {
    result.err().expect("an error")
}
