//! What a file that stays saves: its sections are used where they lie.

use crate::common::{compile, load, probe};
use core::ops::Range;
use llext::source::{Static, Writable};
use llext::{Error, Host, Plugin};
use llext_link::Error as LinkError;
use object::{Object, ObjectSection};

extern "C" fn host_add(a: i32, b: i32) -> i32 {
    a + b
}

llext::exports! { static HOST; fn host_add(a: i32, b: i32) -> i32; }

fn host() -> Host {
    Host::without_libc(&HOST).unwrap()
}

/// Constants with and without addresses, variables, calls.
const SOURCE: &str = r#"
    extern int host_add(int, int);
    const int table[4] = { 1, 2, 3, 36 };
    const int *const pointers[2] = { &table[2], &table[3] };
    int counter = 1;
    int *where = &counter;
    int probe(void) { return host_add(*pointers[1], table[0]) + table[1] + table[2] + (*where)++ - 1; }
    const int *table_at(void) { return table; }
    const void *pointers_at(void) { return pointers; }
    int *counter_at(void) { return &counter; }
    typedef int (*function)(void);
    function probe_at(void) { return probe; }
    int leaf(int n) { return n + 1; }"#;

const FLAGS: &[&str] = &["-O1", "-fno-pic", "-fdata-sections", "-ffunction-sections"];

/// What lets code refer to a file far away, or near.
const MODEL: &[&str] = if cfg!(target_arch = "x86_64") {
    &["-mcmodel=large"]
} else if cfg!(target_arch = "riscv64") {
    &["-mcmodel=medany", "-msmall-data-limit=0"]
} else {
    &[]
};

fn object(name: &str) -> &'static mut [u8] {
    aligned(&compile(name, SOURCE, &[FLAGS, MODEL].concat()))
}

/// The bytes at an address that suits every section.
fn aligned(bytes: &[u8]) -> &'static mut [u8] {
    let room = vec![0; bytes.len() + 64].leak();
    let start = room.as_ptr().align_offset(64);
    room[start..][..bytes.len()].copy_from_slice(bytes);
    &mut room[start..][..bytes.len()]
}

fn span(bytes: &[u8]) -> Range<usize> {
    bytes.as_ptr_range().start.addr()..bytes.as_ptr_range().end.addr()
}

/// Whether what `function` answers lies in the file.
fn is_in(file: &Range<usize>, plugin: &Plugin<'_>, function: &str) -> bool {
    // SAFETY: these functions of `SOURCE` answer addresses.
    file.contains(&unsafe { plugin.symbol::<extern "C" fn() -> usize>(function) }.unwrap().call(()))
}

/// Whether constants, constants with addresses, variables and code are in place.
fn places(file: &Range<usize>, plugin: &Plugin<'_>) -> [bool; 4] {
    ["table_at", "pointers_at", "counter_at", "probe_at"].map(|function| is_in(file, plugin, function))
}

#[test]
fn a_slice_for_the_time_of_the_load_is_copied() {
    let bytes = &*object("temporary");
    let plugin = load(&host(), "app", bytes).map(|plugin| (probe(&plugin), places(&span(bytes), &plugin)));
    assert_eq!(plugin, Ok((42, [false; 4])));
}

#[test]
fn constants_without_relocations_stay_where_a_file_stays() {
    let (host, bytes) = (host(), &*object("persistent"));
    let plugin = load(&host, "app", Static(bytes)).unwrap();
    assert_eq!((probe(&plugin), probe(&plugin)), (42, 43));
    assert_eq!(places(&span(bytes), &plugin), [true, false, false, false]);
    let table = plugin.regions().find(|region| region.part == llext::memory::Part::Image).unwrap();
    assert!(span(bytes).contains(&table.address) && table.size >= 16);
}

#[test]
fn what_is_writable_is_linked_and_used_where_it_lies() {
    let (host, bytes) = (host(), object("writable"));
    let file = span(bytes);
    let plugin = load(&host, "app", Writable::new(bytes)).unwrap();
    assert_eq!((probe(&plugin), probe(&plugin)), (42, 43));
    assert_eq!(places(&file, &plugin), [true, true, true, false]);
}

