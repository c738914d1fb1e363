//! Every way a link can fail, with the facts a person needs to mend it.
//!
//! An error is data: it is `Copy`, it borrows nothing, and its text is made only where somebody prints it.

mod name;
mod rule;

pub use name::{Name, SymbolRef};

/// What an error number means and what to do about it: one row of the list behind `llext explain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The stable number, the same on a device and on a host.
    pub code: u16,
    /// The variant's name.
    pub name: &'static str,
    /// What is wrong.
    pub meaning: &'static str,
    /// What mends it.
    pub cure: &'static str,
}

/// Declares an error enum from one table: number, variant, facts, text and cure stand side by side. What the text shows
/// besides the facts stands behind it in brackets.
#[macro_export]
#[doc(hidden)]
macro_rules! error_table {
    ($(#[$outer:meta])* pub enum $Enum:ident $([$(#[doc = $wdoc:literal])+ $wrap:ident($inner:ty)])* {
        $($(#[doc = $doc:literal])+ $code:literal $name:ident $({ $($(#[$fm:meta])* $field:ident: $ty:ty),* $(,)? })? => $text:literal $([$($shown:tt)*])?, $cure:literal;)*
    }) => {
        $(#[$outer])*
        #[non_exhaustive]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $Enum {
            $($(#[doc = $wdoc])+ $wrap($inner),)*
            $($(#[doc = $doc])+ #[doc = concat!("\n\nCode ", $code, ". Cure: ", $cure, ".")]
              $name $({ $($(#[$fm])* $field: $ty),* })?,)*
        }

        impl $Enum {
            /// Every variant that has a number of its own, in the order of their numbers.
            pub const ALL: &'static [$crate::error::Explanation] = &[$($crate::error::Explanation {
                code: $code, name: stringify!($name), meaning: concat!($($doc),+), cure: $cure,
            }),*];

            /// The stable number of this error.
            pub const fn code(&self) -> u16 {
                match self { $(Self::$wrap(inner) => inner.code(),)* $(Self::$name { .. } => $code,)* }
            }

            /// What mends it.
            pub const fn cure(&self) -> &'static str {
                match self { $(Self::$wrap(inner) => inner.cure(),)* $(Self::$name { .. } => $cure,)* }
            }

            /// The variant's name.
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$wrap(inner) => inner.name(),)* $(Self::$name { .. } => stringify!($name),)* }
            }
        }

        impl ::core::fmt::Display for $Enum {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                match *self { $(Self::$wrap(inner) => ::core::fmt::Display::fmt(&inner, f),)* $(#[allow(unused_variables)] Self::$name $({ $($field),* })? => ::core::write!(f, $text $(, $($shown)*)?),)* }
            }
        }

        impl ::core::error::Error for $Enum {}

        $(impl From<$inner> for $Enum {
            fn from(inner: $inner) -> Self {
                Self::$wrap(inner)
            }
        })*
    };
}

/// A relocation's type and the machine that gives it meaning; shown by its psABI name where that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelocationType {
    /// `e_machine` of the file.
    pub machine: u16,
    /// The type's number in that machine's psABI.
    pub number: u32,
}

error_table! {
/// Every way a link can fail.
pub enum Error {
    /// The file does not begin with the four bytes of ELF.
    100 NotElf {
        /// The bytes it begins with.
        found: [u8; 4] } => "file: not ELF (found {found:02x?}, expected [7f, 45, 4c, 46])",
        "give the object, partially linked object or shared object that the compiler made";
    /// The file ends before something its headers promise.
    101 Truncated {
        /// What does not lie inside the file.
        what: &'static str,
        /// Where it should begin, bytes.
        offset: u64,
        /// How long it should be, bytes.
        wanted: u64,
        /// How long the file is, bytes.
        size: u64 } => "{what}: outside the file ({wanted:#x} bytes at {offset:#x}, file has {size:#x})",
        "the file was cut or damaged: build or copy it again";
    /// The file is for another word size or byte order.
    102 WrongFormat {
        /// `EI_CLASS` and `EI_DATA` as found.
        found: [u8; 2],
        /// `EI_CLASS` and `EI_DATA` of this host.
        expected: [u8; 2] } => "header: wrong class or byte order (found {found:?}, expected {expected:?})",
        "build the extension for this host's architecture";
    /// The file is for another processor.
    103 WrongMachine {
        /// `e_machine` as found.
        found: u16,
        /// `e_machine` of this host.
        expected: u16 } => "header: wrong machine (found {found}, expected {expected})",
        "build the extension for this host's architecture";
    /// A field of the ELF header has a value this format does not allow.
    104 BadHeader {
        /// The field, in the gABI's spelling.
        field: &'static str,
        /// Its value.
        found: u64,
        /// What it must be.
        expected: u64 } => "header: bad {field} (found {found:#x}, expected {expected:#x})",
        "the file is damaged or was not made by a linker: build it again";
    /// The file is neither a relocatable nor a shared object, nor linked for fixed addresses.
    105 WrongKind {
        /// `e_type` as found.
        found: u16 } => "header: not loadable (found e_type {found}, expected 1 (REL), 2 (EXEC) or 3 (DYN))",
        "compile with -c, link with -r, or link with -shared";
    /// The file is larger than 4 GiB.
    106 FileTooLarge {
        /// Its size, bytes.
        size: u64 } => "file: too large (found {size:#x} bytes, expected less than 0x100000000)",
        "strip debug information from the file";
    /// The ABI flags of the file do not suit this host.
    107 WrongFlags {
        /// `e_flags` as found.
        found: u32,
        /// The bits that matter.
        mask: u32,
        /// What those bits must be.
        expected: u32 } => "header: wrong ABI flags (found {found:#x}, expected {expected:#x} of {mask:#x})",
        "compile with the float and EABI options of the host";
    /// The compiler made an object for another kind of core, or another way to pass floats.
    108 WrongAttribute {
        /// The build attribute, in the psABI's spelling.
        name: &'static str,
        /// Its value.
        found: u32,
        /// A value that suits this host.
        expected: u32 } => "attributes: wrong {name} (found {found}, expected {expected})",
        "compile with the CPU and float options of the host (-mcpu, -mfloat-abi)";
    /// A table's entries do not have the size the format gives them.
    110 BadEntrySize {
        /// The section's index.
        section: u32,
        /// `sh_entsize`, or `sh_size` where that is not a multiple.
        found: u64,
        /// The entry's size, bytes.
        expected: u64 } => "section {section}: bad entry size (found {found:#x}, expected {expected:#x})",
        "the file is damaged: build it again";
    /// A section's alignment is not a power of two, or larger than 64 KiB.
    111 BadAlignment {
        /// The section's index.
        section: u32,
        /// `sh_addralign` as found.
        found: u64 } => "section {section}: bad alignment (found {found:#x}, expected a power of two up to 0x10000)",
        "align to a power of two, at most 65536";
    /// `sh_link` or `sh_info` does not name a section of the right kind.
    112 BadLink {
        /// The section's index.
        section: u32,
        /// The index it names.
        found: u32,
        /// What it should name.
        expected: &'static str } => "section {section}: bad link (found section {found}, expected {expected})",
        "the file is damaged: build it again";
    /// A section is both writable and executable.
    113 WritableAndExecutable {
        /// The section's or segment's index.
        section: u32 } => "section {section}: writable and executable (found both, expected one)",
        "keep code and data in different sections: W^X is not negotiable";
    /// The file uses thread-local storage, which is not supported.
    114 ThreadLocal {
        /// What: a section, a segment or a symbol.
        what: &'static str,
        /// Its index.
        index: u32 } => "{what} {index}: thread-local storage (found TLS, expected ordinary data)",
        "do without thread-local variables in the extension";
    /// A section that would be loaded is of a kind that is not supported.
    115 UnsupportedSection {
        /// The section's index.
        section: u32,
        /// `sh_type` as found.
        kind: u32 } => "section {section}: unsupported type (found {kind:#x}, expected one that can be loaded)",
        "compile without the option that makes this section";
    /// A table that must exist once is missing.
    116 MissingTable {
        /// Which.
        what: &'static str } => "{what}: missing (found none, expected one)",
        "do not strip the file completely: strip --strip-unneeded keeps what linking needs";
    /// A table that must exist once exists twice.
    117 DuplicateTable {
        /// Which.
        what: &'static str,
        /// The second one's section index.
        section: u32 } => "section {section}: a second {what} (found two, expected one)",
        "link the parts with ld -r first";
    /// A section is compressed.
    118 Compressed {
        /// The section's index.
        section: u32 } => "section {section}: compressed (found SHF_COMPRESSED, expected plain bytes)",
        "objcopy --decompress-debug-sections";
    /// Sections overlap: they claim more contents than the file has bytes, or one that is relocated in place is a table
    /// as well.
    119 OverlappingSections {
        /// The section that goes too far.
        section: u32,
        /// What it and those before it claim, bytes; where it is in place, what it claims itself.
        found: u64,
        /// What the file has for them, bytes.
        expected: u64 } => "section {section}: overlaps others (found {found:#x} bytes of contents, expected at most {expected:#x})",
        "the file is damaged: build it again";
    /// A string table does not end with NUL.
    120 UnterminatedStrings {
        /// Which.
        what: &'static str } => "{what}: do not end (found another last byte, expected NUL)",
        "the file is damaged: build it again";
    /// A name lies outside its string table.
    121 BadName {
        /// What is called so: a symbol or a section.
        what: &'static str,
        /// Its index.
        index: u32,
        /// Where the name should begin, bytes into the table.
        offset: u32,
        /// How long the table is, bytes.
        size: u32 } => "{what} {index}: name outside its string table (found offset {offset:#x}, expected below {size:#x})",
        "the file is damaged: build it again";
    /// A symbol names a section that does not exist.
    122 BadSymbolSection {
        /// The symbol's index.
        symbol: u32,
        /// The section index it holds.
        found: u32,
        /// How many sections there are.
        count: u32 } => "symbol {symbol}: no such section (found {found}, expected below {count})",
        "the file is damaged: build it again";
    /// A symbol lies outside its section.
    123 SymbolOutsideSection {
        /// The symbol's index.
        symbol: u32,
        /// `st_value` as found.
        value: u64,
        /// The section's size, bytes.
        size: u64 } => "symbol {symbol}: outside its section (found {value:#x}, expected at most {size:#x})",
        "the file is damaged: build it again";
    /// A symbol is of a type that cannot be linked in this kind of file.
    124 UnsupportedSymbol {
        /// The symbol's index.
        symbol: u32,
        /// `st_type` as found.
        kind: u8 } => "symbol {symbol}: unsupported type (found {kind}, expected a function, data, a section or none)",
        "indirect functions (ifunc) work in shared objects only: link with -shared";
    /// Symbols that the file needs are provided by nobody.
    125 UndefinedSymbols {
        /// How many.
        count: u32,
        /// The first of them.
        first: Name } => "{first}: undefined symbol ({count} missing in all)",
        "export it from the host, load the extension that provides it first, or drop the call";
    /// A common symbol asks for an alignment that is not a power of two.
    126 BadCommon {
        /// The symbol's index.
        symbol: u32,
        /// The alignment it asks for.
        align: u64 } => "symbol {symbol}: bad alignment of a common symbol (found {align:#x}, expected a power of two up to 0x10000)",
        "compile with -fno-common";
    /// A symbol of a shared object lies outside its image.
    127 SymbolOutsideImage {
        /// The symbol's index.
        symbol: u32,
        /// `st_value` as found.
        value: u64,
        /// The lowest address of the image, as linked.
        low: u64,
        /// One past its highest.
        high: u64 } => "symbol {symbol}: outside the image (found {value:#x}, expected {low:#x} to {high:#x})",
        "the file is damaged: link it again";
    /// Too many symbols are the starts and ends of sections: each is looked for among all of these.
    128 TooManyBoundaries {
        /// The index of the first that is too many.
        symbol: u32,
        /// How long the names of those up to it are together, bytes.
        found: u32,
        /// How long they may be.
        expected: u32 } => "symbol {symbol}: one `__start_` or `__stop_` too many (found {found} bytes of such names, expected at most {expected})",
        "gather what belongs together in fewer sections";
    /// A relocation's type is not in the architecture's table.
    130 UnknownRelocation {
        /// Its type.
        relocation: RelocationType,
        /// Where it should be applied, bytes into its section or image.
        offset: u64 } => "relocation at {offset:#x}: unknown (found {relocation}, expected a type of the processor's table)",
        "the file needs a newer llext, or was made for another processor";
    /// A relocation is known but cannot be done by a run-time linker, or is not supported.
    131 UnsupportedRelocation {
        /// Its type.
        relocation: RelocationType,
        /// What it refers to.
        symbol: SymbolRef,
        /// Where it should be applied.
        offset: u64 } => "{symbol}: unsupported relocation {relocation} at {offset:#x}",
        "do without thread-local variables; compile with -fPIC, and with -mthumb for a Cortex-M";
    /// A relocation's field does not lie inside its section.
    132 RelocationOutside {
        /// Where the field begins.
        offset: u64,
        /// How long it is, bytes.
        len: u32,
        /// How long the section is, bytes.
        size: u64 } => "relocation at {offset:#x}: outside its section (found {len} bytes there, expected an end up to {size:#x})",
        "the file is damaged: build it again";
    /// A relocation names a symbol that does not exist.
    133 BadRelocationSymbol {
        /// The symbol index as found.
        found: u32,
        /// How many symbols there are.
        count: u32 } => "relocation: no such symbol (found {found}, expected below {count})",
        "the file is damaged: build it again";
    /// A relocation uses a symbol whose section is not loaded.
    134 SymbolNotLoaded {
        /// The symbol.
        symbol: SymbolRef,
        /// Where the relocation should be applied.
        offset: u64 } => "{symbol}: used by a relocation at {offset:#x}, but its section is not loaded",
        "mark the section as allocated (\"a\") in the assembly source";
    /// A relocated value does not fit its field.
    135 RelocationOverflow {
        /// Its type.
        relocation: RelocationType,
        /// The run address of the field.
        place: u64,
        /// The value that does not fit.
        value: i64,
        /// What it refers to.
        symbol: SymbolRef } => "{symbol}: {relocation} does not reach from {place:#x} (found {value:#x})",
        "recompile with -fPIC (or -mlong-calls on arm), so that the target may be far away";
    /// A relocated value is not a multiple of what its field can hold.
    136 RelocationMisaligned {
        /// Its type.
        relocation: RelocationType,
        /// The run address of the field.
        place: u64,
        /// The value.
        value: i64,
        /// What it must be a multiple of.
        align: u8,
        /// What it refers to.
        symbol: SymbolRef } => "{symbol}: {relocation} misaligned at {place:#x} (found {value:#x}, expected a multiple of {align})",
        "the file is damaged, or its target lies at an odd address";
    /// More stubs or GOT slots were needed than the tables promised when they were counted. They are counted without the
    /// bytes that are to be relocated, and so without the addends that lie there (`SHT_REL`).
    137 TableChanged {
        /// Which area ran out.
        what: &'static str } => "{what}: more needed than were counted",
        "load a file that does not change meanwhile; in assembly, branch to a far symbol and not beside it (SHT_REL)";
    /// A branch leads to A32 code, and this core runs Thumb code only.
    138 WrongInstructionSet {
        /// Its type.
        relocation: RelocationType,
        /// Where it leads.
        symbol: SymbolRef,
        /// Where the relocation should be applied.
        offset: u64 } => "{symbol}: {relocation} at {offset:#x} leads to other code (found A32, expected Thumb)",
        "compile with -mthumb; bit 0 of a Thumb function's address is 1";
    /// A relocation needs another one, which is not there.
    139 Unpaired {
        /// Its type.
        relocation: RelocationType,
        /// Where it should be applied.
        offset: u64,
        /// What is not there.
        expected: &'static str } => "{relocation} at {offset:#x}: has no partner (expected {expected})",
        "the file is damaged, or a tool has changed its relocations: build it again";
    /// The extension does not fit the address space it may use.
    140 ImageTooLarge {
        /// The bytes it would need.
        wanted: u64 } => "image: too large (found {wanted:#x} bytes, expected less than 0x80000000)",
        "make the extension's data smaller";
    /// Nothing of the file would be loaded.
    141 NothingToLoad => "file: nothing to load (found no section or segment with contents)",
        "give the file that holds the code, not its debug information";
    /// Padding that a linker was to shorten does not end where it should.
    142 LoosePadding {
        /// Its run address.
        place: u64,
        /// How long it is, bytes.
        size: u64,
        /// What the address behind it must be a multiple of.
        align: u64 } => "padding at {place:#x}: has to be shortened (found {size} bytes, expected an end at a multiple of {align})",
        "compile with -mno-relax, and assemble with -mno-relax or `.option norelax`";
    /// A LEB128 number does not end.
    143 UnendedNumber {
        /// Where it begins.
        offset: u64 } => "number at {offset:#x}: does not end (found no last byte among 10, or in the section)",
        "the file is damaged: build it again";
    /// Constants that are to stay in the file have relocations.
    144 RelocatedConstants {
        /// The section.
        section: u32 } => "section {section}: has relocations (.llext.rodata.noreloc must have none)",
        "keep addresses out of what is marked LLEXT_RODATA_NO_RELOC";
    /// A section that is to be used in place cannot be.
    145 NotInPlace {
        /// The section.
        section: u32,
        /// Why.
        why: &'static str } => "section {section}: cannot be used in place ({why})",
        "let it be copied, or align the file, lend it from a source whose bytes stay, or from one that may be written";
    /// A program header has a value this format does not allow.
    150 BadSegment {
        /// The program header's index.
        segment: u32,
        /// The field, in the gABI's spelling.
        field: &'static str,
        /// Its value.
        found: u64 } => "segment {segment}: bad {field} (found {found:#x}, expected {})" [rule::of_segment(field)],
        "the file is damaged: link it again";
    /// An entry of the dynamic section is missing or has a value that cannot be.
    151 BadDynamic {
        /// The tag, in the gABI's spelling.
        tag: &'static str,
        /// Its value.
        found: u64 } => "dynamic section: bad {tag} (found {found:#x}, expected {})" [rule::of_tag(tag)],
        "the file is damaged: link it again";
    /// The shared object needs its text to be writable.
    152 TextRelocations => "dynamic section: text relocations (found DT_TEXTREL, expected none)",
        "compile every source of the shared object with -fPIC";
    /// The shared object names a library or extension that is not there.
    153 MissingDependency {
        /// Its name.
        name: Name } => "{name}: needed library is not there",
        "load that extension first, or link without it";
    /// The extension was built for a newer ABI of llext.
    160 AbiTooNew {
        /// The version in the file's note.
        found: u32,
        /// The newest version this build knows.
        expected: u32 } => "note: ABI too new (found {found}, expected at most {expected})",
        "update the host, or build the extension with an older llext-sdk";
    /// An ELF note is malformed.
    161 BadNote {
        /// Where in the notes, bytes.
        offset: u32 } => "note at {offset:#x}: malformed (found a length or text that cannot be, expected a name and a description)",
        "the file is damaged: build it again";
}
}

impl Error {
    /// The symbol this error is about, for a caller who can look its name up and put it there.
    pub fn symbol_mut(&mut self) -> Option<&mut SymbolRef> {
        match self {
            Self::UnsupportedRelocation { symbol, .. }
            | Self::SymbolNotLoaded { symbol, .. }
            | Self::RelocationOverflow { symbol, .. }
            | Self::RelocationMisaligned { symbol, .. }
            | Self::WrongInstructionSet { symbol, .. } => Some(symbol),
            _ => None,
        }
    }
}
