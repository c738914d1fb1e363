//! What a host in C gives: a lock, and somewhere to say what went wrong.

use crate::errno::negative;
use crate::types::SymbolTable;
use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char, c_int, c_uint};
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use llext::lock::RawMutex;

type Lock = unsafe extern "C" fn() -> c_uint;
type Unlock = unsafe extern "C" fn(c_uint);
type Log = unsafe extern "C" fn(c_int, *const c_char);

static LOCK: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());
static UNLOCK: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());
static LOG: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());
static THREAD_LOCALS: AtomicPtr<SymbolTable> = AtomicPtr::new(core::ptr::null_mut());
static ALL_GLOBALS: AtomicBool = AtomicBool::new(false);

/// Gives the lock: what shuts everybody else out and lets them in again. `unlock` is handed what its `lock` returned. They
/// nest, as `irq_lock` does and a recursive mutex; they are held for short times and never over code of the host's or of an
/// extension. Without them, or with null, all calls must come from one thread. To be called before any other function.
///
/// # Safety
/// The functions are what is said here, and nobody is in another function of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_set_lock_hooks(lock: Option<Lock>, unlock: Option<Unlock>) {
    let both = lock.zip(unlock);
    set(&LOCK, both.map(|(lock, _)| lock as *mut ()));
    set(&UNLOCK, both.map(|(_, unlock)| unlock as *mut ()));
}

/// Gives the log: it hears, where a function fails, the negative number that is returned and a line that says why, or, without
/// the feature `messages`, whom it is about and the error's number; and of every symbol that nobody provides, `-ENODATA` and its
/// name. Null for none.
///
/// # Safety
/// `log` may be called from wherever the library is called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_set_log_hook(log: Option<Log>) {
    set(&LOG, log.map(|log| log as *mut ()));
}

/// Whether extensions export all their global symbols, also where they list some with `EXPORT_SYMBOL`: LLEXT's
/// CONFIG_LLEXT_IMPORT_ALL_GLOBALS. It counts for loads that follow.
#[unsafe(no_mangle)]
pub extern "C" fn llext_set_import_all_globals(yes: bool) {
    ALL_GLOBALS.store(yes, Ordering::Release);
}

pub(crate) fn imports_all_globals() -> bool {
    ALL_GLOBALS.load(Ordering::Acquire)
}

/// Lends the program's thread-local variables to extensions that use them as "local exec": a table of names, and of how far each
/// lies from the thread pointer. Null for none, and then such extensions are refused. It counts for loads that follow.
///
/// # Safety
/// The table is one, and stays as it is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_set_thread_locals(variables: *const SymbolTable) {
    THREAD_LOCALS.store(variables.cast_mut(), Ordering::Release);
}

/// That table, if there is one.
pub(crate) fn thread_locals() -> Option<&'static SymbolTable> {
    // SAFETY: `llext_set_thread_locals` was promised that it is there and stays.
    unsafe { THREAD_LOCALS.load(Ordering::Acquire).as_ref() }
}

fn set(hook: &AtomicPtr<()>, function: Option<*mut ()>) {
    hook.store(function.unwrap_or(core::ptr::null_mut()), Ordering::Release);
}

fn get(hook: &AtomicPtr<()>) -> Option<*mut ()> {
    let function = hook.load(Ordering::Acquire);
    (!function.is_null()).then_some(function)
}

/// The host's lock. There is only one, which nests.
pub struct HookMutex;

/// Somebody inside.
struct Inside(c_uint);

impl Inside {
    fn enter() -> Self {
        // SAFETY: `llext_set_lock_hooks` stored a function of this type.
        Self(get(&LOCK).map_or(0, |lock| unsafe { core::mem::transmute::<*mut (), Lock>(lock)() }))
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        if let Some(unlock) = get(&UNLOCK) {
            // SAFETY: as above.
            unsafe { core::mem::transmute::<*mut (), Unlock>(unlock)(self.0) }
        }
    }
}

// SAFETY: who gave the hooks vouched that they shut everybody else out; who gave none, that there is nobody else.
unsafe impl RawMutex for HookMutex {
    const INIT: Self = Self;

    fn lock<T>(&self, f: impl FnOnce() -> T) -> T {
        let _inside = Inside::enter();
        f()
    }
}

/// A value behind the host's lock.
pub(crate) struct Guarded<T>(UnsafeCell<T>);

// SAFETY: the value is reached under the lock only.
unsafe impl<T: Send> Sync for Guarded<T> {}

impl<T> Guarded<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// Runs `f` alone with the value. It is short, calls nothing of the host's or of an extension, and does not come here again.
    pub(crate) fn with<U>(&self, f: impl FnOnce(&mut T) -> U) -> U {
        // SAFETY: the lock shuts others out, and `f` does not nest.
        HookMutex.lock(|| f(unsafe { &mut *self.0.get() }))
    }
}

/// A line of bounded length; what does not fit is cut off.
struct Line {
    bytes: [u8; 160],
    len: usize,
}

impl Line {
    fn push(&mut self, bytes: impl IntoIterator<Item = u8>) {
        let room = self.bytes.len() - 1;
        for byte in bytes {
            if let Some(place) = self.bytes.get_mut(self.len).filter(|_| self.len < room) {
                *place = byte;
                self.len += 1;
            }
        }
    }

    /// What is wrong, and where.
    #[cfg(feature = "messages")]
    fn describe(&mut self, error: &llext::Error) {
        use core::fmt::Write;
        let _ = write!(self, "{error}");
    }

    /// Its number, which `cargo llext explain` tells more about.
    #[cfg(not(feature = "messages"))]
    fn describe(&mut self, error: &llext::Error) {
        self.push(*b"error ");
        let code = error.code();
        self.push([100, 10, 1].map(|place| b'0' + (code / place % 10) as u8));
    }
}

#[cfg(feature = "messages")]
impl core::fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        self.push(text.bytes());
        Ok(())
    }
}

/// Tells the log a number, and a line: whom it is about, and what `rest` writes.
fn tell(number: c_int, who: &[u8], rest: impl FnOnce(&mut Line)) {
    let Some(hook) = get(&LOG) else { return };
    let mut line = Line { bytes: [0; 160], len: 0 };
    line.push(who.escape_ascii());
    line.push(*b": ");
    rest(&mut line);
    let text = CStr::from_bytes_until_nul(&line.bytes).unwrap_or_default();
    // SAFETY: `llext_set_log_hook` stored a function of this type.
    unsafe { core::mem::transmute::<*mut (), Log>(hook)(number, text.as_ptr()) }
}

/// Tells the log.
pub(crate) fn log(number: c_int, who: &[u8], what: &str) {
    tell(number, who, |line| line.push(what.bytes()));
}

/// Tells the log why a function fails; what it returns.
pub(crate) fn failed(who: &[u8], error: &llext::Error) -> c_int {
    let number = negative(error);
    tell(number, who, |line| line.describe(error));
    number
}
