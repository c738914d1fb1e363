//! Each test runs alone: it looks at the list of mappings, which all threads share.

use super::super::{Block, Memory, MemoryError, Part, Protection, Request, Segment, Window};
use super::*;
use std::env::consts::ARCH;
use std::process::Command;
use std::string::{String, ToString};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::vec;
use std::vec::Vec;

const PAGE: usize = 4096;
const LOW: Window = Window { low: 0, high: 1 << 31 };

fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn request(sizes: [usize; 4], window: Window) -> Request {
    Request { sizes, aligns: [1, 16, 8, 64], window }
}

/// A function that returns 42.
fn forty_two() -> &'static [u8] {
    match ARCH {
        "x86_64" | "x86" => &[0xb8, 42, 0, 0, 0, 0xc3],
        "aarch64" => &[0x40, 0x05, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6],
        "arm" => &[0x2a, 0x00, 0xa0, 0xe3, 0x1e, 0xff, 0x2f, 0xe1],
        "riscv64" | "riscv32" => &[0x13, 0x05, 0xa0, 0x02, 0x67, 0x80, 0x00, 0x00],
        other => panic!("no code for {other}"),
    }
}

fn call(address: usize) -> i32 {
    let pointer = std::ptr::with_exposed_provenance::<()>(address);
    // SAFETY: the tests put the code of such a function there.
    let function = unsafe { std::mem::transmute::<*const (), extern "C" fn() -> i32>(pointer) };
    function()
}

/// The rights of the mappings that hold `size` bytes at `address`, in their order.
fn rights(address: usize, size: usize) -> Vec<String> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let overlaps = |line: &&str| {
        let (range, _) = line.split_once(' ').unwrap();
        let (start, end) = range.split_once('-').unwrap();
        let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).unwrap());
        start < (address + size) as u64 && (address as u64) < end
    };
    maps.lines().filter(overlaps).map(|line| line.split(' ').nth(1).unwrap().to_string()).collect()
}

fn span(block: &LinuxBlock) -> (usize, usize) {
    (block.base.as_ptr().expose_provenance(), block.plan.size)
}

/// Loads the function, and checks what may be done with each part.
fn load_and_call(memory: &mut Linux) -> LinuxBlock {
    let mut block = memory.reserve(&request([0, 100, 200, 300], memory.reach())).unwrap();
    block.commit().unwrap();
    let [_, code, constants, data] = block.working();
    code[..forty_two().len()].copy_from_slice(forty_two());
    constants.fill(1);
    data.fill(2);
    let (base, size) = span(&block);
    assert!(rights(base, size).iter().all(|rights| rights.starts_with("rw-")));
    block.seal(&[]).unwrap();
    assert!(block.working().iter().all(|part| part.is_empty()));
    let [_, code, constants, data] = block.addresses();
    assert_eq!(rights(code, 100), ["r-xp"]);
    assert_eq!(rights(constants, 200), ["r--p"]);
    assert_eq!(rights(data, 300), ["rw-p"]);
    assert_eq!(call(code), 42);
    block
}

#[test]
fn code_runs_once_it_is_sealed_and_goes_away() {
    let _turn = alone();
    let mut memory = Linux::new();
    let mut block = load_and_call(&mut memory);
    let (base, size) = span(&block);
    block.retire();
    assert!(rights(base, size).is_empty());
    memory.release(block);
    let block = load_and_call(&mut memory);
    assert_eq!(span(&block), (base, size), "a freed place is used again");
    drop(block);
    assert!(rights(base, size).is_empty());
}

#[test]
fn blocks_lie_near_the_hosts_code() {
    let _turn = alone();
    let mut memory = Linux::default();
    let text = (blocks_lie_near_the_hosts_code as fn() as *const ()).addr();
    let blocks: Vec<LinuxBlock> = (1..50)
        .map(|n| memory.reserve(&request([0, n * 1000, 0, n * 100_000], memory.reach())).unwrap())
        .collect();
    for block in &blocks {
        let (base, size) = span(block);
        assert!(base.abs_diff(text) < 1 << 31 && (base + size).abs_diff(text) < 1 << 31);
        assert!(memory.nearby().holds(base as u64, size as u64));
    }
}

