//! What the tests share: compiled sources, a host whose functions do what the test says, and a log.

use crate::arena::Arena;
use crate::common::compile;
use llext::error::Name;
use llext::export::Exports;
use llext::lock::StdRawMutex;
use llext::{Error, Handle, Registry, Source};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

/// How many extensions fit into the registries of these tests.
pub(crate) const SLOTS: usize = 32;
pub(crate) type Apps = Registry<Arena, StdRawMutex, SLOTS>;
pub(crate) type App<'r> = Handle<'r, Arena, StdRawMutex, SLOTS>;
pub(crate) type Int = extern "C" fn() -> i32;

thread_local! {
    static LOG: RefCell<Vec<i32>> = const { RefCell::new(Vec::new()) };
    static KEPT: Cell<usize> = const { Cell::new(0) };
    static ACT: Cell<Option<&'static dyn Fn(i32) -> i32>> = const { Cell::new(None) };
}

/// Writes a number into the log of this thread.
pub(crate) extern "C" fn note(number: i32) {
    crate::watched::no_lock_is_held();
    LOG.with_borrow_mut(|log| log.push(number));
}

/// Does what [`acting`] says.
extern "C" fn act(number: i32) -> i32 {
    crate::watched::no_lock_is_held();
    ACT.get().map_or(0, |act| act(number))
}

/// Keeps an address, as a host does that is given a callback or a text.
extern "C" fn keep(address: usize) {
    KEPT.set(address);
}

llext::exports! {
    pub(crate) static HOST;
    fn note(number: i32);
    fn act(number: i32) -> i32;
    fn keep(address: usize);
}

/// The address that an extension of this thread gave last.
pub(crate) fn kept() -> usize {
    KEPT.get()
}

/// What the extensions of this thread have noted since it was last asked.
pub(crate) fn noted() -> Vec<i32> {
    LOG.take()
}

/// These are what the extensions of this thread have noted since.
#[track_caller]
pub(crate) fn is_noted(numbers: &[i32]) {
    assert_eq!(noted(), numbers);
}

/// Runs `body`; what its extensions call `act` for is done by `act`.
pub(crate) fn acting<T>(act: &dyn Fn(i32) -> i32, body: impl FnOnce() -> T) -> T {
    // SAFETY: the reference is taken back before this returns; a panic ends the thread, whose `ACT` nobody else reads.
    let act: &'static dyn Fn(i32) -> i32 = unsafe { core::mem::transmute(act) };
    let before = ACT.replace(Some(act));
    let value = body();
    ACT.set(before);
    value
}

/// An empty registry.
pub(crate) fn apps() -> Apps {
    Registry::new(Arena::new())
}

/// The bytes in use in its memory.
pub(crate) fn in_use(apps: &Apps) -> usize {
    // SAFETY: the closure looks at the memory only.
    unsafe { apps.with_memory(|memory| memory.in_use()) }
}

/// Nothing is live, and no byte is reserved.
#[track_caller]
pub(crate) fn is_empty(apps: &Apps) {
    assert_eq!((apps.iter().count(), in_use(apps)), (0, 0));
}

/// What the sources of these tests begin with. A shared object has a handle of its own, as the compiler's start files do.
const PRELUDE: &str = "extern void note(int); extern int act(int); extern void keep(const void *);
    #ifdef SHARED
    __attribute__((visibility(\"hidden\"))) void *__dso_handle = &__dso_handle;
    #else
    extern __attribute__((visibility(\"hidden\"))) char __dso_handle;
    #endif\n";

/// An object of this source.
pub(crate) fn object(source: &str) -> &'static [u8] {
    compiled(source, &["-O1"])
}

/// A shared object of this source, linked without any library.
pub(crate) fn shared(source: &str) -> &'static [u8] {
    compiled(source, &["-O1", "-shared", "-nostdlib", "-DSHARED"])
}

/// The file that this source makes with these flags, compiled once.
pub(crate) fn compiled(source: &str, flags: &[&str]) -> &'static [u8] {
    type Shelf = HashMap<String, Arc<OnceLock<&'static [u8]>>>;
    static SHELF: Mutex<Option<Shelf>> = Mutex::new(None);
    let name = name_of(source, flags);
    let file = SHELF.lock().unwrap().get_or_insert_default().entry(name.clone()).or_default().clone();
    file.get_or_init(|| compile(&name, &format!("{PRELUDE}{source}"), flags).leak())
}

/// Where the file of [`compiled`] lies: for others to be linked with.
pub(crate) fn path_of(source: &str, flags: &[&str]) -> PathBuf {
    compiled(source, flags);
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name_of(source, flags)).join("output")
}

fn name_of(source: &str, flags: &[&str]) -> String {
    let mut hasher = DefaultHasher::new();
    (source, flags).hash(&mut hasher);
    format!("registry/{:x}", hasher.finish())
}

/// Loads an extension against [`HOST`].
pub(crate) fn load<'r>(apps: &'r Apps, name: &str, source: impl Source) -> Result<App<'r>, Error> {
    // SAFETY: the sources of these tests are in these tests.
    unsafe { apps.loader(&HOST).load(name, source) }
}

/// As [`load`], depending on `providers`.
pub(crate) fn load_with<'r>(
    apps: &'r Apps,
    name: &str,
    source: impl Source,
    providers: &[&App<'r>],
) -> Result<App<'r>, Error> {
    let loader = providers.iter().fold(apps.loader(&HOST), |loader, provider| loader.needs(provider));
    // SAFETY: the sources of these tests are in these tests.
    unsafe { loader.load(name, source) }
}

/// As [`load`], against another host.
pub(crate) fn load_against<'r>(
    apps: &'r Apps,
    host: &dyn Exports,
    name: &str,
    source: impl Source,
) -> Result<App<'r>, Error> {
    // SAFETY: the sources of these tests are in these tests.
    unsafe { apps.loader(host).load(name, source) }
}

/// Calls an exported `int (void)`.
#[track_caller]
pub(crate) fn call(app: &App<'_>, name: &str) -> i32 {
    // SAFETY: what these tests call by name has this type.
    unsafe { app.symbol::<Int>(name) }.unwrap().call(())
}

/// The names of the live extensions, in load order.
pub(crate) fn live(apps: &Apps) -> Vec<String> {
    apps.iter().map(|app| text(app.name())).collect()
}

/// A name as text.
pub(crate) fn text(name: llext::error::Name) -> String {
    String::from_utf8_lossy(name.as_bytes()).into_owned()
}

/// What a load, or `bringup`, gets whose extension's `llext_init` returned `status`.
pub(crate) fn init_failed(extension: &str, status: i32) -> Error {
    Error::InitFailed { name: Name::new(extension.as_bytes()), status }
}
