//! `exports!`: a table of what the host offers, made at compile time.

/// Makes an [`ExportTable`](crate::export::ExportTable) of functions and statics.
///
/// The items exist already and are in scope; the list repeats their signatures, and the compiler compares. A function has the
/// C ABI. `= path` exports an item under another name than its own.
///
/// ```
/// use core::sync::atomic::AtomicU32;
/// use llext::export::{Exports, SymbolName};
///
/// extern "C" fn led_set(n: u8, on: bool) {}
/// unsafe extern "C" fn fill(p: *mut u8, n: usize) -> usize { n }
/// static TICKS: AtomicU32 = AtomicU32::new(0);
///
/// llext::exports! {
///     /// What extensions of this board may use.
///     pub static HOST;
///     fn led_set(n: u8, on: bool);
///     fn board_fill(p: *mut u8, n: usize) -> usize = fill;
///     static TICKS: AtomicU32;
/// }
///
/// assert_eq!(HOST.address(&SymbolName::new(b"TICKS")), Some((&raw const TICKS).addr()));
/// assert_eq!(HOST.address(&SymbolName::new(b"fill")), None);
/// ```
///
/// `static device!("/soc/uart@4000"): Uart = UART0;` exports a static as the device at that place in a devicetree: extensions
/// written in Rust declare it with `llext_sdk::device!`.
///
/// What [`interface!`](crate::interface) declared and `Firmware` implements is a table of its own:
/// `exports! { pub static HOST = Firmware as Board; }`. Tables chain: `[&HOST, &MORE]` is
/// [`Exports`](crate::export::Exports) as well.
///
/// `static HOST: SlidTable;` makes a [`SlidTable`](crate::export::SlidTable): without names, for extensions that carry
/// numbers instead (feature `slid`).
///
/// Names are hashed and sorted at compile time. The entries lie in link section `.llext.exports`, where a tool finds them in the
/// host's ELF file.
///
/// # Compile errors
///
/// Another ABI than C:
/// ```compile_fail,E0308
/// fn led_set(n: u8) {}
/// llext::exports! { static HOST; fn led_set(n: u8); }
/// ```
/// another signature:
/// ```compile_fail,E0308
/// extern "C" fn led_set(n: u8) {}
/// llext::exports! { static HOST; fn led_set(n: u16); }
/// ```
/// another type of a static:
/// ```compile_fail,E0308
/// static LEVEL: u8 = 1;
/// llext::exports! { static HOST; static LEVEL: i8; }
/// ```
/// a constant, which has no address:
/// ```compile_fail,E0745
/// const LEVEL: u8 = 1;
/// llext::exports! { static HOST; static LEVEL: u8; }
/// ```
/// one name twice, or two names of one hash:
/// ```compile_fail
/// extern "C" fn led_set(n: u8) {}
/// llext::exports! { static HOST; fn led_set(n: u8); fn led_set(n: u8); }
/// ```
#[macro_export]
macro_rules! exports {
    ($($list:tt)*) => { $crate::export::__exports! { $crate; $($list)* } };
}
