//! Every error of this crate, produced by bytes that are wrong in one way, with its exact facts.
//!
//! What only a run time finds out (another processor, a library that is not there) is produced in the tests of `llext`.

mod dynamic;
mod elf;
mod header;
mod relocations;
mod sections;
mod segments;
mod stages;
mod symbols;
mod table;

use llext_link::Error;

/// The stage failed with exactly this error, which says this, and whose number leads to its explanation.
#[track_caller]
fn says<T>(result: Result<T, Error>, expected: Error, text: &str) {
    let Err(found) = result else { panic!("no error, instead of: {expected}") };
    assert_eq!(found, expected);
    assert_eq!(found.to_string(), text);
    let row = Error::ALL.iter().find(|row| row.code == found.code());
    assert_eq!(row.map(|row| (row.name, row.cure)), Some((found.name(), found.cure())));
}

/// The stage failed with exactly this error.
#[track_caller]
fn fails<T>(result: Result<T, Error>, expected: Error) {
    says(result, expected, &expected.to_string());
}
