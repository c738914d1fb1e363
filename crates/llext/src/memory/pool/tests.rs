use super::*;
use std::vec;
use std::vec::Vec;

const ANYWHERE: Window = Window { low: 0, high: u64::MAX };

fn memory(bytes: usize) -> Vec<MaybeUninit<u8>> {
    vec![MaybeUninit::new(0xaa); bytes]
}

fn request(sizes: [usize; 4], aligns: [usize; 4]) -> Request {
    Request { sizes, aligns, window: ANYWHERE }
}

fn inside(slice: (u64, u64), address: usize, size: usize) -> bool {
    Window { low: slice.0, high: slice.1 }.holds(address as u64, size as u64)
}

fn bounds(memory: &[MaybeUninit<u8>]) -> (u64, u64) {
    let range = memory.as_ptr_range();
    (range.start.addr() as u64, range.end.addr() as u64)
}

#[test]
fn code_and_data_go_to_their_slices() {
    let (mut code, mut data) = (memory(4096), memory(4096));
    let (code_at, data_at) = (bounds(&code), bounds(&data));
    let mut pool = Pool::new(&mut code, &mut data);
    let block = pool.reserve(&request([0, 100, 200, 300], [1, 16, 8, 64])).unwrap();
    let [_, code, constants, data] = block.addresses();
    assert!(inside(code_at, code, 100));
    assert!(inside(data_at, constants, 200) && inside(data_at, data, 300));
    assert_eq!((code % 16, constants % 8, data % 64), (0, 0, 0));
    assert_eq!(pool.in_use(), 600);
    pool.release(block);
    assert_eq!(pool.in_use(), 0);
}

#[test]
fn code_of_an_aliased_pool_runs_elsewhere() {
    let (mut code, mut data) = (memory(4096), memory(4096));
    let (code_at, data_at) = (bounds(&code), bounds(&data));
    for offset in [1 << 20, -4096] {
        let moved = |address: u64| address.wrapping_add_signed(offset as i64);
        let alias = (moved(code_at.0), moved(code_at.1));
        // SAFETY: nothing of this pool is run.
        let mut pool = unsafe { Pool::aliased(&mut code, &mut data, offset) };
        let reach = pool.reach();
        assert_eq!((reach.low, reach.high), (alias.0.min(data_at.0), alias.1.max(data_at.1)));
        let mut block = pool.reserve(&request([0, 100, 200, 300], [1, 16, 8, 64])).unwrap();
        block.commit().unwrap();
        let written = block.working().map(|part| part.as_ptr().addr());
        let [_, runs, constants, data] = block.addresses();
        assert!(inside(code_at, written[1], 100) && inside(alias, runs, 100));
        assert_eq!(runs, written[1].wrapping_add_signed(offset));
        assert_eq!([constants, data], written[2..]);
        pool.release(block);
        let window = Window { low: code_at.0, high: code_at.1 };
        let only_code = Request { window, ..request([0, 100, 0, 0], [16; 4]) };
        assert!(matches!(pool.reserve(&only_code), Err(MemoryError::OutOfReach { .. })));
        assert_eq!(pool.in_use(), 0);
    }
}

#[test]
fn bytes_are_reachable_only_while_a_draft() {
    let mut memory = memory(8192);
    let mut pool = Pool::unified(&mut memory);
    let mut block = pool.reserve(&request([64, 100, 50, 30], [16; 4])).unwrap();
    assert!(block.working().iter().all(|part| part.is_empty()));
    block.commit().unwrap();
    for (part, size) in block.working().into_iter().zip([64, 100, 50, 30]) {
        assert_eq!(part, vec![0; size]);
        part.fill(1);
    }
    block.trim([64, 60, 70, 0]);
    assert_eq!(block.working().map(|part| part.len()), [64, 60, 50, 0]);
    block.seal(&[Segment { offset: 0, size: 64, protection: Protection::ReadExecute }]).unwrap();
    assert!(block.working().iter().all(|part| part.is_empty()));
    block.protect(Segment { offset: 0, size: 8, protection: Protection::Read }).unwrap();
    block.retire();
    pool.release(block);
    assert_eq!(pool.in_use(), 0);
}

#[test]
fn a_block_is_cleared_in_pieces_of_any_size() {
    let mut memory = memory(8192);
    let (mut pool, sizes) = (Pool::unified(&mut memory), [64, 100, 0, 36]);
    for (bytes, pieces) in [(1, 200), (70, 2), (199, 1), (200, 1), (1 << 20, 0)] {
        let mut block = pool.reserve(&request(sizes, [16; 4])).unwrap();
        assert!((0..pieces).all(|_| block.prepare(bytes) == bytes));
        assert_eq!((block.prepare(bytes), block.prepare(bytes)), (200 - bytes * pieces, 0));
        block.commit().unwrap();
        for (part, size) in block.working().into_iter().zip(sizes) {
            assert_eq!(part, vec![0; size], "in pieces of {bytes}");
            part.fill(7);
        }
        assert_eq!(block.prepare(bytes), 0);
        pool.release(block);
    }
    let mut block = pool.reserve(&request(sizes, [16; 4])).unwrap();
    block.prepare(65);
    block.commit().unwrap();
    assert!(block.working().iter().all(|part| part.iter().all(|byte| *byte == 0)));
}

