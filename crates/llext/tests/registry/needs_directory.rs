//! Needs that come from a directory: found by name, and never outside it.

use crate::common::{compile, load, probe, start};
use crate::needs::note;
use llext::error::Name;
use llext::export::{ExportTable, Group};
use llext::source::File;
use llext::{Error, Host, Leaving};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

static NOTHING: [ExportTable; 0] = [];

fn host() -> Host {
    Host::without_libc(&NOTHING).unwrap()
}

/// A new folder of this name, and in it a folder `inside`.
fn folder(name: &str) -> (PathBuf, PathBuf) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("registry_needs").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(folder.join("inside")).unwrap();
    (folder.clone(), folder.join("inside"))
}

fn write(path: PathBuf, source: &str) {
    let name = path.strip_prefix(env!("CARGO_TARGET_TMPDIR")).unwrap().to_string_lossy().replace('/', "_");
    std::fs::write(&path, compile(&name, source, &["-O1"])).unwrap();
}

fn load_from<'h>(host: &'h Host, directory: &Path, name: &str) -> Result<llext::Plugin<'h>, Error> {
    let file = File::open(directory.join(name)).unwrap();
    // SAFETY: the sources of these tests are in these tests.
    unsafe { host.loader().needed_from(directory).load(name, file) }
}

fn names(host: &Host) -> Vec<String> {
    host.registry().iter().map(|app| crate::kit::text(app.name())).collect()
}

#[test]
fn needs_are_found_by_name_with_or_without_an_ending_and_so_are_theirs() {
    let (_, directory) = folder("found");
    write(
        directory.join("a"),
        &(note("plain") + &note("b") + "extern int f(void); int probe(void) { return f(); }"),
    );
    write(directory.join("plain"), "int plain;");
    write(
        directory.join("b.llext"),
        &(note("c") + &note("d") + "extern int g(void); int f(void) { return g() + 1; }"),
    );
    write(directory.join("c.so"), "int g(void) { return 41; }");
    write(directory.join("d.o"), "int d;");
    let host = host();
    let a = load_from(&host, &directory, "a").unwrap();
    assert_eq!(probe(&a), 42);
    assert_eq!(names(&host), ["plain", "c", "d", "b", "a"]);
    drop(a);
    assert_eq!(names(&host).len(), 0);
}

#[test]
fn what_is_not_in_the_directory_is_missing() {
    let (_, directory) = folder("missing");
    write(directory.join("a"), &note("nowhere"));
    std::fs::create_dir(directory.join("nowhere")).unwrap();
    let missing = llext_link::Error::MissingDependency { name: Name::new(b"nowhere") };
    assert_eq!(load_from(&host(), &directory, "a").err(), Some(missing.into()));
}

#[test]
fn a_name_does_not_lead_out_of_the_directory() {
    let (outside, directory) = folder("outside");
    write(outside.join("x"), "int x;");
    std::fs::create_dir(directory.join("deeper")).unwrap();
    write(directory.join("deeper/x"), "int x;");
    let absolute = outside.join("x").to_string_lossy().into_owned();
    for name in ["../x", "./../x", "deeper/../../x", &absolute, "deeper/x", "..", ".", ""] {
        write(directory.join("a"), &note(name));
        let error = load_from(&host(), &directory, "a").err();
        let missing = llext_link::Error::MissingDependency { name: Name::new(name.as_bytes()) };
        assert_eq!(error, Some(missing.into()), "{name}");
    }
}

#[test]
fn circles_in_a_directory_are_found_out() {
    let (_, directory) = folder("circle");
    write(directory.join("a"), &note("b"));
    write(directory.join("b.so"), &note("a"));
    let host = host();
    assert_eq!(load_from(&host, &directory, "a").err(), Some(Error::Cycle { name: Name::new(b"a") }));
    assert_eq!(names(&host).len(), 0);
}

