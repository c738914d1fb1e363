//! Every way a load, a look-up or an unload can fail.

use crate::lifecycle::Phase;
use crate::memory::MemoryError;
use crate::source::ReadError;
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
    /// An extension with this name and other contents is live.
    420 Exists {
        /// The name.
        name: Name } => "{name}: another extension has this name",
        "unload it first, or load this one under another name";
    /// An extension with this name is being loaded or unloaded now.
    421 Busy {
        /// The name.
        name: Name } => "{name}: being loaded or unloaded by somebody else",
        "try again";
    /// Every slot of the registry is taken.
    422 RegistryFull {
        /// How many slots there are.
        slots: u32 } => "registry: full (all {slots} slots are taken)",
        "unload something, or make the registry larger";
    /// The name of an extension is empty or too long.
    423 BadExtensionName {
        /// Its length, bytes.
        found: u32,
        /// The greatest length, bytes.
        expected: u32 } => "name: bad length (found {found} bytes, expected 1 to {expected})",
        "give the extension a shorter name";
    /// The extension does not export such a symbol.
    424 SymbolNotFound {
        /// The symbol.
        name: Name } => "{name}: not exported by the extension",
        "export it: LL_EXTENSION_SYMBOL in C, #[llext_sdk::export] in Rust";
    /// The extension cannot go: others use it.
    425 InUse {
        /// How many live extensions use symbols of it.
        dependents: u32,
        /// How many objects of the host's are tied to it.
        objects: u32,
        /// How many calls run in it, and loads may use it.
        calls: u32,
        /// The first dependent, else the first object.
        first: Name } => "extension: in use by {first:?} (found {dependents} dependents, {objects} host objects, {calls} calls; expected none)",
        "unload its dependents and release its objects first, wait for its calls, or unload it later";
    /// More handles of one extension than can be counted.
    426 TooManyUses => "use count: full",
        "drop handles that are no longer needed; the greatest counts are MAX_USES and MAX_HOLDS";
    /// A provider was named that lives in another registry.
    427 ForeignProvider => "provider: lives in another registry",
        "name providers that were loaded by the same registry";
    /// A load was asked to go on after its end.
    428 LoadEnded => "load: has ended (found another step, expected none)",
        "stop calling step when it is ready";
    /// The extension that was referred to is gone.
    429 Died => "extension: gone",
        "load it again, and take what refers to it from the new handle";
    /// The extension's own initialisation said no; everything was rolled back.
    430 InitFailed {
        /// The status it returned.
        status: i32 } => "llext_init: returned {status}",
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
    /// The extension uses two exports of one name.
    433 DuplicateExport {
        /// The name.
        name: Name } => "{name}: exported twice",
        "export each name once";
    /// The result of an indirect function's resolver belongs where nothing may be written.
    434 SlotNotWritable {
        /// `r_offset` of the relocation.
        found: u64 } => "resolver's slot: not writable (found {found:#x}, expected a writable segment)",
        "the file is damaged: link it again";
    /// The extension is not in the state that the step begins with.
    435 WrongPhase {
        /// How far it has come.
        found: Phase,
        /// Where the step begins.
        expected: Phase } => "extension: wrong phase (found {found:?}, expected {expected:?})",
        "bring an extension up once, after it was loaded with bring_up(false), and tear it down once";
    /// More objects of the host's than fit.
    436 TooManyObjects => "host objects: no room for another",
        "release some, or build with the feature alloc";
    /// The host does not allow this extension to use the symbol.
    440 Denied {
        /// The symbol.
        name: Name,
        /// The group it belongs to.
        group: &'static str } => "{name}: not allowed (found in group {group:?}, expected one of the allowed groups)",
        "allow the group for this load, or drop the call";
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