#[test]
fn what_comes_out_of_order_is_refused() {
    let mut memory = memory(1024);
    let mut pool = Pool::unified(&mut memory);
    let mut block = pool.reserve(&request([0, 8, 0, 0], [1; 4])).unwrap();
    let segment = Segment { offset: 0, size: 0, protection: Protection::Read };
    assert_eq!(block.seal(&[]), Err(MemoryError::OutOfOrder { operation: "seal" }));
    assert_eq!(block.protect(segment), Err(MemoryError::OutOfOrder { operation: "protect" }));
    block.commit().unwrap();
    assert_eq!(block.commit(), Err(MemoryError::OutOfOrder { operation: "commit" }));
    let beyond = Segment { size: 1, ..segment };
    let bad = MemoryError::BadSegment { offset: 0, size: 1, limit: 0 };
    assert_eq!(block.seal(&[beyond]), Err(bad));
    block.seal(&[]).unwrap();
    assert_eq!(block.seal(&[]), Err(MemoryError::OutOfOrder { operation: "seal" }));
    block.trim([0; 4]);
    assert_eq!(block.protect(beyond), Err(bad));
    pool.release(block);
    let crooked = pool.reserve(&request([0, 8, 0, 0], [1, 12, 1, 1])).unwrap_err();
    assert_eq!(crooked, MemoryError::BadAlignment { part: Part::Code, align: 12 });
}

#[test]
fn what_does_not_fit_leaves_nothing_behind() {
    let (mut code, mut data) = (memory(2048), memory(1024));
    let mut pool = Pool::new(&mut code, &mut data);
    let (_, largest) = pool.largest_free();
    let full = pool.reserve(&request([0, 100, 0, 4000], [1; 4])).unwrap_err();
    assert_eq!(full, MemoryError::OutOfMemory { part: Part::Data, wanted: 4000, available: largest });
    for size in [usize::MAX, isize::MAX as usize] {
        let error = pool.reserve(&request([0, size, 0, 0], [1 << 31; 4])).unwrap_err();
        assert!(matches!(error, MemoryError::OutOfMemory { part: Part::Code, wanted, .. } if wanted == size));
    }
    let error = pool.scratch(4000).unwrap_err();
    assert_eq!(error, MemoryError::OutOfScratch { wanted: 4000, available: largest });
    assert_eq!(pool.in_use(), 0);
    let split = pool.reserve(&request([8, 0, 0, 0], [1; 4])).unwrap_err();
    assert_eq!(split, MemoryError::SplitMemory);
}

#[test]
fn the_window_is_honoured() {
    let mut memory = memory(4096);
    let mut pool = Pool::unified(&mut memory);
    let reach = pool.reach();
    let wanted = Request { window: reach, ..request([0, 64, 64, 64], [8; 4]) };
    let block = pool.reserve(&wanted).unwrap();
    pool.release(block);
    let window = Window { low: reach.high, high: u64::MAX };
    let far = pool.reserve(&Request { window, ..wanted }).unwrap_err();
    assert_eq!(far, MemoryError::OutOfReach { low: reach.high, high: u64::MAX, wanted: 192 });
    assert_eq!(pool.in_use(), 0);
}

#[test]
fn all_of_a_pool_can_be_had_in_one_piece() {
    for bytes in [512, 1000, 4096, 7 * 1024, 12_345, 100_000] {
        let mut memory = memory(bytes);
        let mut pool = Pool::unified(&mut memory);
        let (largest, _) = pool.largest_free();
        assert!(largest + 4 * GRANULARITY > bytes, "{largest} of {bytes}");
        let block = pool.reserve(&request([0, largest, 0, 0], [8; 4])).unwrap();
        assert_eq!(pool.largest_free(), (0, 0));
        pool.release(block);
        assert_eq!((pool.largest_free().0, pool.in_use()), (largest, 0));
    }
}

#[test]
fn alignment_to_a_page_is_honoured() {
    let mut memory = memory(32 << 10);
    let mut pool = Pool::unified(&mut memory);
    let whole = pool.largest_free();
    let block = pool.reserve(&request([0, 4096, 1, 4096], [1, 4096, 4096, 4096])).unwrap();
    assert!(block.addresses()[1..].iter().all(|address| address % 4096 == 0));
    pool.release(block);
    assert_eq!(pool.largest_free(), whole);
}

