//! What an extension's `__dso_handle` points to: who it is, and what changes while it lives.

use super::list::List;
use super::{ExtensionPanic, Hooks, Lifecycle, run};
use crate::error::{Error, Name};
use crate::lock::{Locked, RawMutex};
use core::ffi::c_void;

/// How far an extension has come up, or gone down.
///
/// ```
/// # use llext::{Error, Handle, NoopRawMutex, Pool};
/// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
/// assert_eq!(blinky.phase(), llext::Phase::Up);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Its constructors have not run: it was loaded with `bring_up(false)`, and is found and used like any other.
    Loaded,
    /// Constructors or destructors are running.
    Changing,
    /// Its constructors ran, and it agreed.
    Up,
    /// Its constructors ran, and it said no to `bringup`; a load that it says no to leaves nothing.
    Failed,
    /// Its destructors ran, as `teardown` asked; its memory is still there.
    Down,
}

/// A destructor registered at run time, and its argument.
#[derive(Clone, Copy)]
pub(super) struct Exit {
    pub(super) function: unsafe extern "C" fn(*mut c_void),
    pub(super) argument: *mut c_void,
}

/// What takes an object of the host's away from an extension that goes, and its argument.
pub(crate) type Revoke = (fn(usize), usize);

/// Something of the host's that an extension asked for.
#[derive(Clone, Copy)]
pub(crate) struct Owned {
    /// Which of the extension's.
    pub(crate) number: u32,
    pub(crate) name: &'static str,
    /// How it is taken away when the extension goes; `None` where it keeps the extension.
    pub(crate) revoke: Option<Revoke>,
}

/// How many destructors have a place in the context; only without an allocator is that a limit.
const EXITS: usize = if cfg!(feature = "alloc") { 4 } else { 16 };
/// How many objects of the host's have one.
const OWNED: usize = if cfg!(feature = "alloc") { 0 } else { 4 };

struct Changing {
    phase: Phase,
    exits: List<Exit, EXITS>,
    owned: List<Owned, OWNED>,
    numbers: u32,
}

// SAFETY: the functions are called by whoever unloads, as the C++ ABI has it; the argument is theirs.
unsafe impl Send for Changing {}

/// What an extension's `__dso_handle` points to: it tells the run time which extension calls.
pub(crate) struct Context<R> {
    pub(crate) name: Name,
    pub(crate) hooks: Hooks,
    changing: Locked<R, Changing>,
}

impl<R: RawMutex> Context<R> {
    pub(crate) fn new(name: &str, hooks: Hooks) -> Self {
        let changing = Changing { phase: Phase::Loaded, exits: List::NEW, owned: List::NEW, numbers: 0 };
        Self { name: Name::new(name.as_bytes()), hooks, changing: Locked::new(changing) }
    }

    /// The context of an extension that came as far as `phase`, and registered these destructors: function and argument.
    ///
    /// # Safety
    /// They are those that it registered.
    #[cfg(feature = "save")]
    pub(crate) unsafe fn again(
        name: &str,
        hooks: Hooks,
        phase: Phase,
        exits: impl Iterator<Item = [usize; 2]>,
    ) -> Self {
        let context = Self::new(name, hooks);
        context.enter_phase(phase);
        for [function, argument] in exits {
            // SAFETY: the caller vouches for it.
            let function =
                unsafe { core::mem::transmute::<usize, unsafe extern "C" fn(*mut c_void)>(function) };
            context.at_exit(Exit { function, argument: argument as *mut c_void });
        }
        context
    }

    /// Whether so many destructors can be registered.
    #[cfg(feature = "save")]
    pub(crate) const fn has_room(exits: usize) -> bool {
        cfg!(feature = "alloc") || exits <= EXITS
    }

    /// The destructor registered at `index`: function and argument.
    #[cfg(feature = "save")]
    pub(crate) fn exit(&self, index: usize) -> Option<[usize; 2]> {
        let exit = self.changing.with(|changing| changing.exits.iter().nth(index).copied())?;
        Some([exit.function as usize, exit.argument.addr()])
    }

    pub(crate) fn phase(&self) -> Phase {
        self.changing.with(|changing| changing.phase)
    }

    fn enter_phase(&self, phase: Phase) {
        self.changing.with(|changing| changing.phase = phase);
    }

