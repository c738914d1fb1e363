//! Where bytes become functions: typed symbols that cannot outlive their extension.

use crate::error::{Error, Name};
use crate::export::SymbolName;
use crate::lifecycle::Phase;
use crate::lock::RawMutex;
use crate::memory::Memory;
use crate::registry::{Extension, Handle, Weak};
use core::ffi::c_void;
use core::fmt;
use core::marker::PhantomData;

mod sealed {
    pub trait Signature: Copy {}
}

/// A function pointer that a symbol can be seen as: `extern "C"`, up to eight arguments.
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
#[derive(Clone, Copy)]
pub struct Symbol<'h, F> {
    function: F,
    extension: PhantomData<&'h ()>,
}

impl<F: Signature> Symbol<'_, F> {
    /// Calls the function; the arguments as a tuple: `add.call((1, 2))`.
    pub fn call(&self, arguments: F::Arguments) -> F::Output {
        self.function.invoke(arguments)
    }

    /// The bare function pointer, for what `call` cannot express.
    ///
    /// # Safety
    /// It must not be called after the handle is gone.
    pub unsafe fn as_fn(&self) -> F {
        self.function
    }
}

impl<F> fmt::Debug for Symbol<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Symbol")
    }
}

impl<M: Memory, R: RawMutex, const N: usize> Extension<M, R, N> {
    /// The address of the export called `name`.
    ///
    /// # Errors
    /// [`Error::SymbolNotFound`].
    pub fn address(&self, name: &str) -> Result<usize, Error> {
        let found = self.exports.find(&SymbolName::new(name.as_bytes()));
        found.ok_or_else(|| Error::SymbolNotFound { name: Name::new(name.as_bytes()) })
    }

    /// The exported function called `name`.
    ///
    /// # Errors
    /// [`Error::SymbolNotFound`].
    ///
    /// # Safety
    /// The export is a function of type `F`.
    pub unsafe fn symbol<F: Signature>(&self, name: &str) -> Result<Symbol<'_, F>, Error> {
        let address = self.address(name)?;
        // SAFETY: the caller vouches for the type; the address was checked to lie in the extension.
        Ok(Symbol { function: unsafe { F::at(address) }, extension: PhantomData })
    }

    /// The exported object called `name`.
    ///
    /// # Errors
    /// [`Error::SymbolNotFound`].
    ///
    /// # Safety
    /// The export is a `T`, and the extension changes it only in ways that a shared `T` allows (atomics, cells).
    pub unsafe fn object<T: Sync>(&self, name: &str) -> Result<&T, Error> {
        let address = self.address(name)?;
        // SAFETY: the caller vouches for the type; the object lives as long as the extension, which is kept.
        Ok(unsafe { &*(address as *const T) })
    }

    /// How far the extension has come up, or gone down.
    pub fn phase(&self) -> Phase {
        self.context().phase()
    }

    /// Runs the constructors of an extension that was loaded with
    /// [`bring_up(false)`](crate::Loader::bring_up), once.
    ///
    /// # Errors
    /// [`Error::WrongPhase`], [`Error::InitFailed`].
    pub fn bringup(&self) -> Result<(), Error> {
        // SAFETY: the image is sealed and kept; who called `load` vouched for its code.
        unsafe { self.context().bringup(&self.lifecycle) }
    }

    /// Runs the destructors now, once; an unload does it otherwise.
    ///
    /// # Errors
    /// [`Error::WrongPhase`].
    ///
    /// # Safety
    /// No call into the extension is running or follows that needs what the destructors destroy.
    pub unsafe fn teardown(&self) -> Result<(), Error> {
        // SAFETY: the image is sealed and kept; who called `load` vouched for its code.
        unsafe { self.context().teardown(&self.lifecycle) }
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
    pub unsafe fn bootstrap(&self, entry: &str, user_data: *mut c_void) -> Result<(), Error> {
        // SAFETY: the caller vouches for the function's type.
        let entry = unsafe { self.symbol::<extern "C" fn(*mut c_void)>(entry)? };
        self.bringup()?;
        entry.call((user_data,));
        // SAFETY: the caller vouches for it.
        unsafe { self.teardown() }
    }
}

/// A function of a live extension with a use of its own: for structs and statics.
///
/// It keeps the extension. What must not be in the way of an unload takes a [`WeakFunction`].
pub struct Function<'r, F, M: Memory, R: RawMutex, const N: usize> {
    function: F,
    handle: Handle<'r, M, R, N>,
}

impl<'r, M: Memory, R: RawMutex, const N: usize> Handle<'r, M, R, N> {
    /// The exported function called `name`, with a use of its own.
    ///
    /// # Errors
    /// [`Error::SymbolNotFound`], [`Error::TooManyUses`].
    ///
    /// # Safety
    /// As for [`Extension::symbol`].
    pub unsafe fn function<F: Signature>(&self, name: &str) -> Result<Function<'r, F, M, R, N>, Error> {
        // SAFETY: the caller vouches for the type.
        let function = unsafe { self.symbol::<F>(name)?.function };
        Ok(Function { function, handle: self.try_clone()? })
    }
}

impl<'r, F: Signature, M: Memory, R: RawMutex, const N: usize> Function<'r, F, M, R, N> {
    /// Calls the function; the arguments as a tuple.
    pub fn call(&self, arguments: F::Arguments) -> F::Output {
        self.function.invoke(arguments)
    }

    /// The function without its use.
    pub fn downgrade(&self) -> WeakFunction<'r, F, M, R, N> {
        WeakFunction { function: self.function, weak: self.handle.downgrade() }
    }

    /// The use it holds.
    pub fn handle(&self) -> &Handle<'r, M, R, N> {
        &self.handle
    }
}

impl<F, M: Memory, R: RawMutex, const N: usize> fmt::Debug for Function<'_, F, M, R, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Function").field(&self.handle).finish()
    }
}

/// A function of an extension that may go: each call finds out whether it is still there, and keeps it until it returns.
pub struct WeakFunction<'r, F, M: Memory, R: RawMutex, const N: usize> {
    function: F,
    weak: Weak<'r, M, R, N>,
}

impl<F: Signature, M: Memory, R: RawMutex, const N: usize> Clone for WeakFunction<'_, F, M, R, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F: Signature, M: Memory, R: RawMutex, const N: usize> Copy for WeakFunction<'_, F, M, R, N> {}

impl<F: Signature, M: Memory, R: RawMutex, const N: usize> WeakFunction<'_, F, M, R, N> {
    /// Calls the function. If the extension was told to go meanwhile, it goes when the last call returns.
    ///
    /// # Errors
    /// [`Error::Died`], [`Error::Busy`], [`Error::TooManyUses`].
    pub fn call(&self, arguments: F::Arguments) -> Result<F::Output, Error> {
        let _guard = self.weak.enter()?;
        Ok(self.function.invoke(arguments))
    }

    /// Calls the function from an interrupt: nothing is freed here, see [`Weak::try_enter`].
    ///
    /// # Errors
    /// As for [`WeakFunction::call`].
    pub fn try_call(&self, arguments: F::Arguments) -> Result<F::Output, Error> {
        let _guard = self.weak.try_enter()?;
        Ok(self.function.invoke(arguments))
    }
}

impl<F, M: Memory, R: RawMutex, const N: usize> fmt::Debug for WeakFunction<'_, F, M, R, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WeakFunction").field(&self.weak).finish()
    }
}
