//! The corpus in fuzz/, replayed without a fuzzer: what once broke something, and what reaches far.
#![cfg(all(feature = "std", target_os = "linux", target_arch = "x86_64"))]

mod common {
    mod cc;
    pub(crate) use cc::compile;
}
#[path = "../../../fuzz/subjects/link.rs"]
mod link;
#[path = "../../../fuzz/subjects/load.rs"]
mod load;
#[path = "../../../fuzz/subjects/parse.rs"]
mod parse;
#[path = "../../../fuzz/subjects/registry.rs"]
mod registry;

use std::fs;
use std::path::Path;

/// Gives every file of a target's corpus to its subject. A panic names the file.
fn replay(target: &str, subject: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        subject(&fs::read(path).unwrap());
        count += 1;
    }
    assert!(count > 0, "the corpus is empty");
}

#[test]
fn parsing_ends() {
    replay("parse", parse::run);
}

#[test]
fn linking_ends_the_same_in_any_batches() {
    replay("link", link::run);
}

#[test]
fn loading_leaves_nothing() {
    replay("load", load::run);
}

#[test]
fn operations_on_a_registry_leave_nothing() {
    let source = include_str!("../../../fuzz/subjects/extension.c");
    let file = |kind| {
        let files = common::compile(&format!("corpus/{kind}"), source, &["-O1", &format!("-DKIND={kind}")]);
        &*files.leak()
    };
    let files: registry::Files = std::array::from_fn(file);
    replay("registry", |operations| registry::run(operations, files));
}
