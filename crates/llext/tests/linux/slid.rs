//! Symbols by number: a host without names, extensions with SLIDs, and what is refused where the two are mixed.

use crate::common::compile;
use llext::error::Name;
use llext::export::{Exports, Group, SlidExport, SlidTable, slid, slid_section};
use llext::{Error, Host, Plugin};
use object::elf;
use object::read::elf::{FileHeader, SectionHeader, Sym};

extern "C" fn host_add(a: i32, b: i32) -> i32 {
    a + b
}
static LEVEL: i32 = 2;
struct Firmware;

llext::interface! {
    /// What the last of the tables implements.
    trait Board;
    fn board_twice(n: i32) -> i32;
    static BOARD_LEVEL: i32;
}

impl Board for Firmware {
    extern "C" fn board_twice(n: i32) -> i32 {
        2 * n
    }
    const BOARD_LEVEL: &'static i32 = &LEVEL;
}

llext::exports! {
    static NUMBERS: SlidTable;
    fn host_add(a: i32, b: i32) -> i32;
    #[cfg(any())]
    fn not_built();
    static LEVEL: i32;
}
llext::exports! { static BOARD: SlidTable = Firmware as Board; }
llext::exports! { static NAMES; fn host_add(a: i32, b: i32) -> i32; static LEVEL: i32; }

const PROBE: &str =
    "extern int host_add(int, int); extern const int LEVEL; int probe(void) { return host_add(40, LEVEL); }";
const WEAK: &str =
    "extern int absent(void) __attribute__((weak)); int probe(void) { return absent ? absent() : 42; }";

/// The source as an object and as a shared object, with and without SLIDs.
fn files(name: &str, source: &str) -> [(Vec<u8>, Vec<u8>); 2] {
    [("o", &["-O1"][..]), ("so", &["-O1", "-shared", "-nostdlib"])].map(|(kind, flags)| {
        let bytes = compile(&format!("slid_{name}_{kind}"), source, flags);
        (with_slids(&bytes), bytes)
    })
}

fn host(exports: &'static (dyn Exports + Sync)) -> Host {
    Host::without_libc(exports).unwrap()
}

fn load<'h>(host: &'h Host, name: &str, bytes: &[u8]) -> Result<Plugin<'h>, Error> {
    // SAFETY: the sources of these tests are in these tests.
    unsafe { host.load(name, bytes) }
}

fn probe(plugin: &Plugin<'_>) -> i32 {
    // SAFETY: every `probe` of these tests has this type.
    unsafe { plugin.symbol::<extern "C" fn() -> i32>("probe") }.unwrap().call(())
}

#[cfg(target_pointer_width = "64")]
type Header = elf::FileHeader64<object::Endianness>;
#[cfg(target_pointer_width = "32")]
type Header = elf::FileHeader32<object::Endianness>;

/// Every undefined global symbol's SLID in its `st_value`, by another reader than ours.
fn with_slids(bytes: &[u8]) -> Vec<u8> {
    let mut after = bytes.to_vec();
    let header = Header::parse(bytes).unwrap();
    let endian = header.endian().unwrap();
    let sections = header.sections(endian, bytes).unwrap();
    for kind in [elf::SHT_SYMTAB, elf::SHT_DYNSYM] {
        let table = sections.symbols(endian, bytes, kind).unwrap();
        let Some(start) = sections.iter().find(|section| section.sh_type(endian) == kind) else { continue };
        let start = usize::try_from(start.sh_offset(endian)).unwrap();
        for (index, symbol) in
            table.iter().enumerate().skip(1).filter(|(_, symbol)| symbol.is_undefined(endian))
        {
            let slid = slid(symbol.name(endian, table.strings()).unwrap()).to_le_bytes();
            let value = if cfg!(target_pointer_width = "64") { 8 } else { 4 };
            let at = start + index * size_of_val(symbol) + value;
            after[at..at + slid.len()].copy_from_slice(&slid);
        }
    }
    after
}

#[test]
fn the_tables_have_numbers_and_no_names() {
    for (name, address) in [("host_add", host_add as *const ()), ("LEVEL", (&raw const LEVEL).cast())] {
        assert_eq!(NUMBERS.find(slid(name.as_bytes())).map(|export| export.address()), Some(address.addr()));
    }
    assert_eq!((NUMBERS.entries().len(), BOARD.entries().len()), (2, 2));
    assert!(BOARD.find(slid(b"board_twice")).is_some() && BOARD.find(slid(b"BOARD_LEVEL")).is_some());
    assert!(NUMBERS.find(slid(b"not_built")).is_none());
    assert!(NUMBERS.entries().is_sorted_by_key(|export| export.slid()));
    assert!(BOARD.entries().is_sorted_by_key(|export| export.slid()));
}

#[test]
fn an_extension_with_slids_finds_a_host_without_names() {
    let host = host(&NUMBERS);
    for (numbers, _) in files("found", PROBE) {
        assert_eq!(probe(&load(&host, "app", &numbers[..]).unwrap()), 42);
    }
}

#[test]
fn names_against_numbers_are_refused_and_so_are_numbers_against_names() {
    let (of_numbers, of_names) = (host(&NUMBERS), host(&NAMES));
    for (numbers, names) in files("mixed", PROBE) {
        let refused = load(&of_numbers, "app", &names[..]).unwrap_err();
        assert!(matches!(refused, Error::WithoutSlid { .. }), "{refused}");
        let refused = load(&of_names, "app", &numbers[..]).unwrap_err();
        assert!(matches!(refused, Error::UnexpectedSlid { .. }), "{refused}");
        assert_eq!(probe(&load(&of_names, "app", &names[..]).unwrap()), 42);
    }
}

