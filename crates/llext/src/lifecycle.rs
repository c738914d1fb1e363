//! What runs before an extension is live and before it goes: constructors, `__cxa_atexit`, destructors.
//!
//! gABI chapter 5, "Initialization and Termination Functions"; Itanium C++ ABI 3.3.6.3, "Runtime API".

use crate::error::Name;
use crate::lock::{Locked, RawMutex};
use core::ffi::{c_int, c_void};
use llext_link::symbol::BOUND;

/// What an extension said before it gave up.
#[derive(Clone, Copy, Debug)]
pub struct ExtensionPanic<'a> {
    /// The extension's name.
    pub extension: Name,
    /// The source file.
    pub file: &'a str,
    /// The line in it.
    pub line: u32,
}

/// What the host does when an extension panics; it does not come back.
pub type PanicHook = fn(&ExtensionPanic<'_>) -> !;

/// An array of functions in the image: checked to lie in the extension's code.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Functions {
    /// The run address of the array.
    pub(crate) start: usize,
    /// How many there are.
    pub(crate) count: usize,
}

impl Functions {
    /// The functions, in the order they stand.
    ///
    /// # Safety
    /// The image is sealed and not yet retired, and the functions were checked.
    unsafe fn iter(self) -> impl DoubleEndedIterator<Item = usize> {
        // SAFETY: the array lies in the image, aligned to a word, and the caller keeps the image.
        (0..self.count).map(move |index| unsafe { (self.start as *const usize).add(index).read() })
    }
}

/// The functions that bring an extension up and take it down.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lifecycle {
    pub(crate) preinit: Functions,
    /// `DT_INIT`: before the constructors.
    pub(crate) first: Option<usize>,
    pub(crate) init: Functions,
    pub(crate) fini: Functions,
    /// `DT_FINI`: after the destructors.
    pub(crate) last: Option<usize>,
    /// `llext_init`: after the constructors; it may say no.
    pub(crate) start: Option<usize>,
    /// `llext_fini`: before everything else that ends the extension.
    pub(crate) stop: Option<usize>,
}

type Function = unsafe extern "C" fn();

/// # Safety
/// A function without arguments lies at `address`, in a sealed image.
pub(crate) unsafe fn run(address: usize) {
    // SAFETY: the caller vouches for the address and the signature.
    unsafe { core::mem::transmute::<usize, Function>(address)() }
}

impl Lifecycle {
    /// Runs preinit and init functions in order, then `llext_init`; the status it returned, 0 when all went well.
    ///
    /// # Safety
    /// The image is sealed, and its code may be trusted to run here.
    pub(crate) unsafe fn bringup(&self) -> i32 {
        // SAFETY: the caller keeps the image; every function was checked to lie in its code.
        unsafe {
            self.preinit.iter().for_each(|function| run(function));
            self.first.into_iter().for_each(|function| run(function));
            self.init.iter().for_each(|function| run(function));
            self.start.map_or(0, |start| core::mem::transmute::<usize, extern "C" fn() -> i32>(start)())
        }
    }

    /// Runs fini functions, last one first.
    ///
    /// # Safety
    /// As for [`Lifecycle::bringup`], which has run.
    pub(crate) unsafe fn teardown(&self) {
        // SAFETY: the caller keeps the image; every function was checked to lie in its code.
        unsafe {
            self.fini.iter().rev().for_each(|function| run(function));
            self.last.into_iter().for_each(|function| run(function));
        }
    }
}

/// A destructor registered at run time, and its argument.
#[derive(Clone, Copy)]
struct Exit {
    function: unsafe extern "C" fn(*mut c_void),
    argument: *mut c_void,
}

/// How many destructors fit without an allocator.
const FIXED: usize = if cfg!(feature = "alloc") { 4 } else { 16 };

struct Exits {
    fixed: [Option<Exit>; FIXED],
    len: usize,
    #[cfg(feature = "alloc")]
    more: alloc::vec::Vec<Exit>,
}

// SAFETY: the functions are called by whoever unloads, as the C++ ABI has it; the argument is theirs.
unsafe impl Send for Exits {}

/// What an extension's `__dso_handle` points to: it tells the run time which extension calls.
pub(crate) struct Context<R> {
    name: Name,
    panic: PanicHook,
    exits: Locked<R, Exits>,
}

