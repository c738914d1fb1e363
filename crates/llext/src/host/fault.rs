//! Faults inside extensions: told of, before the process ends as it would have.
//!
//! A process has one handler for each signal, whatever hosts it has: what is static here says whom ours tells. It runs
//! on the thread that had the fault, on another stack, and only does what a signal handler may (signal-safety(7)).

use super::Host;
use crate::registry::Place;
use core::ffi::{c_int, c_void};
use core::mem::transmute;
use core::ptr::{null, null_mut};
use core::sync::atomic::{AtomicPtr, Ordering};
use libc::{sigaction, siginfo_t, stack_t, ucontext_t};
use std::boxed::Box;
use std::io;
use std::sync::OnceLock;
use std::vec;

/// A fault inside an extension: an instruction of it that could not go on.
///
/// ```
/// # extern "C" fn log(level: u32) { let _ = level; }
/// # llext::exports! { static HOST; fn log(level: u32); }
/// # fn f() -> Result<(), Box<dyn std::error::Error>> {
/// use llext::Host;
/// use llext::host::Fault;
///
/// /// Runs in a signal handler: no allocation, no lock.
/// fn tell(fault: &Fault) {
///     let line = [fault.signal.as_bytes(), b" in ", fault.place.extension.as_bytes(), b"\n"];
///     // ... write(2) them
///     # let _ = line;
/// }
///
/// let host: &'static Host = Box::leak(Box::new(Host::new(&HOST)?));
/// host.report_faults(tell)?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// `SIGSEGV`, `SIGBUS`, `SIGILL` or `SIGFPE`.
    pub signal: &'static str,
    /// Where the instruction lies.
    pub place: Place,
    /// Its address.
    pub instruction: usize,
    /// What could not be reached; or the instruction, where it is the instruction itself that cannot be.
    pub address: usize,
}

/// The signals of faults, their names, and what handled them before us.
static SIGNALS: [(c_int, &str, OnceLock<sigaction>); 4] = [
    (libc::SIGSEGV, "SIGSEGV", OnceLock::new()),
    (libc::SIGBUS, "SIGBUS", OnceLock::new()),
    (libc::SIGILL, "SIGILL", OnceLock::new()),
    (libc::SIGFPE, "SIGFPE", OnceLock::new()),
];

/// Who is told, and by what. It is never freed.
struct Listener {
    host: &'static Host,
    report: fn(&Fault),
}

static LISTENER: AtomicPtr<Listener> = AtomicPtr::new(null_mut());

/// How large a stack the handler gets on the thread that asks for it, bytes.
const STACK: usize = 64 << 10;

impl Host {
    /// From here on a fault inside one of this host's extensions is given to `report`. Then the process goes on, or ends,
    /// as it would have: by what handled the signal before, or by the signal.
    ///
    /// `report` runs in a signal handler: it neither allocates nor waits. It is not called for a fault in the host or in a
    /// library, nor while somebody is at the registry. Of several hosts the one that asked last is meant. A thread whose
    /// stack may overflow needs another one for signals (sigaltstack(2)); the calling one gets it, and what the standard
    /// library starts has one.
    ///
    /// # Errors
    /// Those of sigaction(2) and sigaltstack(2).
    pub fn report_faults(&'static self, report: fn(&Fault)) -> io::Result<()> {
        make_stack()?;
        LISTENER.store(Box::leak(Box::new(Listener { host: self, report })), Ordering::Release);
        SIGNALS.iter().try_for_each(|(signal, _, before)| handle(*signal, before))
    }
}

/// Handles `signal` from here on, and keeps what did `before`.
fn handle(signal: c_int, before: &OnceLock<sigaction>) -> io::Result<()> {
    if before.get().is_some() {
        return Ok(());
    }
    // SAFETY: zeros are a value of this type.
    let (mut old, mut new): (sigaction, sigaction) = unsafe { (core::mem::zeroed(), core::mem::zeroed()) };
    new.sa_sigaction = on_fault as extern "C" fn(c_int, *mut siginfo_t, *mut c_void) as usize;
    new.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: it writes to `old` alone.
    done(unsafe { libc::sigaction(signal, null(), &mut old) })?;
    // From here on the handler finds what to pass the signal on to.
    if before.set(old).is_err() {
        return Ok(());
    }
    // SAFETY: the handler has the type that the flags say, and only does what handlers may.
    done(unsafe { libc::sigaction(signal, &new, null_mut()) })
}

