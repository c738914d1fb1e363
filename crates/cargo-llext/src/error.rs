//! Everything the tool refuses, each with a stable code and what to do about it.

use std::fmt;
use std::ops::Range;
use std::path::Path;

use llext_link::error::Explanation;
use object::elf::Machine;
use serde::Serialize;

/// Declares the refusals from one table: code, name, facts, text and cure stand side by side.
macro_rules! refusals {
    ($(#[$outer:meta])* enum $Enum:ident {
        $(#[doc = $meaning:literal] $(#[$attribute:meta])* $code:literal $name:ident { $($field:ident: $ty:ty),* } => $text:literal, $cure:literal;)*
    }) => {
        $(#[$outer])*
        #[derive(Debug)]
        pub(crate) enum $Enum {
            $(#[doc = $meaning] $(#[$attribute])* $name { $($field: $ty),* },)*
            /// The linker refused a file.
            Link { file: String, error: Box<llext_link::Error> },
            /// The run time refused to load, call or unload.
            Load { file: String, error: Box<llext::Error>, details: Vec<String> },
        }

        impl $Enum {
            /// Every refusal of the tool's own, in the order of their codes.
            pub(crate) const ALL: &'static [Explanation] = &[$(Explanation {
                code: $code, name: stringify!($name), meaning: $meaning, cure: $cure,
            }),*];

            /// The stable code.
            pub(crate) fn code(&self) -> u16 {
                match self {
                    $(Self::$name { .. } => $code,)*
                    Self::Link { error, .. } => error.code(),
                    Self::Load { error, .. } => error.code(),
                }
            }

            /// What mends it.
            pub(crate) fn cure(&self) -> &'static str {
                match self {
                    $(Self::$name { .. } => $cure,)*
                    Self::Link { error, .. } => error.cure(),
                    Self::Load { error, .. } => error.cure(),
                }
            }
        }

        impl fmt::Display for $Enum {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$name { $($field),* } => write!(f, $text),)*
                    Self::Link { file, error } => {
                        write!(f, "{file}: {error}")?;
                        explain_numbers(f, error)
                    }
                    Self::Load { file, error, details } => {
                        write!(f, "{file}: {error}")?;
                        if let llext::Error::Link(error) = &**error {
                            explain_numbers(f, error)?;
                        }
                        details.iter().try_for_each(|line| write!(f, "\n  {line}"))
                    }
                }
            }
        }
    };
}

