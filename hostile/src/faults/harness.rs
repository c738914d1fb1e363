//! What builds the extensions: parts of the test `extensions` of cargo-llext, of which only some are needed.
#![allow(dead_code)]

#[path = "../../../crates/cargo-llext/tests/extensions/harness/build.rs"]
pub(crate) mod build;
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
#[path = "../../../crates/cargo-llext/tests/extensions/harness/tools.rs"]
pub(crate) mod tools;
