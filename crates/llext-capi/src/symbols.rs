//! What the program exports to extensions, and finding symbols by name.

use crate::hooks::thread_locals;
use crate::table;
use crate::types::{Symbol, SymbolTable, text};
use core::ffi::{c_char, c_void};
use core::ptr::null;
use core::sync::atomic::{AtomicU8, Ordering};
use llext::export::{Export, Exports, SymbolName, fingerprint, section};

/// What C's `EXPORT_SYMBOL` put into this program.
pub(crate) struct Builtins;

const UNKNOWN: u8 = 0;
const SORTED: u8 = 1;
const UNSORTED: u8 = 2;

/// Whether the names ascend, as `cargo llext prepare` leaves them: found out once.
static ORDER: AtomicU8 = AtomicU8::new(UNKNOWN);

fn is_sorted(entries: &[Export]) -> bool {
    match ORDER.load(Ordering::Relaxed) {
        UNKNOWN => {
            let sorted = entries.is_sorted_by(|one, other| one.name() < other.name());
            ORDER.store(if sorted { SORTED } else { UNSORTED }, Ordering::Relaxed);
            sorted
        }
        order => order == SORTED,
    }
}

fn by_name(name: &[u8]) -> Option<usize> {
    let entries = section();
    let found = if is_sorted(entries) {
        entries.get(entries.binary_search_by(|entry| entry.name().to_bytes().cmp(name)).ok()?)
    } else {
        entries.iter().find(|entry| entry.name().to_bytes() == name)
    };
    found.map(Export::address)
}

#[cfg(feature = "slid")]
fn slids() -> Option<llext::export::SlidTable> {
    llext::export::slid_section().filter(|table| !table.entries().is_empty())
}

impl Exports for Builtins {
    fn address(&self, name: &SymbolName<'_>) -> Option<usize> {
        #[cfg(feature = "slid")]
        if let Some(address) = slids().and_then(|table| table.address(name)) {
            return Some(address);
        }
        if name.bytes.is_empty() {
            return None;
        }
        // SAFETY: `llext_set_thread_locals` was promised a table.
        let thread_local = || unsafe { listed(thread_locals()?, name.bytes) };
        by_name(name.bytes).or_else(thread_local)
    }

    /// Names of libraries count for nothing, as in LLEXT: what is missing is found out by the symbols.
    fn provides(&self, _: &[u8]) -> bool {
        true
    }

    #[cfg(feature = "slid")]
    fn has_slids(&self) -> bool {
        slids().is_some()
    }

    /// Names and addresses, SLIDs and addresses, and where variables of threads lie.
    fn fingerprint(&self) -> Option<u64> {
        let of_name = |name: &[u8]| fingerprint(name.iter().map(|byte| (u64::from(*byte), 0)));
        let names = section().iter().map(|entry| (of_name(entry.name().to_bytes()), entry.address()));
        // SAFETY: `llext_set_thread_locals` was promised a table.
        let variables = unsafe { thread_locals().map_or(&[][..], |table| symbols(table)) };
        let names = names.chain(variables.iter().map(|one| {
            // SAFETY: as above.
            let name = unsafe { text(one.name) }.unwrap_or_default();
            (of_name(name), one.addr.addr())
        }));
        #[cfg(feature = "slid")]
        let names = names.chain(
            slids()
                .into_iter()
                .flat_map(|table| table.entries())
                .map(|one| (one.slid() as u64, one.address())),
        );
        Some(fingerprint(names))
    }
}

/// The address of a symbol: of the program's if `sym_table` is null, where `sym_name` is a SLID if these are how it exports;
/// else of an extension's `exp_tab`, or of a table of the caller's own. Null if there is none.
///
/// # Safety
/// The table is one that `sym_name` may be looked up in, and that is a string or, as said, a SLID.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_find_sym(
    sym_table: *const SymbolTable,
    sym_name: *const c_char,
) -> *const c_void {
    // SAFETY: the caller vouches for table and name.
    let found = unsafe {
        match (sym_table.is_null(), table::holder(sym_table.cast())) {
            (true, _) => find_builtin(sym_name),
            (_, Some(ext)) => text(sym_name).and_then(|name| exported(ext, name)),
            _ => text(sym_name).and_then(|name| listed(sym_table, name)),
        }
    };
    found.map_or(null(), core::ptr::without_provenance)
}

/// # Safety
/// The name is a string, or a SLID where the program has a table of these.
unsafe fn find_builtin(name: *const c_char) -> Option<usize> {
    #[cfg(feature = "slid")]
    if let Some(table) = slids() {
        return table.find(name.addr()).map(|export| export.address());
    }
    // SAFETY: the caller vouches for it.
    by_name(unsafe { text(name) }?)
}

/// The address of an extension's export; `None` as well if the extension is gone.
pub(crate) fn exported(ext: *const crate::types::Llext, name: &[u8]) -> Option<usize> {
    let guard = table::enter(ext).ok()?;
    guard.address(core::str::from_utf8(name).ok()?).ok()
}

/// # Safety
/// The table is one, with as many symbols as it says.
unsafe fn symbols<'a>(table: *const SymbolTable) -> &'a [Symbol] {
    // SAFETY: the caller vouches for it.
    unsafe {
        let SymbolTable { sym_cnt, syms } = *table;
        if syms.is_null() { &[] } else { core::slice::from_raw_parts(syms, sym_cnt) }
    }
}

/// # Safety
/// As for [`symbols`].
unsafe fn listed(table: *const SymbolTable, name: &[u8]) -> Option<usize> {
    // SAFETY: the caller vouches for it.
    let found = unsafe { symbols(table).iter().find(|symbol| text(symbol.name) == Some(name)) };
    found.map(|symbol| symbol.addr.addr())
}