    /// Begins to change from one phase; another one is an error.
    fn leave_phase(&self, expected: Phase) -> Result<(), Error> {
        self.changing.with(|changing| {
            if changing.phase != expected {
                return Err(Error::WrongPhase { name: self.name, found: changing.phase, expected });
            }
            changing.phase = Phase::Changing;
            Ok(())
        })
    }

    /// Runs the constructors, once.
    ///
    /// # Safety
    /// As for [`Lifecycle::bringup`].
    pub(crate) unsafe fn bringup(&self, lifecycle: &Lifecycle) -> Result<(), Error> {
        self.leave_phase(Phase::Loaded)?;
        // SAFETY: the caller vouches for the code.
        let status = unsafe { lifecycle.bringup() };
        self.enter_phase(if status == 0 { Phase::Up } else { Phase::Failed });
        if status == 0 { Ok(()) } else { Err(Error::InitFailed { name: self.name, status }) }
    }

    /// Runs `llext_fini`, what `__cxa_atexit` registered and the destructors: after [`Context::bringup`], once.
    ///
    /// # Safety
    /// The image is sealed and not yet retired.
    pub(crate) unsafe fn teardown(&self, lifecycle: &Lifecycle) -> Result<(), Error> {
        self.leave_phase(Phase::Up)?;
        // SAFETY: the caller keeps the image; each function was checked to lie in its code.
        unsafe {
            lifecycle.stop.into_iter().for_each(|stop| run(stop));
            self.undo(lifecycle);
        }
        Ok(())
    }

    /// Begins again: after [`Context::teardown`], and before constructors run once more.
    #[cfg(feature = "reset")]
    pub(crate) fn reset(&self, write: impl FnOnce()) -> Result<(), Error> {
        self.leave_phase(Phase::Down)?;
        write();
        self.enter_phase(Phase::Loaded);
        Ok(())
    }

    /// Runs the destructors that are due, however far the extension came.
    ///
    /// # Safety
    /// As for [`Context::teardown`].
    pub(crate) unsafe fn end(&self, lifecycle: &Lifecycle) {
        // SAFETY: the caller keeps the image.
        unsafe {
            if self.teardown(lifecycle).is_err() && self.phase() == Phase::Failed {
                self.undo(lifecycle);
            }
        }
    }

    /// Undoes what the constructors did. What destructors register runs too.
    ///
    /// # Safety
    /// As for [`Context::teardown`].
    unsafe fn undo(&self, lifecycle: &Lifecycle) {
        // SAFETY: the caller keeps the image.
        unsafe {
            self.run_exits();
            lifecycle.teardown();
            self.run_exits();
        }
        self.enter_phase(Phase::Down);
    }

    /// Runs what was registered with `__cxa_atexit`, last one first; what that registers runs too.
    ///
    /// # Safety
    /// As for [`Context::teardown`].
    unsafe fn run_exits(&self) {
        while let Some(exit) = self.changing.with(|changing| changing.exits.pop()) {
            // SAFETY: the extension registered function and argument together, and its image is still there.
            unsafe { (exit.function)(exit.argument) }
        }
    }

    /// Registers a destructor; whether there was room.
    pub(super) fn at_exit(&self, exit: Exit) -> bool {
        self.changing.with(|changing| changing.exits.push(exit))
    }

    pub(super) fn panic(&self, file: &str, line: u32) -> ! {
        (self.hooks.panic)(&ExtensionPanic { extension: self.name, file, line })
    }

    /// Ties an object of the host's to the extension; its number.
    pub(crate) fn own(&self, name: &'static str, revoke: Option<Revoke>) -> Result<u32, Error> {
        self.changing.with(|changing| {
            let number = changing.numbers.wrapping_add(1);
            if !changing.owned.push(Owned { number, name, revoke }) {
                return Err(Error::TooManyObjects { name: self.name });
            }
            changing.numbers = number;
            Ok(number)
        })
    }

    /// Unties an object; whether it was still tied.
    pub(crate) fn disown(&self, number: u32) -> bool {
        self.changing.with(|changing| changing.owned.take_last(|owned| owned.number == number)).is_some()
    }

    /// Takes the last object that can be revoked; its revocation is the caller's.
    pub(crate) fn take_revocable(&self) -> Option<Revoke> {
        self.changing.with(|changing| changing.owned.take_last(|owned| owned.revoke.is_some()))?.revoke
    }

    /// The object at `index`.
    pub(crate) fn owned(&self, index: usize) -> Option<Owned> {
        self.changing.with(|changing| changing.owned.iter().nth(index).copied())
    }
}