/// A weak symbol that nobody has is 0: but not because it was asked for in another way than the host answers.
#[test]
fn mixing_is_refused_for_weak_symbols_too() {
    let (of_numbers, of_names) = (host(&NUMBERS), host(&NAMES));
    let absent = Name::new(b"absent");
    for (numbers, names) in files("weak", WEAK) {
        assert_eq!(probe(&load(&of_numbers, "app", &numbers[..]).unwrap()), 42);
        assert_eq!(probe(&load(&of_names, "app", &names[..]).unwrap()), 42);
        let refused = load(&of_numbers, "app", &names[..]).unwrap_err();
        assert_eq!(refused, Error::WithoutSlid { name: absent });
        let text =
            "absent: has no SLID in the extension (found a name, expected a SLID as the host's table has)";
        assert_eq!(refused.to_string(), text);
        let refused = load(&of_names, "app", &numbers[..]).unwrap_err();
        assert_eq!(refused, Error::UnexpectedSlid { name: absent });
        let text = "absent: has a SLID in the extension (expected a name: the host has no table of SLIDs)";
        assert_eq!(refused.to_string(), text);
    }
}

/// A host may have both: what carries no number is then looked for by name.
#[test]
fn tables_of_both_kinds_chain() {
    static BOTH: [&(dyn Exports + Sync); 2] = [&BOARD, &NAMES];
    let host = host(&BOTH);
    let source = "extern int host_add(int, int), board_twice(int); int probe(void) { return host_add(board_twice(20), 2); }";
    for (numbers, _) in files("chain", source) {
        assert_eq!(probe(&load(&host, "app", &numbers[..]).unwrap()), 42);
    }
    for (_, names) in files("chain_names", PROBE) {
        assert_eq!(probe(&load(&host, "app", &names[..]).unwrap()), 42);
    }
}

/// What extensions offer each other stays under its names: an extension with SLIDs keeps them.
#[test]
fn extensions_with_slids_find_each_other_by_name() {
    let host = host(&NUMBERS);
    for (library, _) in files("library", "int thirty(void) { return 30; }") {
        for (user, _) in files(
            "user",
            "extern int thirty(void), host_add(int, int); int probe(void) { return host_add(thirty(), 12); }",
        ) {
            let library = load(&host, "library", &library[..]).unwrap();
            // SAFETY: the sources of these tests are in these tests.
            let user = unsafe { host.loader().needs(&library).load("user", &user[..]) }.unwrap();
            assert_eq!(probe(&user), 42);
        }
    }
}

#[test]
fn an_extension_s_own_exports_are_known_by_number_too() {
    let host = host(&NUMBERS);
    for (number, (with, without)) in files("own", PROBE).into_iter().enumerate() {
        let plugin = load(&host, &format!("own{number}"), &with).unwrap();
        let name = plugin.name_of_slid(slid(b"probe")).unwrap();
        // SAFETY: it has this type.
        let probe = unsafe { plugin.symbol::<extern "C" fn() -> i32>(name) }.unwrap();
        assert_eq!((name, probe.call(())), ("probe", 42));
        assert_eq!(
            [slid(b"host_add"), slid(b"LEVEL"), slid(b""), 0].map(|slid| plugin.name_of_slid(slid)),
            [None; 4]
        );
        assert!(load(&host, "without", &without).is_err());
    }
}

#[test]
fn a_missing_number_is_reported_by_its_name() {
    let host = host(&NUMBERS);
    for (numbers, _) in files("missing", "extern int absent(void); int probe(void) { return absent(); }") {
        let refused = load(&host, "app", &numbers[..]).unwrap_err();
        assert!(
            matches!(refused, Error::Link(llext_link::Error::UndefinedSymbols { count: 1, first }) if first == Name::new(b"absent")),
            "{refused}"
        );
    }
}

#[test]
fn a_group_of_numbers_can_be_denied() {
    static GROUP: Group<&SlidTable> = Group::new("math", &NUMBERS);
    let host = host(&GROUP);
    for (numbers, _) in
        files("denied", "extern int host_add(int, int); int probe(void) { return host_add(40, 2); }")
    {
        assert_eq!(probe(&load(&host, "app", &numbers[..]).unwrap()), 42);
        // SAFETY: the sources of these tests are in these tests.
        let refused = unsafe { host.loader().allow(&["other"]).load("app", &numbers[..]) }.unwrap_err();
        assert_eq!(refused, Error::Denied { name: Name::new(b"host_add"), group: "math" });
    }
}

/// As C's `EXPORT_SYMBOL` and `cargo llext prepare --slid` leave it.
#[used]
#[unsafe(link_section = "llext_slids")]
static GATHERED: SlidExport = SlidExport::new(llext_link::symbol::slid(b"gathered"), host_add as *const ());

#[test]
fn what_was_gathered_and_prepared_is_a_table() {
    let table = slid_section().unwrap();
    assert_eq!(table.entries().len(), 1);
    let found = table.find(slid(b"gathered")).map(SlidExport::address);
    assert_eq!(found, Some(host_add as *const () as usize));
}
