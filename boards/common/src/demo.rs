//! The firmware that says what it does.

use crate::host::{HOST, LEDS, TICKS};
#[cfg(feature = "located")]
use crate::located;
use crate::{IN_C, IN_RUST, file, in_place};
use core::mem::MaybeUninit;
use core::panic::PanicInfo;
use core::sync::atomic::Ordering;
use llext::{Error, NoopRawMutex, Pool, RawMutex, Registry};
use semihosting::{println, process};

/// Up to four extensions, guarded by what the board needs.
pub type Apps<R> = Registry<Pool<'static>, R, 4>;

pub(crate) fn main(code: &'static mut [MaybeUninit<u8>], data: &'static mut [MaybeUninit<u8>]) -> ! {
    with::<NoopRawMutex>(code, data, |_| Ok(()))
}

/// Does what every board does, and what this board does besides.
pub fn with<R: RawMutex + 'static>(
    code: &'static mut [MaybeUninit<u8>],
    data: &'static mut [MaybeUninit<u8>],
    besides: impl FnOnce(&'static Apps<R>) -> Result<(), Error>,
) -> ! {
    let apps = Apps::new(Pool::new(code, data));
    // SAFETY: this function never returns, so its variables stay for ever.
    let apps: &'static Apps<R> = unsafe { &*(&raw const apps) };
    #[cfg(feature = "located")]
    if let Some(linked) = located::open() {
        end(located::try_out(apps, linked), apps)
    }
    let done = match file::open() {
        Some(given) => file::try_out(apps, given),
        None => call_c(apps)
            .and_then(|()| call_rust(apps))
            .and_then(|()| in_place::run(apps))
            .and_then(|()| storage(apps))
            .and_then(|()| besides(apps)),
    };
    end(done, apps)
}

#[cfg(feature = "storage")]
fn storage<R: RawMutex>(apps: &Apps<R>) -> Result<(), Error> {
    crate::storage::run(apps)
}

/// A board without room for a disk.
#[cfg(not(feature = "storage"))]
fn storage<R: RawMutex>(_: &Apps<R>) -> Result<(), Error> {
    Ok(())
}

/// Ends the program: well, if all was well and nothing is left.
fn end<R: RawMutex>(done: Result<(), Error>, apps: &Apps<R>) -> ! {
    if let Err(error) = done {
        fail(error)
    }
    check("memory in use at the end", in_use(apps), 0);
    process::exit(0)
}

/// Ends the program that failed.
pub fn fail(error: Error) -> ! {
    println!("E{:04}: {error}; {}", error.code(), error.cure());
    process::exit(1)
}

/// What a board's handler of faults ends with: without one, a fault would be a loop without end.
pub fn fault(at: usize) -> ! {
    println!("fault at {at:#x}");
    process::exit(1)
}

pub(crate) fn panic(info: &PanicInfo) -> ! {
    println!("{info}");
    process::exit(1)
}

fn call_c<R: RawMutex>(apps: &Apps<R>) -> Result<(), Error> {
    // SAFETY: the file is what this board's compiler made of blink.c.
    let extension = unsafe { apps.loader(&HOST).load("blink", IN_C)? };
    // SAFETY: that is the function's type there.
    let blink = unsafe { extension.symbol::<extern "C" fn(u32) -> u32>("blink")? };
    check("first blink", blink.call((5,)), 10);
    check("second blink", blink.call((2,)), 20);
    check("lights", LEDS.load(Ordering::Relaxed), 1 << 3 | 1 << 1);
    check("ticks", TICKS.load(Ordering::Relaxed), 7);
    let uses = extension.unload().map_err(|refused| refused.error)?;
    check("uses left", uses, 0);
    Ok(())
}

fn call_rust<R: RawMutex>(apps: &Apps<R>) -> Result<(), Error> {
    LEDS.store(0, Ordering::Relaxed);
    // SAFETY: the file is what cargo made of the crate `mean`.
    let extension = unsafe { apps.loader(&HOST).load("mean", IN_RUST)? };
    check("light after the start", LEDS.load(Ordering::Relaxed), 1 << 7);
    // SAFETY: that is the function's type there.
    let mean = unsafe { extension.symbol::<extern "C" fn(u32) -> u32>("mean")? };
    check("mean of 4", mean.call((4,)), 4);
    check("mean of 4 and 8", mean.call((8,)), 6);
    check("ticks", TICKS.load(Ordering::Relaxed), 9);
    let uses = extension.unload().map_err(|refused| refused.error)?;
    check("uses left", uses, 0);
    check("light after the end", LEDS.load(Ordering::Relaxed), 0);
    Ok(())
}

/// The bytes of the pool that are in use.
pub fn in_use<R: RawMutex>(apps: &Apps<R>) -> u32 {
    // SAFETY: the closure uses nothing but the pool.
    unsafe { apps.with_memory(|pool| pool.in_use() as u32) }
}

/// Prints what was found, and ends the program if it is not what was expected.
pub fn check(what: &str, found: u32, expected: u32) {
    println!("{what}: {found}");
    if found != expected {
        println!("expected {expected}");
        process::exit(1);
    }
}
