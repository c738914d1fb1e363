//! What runs before an extension is live and before it goes: constructors, `__cxa_atexit`, destructors.
//!
//! gABI chapter 5, "Initialization and Termination Functions"; Itanium C++ ABI 3.3.6.3, "Runtime API".

use crate::error::Name;
use llext_link::addr::Part;

mod context;
mod list;
mod provided;

pub use context::Phase;
pub(crate) use context::{Context, Revoke};
pub use provided::is_provided;
pub(crate) use provided::{Provided, bound, provided};

/// What an extension said before it gave up: see [`Loader::on_panic`](crate::Loader::on_panic).
#[derive(Clone, Copy, Debug)]
pub struct ExtensionPanic<'a> {
    /// The extension's name.
    pub extension: Name,
    /// The source file.
    pub file: &'a str,
    /// The line in it.
    pub line: u32,
}

/// What the host does when an extension panics; it does not come back. See [`Loader::on_panic`](crate::Loader::on_panic).
pub type PanicHook = fn(&ExtensionPanic<'_>) -> !;

/// An extension whose destructors have run, and whose memory goes next: see
/// [`Loader::on_leaving`](crate::Loader::on_leaving).
#[derive(Clone, Copy, Debug)]
pub struct Leaving {
    /// The extension's name.
    pub extension: Name,
    /// The address and size of each part, in the order of [`Part::ALL`]. What the host kept of it (log messages whose
    /// text lies there, say) must be dealt with now.
    pub parts: [(usize, usize); Part::ALL.len()],
}

/// What the host does before the memory of an extension goes: see [`Loader::on_leaving`](crate::Loader::on_leaving).
pub type LeavingHook = fn(&Leaving);

/// What the host wants to hear.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hooks {
    pub(crate) panic: PanicHook,
    pub(crate) leaving: Option<LeavingHook>,
}

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
            self.constructors().for_each(|function| run(function));
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
            self.destructors().for_each(|function| run(function));
        }
    }

    /// The init functions, in the order they run.
    ///
    /// # Safety
    /// The image is sealed and not yet retired.
    pub(crate) unsafe fn constructors(&self) -> impl Iterator<Item = usize> {
        // SAFETY: the caller keeps the image; every function was checked to lie in its code.
        unsafe { self.preinit.iter().chain(self.first).chain(self.init.iter()) }
    }

    /// The fini functions, in the order they run.
    ///
    /// # Safety
    /// As for [`Lifecycle::constructors`].
    pub(crate) unsafe fn destructors(&self) -> impl Iterator<Item = usize> {
        // SAFETY: as above.
        unsafe { self.fini.iter().rev().chain(self.last) }
    }
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
