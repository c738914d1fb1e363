//! A pool and a unit that only remembers what it was told.

use super::super::armv8m;
use super::*;
use std::vec;
use std::vec::Vec;

/// An Armv8-M unit without hardware.
#[derive(Debug)]
struct Double {
    regions: usize,
    spans: Vec<Span>,
}

// SAFETY: nothing is protected from anyone, and nothing is run.
unsafe impl Protect for Double {
    fn granule(&self) -> usize {
        32
    }

    fn fit(&self, size: usize) -> (usize, usize) {
        armv8m::fit(size)
    }

    fn protect(&mut self, spans: &[Span]) -> Result<(), MemoryError> {
        armv8m::plan(spans).within(self.regions)?;
        self.spans = spans.to_vec();
        Ok(())
    }
}

fn unit(regions: usize) -> Shield<Double> {
    Shield::new(Double { regions, spans: Vec::new() })
}

/// What may be done at an address now.
fn allowed(shield: &Shield<Double>, address: usize) -> Option<Protection> {
    let spans = shield.with(|state| state.unit().spans.clone());
    spans.iter().find(|span| span.holds(address)).map(|span| span.protection)
}

fn memory(bytes: usize) -> Vec<MaybeUninit<u8>> {
    vec![MaybeUninit::uninit(); bytes]
}

fn request() -> Request {
    Request { sizes: [0, 100, 50, 30], aligns: [1, 4, 8, 4], window: Window { low: 0, high: u64::MAX } }
}

const AT_REST: [Option<Protection>; 3] =
    [Some(Protection::ReadExecute), Some(Protection::Read), Some(Protection::ReadWrite)];
const WHILE_LOADING: [Option<Protection>; 3] = [Some(Protection::ReadWrite); 3];

#[test]
fn a_block_is_open_until_it_is_sealed() {
    let (mut code, mut constants, mut data) = (memory(4096), memory(4096), memory(4096));
    let shield = unit(8);
    let mut pool = Protected::new(&shield, &mut code, &mut constants, &mut data).unwrap();
    let now = |block: &ProtectedBlock<'_, Double>| {
        let [_, code, constants, data] = block.addresses();
        [code, constants, data].map(|address| allowed(&shield, address))
    };
    let mut first = pool.reserve(&request()).unwrap();
    assert_eq!(now(&first), WHILE_LOADING);
    let [_, code, constants, data] = first.addresses();
    assert_eq!([code % 32, constants % 32, data % 4], [0; 3]);
    first.commit().unwrap();
    assert_eq!(first.working().map(|part| part.len()), [0, 128, 64, 30]);
    first.seal(&[]).unwrap();
    assert_eq!(now(&first), AT_REST);
    let second = pool.reserve(&request()).unwrap();
    assert_eq!((now(&first), now(&second)), (AT_REST, WHILE_LOADING));
    pool.release(second);
    assert_eq!(now(&first), AT_REST);
    first.retire();
    pool.release(first);
    assert_eq!(pool.in_use(), 0);
    assert_eq!(shield.with(|state| state.unit().spans.len()), 3);
}

#[test]
fn more_loads_than_regions_are_refused_and_leave_nothing() {
    let (mut code, mut constants, mut data) = (memory(4096), memory(4096), memory(4096));
    let shield = unit(8);
    let mut pool = Protected::new(&shield, &mut code, &mut constants, &mut data).unwrap();
    let first = pool.reserve(&request()).unwrap();
    let before = (pool.in_use(), shield.with(|state| state.unit().spans.clone()));
    let refused = pool.reserve(&request()).unwrap_err();
    assert!(matches!(refused, MemoryError::OutOfRegions { wanted: 9.., available: 8 }), "{refused}");
    assert_eq!((pool.in_use(), shield.with(|state| state.unit().spans.clone())), before);
    let full = pool.reserve(&Request { sizes: [0, 8000, 0, 0], ..request() }).unwrap_err();
    assert!(matches!(full, MemoryError::OutOfMemory { part: Part::Code, wanted: 8000, .. }), "{full}");
    let full = pool.reserve(&Request { sizes: [0, 8, 8000, 0], ..request() }).unwrap_err();
    assert!(matches!(full, MemoryError::OutOfMemory { part: Part::Constants, .. }), "{full}");
    assert_eq!((pool.in_use(), shield.with(|state| state.unit().spans.clone())), before);
    pool.release(first);
    assert_eq!(pool.in_use(), 0);
}

#[test]
fn slices_are_protected_up_to_their_last_whole_granule() {
    let (mut code, mut constants, mut data) = (memory(4096), memory(100), memory(20));
    let range = code[1..4000].as_ptr_range();
    let shield = unit(8);
    let pool = Protected::new(&shield, &mut code[1..4000], &mut constants, &mut data).unwrap();
    let spans = shield.with(|state| state.unit().spans.clone());
    let text = spans[0];
    assert!(text.start >= range.start.addr() && text.start - range.start.addr() < 32 && text.start % 32 == 0);
    assert!(text.end <= range.end.addr() && range.end.addr() - text.end < 32 && text.end % 32 == 0);
    assert!(spans[2].end - spans[2].start < 20);
    assert_eq!(pool.in_use(), 0);
}

#[test]
fn slices_may_hold_no_granule_at_all() {
    let mut all = memory(3 * 64);
    for size in 0..=64 {
        for start in 0..=64 - size {
            let shield = unit(8);
            let mut slices = all.chunks_mut(64).map(|slice| &mut slice[start..start + size]);
            let [code, constants, data] = [(); 3].map(|()| slices.next().unwrap());
            let mut pool = Protected::new(&shield, code, constants, data).unwrap();
            assert!(pool.reserve(&Request { sizes: [0, 65, 1, 1], ..request() }).is_err());
            assert_eq!(pool.in_use(), 0);
        }
    }
    assert!(Protected::new(&unit(8), &mut [], &mut [], &mut []).is_ok());
}

#[test]
fn a_unit_with_too_few_regions_is_told_at_once() {
    let (mut code, mut constants, mut data) = (memory(4096), memory(4096), memory(4096));
    let error = Protected::new(&unit(2), &mut code, &mut constants, &mut data).map(drop);
    assert_eq!(error, Err(MemoryError::OutOfRegions { wanted: 3, available: 2 }));
}

#[test]
fn slices_lie_within_reach_of_each_other() {
    let span = |start: usize| Span { start, end: start + 4096, protection: Protection::Read };
    assert_eq!(check_spread(&[span(4096), span(0x7fff_f000 + 4096 - 4096)]), Ok(()));
    let error = check_spread(&[span(0x8000_1000), span(4096)]);
    assert_eq!(error, Err(MemoryError::OutOfReach { low: 4096, high: 0x8000_1000, wanted: 0x8000_1000 }));
}
