//! Where bytes become functions: typed symbols that cannot outlive their extension.

use crate::error::{Error, Name};
use crate::export::SymbolName;
use crate::lifecycle::Phase;
use crate::lock::RawMutex;
use crate::memory::Memory;
use crate::registry::Extension;
use core::ffi::c_void;
use core::fmt;
use core::marker::PhantomData;

mod function;

pub use function::{Function, WeakFunction};

mod sealed {
    pub trait Signature: Copy {}
}

/// A function pointer that a symbol can be seen as: `extern "C"`, up to eight arguments.
///
/// ```
/// use llext::call::Signature;
///
/// extern "C" fn twice(n: i32) -> i32 { 2 * n }
/// let twice: extern "C" fn(i32) -> i32 = twice;
/// assert_eq!(twice.invoke((21,)), 42);
/// ```
pub trait Signature: sealed::Signature {
    /// The arguments, as a tuple.
    type Arguments;
    /// What it returns.
    type Output;

    /// Takes an address for a function of this type.
    ///
    /// # Safety
    /// A function of this type lies at `address`.
    unsafe fn at(address: usize) -> Self;

    /// Calls it.
    fn invoke(self, arguments: Self::Arguments) -> Self::Output;
}

macro_rules! functions {
    ($(($($name:ident)*))*) => { $(
        functions!(@ extern "C" fn, $($name)*);
    )* };
    (@ extern "C" fn, $($name:ident)*) => {
        impl<Out, $($name),*> sealed::Signature for extern "C" fn($($name),*) -> Out {}
        impl<Out, $($name),*> Signature for extern "C" fn($($name),*) -> Out {
            type Arguments = ($($name,)*);
            type Output = Out;

            unsafe fn at(address: usize) -> Self {
                // SAFETY: the caller vouches for the function's type; function pointers are words here.
                unsafe { core::mem::transmute::<usize, Self>(address) }
            }

            #[allow(non_snake_case)]
            fn invoke(self, ($($name,)*): Self::Arguments) -> Out {
                self($($name),*)
            }
        }
    };
}
functions! { () (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H) }

/// A function of a live extension: it borrows the handle, so it cannot outlive it.
///
/// ```
/// # use llext::{Error, Handle, NoopRawMutex, Pool};
/// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
/// // SAFETY: `add` has this type.
/// let add = unsafe { blinky.symbol::<extern "C" fn(i32, i32) -> i32>("add")? };
/// assert_eq!(add.call((1, 2)), 3);
/// # Ok(()) }
/// ```
///
/// It goes to other threads where the registry does, whose lock is `R`: the function may call the run time.
pub struct Symbol<'h, F, R> {
    function: F,
    extension: PhantomData<&'h R>,
}

impl<F: Copy, R> Clone for Symbol<'_, F, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F: Copy, R> Copy for Symbol<'_, F, R> {}

impl<F: Signature, R> Symbol<'_, F, R> {
    /// Calls the function; the arguments as a tuple: `add.call((1, 2))`.
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// // SAFETY: `tick` has this type.
    /// let tick = unsafe { blinky.symbol::<extern "C" fn(u32)>("tick")? };
    /// tick.call((1,));
    /// # Ok(()) }
    /// ```
    pub fn call(&self, arguments: F::Arguments) -> F::Output {
        self.function.invoke(arguments)
    }

    /// The bare function pointer, for what `call` cannot express.
    ///
    /// # Safety
    /// It must not be called after the handle is gone.
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// // SAFETY: `add` has this type; the handle lives as long as the pointer is used.
    /// let add = unsafe { blinky.symbol::<extern "C" fn(i32, i32) -> i32>("add")?.as_fn() };
    /// assert_eq!(add(1, 2), 3);
    /// # Ok(()) }
    /// ```
    pub unsafe fn as_fn(&self) -> F {
        self.function
    }
}