#[test]
fn scratch_is_cleared_in_pieces_of_any_size() {
    let mut memory = memory(4096);
    let mut pool = Pool::unified(&mut memory);
    for (bytes, pieces) in [(1, 100), (70, 1), (99, 1), (100, 1), (1 << 20, 0)] {
        let mut scratch = pool.scratch(100).unwrap();
        assert!((0..pieces).all(|_| Pool::clear(&mut scratch, bytes) == bytes));
        let is_clear = bytes * pieces == 100;
        assert_eq!(scratch.as_ref().len(), if is_clear { 100 } else { 0 }, "in pieces of {bytes}");
        assert_eq!(Pool::clear(&mut scratch, bytes), 100 - bytes * pieces);
        assert_eq!(scratch.as_ref(), [0; 100], "in pieces of {bytes}");
        scratch.as_mut().fill(7);
        assert_eq!((Pool::clear(&mut scratch, bytes), scratch.as_mut()[99]), (0, 7));
        pool.give_back(scratch);
    }
    let mut scratch = pool.scratch(100).unwrap();
    Pool::clear(&mut scratch, 65);
    assert_eq!(scratch.as_mut(), [0; 100]);
}

#[test]
fn scratch_is_zeroed_and_comes_back() {
    let mut memory = memory(4096);
    let mut pool = Pool::unified(&mut memory);
    let mut scratch = pool.scratch(1000).unwrap();
    assert_eq!(scratch.as_mut(), vec![0; 1000]);
    assert_eq!(scratch.as_mut().as_ptr().addr() % 16, 0);
    scratch.as_mut()[999] = 7;
    assert_eq!(scratch.as_mut()[999], 7);
    assert_eq!(pool.in_use(), 1000);
    pool.give_back(scratch);
    assert_eq!(pool.scratch(0).unwrap().as_mut(), []);
    assert_eq!(pool.in_use(), 0);
}

#[test]
fn a_block_of_another_pool_is_not_taken() {
    let (mut first, mut second) = (memory(1024), memory(1024));
    let (mut first, mut second) = (Pool::unified(&mut first), Pool::unified(&mut second));
    let block = first.reserve(&request([0, 64, 0, 0], [8; 4])).unwrap();
    second.release(block);
    assert_eq!((first.in_use(), second.in_use()), (64, 0));
}

/// Reserves and releases in an order that a small generator draws, and checks that no two blocks
/// overlap and that everything comes back.
#[test]
fn nothing_overlaps_and_nothing_is_lost() {
    let mut memory = memory(20_000);
    let mut pool = Pool::unified(&mut memory);
    let largest = pool.largest_free();
    let mut draw = 1_u32;
    let mut next = |limit: u32| {
        draw = draw.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((draw >> 8) % limit) as usize
    };
    let mut held = Vec::new();
    for round in 0..10_000_u32 {
        let sizes = [next(50), next(900), next(300), next(700)];
        let aligns = [1 << next(8), 1 << next(8), 1 << next(10), 1 << next(8)];
        if let Ok(mut block) = pool.reserve(&request(sizes, aligns)) {
            block.commit().unwrap();
            block.working().into_iter().for_each(|part| part.fill(round as u8));
            held.push((block, round as u8));
        }
        if held.len() > next(9) {
            let (mut block, mark) = held.swap_remove(next(held.len() as u32));
            assert!(block.working().iter().all(|part| part.iter().all(|&byte| byte == mark)));
            pool.release(block);
        }
    }
    held.into_iter().for_each(|(block, _)| pool.release(block));
    assert_eq!((pool.in_use(), pool.largest_free()), (0, largest));
}

#[test]
fn slices_come_back_when_nothing_of_them_is_reserved() {
    let (mut code, mut data) = (memory(4096), memory(2048));
    let (code_at, data_at) = (bounds(&code), bounds(&data));
    let mut pool = Pool::new(&mut code, &mut data);
    let block = pool.reserve(&request([0, 100, 0, 0], [16; 4])).unwrap();
    pool.release(block);
    let [code, data] = pool.into_slices().unwrap();
    code.fill(MaybeUninit::new(1));
    assert_eq!((bounds(code), bounds(data)), (code_at, data_at));
    let mut pool = Pool::unified(code);
    let _lost = pool.reserve(&request([100, 0, 0, 0], [16; 4])).unwrap();
    assert!(pool.into_slices().is_none());
    let mut none = Pool::empty();
    assert!(none.reserve(&request([0, 1, 0, 0], [1; 4])).is_err());
    assert_eq!(
        (none.largest_free(), none.into_slices().map(|slices| slices.map(|slice| slice.len()))),
        ((0, 0), Some([0, 0]))
    );
}
