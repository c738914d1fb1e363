//! What `exports!` and `interface!` make, and where it lies in the program's ELF file.

use core::ffi::{c_char, c_int};
use core::sync::atomic::{AtomicU32, Ordering};

use llext::export::{Export, ExportTable, Exports, SymbolName};

fn address(exports: &impl Exports, name: &str) -> Option<*const ()> {
    exports.address(&SymbolName::new(name.as_bytes())).map(core::ptr::without_provenance)
}

mod board {
    pub(crate) extern "C" fn led_set(_n: u8, _on: bool) {}
}

extern "C" fn sum(a: i32, b: i32) -> i32 {
    a + b
}
unsafe extern "C" fn fill(p: *mut u8, n: usize) -> usize {
    // SAFETY: the caller's promise.
    unsafe { p.write_bytes(1, n) };
    n
}
extern "C" fn longest(a: &u8, _b: &u8) -> *const u8 {
    a
}
extern "C" fn stop() -> ! {
    std::process::abort()
}
extern "C" fn r#type() {}
static TICKS: AtomicU32 = AtomicU32::new(7);
static mut LEVEL: u8 = 3;

unsafe extern "C" {
    fn printf(format: *const c_char, ...) -> c_int;
    static environ: *const *const c_char;
}

llext::exports! {
    /// All that an item of a table can be.
    #[allow(dead_code)]
    pub(crate) static HOST;
    /// A documented function.
    fn sum(a: i32, b: i32) -> i32;
    fn fill(p: *mut u8, n: usize) -> usize;
    fn longest(a: &u8, b: &u8) -> *const u8;
    fn stop() -> !;
    fn r#type();
    fn printf(format: *const c_char, ...) -> c_int;
    fn light(n: u8, on: bool) = board::led_set;
    #[cfg(any())]
    fn not_built();
    static TICKS: AtomicU32;
    static LEVEL: u8;
    static environ: *const *const c_char;
    static clock: AtomicU32 = crate::TICKS;
}

