//! Functions for structs and statics: with a use of their own, or without one.

use super::Signature;
use crate::error::Error;
use crate::lock::RawMutex;
use crate::memory::Memory;
use crate::registry::{Handle, Weak};
use core::fmt;

/// A function of a live extension with a use of its own: for structs and statics.
///
/// It keeps the extension. What must not be in the way of an unload takes a [`WeakFunction`].
///
/// ```
/// # use llext::{Error, Handle, NoopRawMutex, Pool};
/// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
/// struct Led<F> { toggle: F }
/// // SAFETY: `toggle` has this type.
/// let led = Led { toggle: unsafe { blinky.function::<extern "C" fn()>("toggle")? } };
/// drop(blinky);
/// led.toggle.call(()); // it is still there
/// # Ok(()) }
/// ```
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
    /// As for [`Extension::symbol`](crate::registry::Extension::symbol).
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// // SAFETY: `toggle` has this type.
    /// let toggle = unsafe { blinky.function::<extern "C" fn()>("toggle")? };
    /// assert_eq!(toggle.handle().uses(), 2);
    /// # Ok(()) }
    /// ```
    pub unsafe fn function<F: Signature>(&self, name: &str) -> Result<Function<'r, F, M, R, N>, Error> {
        // SAFETY: the caller vouches for the type.
        let function = unsafe { self.symbol::<F>(name)?.function };
        Ok(Function { function, handle: self.try_clone()? })
    }
}

impl<'r, F: Signature, M: Memory, R: RawMutex, const N: usize> Function<'r, F, M, R, N> {
    /// Calls the function; the arguments as a tuple.
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// // SAFETY: `tick` has this type.
    /// let tick = unsafe { blinky.function::<extern "C" fn(u32)>("tick")? };
    /// tick.call((1,));
    /// # Ok(()) }
    /// ```
    pub fn call(&self, arguments: F::Arguments) -> F::Output {
        self.function.invoke(arguments)
    }

    /// The function without its use.
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// # // SAFETY: `toggle` has this type.
    /// # let toggle = unsafe { blinky.function::<extern "C" fn()>("toggle")? };
    /// let weak = toggle.downgrade();
    /// drop((toggle, blinky));
    /// assert_eq!(weak.call(()), Err(Error::Died));
    /// # Ok(()) }
    /// ```
    pub fn downgrade(&self) -> WeakFunction<'r, F, M, R, N> {
        WeakFunction { function: self.function, weak: self.handle.downgrade() }
    }

    /// The use it holds.
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// # // SAFETY: `toggle` has this type.
    /// # let toggle = unsafe { blinky.function::<extern "C" fn()>("toggle")? };
    /// assert_eq!(toggle.handle().name(), blinky.name());
    /// # Ok(()) }
    /// ```
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
///
/// ```
/// # use llext::{Error, Handle, NoopRawMutex, Pool};
/// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
/// // SAFETY: `tick` has this type.
/// let tick = unsafe { blinky.function::<extern "C" fn(u32)>("tick")? }.downgrade();
/// if tick.try_call((1,)).is_err() {
///     // gone: stop the timer
/// }
/// # Ok(()) }
/// ```
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
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// // SAFETY: `tick` has this type.
    /// let tick = unsafe { blinky.function::<extern "C" fn(u32)>("tick")? }.downgrade();
    /// tick.call((1,))?;
    /// # Ok(()) }
    /// ```
    pub fn call(&self, arguments: F::Arguments) -> Result<F::Output, Error> {
        let _guard = self.weak.enter()?;
        Ok(self.function.invoke(arguments))
    }

    /// Calls the function from an interrupt: nothing is freed here, see [`Weak::try_enter`].
    ///
    /// # Errors
    /// As for [`WeakFunction::call`].
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// // SAFETY: `tick` has this type.
    /// let tick = unsafe { blinky.function::<extern "C" fn(u32)>("tick")? }.downgrade();
    /// let _ = tick.try_call((1,)); // in the interrupt handler
    /// # Ok(()) }
    /// ```
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
