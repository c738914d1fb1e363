//! Every way a load, a look-up or an unload can fail.

use crate::lifecycle::Phase;
use crate::memory::{MemoryError, Part};
use crate::source::ReadError;
use core::fmt;
pub use llext_link::error::{Explanation, Name};

llext_link::error_table! {
/// Every way a load, a look-up or an unload can fail.
pub enum Error [
    /// The file could not be linked; the codes of such errors are those of `llext-link`.
    Link(llext_link::Error)
] {
    /// The file could not be read.
    400 Read {
        /// What the source said.
        error: ReadError } => "{error}",
        "look at the medium the file lies on; a read that would block is asked again by the next step";
    /// Memory could not be reserved or protected.
    410 Memory {
        /// What the memory said.
        error: MemoryError } => "{error}",
        "give the pool more memory, unload something, or compile with -fPIC so that any place will do";
    /// Scratch memory that the caller lent is too small.
    411 ScratchTooSmall {
        /// How much more was needed, bytes.
        wanted: u32,
        /// How much was left, bytes.
        available: u32 } => "scratch: too small (found {available} bytes, {wanted} needed)",
        "lend more scratch memory, or none and let the pool provide it";
    /// Memory that the caller lent for an inspection is too small.
    412 InspectionTooSmall {
        /// How much is needed, bytes.
        wanted: u32,
        /// How much was lent, bytes.
        available: u32 } => "inspection: too little memory (found {available} bytes, {wanted} needed)",
        "lend as much as is needed: it depends on the file's sections and symbols; `strip --strip-unneeded` makes them fewer";
    /// An extension with this name is live, and nothing says that it is the same.
    420 Exists {
        /// The name.
        name: Name } => "{name}: live already, and this file is not known to be the same",
        "unload it first, load under another name, or say that it is the same: source::Static for bytes that stay, or same_name_is_enough(true)";
    /// An extension with this name is coming up or going.
    421 Busy {
        /// The name.
        name: Name } => "{name}: coming up or going",
        "try again, or wait for it; call reap() if interrupts enter it; a constructor cannot load its own extension";
    /// Every slot of the registry is taken.
    422 RegistryFull {
        /// How many slots there are.
        slots: u32 } => "registry: full (all {slots} slots are taken)",
        "unload something, or call reap() if interrupts enter extensions, or make the registry larger";
    /// The name of an extension is empty or too long.
    423 BadExtensionName {
        /// Its length, bytes.
        found: u32,
        /// The greatest length, bytes.
        expected: u32 } => "name: bad length (found {found} bytes, expected 1 to {expected})",
        "give it a name of 1 to 47 bytes";
    /// The extension does not export such a symbol.
    424 SymbolNotFound {
        /// The symbol.
        name: Name } => "{name}: not exported by the extension",
        "export it: LL_EXTENSION_SYMBOL in C, #[llext_sdk::export] in Rust; names are compared whole";
    /// The extension cannot go: others use it.
    425 InUse {
        /// How many live extensions use symbols of it.
        dependents: u32,
        /// How many objects of the host's are tied to it.
        objects: u32,
        /// How many calls run in it, and how many loads under way may use it.
        calls: u32,
        /// The first dependent, else the first object; empty where there are only calls and loads, which have no names.
        first: Name } => "extension: in use{} (found dependents {dependents}, host objects {objects}, calls or loads {calls}; expected none)"
        [By { first, count: dependents.saturating_add(objects).saturating_add(calls) }],
        "unload its dependents and release its objects first, or leave the rest to unload_later or unload_within";
    /// More handles of one extension than can be counted.
    426 TooManyUses => "use count: full (expected at most 65535 handles, 4095 holds)",
        "drop handles, guards and objects that are no longer needed";
    /// An extension was named, as a provider or to be instantiated, that lives in another registry.
    427 ForeignProvider => "extension: lives in another registry",
        "name extensions that were loaded by the same registry";
    /// A load was asked to go on after its end.
    428 LoadEnded => "load: has ended",
        "stop calling step when it is ready";
    /// The extension that was referred to is gone.
    429 Died => "extension: gone",
        "load it again, and take what refers to it from the new handle";
    /// The extension's own initialisation said no. A load that ended so was rolled back; after `bringup` the extension
    /// stays, its phase `Failed`.
    430 InitFailed {
        /// The extension.
        name: Name,
        /// The status it returned.
        status: i32 } => "{name}: llext_init returned {status} (expected 0)",
        "the number is the extension's own: see its documentation";
    /// A constructor or destructor does not lie in the extension's code.
    431 FunctionOutsideText {
        /// Which array it stands in.
        array: &'static str,
        /// Its index in the array.
        index: u32,
        /// Where it points.
        found: u64 } => "{array}: function {index} outside the extension's code (found {found:#x})",
        "the file is damaged, or the array was not relocated: build it again";
    /// The table of exports is malformed.
    432 BadExports {
        /// The entry's index; the number of entries where the table's size is wrong.
        index: u32,
        /// What its name or address points to.
        found: u64 } => "exports: bad entry {index} (found {found:#x})",
        "export with LL_EXTENSION_SYMBOL or #[llext_sdk::export], not by hand";
    /// The extension exports one name twice.
    433 DuplicateExport {
        /// The name.
        name: Name } => "{name}: exported twice (expected once)",
        "export each name once";
    /// The result of an indirect function's resolver belongs where nothing may be written.
    434 SlotNotWritable {
        /// `r_offset` of the relocation.
        found: u64 } => "resolver's slot: not writable (found {found:#x}, expected a writable segment)",
        "the file is damaged: link it again";
    /// The extension is not in the state that the step begins with.
    435 WrongPhase {
        /// The extension.
        name: Name,
        /// How far it has come.
        found: Phase,
        /// Where the step begins.
        expected: Phase } => "{name}: wrong phase (found {found:?}, expected {expected:?})",
        "bring an extension up once, after it was loaded with bring_up(false), and tear it down once";
    /// More objects of the host's than fit: without the feature `alloc`, four for each extension.
    436 TooManyObjects {
        /// The extension.
        name: Name } => "{name}: no room for another host object (expected at most 4 without the feature alloc)",
        "release some, or build with the feature alloc";
    /// The host does not allow this extension to use the symbol.
    440 Denied {
        /// The symbol.
        name: Name,
        /// The group it belongs to.
        group: &'static str } => "{name}: not allowed (found in group {group:?}, expected one of the allowed groups)",
        "allow(&[.., GROUP]) for this load, or do not use the symbol";
    /// Extensions need each other in a circle.
    441 Cycle {
        /// The one that is needed by what it needs.
        name: Name } => "{name}: needed by what it needs itself",
        "break the circle: load the one that can do without the other first, or join them";
    /// A chain of needed extensions is too long.
    442 TooDeep {
        /// The one that was not loaded any more.
        name: Name,
        /// How many may need each other.
        expected: u32 } => "{name}: needed by too long a chain (expected at most {expected})",
        "load some of what it needs beforehand";
    /// The extension names a symbol by its name, and the host knows SLIDs only.
    443 WithoutSlid {
        /// The symbol.
        name: Name } => "{name}: has no SLID in the extension (found a name, expected a SLID as the host's table has)",
        "give the extension its SLIDs: `cargo llext slid EXTENSION`; or let the host export the symbol by name";
    /// The extension names a symbol by its SLID, and the host knows names only.
    444 UnexpectedSlid {
        /// The symbol.
        name: Name } => "{name}: has a SLID in the extension (expected a name: the host has no table of SLIDs)",
        "load the extension as it was before `cargo llext slid`, or let the host export a SlidTable";
    /// No copy of the extension's variables was kept to begin again with.
    445 NoInitialData {
        /// The extension.
        name: Name } => "{name}: has no copy of its variables (found none, expected one to reset them to)",
        "load it with keep_initial_data(true); a shared object has to be instantiated, a file used in place to be loaded again";
    /// What another instance of the extension would be made of was not kept, or cannot be.
    446 NotInstantiable {
        /// The extension.
        name: Name } => "{name}: cannot be instantiated (expected a shared object loaded with keep_initial_data(true))",
        "load a shared object with keep_initial_data(true); load an object again, under another name";
    /// The file was linked for fixed addresses, and nothing was said about the memory there.
    450 NotPreLocated => "file: linked for fixed addresses (expected pre_located)",
        "load it with pre_located and the memory it was linked for, or load the file that it was linked from";
    /// The file was not linked for fixed addresses, as `pre_located` says.
    451 NotLinked {
        /// `e_type` as found.
        found: u16 } => "file: not linked for fixed addresses (found e_type {found}, expected 2 (EXEC))",
        "link it with `llext link`, or load it without pre_located";
    /// The memory that a file was linked for is not lent to it.
    452 PlaceNotLent {
        /// The part that has no place.
        part: Part,
        /// Its address.
        address: u64,
        /// Its size, bytes.
        size: u32 } => "{part}: {size} bytes at {address:#x} lie in no memory that was lent",
        "lend that memory to pre_located, or link for other addresses: llext link --at";
    /// The memory that should hold a linked file's part holds something else.
    453 PlaceDiffers {
        /// The part.
        part: Part,
        /// An address at or before the first byte that differs.
        address: u64 } => "{part}: not in place (found other bytes than the file's at {address:#x} or after)",
        "write the file's segments to their addresses, or lend that memory as copied";
    /// What the file was linked against is not where it was: it was linked for another build of the host.
    454 OtherHost {
        /// The symbol.
        name: Name,
        /// Where it is, an address.
        found: u64,
        /// Where it was.
        expected: u64 } => "{name}: linked for another build of the host (found {found:#x}, expected {expected:#x})",
        "link again, against this host: llext link --against";
    /// The file is a shared object, and this build of the run time loads none.
    455 SharedLeftOut => "file: a shared object (found e_type 3 (DYN), expected 1 (REL): the host was built without `shared`)",
        "give the object it was linked from, or build the host with llext's feature `shared`";
    /// Memory that the caller lent to save in is too small.
    460 SaveTooSmall {
        /// How much is needed, bytes.
        wanted: u32,
        /// How much was lent, bytes.
        available: u32 } => "saving: too little memory (found {available} bytes, {wanted} needed)",
        "lend as much as is needed: it depends on how many extensions there are, and on what they registered";
    /// The extension has something that cannot be saved.
    461 Unsaved {
        /// The extension.
        name: Name,
        /// What it has.
        what: &'static str } => "{name}: cannot be saved (found {what}, expected none)",
        "release or unload it before saving, or load it again afterwards; copy what is used in place";
    /// Nobody can tell whether the host's exports are the same when extensions are restored.
    462 UnknownExports => "host: exports without a fingerprint (expected one)",
        "export by a table, or implement Exports::fingerprint; a process's C library has none";
    /// What was saved is damaged.
    463 BadSaved {
        /// What of it is wrong.
        what: &'static str,
        /// Which extension's it is, in load order from 1; 0 for what all have in common.
        number: u32 } => "saved extensions: bad {what} (found in extension {number}, 0 for all)",
        "load the extensions again: what was saved was cut off, changed, or written by something else";
    /// What was saved was saved by another build of the run time.
    464 OtherBuild {
        /// What differs.
        what: &'static str,
        /// What it is here.
        found: u64,
        /// What it was there.
        expected: u64 } => "saved extensions: by another build ({what}: found {found}, expected {expected})",
        "load the extensions again: only the program that saved them can restore them";
    /// What extensions were linked against is not what it was when they were saved.
    465 OtherExports {
        /// The fingerprint of the host's exports.
        found: u64,
        /// What it was.
        expected: u64 } => "saved extensions: linked against other exports (fingerprint: found {found:#x}, expected {expected:#x})",
        "load the extensions again; give save and restore the same exports";
    /// The memory is not the one that the extensions were saved in.
    466 OtherMemory {
        /// The slice: for code, or for data.
        part: Part,
        /// Where it begins.
        found: u64,
        /// Where it began.
        expected: u64 } => "saved extensions: in other memory ({part}: found at {found:#x}, expected at {expected:#x}, of the same size)",
        "make the pool of the same memory, or load the extensions again";
    /// The memory of a saved extension holds something else than it did.
    467 MemoryChanged {
        /// The extension.
        name: Name,
        /// The digest of what it holds.
        found: u64,
        /// What it was.
        expected: u64 } => "{name}: its memory has changed (digest: found {found:#x}, expected {expected:#x})",
        "load the extensions again; let nothing run between saving and restoring, or compare constants only";
    /// Extensions are restored first of all, and something was loaded before.
    468 NotFresh => "registry: used already (expected one that nothing was loaded into)",
        "restore before the first load, into a registry and a pool made anew";
}
}

/// By whom an extension is used: the first, if it has a name, and how many there are.
struct By {
    first: Name,
    count: u32,
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first, self.count) {
            (Name::EMPTY, _) => Ok(()),
            (first, 0..=1) => write!(f, " by {first:?}"),
            (first, count) => write!(f, " by {first:?} and {} more", count - 1),
        }
    }
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        Self::Read { error }
    }
}

impl From<MemoryError> for Error {
    fn from(error: MemoryError) -> Self {
        Self::Memory { error }
    }
}
