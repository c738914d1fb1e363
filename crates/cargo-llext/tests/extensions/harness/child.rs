//! Inside a child process: loads one file after the other and compares what happens with the directives.

use std::fmt::Debug;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicI32, Ordering};

use llext::export::{Exports, SymbolName};
use llext::source::{self, ReadOnly};
use llext::{Error, Host};

use super::batch::Verdict;
use super::case::{Case, From};
use super::directive::{Directives, Step, Trace};
use super::extension;
use super::host::{self, OFFER};
use super::kind::Variant;
use super::maps::Maps;

type Handle<'h> = llext::Plugin<'h>;

/// Runs the cases written in a file, and writes a line for each as soon as it is done: what is wrong, or nothing.
pub(crate) fn run(cases: &Path, results: &Path) -> Result<bool, String> {
    let extensions = extension::discover()?;
    let text = fs::read_to_string(cases).map_err(|error| error.to_string())?;
    let mut results = File::options().append(true).open(results).map_err(|error| error.to_string())?;
    warm_up();
    for line in text.lines() {
        let case = Case::read(line, &extensions).ok_or_else(|| format!("not a case: {line}"))?;
        let verdict = in_full(&case).err().unwrap_or_default().replace('\n', "; ");
        writeln!(results, "{verdict}").map_err(|error| error.to_string())?;
    }
    Ok(true)
}

/// What happens once in a process must not look like something a load left behind.
fn warm_up() {
    let _ = Host::new(&OFFER);
    let _ = OFFER.address(&SymbolName::new(b"host_far_add"));
    let _ = Maps::read();
}

/// One case, and nothing of it remains.
fn in_full(case: &Case<'_>) -> Verdict {
    let before = Maps::read();
    host::take_trace();
    host::take_output();
    load_and_use(case)?;
    let remains = Maps::read().difference(&before);
    if remains.is_empty() {
        Ok(())
    } else {
        Err(format!("mapped otherwise than before: {}", remains.join(", ")))
    }
}

fn load_and_use(case: &Case<'_>) -> Verdict {
    let directives = &case.extension.directives;
    let host = if directives.libc(&case.variant) { Host::new(&OFFER) } else { Host::without_libc(&OFFER) };
    let host = host.map_err(|error| format!("no host: {error}"))?;
    let needs = case.needs.iter().map(|path| load_needed(&host, path)).collect::<Result<Vec<_>, _>>()?;
    let mut missing = Vec::new();
    let loaded =
        load(case, &host, &needs, &mut |name| missing.push(String::from_utf8_lossy(name).into_owned()));
    missing.sort();
    let expected = Expected { directives, variant: &case.variant };
    match loaded {
        Err(error) => expected.refusal(error, &missing),
        Ok(handle) => expected.life(handle),
    }?;
    drop(needs);
    expected.output()
}

fn load_needed<'h>(host: &'h Host, path: &Path) -> Result<Handle<'h>, String> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let file = source::File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    // SAFETY: this project's own sources.
    unsafe { host.loader().load(&name, file) }.map_err(|error| format!("{name}: {error}"))
}

fn load<'h>(
    case: &Case<'_>,
    host: &'h Host,
    needs: &[Handle<'h>],
    missing: &mut dyn FnMut(&[u8]),
) -> Result<Handle<'h>, Error> {
    let name = &case.extension.name;
    let loader = needs.iter().fold(host.loader(), |loader, needed| loader.needs(needed)).on_missing(missing);
    let bytes = fs::read(&case.file).expect("the file was just built");
    // SAFETY: this project's own sources; the directives give the signatures.
    unsafe {
        match case.from {
            From::Lent => loader.load(name, bytes.as_slice()),
            From::ReadOnly => loader.load(name, ReadOnly(&bytes)),
            From::File => loader.load(name, source::File::open(&case.file).expect("the file was just built")),
        }
    }
}

/// What the directives say of one variant.
struct Expected<'a> {
    directives: &'a Directives,
    variant: &'a Variant,
}