#[test]
fn a_table_gives_the_addresses_of_its_items() {
    for (name, expected) in [
        ("sum", sum as *const ()),
        ("fill", fill as *const ()),
        ("longest", longest as *const ()),
        ("stop", stop as *const ()),
        ("type", r#type as *const ()),
        ("printf", printf as *const ()),
        ("light", board::led_set as *const ()),
        ("TICKS", (&raw const TICKS).cast()),
        ("LEVEL", (&raw const LEVEL).cast()),
        ("environ", (&raw const environ).cast()),
        ("clock", (&raw const TICKS).cast()),
    ] {
        assert_eq!(address(&HOST, name), Some(expected), "{name}");
    }
    assert_eq!(HOST.entries().len(), 11);
}

#[test]
fn a_table_does_not_know_what_is_not_listed() {
    for name in ["", "su", "sum2", "led_set", "not_built", "r#type"] {
        assert_eq!(address(&HOST, name), None, "{name}");
    }
}

#[test]
fn what_a_table_gives_can_be_called() {
    let address = HOST.address(&SymbolName::new(b"sum")).unwrap();
    // SAFETY: the address and the signature of `sum`.
    let sum: extern "C" fn(i32, i32) -> i32 = unsafe { core::mem::transmute(address) };
    assert_eq!(sum(1, 2), 3);
}

#[test]
fn a_table_may_be_empty() {
    llext::exports! { static NOTHING; }
    assert!(NOTHING.entries().is_empty());
    assert_eq!(address(&NOTHING, "sum"), None);
}

#[test]
fn items_may_have_the_names_of_anything_in_a_table() {
    static ENTRIES: u8 = 0;
    static N: u8 = 0;
    extern "C" fn function() {}
    llext::exports! { static TABLE; static ENTRIES: u8; static N: u8; fn function(); }
    assert_eq!(address(&TABLE, "ENTRIES"), Some((&raw const ENTRIES).cast()));
    assert_eq!(address(&TABLE, "function"), Some(function as *const ()));
}

#[test]
fn tables_chain_and_the_first_answer_counts() {
    extern "C" fn other() {}
    llext::exports! { static MORE; fn other(); fn sum() = other; }
    let chain: [&dyn Exports; 2] = [&HOST, &MORE];
    assert_eq!(address(&chain, "sum"), Some(sum as *const ()));
    assert_eq!(address(&chain, "other"), Some(other as *const ()));
}

mod board_api {
    llext::interface! {
        /// What extensions of this board may use.
        pub(crate) trait Board;
        /// Lights that are on, after light `n` was switched.
        fn lights(n: u8, on: bool) -> u8;
        unsafe fn first(p: *const u8) -> u8;
        #[cfg(any())]
        fn not_built();
        static COUNT: super::AtomicU32;
        fn r#move();
    }
}

struct Firmware;
static COUNT: AtomicU32 = AtomicU32::new(0);

impl board_api::Board for Firmware {
    extern "C" fn lights(n: u8, on: bool) -> u8 {
        n + u8::from(on)
    }
    unsafe extern "C" fn first(p: *const u8) -> u8 {
        // SAFETY: the caller's promise.
        unsafe { *p }
    }
    const COUNT: &'static AtomicU32 = &COUNT;
    extern "C" fn r#move() {}
}

llext::exports! { static BOARD = Firmware as board_api::Board; }

#[test]
fn an_implemented_interface_is_a_table() {
    use board_api::Board;
    assert_eq!(address(&BOARD, "lights"), Some(Firmware::lights as *const ()));
    assert_eq!(address(&BOARD, "first"), Some(Firmware::first as *const ()));
    assert_eq!(address(&BOARD, "move"), Some(Firmware::r#move as *const ()));
    assert_eq!(address(&BOARD, "COUNT"), Some((&raw const COUNT).cast()));
    assert_eq!(BOARD.entries().len(), 4);
}

/// The extension's side, linked to the host's by hand: C's linker stands in for the loader.
mod linked {
    use core::sync::atomic::AtomicU32;

    #[unsafe(no_mangle)]
    extern "C" fn double_it(n: u8) -> u8 {
        2 * n
    }
    #[unsafe(no_mangle)]
    static UPTIME: AtomicU32 = AtomicU32::new(5);

    pub(crate) mod api {
        use core::sync::atomic::AtomicU32;

        llext::interface! {
            pub(crate) trait Linked;
            fn double_it(n: u8) -> u8;
            static UPTIME: AtomicU32;
        }
    }
}

#[test]
fn an_extension_calls_safe_functions_of_an_interface_and_uses_its_statics() {
    assert_eq!(linked::api::double_it(4), 8);
    assert_eq!(linked::api::UPTIME.load(Ordering::Relaxed), 5);
}

#[test]
fn entries_lie_in_their_section_of_the_program_s_file() {
    use object::{Object, ObjectSection};

    let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let file = object::File::parse(&*program).unwrap();
    let section = file.section_by_name(".llext.exports").unwrap();
    let tables = [&HOST, &BOARD];
    let listed: usize = tables.iter().map(|table: &&ExportTable| size_of_val(table.entries())).sum();
    assert!(section.size() as usize >= listed);

    for entry in tables.iter().flat_map(|table| table.entries()) {
        let here: *const Export = entry;
        let place = (here.addr() - base()) as u64;
        assert!((section.address()..section.address() + section.size()).contains(&place), "{entry:?}");
    }
}

/// Where this program was loaded: its ELF header, which the linker names.
fn base() -> usize {
    unsafe extern "C" {
        static __executable_start: u8;
    }
    (&raw const __executable_start).addr()
}

#[test]
fn a_program_without_export_attributes_has_an_empty_section() {
    assert!(llext::export::section().is_empty());
}

#[test]
fn an_export_shows_its_name_and_address() {
    let entry = HOST.find(&SymbolName::new(b"sum")).unwrap();
    assert_eq!(entry.name(), c"sum");
    assert!(format!("{entry:?}").starts_with("Export { name: \"sum\", address: 0x"));
}

struct Uart {
    registers: usize,
}
static UART0: Uart = Uart { registers: 0x4000 };

llext::exports! {
    static DEVICES;
    static device!("/soc/uart@4000"): Uart = UART0;
    static device!("/"): Uart = UART0;
    static device!("/test/gpio@deadbeef"): Uart = UART0;
    static device: Uart = UART0;
}

/// The first name is what Python's `base64.b64encode(hashlib.sha256(path).digest(), altchars=b"__")` says, without `=`; the
/// others are from Zephyr's own test of its devicetree, `DT_NODE_HASH`.
#[test]
fn a_device_is_found_by_its_place_in_the_devicetree() {
    for name in [
        "__device_dts_cmBz0NdLJxdAQzBwNl526EiRBf7pjmmSMesWEZgI2zY",
        "__device_dts_il7asoJjJEMhngUeSt4tHVu8Zxx4EFG_FDeJfL3_oPE",
        "__device_dts_kPPqtBX5DX_QDQMO0_cOls2ebJMevAWHhAPY1JCKTyU",
        "device",
    ] {
        assert_eq!(address(&DEVICES, name), Some((&raw const UART0).cast()), "{name}");
    }
    assert_eq!((DEVICES.entries().len(), UART0.registers), (4, 0x4000));
}
