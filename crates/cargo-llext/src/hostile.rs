//! Files that were damaged on purpose: whatever they say, looking at them ends, without a panic.

#[path = "../tests/tool/fixture.rs"]
mod fixture;

use crate::demangle::demangle;
use crate::elf::Extension;
use crate::host::Host;
use crate::{link, plan};

fn look_at(bytes: &[u8]) {
    // What a load would make of it is told or refused: both are answers.
    let _ = (plan::plan(bytes), plan::regions(bytes));
    let Ok(extension) = Extension::parse("damaged", bytes) else { return };
    for export in extension.exports().into_iter().flatten() {
        demangle(&export.name);
    }
    let _ = extension.host_exports();
    extension.imports().iter().for_each(|import| drop(demangle(&import.name)));
    extension.relocations();
    let host = Host::with(&["printf", "_ZN4draw4LineEii", "_RNvC4core5panic"], 0x1000_0000);
    let _ = link::link(bytes, &extension, &[host], &["code=0x11000000".parse().unwrap()]);
}

/// A generator of numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) as usize % end
    }
}

#[test]
fn no_damage_ends_in_a_panic() {
    let whole = fixture::extension();
    let mut numbers = Numbers(1);
    for _ in 0..10_000 {
        let mut bytes = whole.clone();
        for _ in 0..=numbers.below(3) {
            let at = numbers.below(bytes.len());
            bytes[at] = [0, 1, 0x7f, 0x80, 0xff, numbers.below(256) as u8][numbers.below(6)];
        }
        if numbers.below(4) == 0 {
            bytes.truncate(numbers.below(whole.len()));
        }
        look_at(&bytes);
    }
}

#[test]
fn no_length_ends_in_a_panic() {
    let whole = fixture::extension();
    (0..whole.len()).for_each(|len| look_at(&whole[..len]));
}

/// So that damage is damage to what was linked before.
#[test]
fn the_whole_file_is_linked() {
    let bytes = fixture::extension();
    let extension = Extension::parse("whole", &bytes).unwrap();
    let host = Host::with(&["printf", "_ZN4draw4LineEii", "_RNvC4core5panic"], 0x1000_0000);
    let at = ["code=0x11000000".parse().unwrap()];
    assert!(link::link(&bytes, &extension, &[host], &at).is_ok());
}
