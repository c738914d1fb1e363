//! The attribute macros of `llext` and `llext-sdk`, and `interface!` for the crate that both sides share.
//!
//! Hosts and extensions find everything here under `llext::` or `llext_sdk::`. Only a crate that declares an interface depends on
//! this one directly, so that an extension needs no part of the run time, nor a host the SDK. What the macros write is
//! complete in itself: it names `core`, and `llext_sdk` where an extension's `#[init]` returns.

use proc_macro::TokenStream;

mod device;
mod entry;
mod export;
mod exports;
mod interface;
mod lifecycle;
mod name;
#[allow(unreachable_pub)]
mod slid;

/// Exports an `extern "C"` function or a static of the host to the extensions it loads.
///
/// The entries of all crates of a program meet in one link section, `llext_exports`; `llext::export::section()` gives them all.
/// A crate that nothing names is not linked: a program says `use drivers as _` to have the exports of `drivers`.
/// `#[export(name = "...")]` exports under another name.
///
/// ```
/// #[llext_macros::export]
/// extern "C" fn led_set(n: u8, on: bool) {}
///
/// #[llext_macros::export(name = "board_ticks")]
/// static TICKS: core::sync::atomic::AtomicU32 = core::sync::atomic::AtomicU32::new(0);
/// ```
#[proc_macro_attribute]
pub fn export(options: TokenStream, item: TokenStream) -> TokenStream {
    finish(export::expand(options.into(), item.into(), entry::Table::Host))
}

/// What `llext::exports!` calls with the name it has for its own crate: that macro is the one to use.
#[doc(hidden)]
#[proc_macro]
pub fn exports(list: TokenStream) -> TokenStream {
    finish(exports::expand(list.into()))
}

/// Exports an `extern "C"` function or a static of an extension: `llext_sdk::export`.
#[proc_macro_attribute]
pub fn extension_export(options: TokenStream, item: TokenStream) -> TokenStream {
    finish(export::expand(options.into(), item.into(), entry::Table::Extension))
}

/// Runs a function when the extension has been loaded, after its constructors: `llext_sdk::init`.
#[proc_macro_attribute]
pub fn init(options: TokenStream, item: TokenStream) -> TokenStream {
    finish(lifecycle::init(options.into(), item.into()))
}

/// Runs a function when the extension is unloaded, before its destructors: `llext_sdk::fini`.
#[proc_macro_attribute]
pub fn fini(options: TokenStream, item: TokenStream) -> TokenStream {
    finish(lifecycle::fini(options.into(), item.into()))
}

/// Declares what a host offers, once, for the host and for its extensions.
///
/// It stands in a crate that both depend on. Extensions get the functions and statics, to be called and used; hosts get a trait
/// to implement, from which `llext::exports!` makes a table.
///
/// ```
/// use core::sync::atomic::{AtomicU32, Ordering};
///
/// llext_macros::interface! {
///     /// What extensions of this board may use.
///     pub trait Board;
///
///     /// Switches light `n`.
///     fn led_set(n: u8, on: bool);
///     /// Fills `n` bytes at `p`; the answer is how many.
///     unsafe fn fill(p: *mut u8, n: usize) -> usize;
///     /// Milliseconds since the start.
///     static TICKS: AtomicU32;
/// }
///
/// // An extension: `use board_api::{led_set, TICKS}`.
/// fn blink() {
///     led_set(0, TICKS.load(Ordering::Relaxed) % 2 == 0);
/// }
///
/// // The host, and then `llext::exports! { pub static HOST = Firmware as Board; }`.
/// struct Firmware;
/// static TICKS_OF_TIMER: AtomicU32 = AtomicU32::new(0);
///
/// impl Board for Firmware {
///     extern "C" fn led_set(n: u8, on: bool) {}
///     unsafe extern "C" fn fill(p: *mut u8, n: usize) -> usize { n }
///     const TICKS: &'static AtomicU32 = &TICKS_OF_TIMER;
/// }
/// # // Nothing here defines the extension's side.
/// # fn main() {}
/// ```
///
/// A function that is not marked `unsafe` is safe for extensions to call: the host vouches that no arguments can do harm. A host
/// whose compiler is older than Rust 1.90 cannot name a static that changes, such as the one above, in a constant.
#[proc_macro]
pub fn interface(declaration: TokenStream) -> TokenStream {
    finish(interface::expand(declaration.into()))
}

/// Declares devices of the host by their places in its devicetree: names that stay the same however often it is rebuilt.
///
/// A host offers them so: `llext::exports! { static HOST; static device!("/soc/uart@4000"): Uart = UART0; }`. The names are those
/// that LLEXT has with its option LLEXT_EXPORT_DEV_IDS_BY_HASH. The type is what host and extension agreed upon.
///
/// ```
/// pub struct Uart { registers: usize }
///
/// llext_macros::device! {
///     /// The console.
///     pub static UART: Uart = "/soc/uart@4000";
/// }
/// # // Nothing here defines the host's side.
/// # fn main() {}
/// ```
#[proc_macro]
pub fn device(declarations: TokenStream) -> TokenStream {
    finish(device::expand(declarations.into()))
}

fn finish(expansion: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    expansion.unwrap_or_else(|error| error.into_compile_error()).into()
}
