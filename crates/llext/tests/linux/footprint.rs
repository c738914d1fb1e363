//! What an extension holds, by how long its file stays: as the benchmark's workloads a and b, beside what LLEXT holds.

use crate::common::compile;
use crate::workload::{Anything, FLAGS, source};
use core::mem::MaybeUninit;
use llext::loader::Footprint;
use llext::memory::Blocks;
use llext::source::{Static, Writable};
use llext::{NoopRawMutex, Pool, Registry, Source};
use object::{Object, ObjectSection, SectionKind};

/// What the image takes while it lives, bytes.
fn live(footprint: &Footprint) -> u32 {
    footprint.parts.iter().sum()
}

fn measure(what: &str, bytes: impl Source) -> Footprint {
    let mut memory = vec![MaybeUninit::uninit(); 1 << 20];
    let apps = crate::Pooled::new(Pool::unified(&mut memory));
    // Nothing runs: so it may be said of any memory that it could.
    let footprint = apps.loader(&Anything).code_in_place(true).verify("app", bytes).unwrap();
    println!("{what}: {} bytes live, {} more while loading", live(&footprint), footprint.scratch);
    footprint
}

/// The bytes of `.exported_sym`, which is always copied, and of all that is loaded.
fn sizes(bytes: &[u8]) -> (u32, u32) {
    let elf = object::File::parse(bytes).unwrap();
    let exported = elf.section_by_name(".exported_sym").unwrap().size() as u32;
    let kinds =
        [SectionKind::Text, SectionKind::Data, SectionKind::ReadOnlyData, SectionKind::ReadOnlyString];
    let loaded = elf.sections().filter(|section| kinds.contains(&section.kind()));
    (exported, loaded.map(|section| section.size() as u32).sum())
}

#[test]
fn what_is_used_in_place_takes_no_memory() {
    for (name, functions, zephyr) in [("a", 2, [895, 424]), ("b", 101, [31_366, 2_008])] {
        let bytes = compile(&format!("footprint_{name}"), &source(functions), FLAGS);
        let (exported, loaded) = sizes(&bytes);
        let lasting = || bytes.repeat(1).leak();
        let temporary = live(&measure(&format!("{name}, temporary (LLEXT {})", zephyr[0]), &bytes[..]));
        let persistent = live(&measure(&format!("{name}, persistent"), Static(lasting())));
        let writable = measure(&format!("{name}, writable (LLEXT {})", zephyr[1]), Writable::new(lasting()));
        let writable = live(&writable);
        assert!(temporary >= loaded && persistent < temporary && writable < persistent);
        // What is left: the record, the table of exports, and an index of at most eight bytes each.
        let rest = live(&measure("record", &compile("footprint_record", "", FLAGS)[..]));
        assert!(
            writable <= rest + exported + 8 * functions as u32 + 16,
            "{writable}, {exported} of it exports"
        );
    }
}

#[test]
fn equal_blocks_hold_any_extension() {
    let (bytes, mut memory) = (compile("blocks", &source(2), FLAGS), vec![MaybeUninit::uninit(); 1 << 16]);
    let apps = Registry::<_, NoopRawMutex, 2>::new(Blocks::<32>::new(&mut memory, 256));
    // SAFETY: nothing of it is run.
    let load = || unsafe { apps.loader(&Anything).bring_up(false).load("app", &bytes[..]) }.unwrap();
    // SAFETY: the closure only looks.
    let free = || unsafe { apps.with_memory(|blocks| (blocks.in_use(), blocks.largest_free())) };
    assert_eq!(free(), (0, 1 << 16));
    for _ in 0..100 {
        let app = load();
        let wanted: usize = app.regions().map(|region| region.size.next_multiple_of(256)).sum();
        assert_eq!(free().0, wanted);
        app.unload().unwrap();
    }
    assert_eq!(free(), (0, 1 << 16));
}
