//! What the macros refuse, and what they say: `refused/*.rs` beside the `*.stderr` the compiler prints.
//!
//! Only errors that the macros word themselves are here, since those of the compiler change with it.

#[test]
fn every_refusal_says_what_is_wrong() {
    trybuild::TestCases::new().compile_fail("tests/refused/*.rs");
}
