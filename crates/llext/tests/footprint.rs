//! What an extension holds, by how long its file stays: as the benchmark's workloads a and b, beside what LLEXT holds.
#![cfg(all(feature = "std", target_os = "linux", target_arch = "x86_64"))]

#[path = "common/cc.rs"]
mod cc;

use cc::compile;
use core::mem::MaybeUninit;
use llext::export::{Exports, SymbolName};
use llext::loader::Footprint;
use llext::memory::Blocks;
use llext::source::{Static, Writable};
use llext::{NoopRawMutex, Pool, Registry, Source};
use object::{Object, ObjectSection, SectionKind};
use std::fmt::Write as _;

/// Provides whatever is asked for; nothing of it is called.
struct Anything;

impl Exports for Anything {
    fn address(&self, _: &SymbolName<'_>) -> Option<usize> {
        Some(0x1234_5678)
    }
}

/// `functions` exported functions of ten calls each, exported as LLEXT's extensions do.
fn source(functions: usize) -> String {
    let mut text = String::from(
        "struct entry { const char *const name; const void *const address; };
        #define EXPORT(f) static const struct entry __attribute__((section(\".exported_sym\"), used)) \
        entry_##f = { #f, (const void *)&f };\n",
    );
    for function in 0..functions {
        let calls: Vec<_> = (0..10).map(|call| format!("host_{}()", (function * 10 + call) % 100)).collect();
        calls.iter().for_each(|call| writeln!(text, "int {call};").unwrap());
        writeln!(text, "int ext_fn_{function:05}(void) {{ return {}; }}", calls.join(" + ")).unwrap();
        writeln!(text, "EXPORT(ext_fn_{function:05})").unwrap();
    }
    text
}

/// What the image takes while it lives, bytes.
fn live(footprint: &Footprint) -> u32 {
    footprint.parts.iter().sum()
}

fn measure(what: &str, bytes: impl Source) -> Footprint {
    let mut memory = vec![MaybeUninit::uninit(); 1 << 20];
    let apps = Registry::<Pool<'_>, NoopRawMutex, 2>::new(Pool::unified(&mut memory));
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
    let flags = ["-O1", "-ffreestanding", "-fno-pic", "-fno-asynchronous-unwind-tables", "-mcmodel=large"];
    for (name, functions, zephyr) in [("a", 2, [895, 424]), ("b", 101, [31_366, 2_008])] {
        let bytes = compile(&format!("footprint_{name}"), &source(functions), &flags);
        let (exported, loaded) = sizes(&bytes);
        let lasting = || bytes.repeat(1).leak();
        let temporary = live(&measure(&format!("{name}, temporary (LLEXT {})", zephyr[0]), &bytes[..]));
        let persistent = live(&measure(&format!("{name}, persistent"), Static(lasting())));
        let writable = measure(&format!("{name}, writable (LLEXT {})", zephyr[1]), Writable::new(lasting()));
        let writable = live(&writable);
        assert!(temporary >= loaded && persistent < temporary && writable < persistent);
        // What is left: the record, the table of exports, and an index of at most eight bytes each.
        let rest = live(&measure("record", &compile("footprint_record", "", &flags)[..]));
        assert!(
            writable <= rest + exported + 8 * functions as u32 + 16,
            "{writable}, {exported} of it exports"
        );
    }
}

#[test]
fn equal_blocks_hold_any_extension() {
    let flags = ["-O1", "-ffreestanding", "-fno-pic", "-mcmodel=large"];
    let (bytes, mut memory) = (compile("blocks", &source(2), &flags), vec![MaybeUninit::uninit(); 1 << 16]);
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