impl Expected<'_> {
    /// The load must have ended like this.
    fn refusal(&self, error: Error, missing: &[String]) -> Verdict {
        let expected = self.directives.errors(self.variant);
        if !expected.iter().any(|name| *name == error.name() || *name == format!("E{:04}", error.code())) {
            let wanted = if expected.is_empty() { "success".to_owned() } else { expected.join(" or ") };
            return Err(format!("{} (E{:04} {}) instead of {wanted}", error, error.code(), error.name()));
        }
        let trace = host::take_trace();
        equal("trace", &trace, &self.trace()[0])?;
        let mut names = self.directives.missing(self.variant);
        names.sort();
        equal("missing", missing, &names)
    }

    /// The load succeeded: all that follows, to the end.
    fn life(&self, handle: Handle<'_>) -> Verdict {
        let expected = self.directives.errors(self.variant);
        if !expected.is_empty() {
            return Err(format!("loaded instead of {}", expected.join(" or ")));
        }
        let [loading, calling, unloading] = self.trace();
        equal("trace of loading", &host::take_trace(), &loading)?;
        no_writable_code()?;
        self.directives.steps(self.variant).try_for_each(|step| take(step, &handle))?;
        self.names(&handle)?;
        equal("trace of calling", &host::take_trace(), &calling)?;
        handle.unload().map_err(|refused| format!("unload: {}", refused.error))?;
        equal("trace of unloading", &host::take_trace(), &unloading)
    }

    /// Without a directive nothing may be traced.
    fn trace(&self) -> Trace {
        self.directives.trace(self.variant).cloned().unwrap_or_default()
    }

    fn names(&self, handle: &Handle<'_>) -> Verdict {
        let exported: Vec<String> =
            handle.exports().map(|(name, _)| String::from_utf8_lossy(name).into_owned()).collect();
        for name in self.directives.exports(self.variant) {
            let listed = exported.contains(&name);
            let found = handle.address(&name).is_ok();
            equal(&format!("{name} listed and found"), &(listed, found), &(true, true))?;
        }
        for name in self.directives.hides(self.variant) {
            let listed = exported.contains(&name);
            let found = handle.address(&name).is_ok();
            equal(&format!("{name} listed and found"), &(listed, found), &(false, false))?;
        }
        Ok(())
    }

    fn output(&self) -> Verdict {
        equal("output", &host::take_output(), &self.directives.output(self.variant))
    }
}

fn no_writable_code() -> Verdict {
    let maps = Maps::read();
    let writable: Vec<&str> = maps.writable_code().collect();
    if writable.is_empty() {
        Ok(())
    } else {
        Err(format!("writable and executable: {}", writable.join(", ")))
    }
}

fn take(step: &Step, handle: &Handle<'_>) -> Verdict {
    match step {
        Step::Call { name, arguments, result } => equal(name, &call(handle, name, arguments)?, result),
        Step::Object { name, value } => equal(name, &object(handle, name)?.load(Ordering::Relaxed), value),
        Step::Store { name, value } => {
            object(handle, name)?.store(*value, Ordering::Relaxed);
            Ok(())
        }
        Step::Aligned { name, align } => {
            let address = handle.address(name).map_err(|error| error.to_string())?;
            equal(&format!("{name} modulo {align}"), &(address % align), &0)
        }
    }
}

fn object<'h>(handle: &'h Handle<'_>, name: &str) -> Result<&'h AtomicI32, String> {
    // SAFETY: the directive says that it is an int.
    unsafe { handle.object::<AtomicI32>(name) }.map_err(|error| error.to_string())
}

/// Calls a function of C ints.
fn call(handle: &Handle<'_>, name: &str, arguments: &[i32]) -> Result<i32, String> {
    let failed = |error: Error| error.to_string();
    // SAFETY: the directive says how many ints the function takes, and that it returns one.
    unsafe {
        Ok(match *arguments {
            [] => handle.symbol::<extern "C" fn() -> i32>(name).map_err(failed)?.call(()),
            [a] => handle.symbol::<extern "C" fn(i32) -> i32>(name).map_err(failed)?.call((a,)),
            [a, b] => handle.symbol::<extern "C" fn(i32, i32) -> i32>(name).map_err(failed)?.call((a, b)),
            _ => return Err(format!("{name}: more than two arguments")),
        })
    }
}

fn equal<A: PartialEq<B> + Debug + ?Sized, B: Debug + ?Sized>(
    what: &str,
    found: &A,
    expected: &B,
) -> Verdict {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?} instead of {expected:?}")) }
}
