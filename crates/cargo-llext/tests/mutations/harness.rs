//! What builds the extensions: parts of the test `extensions`, of which this test needs only some.
#![allow(dead_code)]

#[path = "../extensions/harness/build.rs"]
pub(crate) mod build;
#[path = "../extensions/harness/directive.rs"]
pub(crate) mod directive;
#[path = "../extensions/harness/extension.rs"]
pub(crate) mod extension;
#[path = "../extensions/harness/kind.rs"]
pub(crate) mod kind;
#[path = "../extensions/harness/parallel.rs"]
pub(crate) mod parallel;
#[path = "../extensions/harness/patch.rs"]
pub(crate) mod patch;
#[path = "../extensions/harness/tools.rs"]
pub(crate) mod tools;