#[test]
fn the_window_is_honoured() {
    let _turn = alone();
    let mut memory = Linux::new();
    let around = |address: u64| Window { low: address - (1 << 31), high: address + (1 << 31) };
    let stack = std::ptr::from_ref(&memory).addr() as u64;
    let away = if usize::BITS == 32 { 0x9000_0000 } else { 0x1234_5678_9000 };
    for window in [LOW, around(away), around(stack), LOW] {
        let blocks: Vec<LinuxBlock> =
            (0..5).map(|_| memory.reserve(&request([0, 5000, 6000, 7000], window)).unwrap()).collect();
        for block in blocks {
            let (base, size) = span(&block);
            assert!(window.holds(base as u64, size as u64), "{base:#x} in {window:x?}");
            memory.release(block);
        }
    }
}

#[test]
fn a_window_without_room_is_refused() {
    let _turn = alone();
    let mut memory = Linux::new();
    let text = (alone as fn() -> MutexGuard<'static, ()> as *const ()).addr() as u64;
    let taken = Window { low: text & !0xfff, high: (text & !0xfff) + 0x1000 };
    let narrow = Window { low: 0x7000_0000, high: 0x7000_1000 };
    for window in [taken, narrow, Window { low: 0, high: 0 }, Window { low: 5, high: 4 }] {
        let error = memory.reserve(&request([0, 100, 100, 0], window)).unwrap_err();
        assert!(matches!(error, MemoryError::OutOfReach { wanted: 0x2000, .. }), "{error:?}");
    }
    let error = memory.reserve(&request([0, 100, usize::MAX, 100], memory.reach())).unwrap_err();
    assert!(matches!(error, MemoryError::OutOfReach { wanted: usize::MAX, .. }), "{error:?}");
    let crooked = Request { aligns: [1, 1, 1, 24], ..request([0; 4], LOW) };
    let error = memory.reserve(&crooked).unwrap_err();
    assert_eq!(error, MemoryError::BadAlignment { part: Part::Data, align: 24 });
}

#[test]
fn a_crowded_window_is_searched() {
    let _turn = alone();
    let mut memory = Linux::new();
    let window = Window { low: 0x3000_0000, high: 0x3000_0000 + 8 * PAGE as u64 };
    let mut blocks: Vec<LinuxBlock> =
        (0..8).map(|_| memory.reserve(&request([0, 1, 0, 0], window)).unwrap()).collect();
    assert!(memory.reserve(&request([0, 1, 0, 0], window)).is_err());
    let freed = blocks.remove(3).addresses();
    memory.places = Neighbourhood::new(0x1234_5678);
    assert_eq!(memory.reserve(&request([0, 1, 0, 0], window)).unwrap().addresses(), freed);
}

#[test]
fn alignments_above_a_page_are_honoured() {
    let _turn = alone();
    let mut memory = Linux::new();
    let aligns = [1, 1 << 16, 4096, 1 << 21];
    let wanted = Request { aligns, ..request([0, 10, 10, 10], memory.reach()) };
    let block = memory.reserve(&wanted).unwrap();
    for (address, align) in block.addresses().into_iter().zip(aligns) {
        assert_eq!(address % align, 0);
    }
}

#[test]
fn empty_blocks_take_no_memory() {
    let _turn = alone();
    let mut memory = Linux::new();
    let mut block = memory.reserve(&request([0; 4], memory.reach())).unwrap();
    block.commit().unwrap();
    assert_eq!(block.working(), [&[]; 4]);
    block.seal(&[]).unwrap();
    block.retire();
    memory.release(block);
    assert!(memory.scratch(0).unwrap().as_mut().is_empty());
}

#[test]
fn images_are_sealed_by_segment_and_relro_later() {
    let _turn = alone();
    let mut memory = Linux::new();
    let mut block = memory.reserve(&request([6 * PAGE, 0, 0, 0], memory.reach())).unwrap();
    block.commit().unwrap();
    let [image, ..] = block.working();
    image[PAGE + 16..][..forty_two().len()].copy_from_slice(forty_two());
    block
        .seal(&[
            Segment { offset: 0, size: 100, protection: Protection::Read },
            Segment { offset: PAGE + 8, size: 100, protection: Protection::ReadExecute },
            Segment { offset: 3 * PAGE, size: 3 * PAGE, protection: Protection::ReadWrite },
        ])
        .unwrap();
    let base = block.addresses()[0];
    assert_eq!(rights(base, 6 * PAGE), ["r--p", "r-xp", "rw-p"]);
    assert_eq!(call(base + PAGE + 16), 42);
    let relro = Segment { offset: 3 * PAGE + 8, size: PAGE + 100, protection: Protection::Read };
    block.protect(relro).unwrap();
    assert_eq!(rights(base + 2 * PAGE, 4 * PAGE), ["rw-p", "r--p", "rw-p"]);
    assert_eq!(rights(base + 4 * PAGE, 2 * PAGE), ["rw-p"]);
    let beyond = Segment { offset: 6 * PAGE, size: 1, protection: Protection::Read };
    let bad = MemoryError::BadSegment { offset: 6 * PAGE, size: 1, limit: 6 * PAGE };
    assert_eq!(block.protect(beyond), Err(bad));
    memory.release(block);
}

#[test]
fn segments_that_cannot_be_protected_apart_are_refused() {
    let _turn = alone();
    let mut memory = Linux::new();
    let mut block = memory.reserve(&request([2 * PAGE, 0, 0, 0], memory.reach())).unwrap();
    assert_eq!(block.seal(&[]), Err(MemoryError::OutOfOrder { operation: "seal" }));
    block.commit().unwrap();
    let segment = |offset, size, protection| Segment { offset, size, protection };
    let (code, data) = (Protection::ReadExecute, Protection::ReadWrite);
    let shared = MemoryError::SharedPage { offset: 100, page: PAGE };
    assert_eq!(block.seal(&[segment(0, 100, code), segment(100, 100, data)]), Err(shared));
    let bad = MemoryError::BadSegment { offset: 99, size: 100, limit: 2 * PAGE };
    assert_eq!(block.seal(&[segment(0, 100, code), segment(99, 100, code)]), Err(bad));
    assert_eq!(block.working()[0].len(), 2 * PAGE, "a refused list changes nothing");
    block.seal(&[segment(0, 100, code), segment(100, 100, code)]).unwrap();
    assert_eq!(block.commit(), Err(MemoryError::OutOfOrder { operation: "commit" }));
}

#[test]
fn what_is_trimmed_is_given_back() {
    let _turn = alone();
    let mut memory = Linux::new();
    let size = 256 << 10;
    let mut block = memory.reserve(&request([0, size, size, size], memory.reach())).unwrap();
    block.commit().unwrap();
    block.working().into_iter().for_each(|part| part.fill(1));
    let code = block.addresses()[1];
    assert_eq!(resident(code, size), size);
    block.trim([0, 5000, size, size - 5]);
    assert_eq!(block.working().map(|part| part.len()), [0, 5000, size, size - 5]);
    assert_eq!(resident(code, size), 2 * PAGE);
    assert!(block.working().iter().all(|part| part.iter().all(|&byte| byte == 1)));
    block.trim([0, size, 0, 0]);
    assert_eq!(block.working()[1].len(), 5000, "what is given back stays so");
}

/// The bytes of a range that are in memory, by `/proc/self/pagemap`.
fn resident(address: usize, size: usize) -> usize {
    use std::os::unix::fs::FileExt;
    let mut entries = vec![0; size / PAGE * 8];
    let pages = std::fs::File::open("/proc/self/pagemap").unwrap();
    pages.read_exact_at(&mut entries, (address / PAGE * 8) as u64).unwrap();
    entries.chunks_exact(8).filter(|entry| entry[7] & 0x80 != 0).count() * PAGE
}

#[test]
fn parts_that_fill_half_a_huge_page_lie_on_one() {
    let plan = |sizes| Plan::new(&request(sizes, LOW), 4096).unwrap();
    let small = plan([0, HUGE / 2 - 2 * PAGE, PAGE, 64 << 20]);
    assert_eq!((small.huge, small.align), (0, PAGE));
    let full = plan([0, HUGE / 2, 0, 4096]);
    assert_eq!((full.huge, full.size, full.align), (HUGE, HUGE, HUGE));
    let two = plan([HUGE + PAGE, 0, 0, 2 * HUGE]);
    assert_eq!((two.huge, two.size, two.align), (HUGE, 3 * HUGE + PAGE, HUGE));
    let _turn = alone();
    let mut memory = Linux::new();
    let mut block = memory.reserve(&request([0, HUGE - 5, 0, 3 * HUGE], memory.reach())).unwrap();
    block.commit().unwrap();
    block.working()[1][..forty_two().len()].copy_from_slice(forty_two());
    block.seal(&[]).unwrap();
    let [_, code, _, data] = block.addresses();
    assert_eq!((code % HUGE, data % HUGE), (0, 0));
    assert_eq!((resident(data, 3 * HUGE), call(code)), (0, 42));
}

#[test]
fn scratch_is_zeroed_and_aligned() {
    let mut scratch = Linux::new().scratch(100_001).unwrap();
    assert_eq!(scratch.as_mut(), vec![0; 100_001]);
    assert_eq!(scratch.as_mut().as_ptr().addr() % 16, 0);
    let error = Linux::new().scratch(usize::MAX).unwrap_err();
    assert_eq!(error, MemoryError::OutOfScratch { wanted: usize::MAX, available: 0 });
}

#[test]
fn code_runs_from_a_file_in_memory() {
    let _turn = alone();
    let mut block = Linux::new().reserve(&request([0, 5000, 10, 0], LOW)).unwrap();
    block.commit().unwrap();
    block.working()[1][4990..][..forty_two().len()].copy_from_slice(forty_two());
    block.stage = Stage::Sealed;
    let code = block.start(Part::Code);
    // SAFETY: the pages are the block's, and nothing borrows them.
    unsafe { make_executable_by_file(code, block.extent(Part::Code)).unwrap() };
    code.expose_provenance();
    assert_eq!(rights(code.addr(), 2 * PAGE), ["r-xp"]);
    assert_eq!(call(code.addr() + 4990), 42);
    let (base, size) = span(&block);
    drop(block);
    assert!(rights(base, size).is_empty());
}

/// Where the test below finds that it is the process to be restricted.
const RESTRICTED: &str = "LLEXT_TEST_MDWE";

/// What was once writable can never be executable in a process that asked for it, and such a process
/// cannot ask for less: so the test starts itself once more.
#[test]
fn code_runs_under_mdwe() {
    if std::env::var_os(RESTRICTED).is_some() {
        return restricted();
    }
    let (_, module) = module_path!().split_once("::").unwrap();
    let name = std::format!("{module}::code_runs_under_mdwe");
    let child = Command::new(std::env::current_exe().unwrap())
        .args([&name, "--exact", "--nocapture"])
        .env(RESTRICTED, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{said}{}", String::from_utf8_lossy(&child.stderr));
    assert!(said.contains("1 passed"), "{said}");
}

fn restricted() {
    unsafe extern "C" {
        fn prctl(option: i32, value: usize, third: usize, fourth: usize, fifth: usize) -> i32;
    }
    const PR_SET_MDWE: i32 = 65;
    // SAFETY: only restricts what memory this process may make executable.
    if unsafe { prctl(PR_SET_MDWE, 1, 0, 0, 0) } != 0 {
        std::eprintln!(
            "not tested under MDWE, which came with Linux 6.3: {}",
            std::io::Error::last_os_error()
        );
        return;
    }
    let mut memory = Linux::new();
    let block = load_and_call(&mut memory);
    memory.release(block);
    let mut block = memory.reserve(&request([2 * PAGE, 0, 0, 0], LOW)).unwrap();
    block.commit().unwrap();
    block.working()[0][..forty_two().len()].copy_from_slice(forty_two());
    block.seal(&[Segment { offset: 0, size: PAGE, protection: Protection::ReadExecute }]).unwrap();
    let image = block.addresses()[0];
    assert_eq!((call(image), rights(image, PAGE)), (42, vec!["r-xp".to_string()]));
    assert_eq!(rights(image + PAGE, PAGE), ["rw-p"]);
}
