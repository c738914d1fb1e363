//! The exports of every crate of a program: what the linker gathered from `#[export]` and from C's `EXPORT_SYMBOL`.
//!
//! The entries lie in link section `llext_exports`. On hosted targets the linker says where it begins and ends; on bare
//! metal `llext.x` places it in flash and says so, and a program linked without it does not link.

use super::Export;
#[cfg(feature = "slid")]
use super::{SlidExport, SlidTable};

unsafe extern "C" {
    #[cfg_attr(target_os = "none", link_name = "__llext_exports_start")]
    static __start_llext_exports: Export;
    #[cfg_attr(target_os = "none", link_name = "__llext_exports_stop")]
    static __stop_llext_exports: Export;
    #[cfg(feature = "slid")]
    #[cfg_attr(target_os = "none", link_name = "__llext_slids_start")]
    static __start_llext_slids: SlidExport;
    #[cfg(feature = "slid")]
    #[cfg_attr(target_os = "none", link_name = "__llext_slids_stop")]
    static __stop_llext_slids: SlidExport;
}

/// So that the section exists, and with it its bounds, in a program that exports nothing.
#[used]
#[unsafe(link_section = "llext_exports")]
static NONE: [Export; 0] = [];

/// As above.
#[cfg(feature = "slid")]
#[used]
#[unsafe(link_section = "llext_slids")]
static NO_SLIDS: [SlidExport; 0] = [];

/// Everything that `#[llext::export]` and C's `EXPORT_SYMBOL` put into this program, in no order.
///
/// An [`Index`](super::Index) over it finds names quickly, and so does a [`SortedExports`](super::SortedExports) once
/// `cargo llext prepare` has sorted it. On bare metal, link with `-Tllext.x` before the other scripts.
pub fn section() -> &'static [Export] {
    let start = &raw const __start_llext_exports;
    let bytes = (&raw const __stop_llext_exports).addr() - start.addr();
    // SAFETY: the linker laid the entries of the section side by side between its bounds; they are never written.
    unsafe { core::slice::from_raw_parts(start, bytes / size_of::<Export>()) }
}

/// Everything that C's `EXPORT_SYMBOL` put into this program by SLID: where CONFIG_LLEXT_EXPORT_BUILTINS_BY_SLID is defined.
///
/// `None` if `cargo llext prepare --slid` has not been run on the program: then there are no SLIDs in it yet.
#[cfg(feature = "slid")]
pub fn slid_section() -> Option<SlidTable> {
    let start = &raw const __start_llext_slids;
    let bytes = (&raw const __stop_llext_slids).addr() - start.addr();
    // SAFETY: as for `section`; an entry is two words that may have any value.
    let entries = unsafe { core::slice::from_raw_parts(start, bytes / size_of::<SlidExport>()) };
    SlidTable::prepared(entries)
}