/// Gives this thread a stack for signals, unless it has one that is large enough.
fn make_stack() -> io::Result<()> {
    // SAFETY: zeros are a value of this type.
    let mut now: stack_t = unsafe { core::mem::zeroed() };
    // SAFETY: it writes to `now` alone.
    done(unsafe { libc::sigaltstack(null(), &mut now) })?;
    if now.ss_flags & libc::SS_DISABLE == 0 && now.ss_size >= STACK {
        return Ok(());
    }
    let room = Box::leak(vec![0u8; STACK].into_boxed_slice());
    let new = stack_t { ss_sp: room.as_mut_ptr().cast(), ss_flags: 0, ss_size: STACK };
    // SAFETY: the room is never freed, and nobody else uses it.
    done(unsafe { libc::sigaltstack(&new, null_mut()) })
}

fn done(status: c_int) -> io::Result<()> {
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

extern "C" fn on_fault(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let Some((_, name, before)) = SIGNALS.iter().find(|(number, ..)| *number == signal) else { return };
    // SAFETY: a listener is never freed; the system gives both pointers to a handler with `SA_SIGINFO`.
    let (listener, info_of, context_of) =
        unsafe { (LISTENER.load(Ordering::Acquire).as_ref(), &*info, &*context.cast::<ucontext_t>()) };
    let instruction = instruction(context_of);
    let place = listener.and_then(|listener| listener.host.registry.locate(instruction));
    if let Some((listener, place)) = listener.zip(place) {
        // SAFETY: these signals have an address, unless somebody sent them, who chose what stands there.
        let address = unsafe { info_of.si_addr() } as usize;
        (listener.report)(&Fault { signal: name, place, instruction, address });
    }
    if let Some(before) = before.get() {
        pass_on(signal, info, context, before);
    }
}

/// Does with the signal what was done before.
fn pass_on(signal: c_int, info: *mut siginfo_t, context: *mut c_void, before: &sigaction) {
    let handler = before.sa_sigaction;
    if handler == libc::SIG_DFL || handler == libc::SIG_IGN {
        // SAFETY: what was there before. The instruction runs once more, and what was sent is sent again: it comes when
        // this returns.
        unsafe {
            libc::sigaction(signal, before, null_mut());
            if (*info).si_code <= 0 {
                libc::raise(signal);
            }
        }
    } else if before.sa_flags & libc::SA_SIGINFO != 0 {
        // SAFETY: the flags say that the handler has this type.
        let handle: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) = unsafe { transmute(handler) };
        handle(signal, info, context);
    } else {
        // SAFETY: the flags say that the handler has this type.
        let handle: extern "C" fn(c_int) = unsafe { transmute(handler) };
        handle(signal);
    }
}

/// The address of the instruction that was interrupted.
#[cfg(target_arch = "x86_64")]
fn instruction(context: &ucontext_t) -> usize {
    context.uc_mcontext.gregs[libc::REG_RIP as usize] as usize
}

/// The address of the instruction that was interrupted.
#[cfg(target_arch = "x86")]
fn instruction(context: &ucontext_t) -> usize {
    context.uc_mcontext.gregs[libc::REG_EIP as usize] as usize
}

/// The address of the instruction that was interrupted.
#[cfg(target_arch = "aarch64")]
fn instruction(context: &ucontext_t) -> usize {
    context.uc_mcontext.pc as usize
}

/// The address of the instruction that was interrupted.
#[cfg(target_arch = "arm")]
fn instruction(context: &ucontext_t) -> usize {
    context.uc_mcontext.arm_pc as usize
}

/// The address of the instruction that was interrupted.
#[cfg(any(target_arch = "riscv32", target_arch = "riscv64"))]
fn instruction(context: &ucontext_t) -> usize {
    context.uc_mcontext.__gregs[libc::REG_PC] as usize
}
