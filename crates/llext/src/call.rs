//! Where bytes become functions: typed symbols that cannot outlive their extension.

use crate::error::{Error, Name};
use crate::export::SymbolName;
use crate::lock::RawMutex;
use crate::memory::Memory;
use crate::registry::Handle;
use core::fmt;
use core::marker::PhantomData;

mod sealed {
    pub trait Function: Copy {}
}

/// A function pointer that a symbol can be seen as: `extern "C"`, up to eight arguments.
pub trait Function: sealed::Function {
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
        impl<Out, $($name),*> sealed::Function for extern "C" fn($($name),*) -> Out {}
        impl<Out, $($name),*> Function for extern "C" fn($($name),*) -> Out {
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
    handle: PhantomData<&'h ()>,
}

impl<F: Function> Symbol<'_, F> {
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

impl<M: Memory, R: RawMutex, const N: usize> Handle<'_, M, R, N> {
    /// The address of the export called `name`.
    ///
    /// # Errors
    /// [`Error::SymbolNotFound`].
    pub fn address(&self, name: &str) -> Result<usize, Error> {
        let found = self.extension().exports.find(&SymbolName::new(name.as_bytes()));
        found.ok_or_else(|| Error::SymbolNotFound { name: Name::new(name.as_bytes()) })
    }

    /// The exported function called `name`.
    ///
    /// # Errors
    /// [`Error::SymbolNotFound`].
    ///
    /// # Safety
    /// The export is a function of type `F`.
    pub unsafe fn symbol<F: Function>(&self, name: &str) -> Result<Symbol<'_, F>, Error> {
        let address = self.address(name)?;
        // SAFETY: the caller vouches for the type; the address was checked to lie in the extension.
        Ok(Symbol { function: unsafe { F::at(address) }, handle: PhantomData })
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
        // SAFETY: the caller vouches for the type; the object lives as long as the extension, which the handle keeps.
        Ok(unsafe { &*(address as *const T) })
    }
}
