//! The run itself: this process is the host.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::{Path, PathBuf};

use llext::registry::MAX_NAME;
use llext::source::File;
use llext::{ExtensionPanic, Host, Plugin};
use serde::Serialize;

use super::call::{Call, Outcome, Raw};
use super::symbols::TOOL;
use crate::cli::Returns;
use crate::demangle::demangle;
use crate::elf::{self, Extension};
use crate::error::Error;
use crate::terminal::{self, Terminal};

/// All that a run did, for programs.
#[derive(Serialize)]
struct Story {
    loaded: Vec<Loaded>,
    #[serde(flatten)]
    outcome: Option<Outcome>,
    unloaded: Vec<String>,
}

/// One extension in memory.
#[derive(Serialize)]
struct Loaded {
    name: String,
    file: PathBuf,
    regions: Vec<Region>,
    exports: usize,
    imports: usize,
    relocations: usize,
}

#[derive(Serialize)]
struct Region {
    part: String,
    address: String,
    bytes: usize,
}

/// Loads the files in order, calls a function of the last one, and unloads them in reverse.
pub(super) fn run(
    files: &[PathBuf],
    call: Option<&Call>,
    no_libc: bool,
    terminal: &Terminal,
) -> Result<(), Error> {
    if terminal.json() {
        // Extensions may print: programs that read our object must not read that.
        terminal.keep_results_apart()?;
    }
    let host = if no_libc { Host::without_libc(&TOOL) } else { Host::new(&TOOL) };
    let host = host.map_err(|error| Error::of_load("host", error, Vec::new()))?;

    let mut plugins = Vec::new();
    let mut story = Story { loaded: Vec::new(), outcome: None, unloaded: Vec::new() };
    for file in files {
        let plugin = load(&host, file)?;
        story.loaded.push(tell(&plugin, file, terminal)?);
        plugins.push(plugin);
    }
    // From here on all constructors have run.
    if let (Some(call), Some(last)) = (call, plugins.last()) {
        let outcome = perform(call, last)?;
        if !terminal.json() {
            terminal::print(format_args!("{outcome}"))?;
        }
        story.outcome = Some(outcome);
    }
    while let Some(plugin) = plugins.pop() {
        let name = plugin.name().to_string();
        plugin.unload().map_err(|refused| Error::of_load(&name, refused.error, Vec::new()))?;
        flush();
        terminal.status("Unloaded", &name);
        story.unloaded.push(name);
    }
    if terminal.json() { terminal.show_json(&story) } else { Ok(()) }
}

fn load<'h>(host: &'h Host, path: &Path) -> Result<Plugin<'h>, Error> {
    let file = File::open(path).map_err(Error::unreadable(path))?;
    let name = name_of(path);
    let mut missing = Vec::new();
    let mut hear = |name: &[u8]| missing.push(demangle(&String::from_utf8_lossy(name)));
    let loader = host.loader().search_live(true).on_missing(&mut hear).on_panic(panicked);
    // SAFETY: whoever asks to run a file vouches for it.
    let loaded = unsafe { loader.load(&name, file) };
    loaded.map_err(|error| Error::of_load(&path.display().to_string(), error, missing))
}

/// The file's name without its ending, as much of it as a name may have.
fn name_of(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let end = (0..=stem.len().min(MAX_NAME)).rev().find(|end| stem.is_char_boundary(*end));
    stem[..end.unwrap_or(0)].to_owned()
}

fn panicked(panic: &ExtensionPanic<'_>) -> ! {
    let (extension, file) = (panic.extension.to_string(), panic.file.to_owned());
    if let Some(terminal) = Terminal::of_process() {
        terminal.refuse(&Error::Panicked { extension, file, line: panic.line });
    }
    std::process::exit(1)
}

/// Says where an extension lies and how much there is of it.
fn tell(plugin: &Plugin<'_>, path: &Path, terminal: &Terminal) -> Result<Loaded, Error> {
    let bytes = elf::read(path)?;
    let file = Extension::parse(&path.display().to_string(), &bytes)?;
    let region = |region: llext::registry::Region| Region {
        part: format!("{:?}", region.part).to_lowercase(),
        address: format!("{:#x}", region.address),
        bytes: region.size,
    };
    let loaded = Loaded {
        name: plugin.name().to_string(),
        file: path.to_owned(),
        regions: plugin.regions().map(region).collect(),
        exports: plugin.exports().count(),
        imports: file.imports().len(),
        relocations: file.relocations().values().sum(),
    };
    let Loaded { name, exports, imports, relocations, .. } = &loaded;
    terminal.status(
        "Loaded",
        format_args!("{name} (exports {exports}, imports {imports}, relocations {relocations})"),
    );
    for Region { part, address, bytes } in &loaded.regions {
        terminal.note(format_args!("{part:<9} {address:>14} {bytes:>8} bytes"));
    }
    Ok(loaded)
}

fn perform(call: &Call, plugin: &Plugin<'_>) -> Result<Outcome, Error> {
    let words = call.words();
    let raw = match call.returns {
        Returns::Void => invoke::<()>(plugin, call, &words).map(|()| Raw::Nothing),
        Returns::F32 => invoke(plugin, call, &words).map(Raw::Single),
        Returns::F64 => invoke(plugin, call, &words).map(Raw::Double),
        Returns::Str => invoke(plugin, call, &words).map(text_at),
        _ => invoke(plugin, call, &words).map(Raw::Bits),
    };
    let outcome = Outcome::new(
        call,
        raw.map_err(|error| Error::of_load(&plugin.name().to_string(), error, Vec::new()))?,
    );
    flush();
    Ok(outcome)
}

/// Calls the function with as many words as there are. Whatever fits a register may be seen as a word.
fn invoke<R>(plugin: &Plugin<'_>, call: &Call, words: &[usize]) -> Result<R, llext::Error> {
    type W = usize;
    let name = call.function.as_str();
    // SAFETY: whoever asks for the call vouches for the function's arguments and result.
    unsafe {
        Ok(match *words {
            [] => plugin.symbol::<extern "C" fn() -> R>(name)?.call(()),
            [a] => plugin.symbol::<extern "C" fn(W) -> R>(name)?.call((a,)),
            [a, b] => plugin.symbol::<extern "C" fn(W, W) -> R>(name)?.call((a, b)),
            [a, b, c] => plugin.symbol::<extern "C" fn(W, W, W) -> R>(name)?.call((a, b, c)),
            [a, b, c, d] => plugin.symbol::<extern "C" fn(W, W, W, W) -> R>(name)?.call((a, b, c, d)),
            [a, b, c, d, e] => {
                plugin.symbol::<extern "C" fn(W, W, W, W, W) -> R>(name)?.call((a, b, c, d, e))
            }
            [a, b, c, d, e, f, ..] => {
                plugin.symbol::<extern "C" fn(W, W, W, W, W, W) -> R>(name)?.call((a, b, c, d, e, f))
            }
        })
    }
}

/// The text at a pointer that a function returned.
fn text_at(pointer: *const c_char) -> Raw {
    if pointer.is_null() {
        return Raw::Text(None);
    }
    // SAFETY: whoever says that the function returns text vouches for it.
    let text = unsafe { CStr::from_ptr(pointer) };
    Raw::Text(Some(text.to_string_lossy().into_owned()))
}

/// Lets the C library write what the extension printed, so that it stands before what is printed next.
fn flush() {
    unsafe extern "C" {
        fn fflush(stream: *mut c_void) -> c_int;
    }
    // SAFETY: null means all streams.
    unsafe { fflush(std::ptr::null_mut()) };
}