/// Memory that can be run and not be written, with these bytes in it.
fn executable(bytes: &[u8]) -> &'static [u8] {
    unsafe extern "C" {
        fn mmap(at: *mut u8, len: usize, protection: i32, flags: i32, file: i32, offset: isize) -> *mut u8;
        fn mprotect(at: *mut u8, len: usize, protection: i32) -> i32;
    }
    const READ_WRITE: i32 = 3;
    const READ_EXECUTE: i32 = 5;
    const PRIVATE_ANONYMOUS: i32 = 0x22;
    // SAFETY: new memory, which stays, and is written before anybody else knows of it.
    unsafe {
        let start = mmap(core::ptr::null_mut(), bytes.len(), READ_WRITE, PRIVATE_ANONYMOUS, -1, 0);
        assert!(start.addr() % 4096 == 0, "mmap");
        start.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        llext::memory::synchronize(start.addr(), bytes.len());
        assert_eq!(mprotect(start, bytes.len(), READ_EXECUTE), 0);
        core::slice::from_raw_parts(start, bytes.len())
    }
}

/// The address of `leaf`, and what it makes of 41.
fn leaf(plugin: &Plugin<'_>) -> (usize, i32) {
    // SAFETY: that is its type.
    let leaf = unsafe { plugin.symbol::<extern "C" fn(i32) -> i32>("leaf") }.unwrap();
    // SAFETY: only its address is looked at.
    (unsafe { leaf.as_fn() } as usize, leaf.call((41,)))
}

#[test]
fn code_runs_where_it_lies_if_the_caller_says_that_it_can() {
    let (host, bytes) = (host(), executable(object("executable")));
    // SAFETY: the source is above; its memory can be run.
    let plugin = unsafe { host.loader().code_in_place(true).load("app", Static(bytes)) }.unwrap();
    let (address, result) = leaf(&plugin);
    assert!(span(bytes).contains(&address));
    assert_eq!((result, probe(&plugin)), (42, 42));
    assert_eq!(places(&span(bytes), &plugin), [true, false, false, false]);
    assert_eq!(plugin.unload().unwrap(), 0);
    // Without a word about it, code is copied.
    let plugin = load(&host, "app", Static(bytes)).unwrap();
    let (address, result) = leaf(&plugin);
    assert!(!span(bytes).contains(&address));
    assert_eq!(result, 42);
}

#[test]
fn constants_between_code_in_place_are_no_code() {
    let source = r#"
        __attribute__((section(".text.first"))) int first(int n) { return n + 1; }
        const int table[4] = { 1, 2, 3, 36 };
        __attribute__((section(".text.last"))) int last(int n) { return n + 2; }
        __attribute__((section(".init_array"), used)) const void *const up = UP;"#;
    let verified = |name: &str, up: &str| {
        let source = source.replace("UP", up);
        let flags = [FLAGS, MODEL, &["-fno-toplevel-reorder"]].concat();
        let bytes = executable(aligned(&compile(name, &source, &flags)));
        host().loader().code_in_place(true).verify("app", Static(bytes)).err()
    };
    assert_eq!(verified("up", "(const void *)first"), None);
    assert_eq!(verified("up_last", "(const void *)last"), None);
    let refused = verified("up_table", "table");
    assert!(matches!(refused, Some(Error::FunctionOutsideText { array: "init_array", .. })), "{refused:?}");
}

#[test]
fn sections_are_detached_one_by_one() {
    let (host, bytes) = (host(), executable(object("detached")));
    let mut seen = Vec::new();
    let mut cold = |index, name: &[u8]| {
        seen.push((index, String::from_utf8_lossy(name).into_owned()));
        name == b".text.leaf"
    };
    // SAFETY: the source is above; its memory can be run.
    let plugin = unsafe { host.loader().detached(&mut cold).load("app", Static(bytes)) }.unwrap();
    let (address, result) = leaf(&plugin);
    assert!(span(bytes).contains(&address) && result == 42);
    assert_eq!((probe(&plugin), places(&span(bytes), &plugin)), (42, [true, false, false, false]));
    assert!(seen.iter().any(|(_, name)| name == ".rodata.table") && seen.is_sorted());
}

