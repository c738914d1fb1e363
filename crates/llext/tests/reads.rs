//! How often a file is read that is only read: relocations twice, to count and to apply, and all else once.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

#[path = "common/cc.rs"]
mod cc;
#[path = "common/workload.rs"]
mod workload;

use cc::compile;
use core::mem::MaybeUninit;
use core::ops::Range;
use core::task::Poll;
use llext::source::{ReadError, ReadOnly, Source};
use llext::{NoopRawMutex, Pool, Registry};
use object::elf::{SHF_ALLOC, SHT_NOBITS, SHT_RELA};
use object::read::elf::{ElfFile64, SectionHeader};
use object::{Endianness, Object, ObjectSection};
use workload::{Anything, FLAGS, source};

/// How many relocations one read brings.
const BATCH: u64 = if cfg!(feature = "std") { 1024 } else { 64 };
/// The sizes of records, bytes.
const RELOCATION: u64 = 24;
const SECTION_HEADER: u64 = 64;

/// A file that keeps account of its reads.
struct Counted<'a> {
    bytes: &'a [u8],
    reads: Vec<Range<u64>>,
}

impl Source for Counted<'_> {
    fn size(&mut self) -> Result<u64, ReadError> {
        Ok(self.bytes.len() as u64)
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        self.reads.push(offset..offset + buffer.len() as u64);
        ReadOnly(self.bytes).read_at(offset, buffer)
    }
}

/// The reads of a load in steps of `budget`.
fn reads(bytes: &[u8], budget: u32) -> Vec<Range<u64>> {
    let mut memory = vec![MaybeUninit::uninit(); 4 << 20];
    let apps = Registry::<Pool<'_>, NoopRawMutex, 2>::new(Pool::unified(&mut memory));
    let mut source = Counted { bytes, reads: Vec::new() };
    // As the loads of other tests here, which are made for all kinds at once.
    let any: &mut dyn Source = &mut source;
    // SAFETY: nothing of it is run.
    let mut load = unsafe { apps.loader(&Anything).bring_up(false).start("app", any) }.unwrap();
    let ended = loop {
        if let Poll::Ready(ended) = load.step(budget) {
            break ended;
        }
    };
    ended.unwrap().unload().unwrap();
    drop(load);
    source.reads
}

/// What an independent reader says of a file.
struct Facts {
    /// Where relocations lie, tables that touch as one.
    tables: Vec<Range<u64>>,
    /// How many sections are loaded, and have contents.
    contents: u64,
    sections: u64,
}

fn facts(bytes: &[u8]) -> Facts {
    let elf = ElfFile64::<Endianness>::parse(bytes).unwrap();
    let mut facts = Facts { tables: Vec::new(), contents: 0, sections: elf.sections().count() as u64 + 1 };
    for section in elf.sections() {
        let header = section.elf_section_header();
        let (kind, size) = (header.sh_type(elf.endian()), section.size());
        let start = header.sh_offset(elf.endian());
        let is_loaded = header.sh_flags(elf.endian()).contains(SHF_ALLOC);
        facts.contents += u64::from(is_loaded && kind != SHT_NOBITS && size > 0);
        match facts.tables.last_mut() {
            _ if kind != SHT_RELA => {}
            Some(last) if last.end == start => last.end += size,
            _ => facts.tables.push(start..start + size),
        }
    }
    facts
}

/// How often each byte was read.
fn times(bytes: &[u8], reads: &[Range<u64>]) -> Vec<u32> {
    let mut times = vec![0; bytes.len()];
    for read in reads {
        times[read.start as usize..read.end as usize].iter_mut().for_each(|count| *count += 1);
    }
    times
}

/// Two reads for each batch of relocations that lie side by side, one for what is loaded of each section and for each batch
/// of section headers; beside these the header of the file and that of section 0, and the tables of symbols, their names and the
/// sections' names.
fn check_object(what: &str, bytes: &[u8]) {
    let Facts { tables, contents, sections } = facts(bytes);
    let size: u64 = tables.iter().map(|table| table.end - table.start).sum();
    let batches: u64 =
        tables.iter().map(|table| ((table.end - table.start) / RELOCATION).div_ceil(BATCH)).sum();
    let is_table =
        |read: &&Range<u64>| tables.iter().any(|table| table.start <= read.start && read.end <= table.end);
    for budget in [u32::MAX, 7, 1] {
        let reads = reads(bytes, budget);
        let of_tables = reads.iter().filter(is_table).count() as u64;
        assert!(of_tables <= 2 * batches, "{what}: {of_tables} reads of {batches} batches");
        for (at, count) in times(bytes, &reads).into_iter().enumerate() {
            let byte = at as u64..at as u64 + 1;
            let most = if is_table(&&byte) { 2 } else { 1 };
            assert!(count <= most, "{what}: byte {at} was read {count} times");
        }
        if budget == u32::MAX {
            let headers = (sections * SECTION_HEADER).div_ceil(BATCH * RELOCATION);
            let (count, others) = (reads.len() as u64, contents + headers + 5);
            println!("{what}: {} relocations, {count} reads, {of_tables} of relocations", size / RELOCATION);
            assert!(
                count <= of_tables + others,
                "{what}: {count} reads, {of_tables} of relocations, {others} others"
            );
        }
    }
}

#[test]
fn relocations_of_an_object_are_read_twice_in_batches_and_all_else_once() {
    for functions in [2, 400] {
        let whole = compile("reads", &source(functions), FLAGS);
        check_object("one section", &whole);
        let flags = [FLAGS, &["-ffunction-sections", "-fdata-sections"]].concat();
        let sections = compile("reads_sections", &source(functions), &flags);
        check_object("a section each function", &sections);
    }
}

/// What a table of relocations is read for in a shared object is its image, copied from the file once.
#[test]
#[cfg(feature = "shared")]
fn of_a_shared_object_the_headers_are_read_twice_and_all_else_once() {
    let bytes = compile("reads_shared", &source(400), &["-O1", "-shared", "-nostdlib"]);
    let elf = ElfFile64::<Endianness>::parse(&*bytes).unwrap();
    let segments = elf.elf_program_headers();
    let headers = size_of_val(elf.elf_header()) + size_of_val(segments);
    let reads = reads(&bytes, u32::MAX);
    let (sections, contents) = (facts(&bytes).sections, segments.len() as u64);
    let batches = (sections * SECTION_HEADER).div_ceil(BATCH * RELOCATION) + 1;
    assert!(reads.len() as u64 <= 5 + contents + batches, "{} reads", reads.len());
    let twice = times(&bytes, &reads).into_iter().enumerate().filter(|(_, count)| *count > 1);
    for (at, count) in twice {
        assert!(at < headers && count == 2, "byte {at} was read {count} times");
    }
}
