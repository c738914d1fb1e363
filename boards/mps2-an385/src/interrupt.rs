//! An interrupt calls into an extension that the main program loads and unloads meanwhile.

use common::IN_C;
use common::demo::{check, in_use};
use core::cell::Cell;
use core::sync::atomic::{AtomicU32, Ordering};
use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use critical_section::Mutex;
use llext::lock::CriticalSectionRawMutex;
use llext::{Error, Pool, call};

/// The registry of a firmware whose interrupts call extensions.
type Apps = common::demo::Apps<CriticalSectionRawMutex>;
type Blink = extern "C" fn(u32) -> u32;
type Tick = call::WeakFunction<'static, Blink, Pool<'static>, CriticalSectionRawMutex, 4>;
type Handle = llext::Handle<'static, Pool<'static>, CriticalSectionRawMutex, 4>;

/// What the interrupt calls.
static TICK: Mutex<Cell<Option<Tick>>> = Mutex::new(Cell::new(None));
/// What the interrupt is to unload, out of its own call.
static LAST: Mutex<Cell<Option<Handle>>> = Mutex::new(Cell::new(None));
static TICKS: AtomicU32 = AtomicU32::new(0);
static CALLED: AtomicU32 = AtomicU32::new(0);
static REFUSED: AtomicU32 = AtomicU32::new(0);

#[cortex_m_rt::exception]
fn SysTick() {
    let Some(tick) = critical_section::with(|cs| TICK.borrow(cs).get()) else { return };
    match tick.try_call((1,)) {
        Ok(_) => CALLED.fetch_add(1, Ordering::Relaxed),
        Err(_) => REFUSED.fetch_add(1, Ordering::Relaxed),
    };
}

/// Calls from an extension called by the interrupt arrive here: the main program's handle may go in the middle of that
/// call.
extern "C" fn led_set(_: u8, _: bool) {
    let last = critical_section::with(|cs| LAST.borrow(cs).take());
    last.map(Handle::unload_later);
}

llext::exports! {
    static HOST;
    fn led_set(led: u8, on: bool);
    static TICKS: AtomicU32;
}

/// Loads and unloads under a running interrupt. Nothing is ever called that is gone, and nothing is freed in the
/// interrupt.
pub(crate) fn run(apps: &'static Apps, mut timer: SYST) -> Result<(), Error> {
    let empty = in_use(apps);
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(2_000);
    timer.clear_current();
    timer.enable_interrupt();
    timer.enable_counter();
    for round in 0..50 {
        let extension = load(apps)?;
        wait_for(&CALLED);
        if round % 2 == 0 {
            extension.unload_later();
            wait_for(&REFUSED);
        } else {
            critical_section::with(|cs| LAST.borrow(cs).set(Some(extension)));
            wait_for(&REFUSED);
            if apps.reap() != 1 {
                check("extensions that waited for the main program", 0, 1);
            }
        }
        critical_section::with(|cs| TICK.borrow(cs).set(None));
    }
    timer.disable_interrupt();
    timer.disable_counter();
    check("memory in use after 50 unloads under an interrupt", in_use(apps), empty);
    Ok(())
}

fn load(apps: &'static Apps) -> Result<Handle, Error> {
    // SAFETY: the file is what this board's compiler made of blink.c.
    let extension = unsafe { apps.loader(&HOST).load("blink", IN_C)? };
    // SAFETY: that is the function's type there.
    let blink = unsafe { extension.function::<Blink>("blink")? };
    critical_section::with(|cs| TICK.borrow(cs).set(Some(blink.downgrade())));
    Ok(extension)
}

/// Waits until the interrupt has counted once more.
fn wait_for(count: &AtomicU32) {
    let before = count.load(Ordering::Relaxed);
    while count.load(Ordering::Relaxed) == before {
        cortex_m::asm::wfi();
    }
}
