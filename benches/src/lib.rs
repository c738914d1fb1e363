//! The host: 10,000 functions `int name(void)`, each of which returns the number at the end of its name.
//!
//! They are machine code of this program, written by the build script. The program exports them dynamically, which
//! is how dlopen finds them; every other loader gets the same addresses from one table.
//!
//! A library of its own, so that the machine code is compiled once and not whenever a measurement changes.

#![cfg(measurable)]

pub mod names;
pub mod shape;

use llext::export::{Export, ExportTable};
use names::HOST_FUNCTIONS;

core::arch::global_asm!(include_str!(concat!(env!("OUT_DIR"), "/host.s")));

unsafe extern "C" {
    #[link_name = "llext_bench_hashes"]
    safe static HASHES: [u32; HOST_FUNCTIONS];
    #[link_name = "llext_bench_entries"]
    safe static ENTRIES: [Export; HOST_FUNCTIONS];
}

/// Every host function, as `exports!` would list them.
pub static HOST: ExportTable = ExportTable::new(&HASHES, &ENTRIES);
