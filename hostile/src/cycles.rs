//! Loads, calls and unloads over and over: then the process has what it had before.

use std::collections::HashSet;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use llext::memory::Linux;
use llext::source::{File, ReadOnly, Source};
use llext::{NoopRawMutex, Registry};

use crate::heap;
use crate::host::{Pretender, bases};
use crate::options::Scale;
use crate::sample::{Form, HOST, good};
use crate::target;

/// What a process has: pages of memory, mappings, descriptors, bytes of its heap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Held {
    pages: usize,
    mappings: usize,
    descriptors: usize,
    heap: isize,
}

/// How often, for each kind of run.
const SHORT: usize = 20_000;
const FULL: usize = 1_000_000;
/// So many go before anything is counted: what the process keeps once is not lost each time.
const FIRST: usize = 64;

type Extensions = Registry<Linux, NoopRawMutex, 2>;

/// True when nothing was lost.
pub(crate) fn run(scale: Scale, folder: &Path) -> Result<bool, String> {
    if !target::runs_here() {
        println!("cycles: left out: code for {} does not run here", target::native().name);
        return Ok(true);
    }
    let times = if scale == Scale::Short { SHORT } else { FULL };
    let path = folder.join(format!("{}.cycles", std::process::id()));
    let result = cycles(times, &path);
    // It may never have been made.
    let _ = std::fs::remove_file(&path);
    result
}

fn cycles(times: usize, path: &Path) -> Result<bool, String> {
    let files = Form::ALL.map(|form| good(target::native(), form).bytes());
    std::fs::write(path, &files[2]).map_err(|error| format!("{}: {error}", path.display()))?;
    let registry = Extensions::new(Linux::new());
    let bar = ProgressBar::new(times as u64);
    let style = ProgressStyle::with_template("cycles {wide_bar} {pos}/{len}, {eta} left");
    bar.set_style(style.map_err(|error| error.to_string())?);
    (0..FIRST).try_for_each(|number| one(&registry, &files, path, number))?;
    let before = held();
    for number in 0..times {
        one(&registry, &files, path, number)?;
        if number % 4096 == 0 {
            bar.set_position(number as u64);
        }
    }
    let after = held();
    bar.finish_and_clear();
    let same = before == after;
    println!("cycles: {times} times loaded, called and unloaded; before {before:?}");
    if !same {
        println!("FAIL: cycles: after {after:?}");
    }
    println!(
        "cycles: the difference is {} pages of memory, {} mappings, {} descriptors, {} bytes of the heap",
        after.pages as isize - before.pages as isize,
        after.mappings as isize - before.mappings as isize,
        after.descriptors as isize - before.descriptors as isize,
        after.heap - before.heap
    );
    Ok(same)
}

/// Each form in turn, lent or read, and sometimes from a file.
fn one(registry: &Extensions, files: &[Vec<u8>; 3], path: &Path, number: usize) -> Result<(), String> {
    let bytes = &files[number % 3][..];
    match number % 16 {
        15 => cycle(registry, File::open(path).map_err(|error| error.to_string())?),
        number if number % 2 == 1 => cycle(registry, ReadOnly(bytes)),
        _ => cycle(registry, bytes),
    }
}

fn cycle(registry: &Extensions, source: impl Source) -> Result<(), String> {
    let names = HashSet::from([HOST.as_bytes().to_vec()]);
    let host = Pretender { names: &names, base: bases()[0], has_libraries: false };
    let said = |error: llext::Error| error.to_string();
    // SAFETY: the files of this program return at once from all they export.
    let extension = unsafe { registry.loader(&host).load("cycle", source) }.map_err(said)?;
    // SAFETY: it is a function without arguments or result.
    let probe = unsafe { extension.symbol::<extern "C" fn()>("probe") }.map_err(said)?;
    probe.call(());
    extension.unload().map(|_| ()).map_err(|refused| refused.error.to_string())
}

fn held() -> Held {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').next().and_then(|pages| pages.parse().ok()).unwrap_or(0);
    Held {
        pages,
        mappings: crate::surroundings::mappings(),
        descriptors: std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count),
        heap: heap::live(),
    }
}