#[test]
fn a_need_that_cannot_be_loaded_fails_the_load_and_what_was_loaded_goes() {
    let (_, directory) = folder("fails");
    write(directory.join("a"), &(note("b") + &note("c")));
    write(directory.join("b"), "int b;");
    std::fs::write(
        directory.join("c"),
        b"no ELF file at all, whatever it is called, and long enough to be read",
    )
    .unwrap();
    let host = host();
    assert!(matches!(
        load_from(&host, &directory, "a").err(),
        Some(Error::Link(llext_link::Error::NotElf { .. }))
    ));
    assert_eq!(names(&host).len(), 0);
}

#[test]
fn a_need_that_another_load_is_bringing_is_busy() {
    let (_, directory) = folder("busy");
    write(directory.join("a"), &note("b"));
    write(directory.join("b"), "int b;");
    let (host, b) = (host(), std::fs::read(directory.join("b")).unwrap());
    let mut source = &b[..];
    let begun = start(&host, "b", &mut source);
    assert_eq!(load_from(&host, &directory, "a").err(), Some(Error::Busy { name: Name::new(b"b") }));
    drop(begun);
    assert!(load_from(&host, &directory, "a").is_ok());
    assert!(load(&host, "b", &b[..]).is_ok());
}

#[test]
fn verifying_is_safe_and_loads_nothing_that_nobody_vouched_for() {
    let (_, directory) = folder("verify");
    write(directory.join("a"), &(note("b") + "extern int f(void); int probe(void) { return f(); }"));
    // Nobody provides `nobody`: loading it fails in another way than not loading it.
    write(directory.join("b"), "extern int nobody(void); int f(void) { return nobody(); }");
    let host = host();
    let verify = || {
        let file = File::open(directory.join("a")).unwrap();
        host.loader().needed_from(&directory).verify("a", file)
    };
    let missing = llext_link::Error::MissingDependency { name: Name::new(b"b") };
    assert_eq!(verify().err(), Some(missing.into()));
    write(directory.join("b"), "int f(void) { return 1; }");
    let _b = load(&host, "b", &std::fs::read(directory.join("b")).unwrap()[..]).unwrap();
    assert!(verify().is_ok());
    assert_eq!(names(&host), ["b"]);
}

extern "C" fn secret() -> i32 {
    1
}
llext::exports! { static SECRETS; fn secret() -> i32; }
static SECRET: Group<&ExportTable> = Group::new("secret", &SECRETS);
static LEFT: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn leaving(leaving: &Leaving) {
    LEFT.lock().unwrap().push(crate::kit::text(leaving.extension));
}

#[test]
fn what_is_needed_may_use_no_more_than_what_needs_it_and_its_leaving_is_heard() {
    let (_, directory) = folder("denied");
    write(directory.join("a"), &(note("b") + "extern int f(void); int probe(void) { return f(); }"));
    write(directory.join("b"), "extern int secret(void); int f(void) { return secret(); }");
    let host = Host::without_libc(&SECRET).unwrap();
    let load = |allowed: &[&str]| {
        let (loader, file) =
            (host.loader().needed_from(&directory), File::open(directory.join("a")).unwrap());
        // SAFETY: the sources of these tests are in these tests.
        unsafe { loader.allow(allowed).on_leaving(leaving).load("a", file) }.map(|app| probe(&app))
    };
    assert_eq!(load(&[]), Err(Error::Denied { name: Name::new(b"secret"), group: "secret" }));
    assert_eq!((load(&["secret"]), names(&host).len()), (Ok(1), 0));
    assert_eq!(*LEFT.lock().unwrap(), ["a", "b"]);
}

/// What stands behind a dot was once no part of the name, so that these two were taken for one another.
#[test]
fn only_the_endings_of_extensions_are_no_part_of_a_name() {
    let (_, directory) = folder("endings");
    write(directory.join("a"), &(note("math") + &note("math.v2") + "int probe(void) { return 42; }"));
    write(directory.join("math.o"), "int first;");
    write(directory.join("math.v2"), "int second;");
    let host = host();
    let a = load_from(&host, &directory, "a").unwrap();
    assert_eq!(names(&host), ["math", "math.v2", "a"]);
    drop(a);
}