impl<R: RawMutex> Context<R> {
    pub(crate) fn new(name: &str, panic: PanicHook) -> Self {
        let exits = Exits {
            fixed: [None; FIXED],
            len: 0,
            #[cfg(feature = "alloc")]
            more: alloc::vec::Vec::new(),
        };
        Self { name: Name::new(name.as_bytes()), panic, exits: Locked::new(exits) }
    }

    /// Runs what was registered with `__cxa_atexit`, last one first; what that registers runs too.
    ///
    /// # Safety
    /// The extension's image is sealed and not yet retired.
    pub(crate) unsafe fn run_exits(&self) {
        while let Some(exit) = self.exits.with(Exits::pop) {
            // SAFETY: the extension registered function and argument together, and its image is still there.
            unsafe { (exit.function)(exit.argument) }
        }
    }
}

impl Exits {
    fn push(&mut self, exit: Exit) -> bool {
        if let Some(free) = self.fixed.get_mut(self.len) {
            *free = Some(exit);
            self.len += 1;
            return true;
        }
        self.push_more(exit)
    }

    #[cfg(feature = "alloc")]
    fn push_more(&mut self, exit: Exit) -> bool {
        self.more.push(exit);
        true
    }

    #[cfg(not(feature = "alloc"))]
    fn push_more(&mut self, _: Exit) -> bool {
        false
    }

    fn pop(&mut self) -> Option<Exit> {
        #[cfg(feature = "alloc")]
        if let Some(exit) = self.more.pop() {
            return Some(exit);
        }
        self.len = self.len.checked_sub(1)?;
        self.fixed.get_mut(self.len)?.take()
    }
}

/// A function that the run time provides to every extension, before the host is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Provided {
    /// At this address.
    Plain(usize),
    /// At this address, and called through the binding stub of this number: it must be told who calls.
    Bound(usize, usize),
}

/// What the run time provides under `name`.
pub(crate) fn provided<R: RawMutex>(name: &[u8]) -> Option<Provided> {
    Some(match name {
        b"__cxa_atexit" => Provided::Bound(0, cxa_atexit::<R> as *const () as usize),
        b"atexit" => Provided::Bound(1, atexit::<R> as *const () as usize),
        b"__cxa_finalize" => Provided::Plain(cxa_finalize as *const () as usize),
        b"llext_panic" => Provided::Bound(2, llext_panic::<R> as *const () as usize),
        _ => return None,
    })
}

/// The functions that are called through the binding stubs, in the order of the stubs.
pub(crate) fn bound<R: RawMutex>() -> [usize; BOUND] {
    [
        cxa_atexit::<R> as *const () as usize,
        atexit::<R> as *const () as usize,
        llext_panic::<R> as *const () as usize,
    ]
}

/// `atexit`, bound: the third argument is not its caller's.
extern "C" fn atexit<R: RawMutex>(
    function: unsafe extern "C" fn(*mut c_void),
    _: *mut c_void,
    context: *const Context<R>,
) -> c_int {
    // A function without parameters ignores the argument it will be given.
    cxa_atexit::<R>(function, core::ptr::null_mut(), context)
}

/// Registers a destructor; 0 when it was registered, else there was no room.
extern "C" fn cxa_atexit<R: RawMutex>(
    function: unsafe extern "C" fn(*mut c_void),
    argument: *mut c_void,
    context: *const Context<R>,
) -> c_int {
    // SAFETY: `context` is the `__dso_handle` that the loader gave the extension.
    let context = unsafe { &*context };
    c_int::from(!context.exits.with(|exits| exits.push(Exit { function, argument })))
}

/// Unloading runs the registered destructors itself.
extern "C" fn cxa_finalize(_: *mut c_void) {}

extern "C" fn llext_panic<R: RawMutex>(
    file: *const u8,
    len: usize,
    context: *const Context<R>,
    line: u32,
) -> ! {
    // SAFETY: `context` is the extension's `__dso_handle`, and the panic handler gives a file name of that length.
    let (context, file) = unsafe { (&*context, core::slice::from_raw_parts(file, len)) };
    let file = core::str::from_utf8(file).unwrap_or("");
    (context.panic)(&ExtensionPanic { extension: context.name, file, line })
}

/// What happens when the host gave no hook: the process ends, or the processor stops here.
pub(crate) fn stop(_: &ExtensionPanic<'_>) -> ! {
    #[cfg(feature = "std")]
    std::process::abort();
    #[cfg(not(feature = "std"))]
    loop {
        core::hint::spin_loop();
    }
}
