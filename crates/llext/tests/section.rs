//! What `#[llext::export]` gathers, and an index over it.

use core::sync::atomic::AtomicU32;

use llext::export::{Export, Exports, Index, SymbolName, buckets_for, section};

#[llext::export]
extern "C" fn led_set(_n: u8, _on: bool) {}

#[llext::export(name = "board_fill")]
unsafe extern "C" fn fill(p: *mut u8, n: usize) -> usize {
    // SAFETY: the caller's promise.
    unsafe { p.write_bytes(1, n) };
    n
}

#[llext::export]
static TICKS: AtomicU32 = AtomicU32::new(0);

#[llext::export]
static mut LEVEL: u8 = 0;

#[llext::export]
extern "C" fn r#yield() {}

#[llext::export]
#[cfg(any())]
extern "C" fn not_built() {}

#[llext::export]
extern "C" fn first<'a>(a: &'a [u8; 4], _b: &u8) -> &'a u8 {
    &a[0]
}

fn exports() -> [(&'static str, *const ()); 6] {
    [
        ("led_set", led_set as *const ()),
        ("board_fill", fill as *const ()),
        ("TICKS", (&raw const TICKS).cast()),
        ("LEVEL", (&raw const LEVEL).cast()),
        ("yield", r#yield as *const ()),
        ("first", first as *const ()),
    ]
}

#[test]
fn the_section_has_every_export_of_the_program_and_nothing_else() {
    let found: Vec<(&str, usize)> =
        section().iter().map(|entry| (entry.name().to_str().unwrap(), entry.address())).collect();
    assert_eq!(found.len(), exports().len(), "{found:?}");
    for (name, address) in exports() {
        assert!(found.contains(&(name, address.addr())), "{name} in {found:?}");
    }
}

#[test]
fn an_index_finds_every_export_of_the_section() {
    let mut buckets = vec![0; buckets_for(section().len())];
    let index = Index::build(section(), &mut buckets).unwrap();
    for (name, address) in exports() {
        assert_eq!(index.address(&SymbolName::new(name.as_bytes())), Some(address.addr()), "{name}");
    }
    assert_eq!(index.address(&SymbolName::new(b"not_built")), None);
    assert_eq!(index.find(&SymbolName::new(b"TICKS")).map(Export::name), Some(c"TICKS"));
}