refusals! {
enum Error {
    /// A file or folder cannot be read.
    700 Unreadable { path: String, reason: std::io::Error } => "{path}: cannot be read ({reason})",
        "check the path and its permissions";
    /// A file or folder cannot be written.
    701 Unwritable { path: String, reason: std::io::Error } => "{path}: cannot be written ({reason})",
        "check the permissions and the free space, or choose another place with -o";
    /// A file is not ELF, or its headers contradict its contents.
    702 Malformed { path: String, reason: String } => "{path}: not an ELF file that can be read ({reason})",
        "give an object, partially linked object, shared object or program; build or copy a damaged file again";

    /// A folder holds neither a crate nor C sources.
    710 NotAProject { path: String } => "{path}: no project (found neither Cargo.toml nor C, C++ or assembly sources)",
        "name the project's folder or its source files, or make a project with `llext new`";
    /// cargo could not describe the crate.
    711 MetadataFailed { path: String, reason: String } => "{path}: cargo cannot read the crate\n{reason}",
        "mend what cargo says about Cargo.toml";
    /// A workspace has several packages and none was chosen.
    712 AmbiguousPackage { packages: String } => "workspace: several packages (found {packages}; expected one)",
        "choose a package with -p NAME";
    /// The workspace has no package of that name.
    713 UnknownPackage { name: String, packages: String } => "{name}: no such package (found {packages})",
        "choose one of the packages of the workspace with -p NAME";
    /// The table [package.metadata.llext] of Cargo.toml has an unknown key or a value of the wrong type.
    714 BadSettings { package: String, reason: String } => "{package}: bad [package.metadata.llext] ({reason})",
        "it may hold target = \"TRIPLE\", interface = \"FILE\" and exports = [\"NAME\", ...]";
    /// A package has no library to make an extension of.
    715 NoLibrary { package: String } => "{package}: no library (found no src/lib.rs)",
        "an extension is a library: rename src/main.rs to src/lib.rs and export functions from it";
    /// A file is not a source, object or archive.
    716 UnknownSource { path: String } => "{path}: unknown kind of source",
        "name .c, .cc, .cpp, .cxx, .s, .S, .o or .a files, or the folder of a project";
    /// An option was given that only crates understand.
    717 NotForSources { option: String } => "{option}: only for crates (found C sources)",
        "leave it out, or give compiler options after --";

    /// A program that the build needs is not installed.
    720 MissingProgram { program: String, reason: String } => "{program}: cannot be run ({reason})",
        "install it, or name another through CC, CXX, CARGO, RUSTC or PATH";
    /// cargo did not build the crate.
    721 CargoFailed { package: String, status: String } => "{package}: cargo did not build it ({status})",
        "mend what rustc says above";
    /// The compiler refused a source.
    722 CompilerFailed { source: String, program: String, status: String } => "{source}: {program} did not compile it ({status})",
        "mend what the compiler says above";
    /// The linker refused the objects.
    723 LinkerFailed { program: String, status: String, text: String } => "{program}: did not link the objects ({status})\n{text}",
        "mend what the linker says; objects must be for one architecture and not made with -flto";
    /// No linker that understands this job was found.
    724 MissingLinker { sought: String } => "linker: not found (sought {sought})",
        "install rustc by rustup, which brings rust-lld, or LLVM's lld";
    /// cargo built the crate but made no static library of it.
    725 NoArchive { package: String } => "{package}: cargo made no static library",
        "check the [lib] table of Cargo.toml, and that the target's rustc can make static libraries";
    /// An object made by the compiler cannot be read or rewritten.
    726 BadObject { file: String, reason: String } => "{file}: cannot be rewritten ({reason})",
        "compile to plain ELF objects: no -flto, no other object format";
    /// Fewer exports came out of the link than went in.
    727 LostExports { file: String, before: usize, after: usize } => "{file}: exports were lost in the link (found {after}, expected {before})",
        "please report this with the project: the linker dropped entries that were marked to be kept";
    /// The extension exports nothing, so nothing of it could be used.
    728 NothingExported { file: String } => "{file}: exports nothing",
        "mark a function with #[llext_sdk::export] in Rust or LL_EXTENSION_SYMBOL(name) in C";
    /// Names that Cargo.toml promises are not among the exports.
    729 MissingExports { file: String, missing: String, found: String } => "{file}: does not export {missing} (found {found})",
        "export them, or take them out of [package.metadata.llext] exports";

    /// The host does not provide everything the extension needs.
    730 MissingSymbols { file: String, host: String, count: usize, names: String } => "{file}: {count} missing from {host}: {names}",
        "export them from the host, load the extension that provides them first, or drop the calls; a host with SLIDs wants `llext slid` first";
    /// What should provide symbols is not a host.
    731 NoExportTable { path: String } => "{path}: provides nothing (found no section .llext.exports or llext_exports, and no exports)",
        "give a firmware or program that exports with #[llext::export], an extension, or a text file with one name a line";
    /// A table of exports cannot be understood.
    732 BadExportTable { path: String, entry: usize, what: &'static str } => "{path}: entry {entry} of the export table: bad {what}",
        "build the file again, and keep its relocations and the contents of .rodata";
    /// Nobody is what the extension needs by name.
    733 MissingNeeds { file: String, host: String, names: String } => "{file}: needs {names} (found {host})",
        "name the files of these extensions too, or a list with the names of libraries that the host has";
    /// A firmware has no table of exports that could be prepared.
    734 NoTable { path: String } => "{path}: no table of exports (found no section llext_exports, llext_slids or llext_const_symbol_area)",
        "export with EXPORT_SYMBOL in C or #[llext::export] in Rust and link with -Tllext.x; what exports! makes is sorted already";
    /// What is to be prepared is not linked to the addresses it runs at.
    735 NotFirmware { path: String } => "{path}: not a program that is linked to its addresses",
        "give the firmware's ELF file; a position-independent program gets its addresses when it starts, and needs no preparation";
    /// A firmware is to be given SLIDs, but is built for names.
    736 NotForSlids { path: String } => "{path}: built for names (found no section llext_exports_strtab)",
        "leave out --slid, or build it with CONFIG_LLEXT_EXPORT_BUILTINS_BY_SLID defined";
    /// A firmware is to be sorted by names, but is built for SLIDs.
    737 ForSlids { path: String } => "{path}: built for SLIDs (found a section llext_exports_strtab, whose names are not in memory)",
        "prepare it with --slid";
    /// Symbols of one file could not be told apart: they have one SLID, or one name.
    738 SymbolsClash { file: String, count: usize, clashes: String } => "{file}: {count} pairs of symbols cannot be told apart: {clashes}",
        "give one symbol of each pair another name, or export it once";
    /// An undefined symbol of an extension has a value that is no SLID of its name.
    739 NotUndefined { file: String, name: String, found: u64 } => "{file}: {name}: has a value already (found {found:#x}, expected 0 or its SLID)",
        "take the extension as the linker made it";

    /// Extensions cannot be run on this system.
    #[cfg_attr(target_os = "linux", allow(dead_code))]
    740 CannotRunHere { system: &'static str } => "run: not supported on {system} (expected Linux)",
        "run it on Linux, or build it for a board";
    /// The system did not give what a run needs.
    741 Unavailable { what: &'static str, reason: String } => "{what}: not available ({reason})",
        "check the limits and permissions of this process";
    /// An argument of a call is neither a number that fits a machine word nor text.
    742 BadArgument { argument: String, reason: &'static str } => "{argument}: {reason}",
        "give integers such as 5, -1 or 0x10, or text; str:5 is the text 5";
    /// The extension panicked while it ran.
    743 Panicked { extension: String, file: String, line: u32 } => "{extension}: panicked at {file}:{line}",
        "mend the extension at this line; nothing after it was run, destructors neither";
    /// No extension of that name is loaded.
    744 NotLive { name: String } => "{name}: no such extension is loaded",
        "give the name of a file that was loaded, without its ending; `list` at the prompt of `llext repl` shows all";
    /// A line of `llext repl` cannot be understood.
    745 BadCommand { line: String, reason: String } => "{line}: {reason}",
        "`help` lists the commands, and `help COMMAND` says what one takes";
    /// No extension lies at an address.
    746 NothingThere { address: String } => "{address}: in no extension",
        "`info NAME` shows where an extension lies";

    /// A project's name is not a name for a crate.
    750 BadName { name: String, reason: &'static str } => "{name}: not a name for a project ({reason})",
        "use letters, digits, - and _, beginning with a letter";
    /// There is something at the new project's place.
    751 AlreadyThere { path: String } => "{path}: is already there",
        "choose another name, or remove what is there";
    /// The SDK is not where it was said to be.
    752 NoSdk { path: String } => "{path}: no llext-sdk here (found no Cargo.toml)",
        "give the folder of llext-sdk, such as crates/llext-sdk of a checkout";

    /// No error has this code.
    760 UnknownCode { code: String } => "{code}: no such code",
        "give a code as errors show it, such as E0125";

    /// A region has no address, and none before it.
    770 NoAddress { region: String } => "{region}: no address (expected one, for nothing stands before it)",
        "say where it goes: --at REGION=ADDR, code first";
    /// A region has two addresses.
    771 TwoAddresses { region: String } => "{region}: two addresses (expected one)",
        "give one --at for each region";
    /// A region's address does not suit its contents.
    772 RegionMisaligned { region: String, address: u64, align: u64 } => "{region}: misaligned (found {address:#x}, expected a multiple of {align})",
        "round its address in --at up";
    /// A region lies on another one, or on memory that the firmware uses.
    773 RegionsOverlap { region: String, address: u64, other: String, there: u64 } => "{region}: at {address:#x} on what {other} has at {there:#x}",
        "give one of them another address with --at";
    /// A region lies where the file's code cannot reach from, or not within the processor's addresses.
    774 RegionOutOfReach { region: String, range: Range<u64>, low: u64, high: u64 } => "{region}: {range:#x?} out of reach (expected in {low:#x}..{high:#x})",
        "give an address in that range with --at, or compile with -fPIC or for a larger code model";
    /// What should provide symbols has no fixed addresses.
    775 NotFixed { path: String } => "{path}: its addresses are not fixed (expected a firmware, or what `llext link` wrote)",
        "give the firmware's ELF file as its linker wrote it; programs must be linked with -no-pie";
    /// Only objects can be linked.
    776 NotAnObject { file: String } => "{file}: linked already (expected an object)",
        "give the object itself, or objects joined with `llext build` or ld -r";
    /// The file uses a function of the run time that is bound to the extension when it is loaded.
    777 NeedsRunTime { file: String, name: String } => "{file}: {name} is the run time's, which binds it in a load only",
        "load the object on the device instead; in C++, leave global objects with destructors out (-fno-use-cxa-atexit keeps them in .fini_array)";
}
}

/// What the numbers mean that say for which processor a file is: a device has no room for that.
fn explain_numbers(f: &mut fmt::Formatter<'_>, error: &llext_link::Error) -> fmt::Result {
    let machine = |number| Machine(number).name().unwrap_or("a machine without a name").to_owned();
    let (found, expected) = match *error {
        llext_link::Error::WrongMachine { found, expected } => (machine(found), machine(expected)),
        llext_link::Error::WrongFormat { found, expected } => (format_of(found), format_of(expected)),
        _ => return Ok(()),
    };
    write!(f, "\n  found: {found}\n  expected: {expected}")
}

/// What `EI_CLASS` and `EI_DATA` say.
fn format_of([class, data]: [u8; 2]) -> String {
    let bits = match class {
        1 => "32-bit",
        2 => "64-bit",
        _ => "of no known class",
    };
    let order = match data {
        1 => "little-endian",
        2 => "big-endian",
        _ => "of no known byte order",
    };
    format!("{bits} {order}")
}

impl Error {
    /// A function that says which file could not be read.
    pub(crate) fn unreadable(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |reason| Self::Unreadable { path, reason }
    }

    /// A function that says which file could not be written.
    pub(crate) fn unwritable(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |reason| Self::Unwritable { path, reason }
    }

    /// The linker's refusal of a file.
    pub(crate) fn of_link(file: &str, error: llext_link::Error) -> Self {
        Self::Link { file: file.to_owned(), error: Box::new(error) }
    }

    /// The run time's refusal of an extension; `details` are lines such as `missing: NAME`.
    pub(crate) fn of_load(file: &str, error: llext::Error, details: Vec<String>) -> Self {
        Self::Load { file: file.to_owned(), error: Box::new(error), details }
    }

    /// A function that says which file is malformed.
    pub(crate) fn malformed(path: &Path) -> impl FnOnce(object::Error) -> Self {
        let path = path.display().to_string();
        move |reason| Self::Malformed { path, reason: reason.to_string() }
    }
}

impl std::error::Error for Error {}

/// A refusal as programs read it.
#[derive(Debug, Serialize)]
pub(crate) struct Refusal {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) cure: &'static str,
}

impl Refusal {
    pub(crate) fn of(error: &Error) -> Self {
        Self { code: Code(error.code()).to_string(), message: error.to_string(), cure: error.cure() }
    }
}

/// A code as the tool shows it: `E0125`.
pub(crate) struct Code(pub(crate) u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "E{:04}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_ascend_in_the_range_of_the_tool() {
        assert!(Error::ALL.windows(2).all(|pair| pair[0].code < pair[1].code));
        assert!(Error::ALL.iter().all(|row| (700..900).contains(&row.code)));
    }

    /// But those that need another system, or one out of resources.
    #[test]
    fn every_code_is_produced_by_some_test() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tool");
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let files = entries.filter(|path| path.is_file());
        let text: String = files.map(|file| std::fs::read_to_string(file).unwrap()).collect();
        for row in Error::ALL.iter().filter(|row| !matches!(row.code, 740 | 741)) {
            assert!(text.contains(&Code(row.code).to_string()), "E{:04} {}", row.code, row.name);
        }
    }

    #[test]
    fn every_cure_is_a_sentence_part() {
        for row in Error::ALL {
            assert!(!row.cure.is_empty() && !row.cure.ends_with('.'), "E{:04}", row.code);
        }
    }
}