impl<F, R> fmt::Debug for Symbol<'_, F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Symbol")
    }
}

/// Apart, for the room that an error takes on the stack.
#[cold]
#[inline(never)]
fn not_found(name: &str) -> Result<usize, Error> {
    Err(Error::SymbolNotFound { name: Name::new(name.as_bytes()) })
}

impl<M: Memory, R: RawMutex, const N: usize> Extension<M, R, N> {
    /// The address of the export called `name`.
    ///
    /// # Errors
    /// [`Error::SymbolNotFound`], also for an absolute symbol of value 0: nothing lies there.
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// assert_eq!(blinky.address("no such thing").is_err(), true);
    /// # Ok(()) }
    /// ```
    pub fn address(&self, name: &str) -> Result<usize, Error> {
        let found = self.exports.find(&SymbolName::new(name.as_bytes()));
        // A pointer to a function, or to an object, must not be null.
        match found {
            Some(address @ 1..) => Ok(address),
            _ => not_found(name),
        }
    }

    /// The exported function called `name`.
    ///
    /// # Errors
    /// [`Error::SymbolNotFound`].
    ///
    /// # Safety
    /// The export is a function of type `F`.
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// // SAFETY: `start` has this type.
    /// unsafe { blinky.symbol::<extern "C" fn()>("start")? }.call(());
    /// # Ok(()) }
    /// ```
    pub unsafe fn symbol<F: Signature>(&self, name: &str) -> Result<Symbol<'_, F, R>, Error> {
        let address = self.address(name)?;
        // SAFETY: the caller vouches for the type, and that what the file calls so is of it; the address is not null.
        Ok(Symbol { function: unsafe { F::at(address) }, extension: PhantomData })
    }

    /// The exported object called `name`.
    ///
    /// # Errors
    /// [`Error::SymbolNotFound`].
    ///
    /// # Safety
    /// The export is a `T`, and the extension changes it only in ways that a shared `T` allows (atomics, cells).
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// use core::sync::atomic::{AtomicU32, Ordering};
    /// // SAFETY: `count` is an `AtomicU32`, or a C `_Atomic uint32_t`.
    /// let count = unsafe { blinky.object::<AtomicU32>("count")? };
    /// count.store(7, Ordering::Relaxed);
    /// # Ok(()) }
    /// ```
    pub unsafe fn object<T: Sync>(&self, name: &str) -> Result<&T, Error> {
        let address = self.address(name)?;
        // SAFETY: the caller vouches for the type; the object lives as long as the extension, which is kept.
        Ok(unsafe { &*(address as *const T) })
    }

    /// How far the extension has come up, or gone down.
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// assert_eq!(blinky.phase(), llext::Phase::Up);
    /// # Ok(()) }
    /// ```
    pub fn phase(&self) -> Phase {
        self.context().phase()
    }

    /// Runs the constructors of an extension that was loaded with
    /// [`bring_up(false)`](crate::Loader::bring_up), once.
    ///
    /// # Errors
    /// [`Error::WrongPhase`], [`Error::InitFailed`].
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
    /// // SAFETY: we trust the extension.
    /// let app = unsafe { apps.loader(&HOST).bring_up(false).load("app", bytes)? };
    /// app.bringup()?;
    /// # Ok(()) }
    /// ```
    pub fn bringup(&self) -> Result<(), Error> {
        // SAFETY: the image is sealed and kept; who called `load` vouched for its code.
        unsafe { self.context().bringup(&self.lifecycle) }
    }

    /// The addresses of the constructors that [`bringup`](Self::bringup) runs, in that order; `llext_init` is none of them.
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// let (up, down) = (blinky.constructors().count(), blinky.destructors().count());
    /// # let _ = (up, down);
    /// # Ok(()) }
    /// ```
    pub fn constructors(&self) -> impl Iterator<Item = usize> {
        // SAFETY: the image is sealed, and kept while `self` is borrowed.
        unsafe { self.lifecycle.constructors() }
    }

    /// The addresses of the destructors that [`teardown`](Self::teardown) runs, in that order; neither `llext_fini` nor what
    /// `__cxa_atexit` registers is one of them.
    pub fn destructors(&self) -> impl Iterator<Item = usize> {
        // SAFETY: as above.
        unsafe { self.lifecycle.destructors() }
    }

    /// Runs the destructors now, once; an unload does it otherwise.
    ///
    /// # Errors
    /// [`Error::WrongPhase`].
    ///
    /// # Safety
    /// No call into the extension is running or follows that needs what the destructors destroy.
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// // SAFETY: nobody calls it any more.
    /// unsafe { blinky.teardown()? };
    /// assert_eq!(blinky.phase(), llext::Phase::Down);
    /// # Ok(()) }
    /// ```
    pub unsafe fn teardown(&self) -> Result<(), Error> {
        // SAFETY: the image is sealed and kept; who called `load` vouched for its code.
        unsafe { self.context().teardown(&self.lifecycle) }
    }

    /// Gives all variables the values they had when the extension was loaded, so that it can be brought up once more: an
    /// instance as new, of the image that is linked already. It needs
    /// [`keep_initial_data`](crate::Loader::keep_initial_data).
    ///
    /// Code refers to its data by addresses, so a second instance beside the first is a copy of all of it: of a shared object
    /// [`instantiate`](crate::Loader::instantiate) makes one, of any other file a load under another name.
    ///
    /// # Errors
    /// [`Error::WrongPhase`] unless it was torn down, [`Error::NoInitialData`].
    ///
    /// # Safety
    /// No call into the extension is running, and no reference into its variables is used any more.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
    /// // SAFETY: we trust the extension, and nobody calls it between two runs.
    /// unsafe {
    ///     let app = apps.loader(&HOST).keep_initial_data(true).load("app", bytes)?;
    ///     app.teardown()?;
    ///     app.reset()?;
    ///     app.bringup()?;
    /// }
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "reset")]
    pub unsafe fn reset(&self) -> Result<(), Error> {
        let initial = self.initial.ok_or(Error::NoInitialData { name: self.name() })?;
        // SAFETY: the caller vouches for it.
        self.context().reset(|| unsafe { self.write_initial(initial) })
    }

    /// Brings the extension up, calls the exported function `entry` with `user_data`, and tears it down: what a thread
    /// does that runs an extension as a program.
    ///
    /// # Errors
    /// [`Error::SymbolNotFound`] before anything runs, [`Error::WrongPhase`], [`Error::InitFailed`].
    ///
    /// # Safety
    /// The export is an `extern "C" fn(*mut c_void)`, and `user_data` is what it expects. Nobody else calls the extension
    /// meanwhile or afterwards.
    ///
    /// ```
    /// # use llext::{Error, NoopRawMutex, Pool, Registry};
    /// # fn host_log() {}
    /// # extern "C" fn log(level: u32) { let _ = level; }
    /// # llext::exports! { static HOST; fn log(level: u32); }
    /// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, bytes: &[u8]) -> Result<(), Error> {
    /// // SAFETY: we trust the extension, and its `main` takes a pointer that it ignores.
    /// unsafe {
    ///     let app = apps.loader(&HOST).bring_up(false).load("app", bytes)?;
    ///     app.bootstrap("main", core::ptr::null_mut())?;
    /// }
    /// # Ok(()) }
    /// ```
    pub unsafe fn bootstrap(&self, entry: &str, user_data: *mut c_void) -> Result<(), Error> {
        // SAFETY: the caller vouches for the function's type.
        let entry = unsafe { self.symbol::<extern "C" fn(*mut c_void)>(entry)? };
        self.bringup()?;
        entry.call((user_data,));
        // SAFETY: the caller vouches for it.
        unsafe { self.teardown() }
    }
}
