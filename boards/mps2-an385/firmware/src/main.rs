//! Loads an extension in C and one in Rust out of slices, calls both and unloads them, also under an interrupt that calls
//! one. The exit status says whether everything was as it should be.
#![no_std]
#![no_main]

use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU32, Ordering};
use llext::lock::CriticalSectionRawMutex;
use llext::{Error, Pool, Registry};
use semihosting::{println, process};

mod interrupt;

static IN_C: &[u8] = include_bytes!(concat!(env!("EXTENSIONS"), "/c.o"));
static IN_RUST: &[u8] = include_bytes!(concat!(env!("EXTENSIONS"), "/rust.o"));

/// What stands for the board's lights: a bit for each that is on.
static LEDS: AtomicU32 = AtomicU32::new(0);
static TICKS: AtomicU32 = AtomicU32::new(0);

extern "C" fn led_set(led: u8, on: bool) {
    interrupt::called_back();
    let bit = 1 << led;
    if on {
        LEDS.fetch_or(bit, Ordering::Relaxed)
    } else {
        LEDS.fetch_and(!bit, Ordering::Relaxed)
    };
}

llext::exports! {
    static HOST;
    fn led_set(led: u8, on: bool);
    static TICKS: AtomicU32;
}

type Apps = Registry<Pool<'static>, CriticalSectionRawMutex, 4>;
const BYTES: usize = 16 * 1024;

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut CODE: [MaybeUninit<u8>; BYTES] = [const { MaybeUninit::uninit() }; BYTES];
    static mut DATA: [MaybeUninit<u8>; BYTES] = [const { MaybeUninit::uninit() }; BYTES];
    static mut APPS: Option<Apps> = None;
    let apps: &'static Apps = APPS.insert(Apps::new(Pool::new(CODE, DATA)));
    let Some(mut peripherals) = cortex_m::Peripherals::take() else { process::exit(1) };
    let empty = in_use(apps);
    let calls = call_c(apps).and_then(|()| call_rust(apps));
    let calls = calls.and_then(|()| interrupt::run(apps, &mut peripherals.SYST));
    if let Err(error) = calls {
        println!("E{:04}: {error}; {}", error.code(), error.cure());
        process::exit(1);
    }
    check("memory in use after all", in_use(apps), empty);
    process::exit(0)
}

/// Without this a fault would be a loop without end.
#[cortex_m_rt::exception]
unsafe fn HardFault(frame: &cortex_m_rt::ExceptionFrame) -> ! {
    println!("hard fault at {:#x}", frame.pc());
    process::exit(1)
}

fn call_c(apps: &Apps) -> Result<(), Error> {
    // SAFETY: the file is what this board's compiler made of extension.c.
    let extension = unsafe { apps.loader(&HOST).load("c", IN_C)? };
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

fn call_rust(apps: &Apps) -> Result<(), Error> {
    LEDS.store(0, Ordering::Relaxed);
    // SAFETY: the file is what cargo made of the crate `extension`.
    let extension = unsafe { apps.loader(&HOST).load("rust", IN_RUST)? };
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

fn in_use(apps: &Apps) -> u32 {
    // SAFETY: the closure uses nothing but the pool.
    unsafe { apps.with_memory(|pool| pool.in_use() as u32) }
}

/// Prints what was found, and ends the program if it is not what was expected.
fn check(what: &str, found: u32, expected: u32) {
    println!("{what}: {found}");
    if found != expected {
        println!("expected {expected}");
        process::exit(1);
    }
}
