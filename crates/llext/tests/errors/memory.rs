//! Memory that cannot be had, or not be protected: code 410.

use crate::common::load;
use crate::files::{object, shared};
use crate::{error_of, host, says};
use llext::export::{Exports, SymbolName};
use llext::lock::StdRawMutex;
use llext::memory::{MemoryError, Part};
use llext::{Error, Memory as _, Pool, Registry};
use std::mem::MaybeUninit;

const PROBE: &str = "int probe(void) { return 42; }";

/// Verifies an object in memory out of slices.
fn verify(pool: Pool<'_>, bytes: &[u8]) -> Error {
    let registry = Registry::<_, StdRawMutex, 1>::new(pool);
    error_of(registry.loader(&crate::NOTHING).verify("pool", bytes))
}

fn slice(len: usize) -> Vec<MaybeUninit<u8>> {
    vec![MaybeUninit::uninit(); len]
}

#[test]
fn code_without_room_is_out_of_memory() {
    let source = "asm(\".text; .globl probe; probe: .skip 5000, 0x90; ret\");";
    let (mut code, mut data) = (slice(2048), slice(0x1_0000));
    let error = verify(Pool::new(&mut code, &mut data), &object("room", source));
    let Error::Memory { error: MemoryError::OutOfMemory { part: Part::Code, wanted, available } } = error
    else {
        panic!("{error}");
    };
    assert!((5001..5200).contains(&wanted) && (1024..2048).contains(&available), "{error}");
    let text = format!("code: out of memory ({available} bytes in one piece, {wanted} needed)");
    says(Err::<(), _>(error), error, &text);
}

#[test]
fn a_load_without_room_to_work_is_out_of_scratch() {
    let (mut code, mut data) = (slice(4096), slice(256));
    let bytes = object("work", PROBE);
    let error = verify(Pool::new(&mut code, &mut data), &bytes);
    assert!(
        matches!(error, Error::Memory { error: MemoryError::OutOfScratch { wanted, available } }
            if wanted > available && available < 256),
        "{error}"
    );
    assert!(error.to_string().starts_with("scratch: out of memory ("), "{error}");
}

#[test]
fn a_shared_object_needs_memory_in_one_piece() {
    let (mut code, mut data) = (slice(0x1_0000), slice(0x1_0000));
    let error = verify(Pool::new(&mut code, &mut data), &shared("split", PROBE, &[]));
    let expected = Error::Memory { error: MemoryError::SplitMemory };
    let text = "memory: code and data lie apart (a shared object needs one piece)";
    says(Err::<(), _>(error), expected, text);
}

/// A host that exports one symbol, wherever that lies.
struct At(u64);

impl Exports for At {
    fn address(&self, name: &SymbolName<'_>) -> Option<usize> {
        (name.bytes == b"near").then_some(self.0 as usize)
    }
}

#[test]
fn code_that_must_lie_near_is_out_of_reach_of_memory_far_away() {
    // A distance of 16 bits to the end of a memory that is filled from its beginning.
    let bytes = object("near", "asm(\".text; .short near - .\");");
    let mut memory = slice(0x4_0000);
    let pool = Pool::unified(&mut memory);
    let end = pool.reach().high;
    let registry = Registry::<_, StdRawMutex, 1>::new(pool);
    let error = error_of(registry.loader(&At(end)).verify("pool", &bytes[..]));
    let Error::Memory { error: MemoryError::OutOfReach { low, high, wanted } } = error else {
        panic!("{error}");
    };
    assert!((low, high) == (end - 0x7fff, end) && wanted > 2, "{error}");
    let text = format!("memory: no free place within reach ({wanted} bytes in {low:#x}..{high:#x})");
    assert_eq!(error.to_string(), text);
}

#[test]
fn segments_of_different_protection_do_not_share_a_page() {
    let source = "int n = 1; const int c = 2; int probe(void) { return n + c; }";
    let flags = ["-Wl,-z,max-page-size=64", "-Wl,-z,common-page-size=64", "-Wl,-z,norelro"];
    let error = error_of(load(&host(), "page", &shared("page", source, &flags)[..]));
    let Error::Memory { error: MemoryError::SharedPage { offset, page: 4096 } } = error else {
        panic!("{error}");
    };
    assert!(offset < 4096);
    let text = "image: segments of different protection share a page (at ";
    assert!(error.to_string().starts_with(text), "{error}");
}

#[test]
fn memory_is_not_taken_away_under_an_extension() {
    let (mut code, mut data, mut none) = (slice(4096), slice(0x1_0000), Pool::empty());
    let registry = Registry::<_, StdRawMutex, 1>::new(Pool::empty());
    let bytes = object("swap", PROBE);
    assert!(registry.loader(&crate::NOTHING).verify("swap", &bytes[..]).is_err());
    let mut pool = Pool::new(&mut code, &mut data);
    registry.swap_memory(&mut pool).unwrap();
    // SAFETY: nothing of it is run.
    let loaded =
        unsafe { registry.loader(&crate::NOTHING).bring_up(false).load("swap", &bytes[..]) }.unwrap();
    // SAFETY: the closure only looks.
    let bytes = unsafe { registry.with_memory(|pool| pool.in_use()) };
    let in_use = Error::Memory { error: MemoryError::InUse { bytes } };
    says(registry.swap_memory(&mut none), in_use, &format!("memory: in use ({bytes} bytes, none expected)"));
    loaded.unload().unwrap();
    registry.swap_memory(&mut none).unwrap();
    assert_eq!(none.into_slices().map(|slices| slices.map(|slice| slice.len())), Some([4096, 0x1_0000]));
}
