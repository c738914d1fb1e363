//! What knows the extensions and their directives: parts of the test `extensions` of the tool, of which some is for
//! that test alone.
#![allow(dead_code)]

#[path = "../../../crates/cargo-llext/tests/extensions/harness/directive.rs"]
pub(crate) mod directive;
#[path = "../../../crates/cargo-llext/tests/extensions/harness/extension.rs"]
pub(crate) mod extension;
#[path = "../../../crates/cargo-llext/tests/extensions/harness/kind.rs"]
pub(crate) mod kind;
#[path = "../../../crates/cargo-llext/tests/extensions/harness/parallel.rs"]
pub(crate) mod parallel;
#[path = "../../../crates/cargo-llext/tests/extensions/harness/patch.rs"]
pub(crate) mod patch;
