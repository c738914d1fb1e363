//! What one load does not show: many cycles, unloads that are refused, names that are taken.

use super::build::Built;
use super::script::Case;

/// A story told with the files of one extension.
pub(super) struct Story {
    /// What the matrix calls it.
    pub(super) name: &'static str,
    pub(super) extension: &'static str,
    /// Commands and answers.
    tell: fn(&Built, from: &str) -> Vec<(String, &'static str)>,
    trace: &'static [i32],
}

pub(super) const STORIES: &[Story] = &[
    // As after every case, memory must be as in the beginning: bytes in use, and the largest free pieces.
    Story { name: "(10,000 cycles)", extension: "host-function-address", tell: cycles, trace: &[] },
    Story { name: "(refused unload)", extension: "needs", tell: refused_unload, trace: &[1, 2, 3] },
    Story { name: "(taken name)", extension: "host-function-address", tell: taken_name, trace: &[] },
];

impl Story {
    pub(super) fn case(&self, name: String, built: &Built, from: &str) -> Case {
        Case::told(name, (self.tell)(built, from), self.trace)
    }
}

fn cycles(built: &Built, from: &str) -> Vec<(String, &'static str)> {
    vec![(format!("cycle 10000 0 again {from} {}", built.file.display()), "= 10000 cycles")]
}

fn refused_unload(built: &Built, from: &str) -> Vec<(String, &'static str)> {
    let [(name, provider)] = &built.needs[..] else { return Vec::new() };
    vec![
        (format!("load 0 {name} file {}", provider.display()), "= loaded"),
        (format!("load 1 needs {from} {}", built.file.display()), "= loaded"),
        ("unload 0".to_owned(), "! InUse"),
        ("call 1 probe".to_owned(), "= 33"),
        ("unload 1".to_owned(), "= 0 uses"),
        ("unload 0".to_owned(), "= 0 uses"),
        ("unload 0".to_owned(), "! Died"),
    ]
}

fn taken_name(built: &Built, from: &str) -> Vec<(String, &'static str)> {
    let load = |slot: usize| format!("load {slot} same {from} {}", built.file.display());
    vec![
        (load(0), "= loaded"),
        (load(1), "! Exists"),
        ("call 0 probe".to_owned(), "= 3"),
        ("unload 0".to_owned(), "= 0 uses"),
        (load(1), "= loaded"),
        ("unload 1".to_owned(), "= 0 uses"),
    ]
}