#[test]
fn what_must_stay_and_cannot_is_refused() {
    let (host, bytes) = (host(), &*object("refused"));
    let refusal = |name: &'static str, bytes: &'static [u8], stays: bool| {
        let mut detached = |_, found: &[u8]| found == name.as_bytes();
        let loader = host.loader().detached(&mut detached);
        let refused = if stays { loader.verify("app", Static(bytes)) } else { loader.verify("app", bytes) };
        match refused {
            Err(Error::Link(LinkError::NotInPlace { why, .. })) => why,
            other => panic!("{name}: {other:?}"),
        }
    };
    assert_eq!(refusal(".rodata.table", bytes, false), "the bytes of its file do not stay");
    assert_eq!(refusal(".text.probe", bytes, true), "it has relocations");
    assert_eq!(refusal(".data.counter", bytes, true), "it is written");
    let crooked = &aligned(&[&[0][..], bytes].concat())[1..];
    assert_eq!(refusal(".rodata.table", crooked, true), "it is not aligned");
}

#[test]
fn constants_out_of_reach_are_copied() {
    if cfg!(target_arch = "x86_64") {
        // Addresses of 32 bits, and a file far above.
        let bytes = &*aligned(&compile("low", SOURCE, &["-O1", "-fno-pic", "-mcmodel=small"]));
        assert!(span(bytes).start > 1 << 32);
        let plugin =
            load(&host(), "app", Static(bytes)).map(|plugin| (probe(&plugin), places(&span(bytes), &plugin)));
        assert_eq!(plugin, Ok((42, [false; 4])));
    }
    // Distances of 32 bits: the image goes where they suffice, or its constants go with it.
    let bytes = &*aligned(&compile("near", SOURCE, &["-O1", "-fPIC"]));
    assert_eq!(load(&host(), "app", Static(bytes)).map(|plugin| probe(&plugin)), Ok(42));
    let writable = aligned(&compile("near_writable", SOURCE, &["-O1", "-fPIC"]));
    assert_eq!(load(&host(), "app", Writable::new(writable)).map(|plugin| probe(&plugin)), Ok(42));
}

#[test]
fn constants_for_flash_have_no_relocations() {
    let marked = r#"__attribute__((section(".llext.rodata.noreloc")))"#;
    let source = |what: &str| format!("{marked} {what} int probe(void) {{ return 42; }}");
    let good = &*aligned(&compile(
        "noreloc",
        &source("const int kept[2] = { 1, 2 }; const int *table_at(void) { return kept; }"),
        &["-O1"],
    ));
    let host = host();
    let plugin = load(&host, "app", Static(good)).unwrap();
    assert!(is_in(&span(good), &plugin, "table_at"));
    let bad = compile("reloc", &source("const void *const here = &here;"), &["-O1"]);
    for refused in
        [host.loader().verify("bad", &bad[..]), host.loader().verify("bad", Static(bad.clone().leak()))]
    {
        assert!(matches!(refused, Err(Error::Link(LinkError::RelocatedConstants { .. }))), "{refused:?}");
    }
}

#[test]
fn a_section_in_place_is_no_table() {
    let file = object("overlapping");
    let (symbols, data) = {
        let elf = object::File::parse(&*file).unwrap();
        let at = |name| {
            elf.section_by_name(name).map(|section| (section.index().0, section.file_range().unwrap().0))
        };
        (at(".symtab").unwrap(), at(".data.where").or_else(|| at(".data.rel.where")).unwrap())
    };
    // The section header's sh_offset.
    let wide = cfg!(target_pointer_width = "64");
    let (table_at, entry, field, word) = if wide { (0x28, 64, 0x18, 8) } else { (0x20, 40, 0x10, 4) };
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    let header = number(&file[table_at..][..word]) + data.0 * entry + field;
    file[header..][..word].copy_from_slice(&symbols.1.to_le_bytes()[..word]);
    let refused = host().loader().verify("app", Writable::new(file));
    let section = data.0 as u32;
    let overlap = LinkError::OverlappingSections { section, found: word as u64, expected: 0 };
    assert_eq!(refused, Err(Error::Link(overlap)));
}
