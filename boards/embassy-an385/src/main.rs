//! Firmware for QEMU's mps2-an385 under Embassy: an extension is loaded from a disk that answers later, while other tasks
//! run. It prints what the longest poll of such a load takes, for several budgets.
#![no_std]
#![no_main]

mod disk;
mod polls;
mod time;

use common::demo::{check, in_use};
use common::mps2::{Stopwatch, instructions};
use common::{CHAIN, Room};
use core::sync::atomic::{AtomicU32, Ordering};
use embassy_executor::Spawner;
use embassy_time::{Duration, Ticker, Timer};
use llext::lock::CriticalSectionRawMutex;
use llext::source::Awaited;
use llext::{Error, Pool};
use polls::Polls;
use semihosting::{println, process};
use static_cell::{ConstStaticCell, StaticCell};

type Apps = common::demo::Apps<CriticalSectionRawMutex>;
type Chain = extern "C" fn(u32) -> u32;

static LEDS: AtomicU32 = AtomicU32::new(0);
static TICKS: AtomicU32 = AtomicU32::new(0);

extern "C" fn led_set(led: u8, on: bool) {
    let led = 1 << led;
    if on {
        LEDS.fetch_or(led, Ordering::Relaxed)
    } else {
        LEDS.fetch_and(!led, Ordering::Relaxed)
    };
}

llext::exports! {
    static HOST;
    fn led_set(led: u8, on: bool);
    static TICKS: AtomicU32;
}

/// How often the other task ran.
static RAN: AtomicU32 = AtomicU32::new(0);

/// What has to go on while extensions are loaded.
#[embassy_executor::task]
async fn others() {
    let mut ticker = Ticker::every(Duration::from_micros(500));
    loop {
        ticker.next().await;
        RAN.fetch_add(1, Ordering::Relaxed);
    }
}

#[embassy_executor::main]
async fn main(spawner: Spawner) {
    static CODE: ConstStaticCell<Room<{ common::CODE }>> = ConstStaticCell::new(common::room());
    static DATA: ConstStaticCell<Room<{ common::DATA }>> = ConstStaticCell::new(common::room());
    static APPS: StaticCell<Apps> = StaticCell::new();
    let apps = APPS.init_with(|| Apps::new(Pool::new(CODE.take(), DATA.take())));
    let Some(mut peripherals) = cortex_m::Peripherals::take() else { common::fault(0) };
    Stopwatch::start();
    time::start(&mut peripherals.SYST);
    spawner.spawn(first(others()));
    spawner.spawn(first(disk::serve()));
    match run(apps).await {
        Ok(()) => process::exit(0),
        Err(error) => {
            println!("E{:04}: {error}; {}", error.code(), error.cure());
            process::exit(1)
        }
    }
}

/// Each task is there once.
fn first<T>(task: Result<T, embassy_executor::SpawnError>) -> T {
    task.unwrap_or_else(|_| common::fault(0))
}

async fn run(apps: &'static Apps) -> Result<(), Error> {
    let mut longest = 0;
    for budget in [1, 16, 64, 256, u32::MAX] {
        longest = load(apps, budget).await?.max(longest);
    }
    println!("longest poll of all: {longest} instructions");
    println!("latest interrupt: {} instructions after its time", instructions(time::latest()));
    Ok(())
}

/// Loads the extension from the disk, calls and unloads it; the longest poll.
async fn load(apps: &'static Apps, budget: u32) -> Result<u32, Error> {
    let mut block = [0; disk::BLOCK];
    TICKS.store(0, Ordering::Relaxed);
    let ran = RAN.load(Ordering::Relaxed);
    // SAFETY: the file is what this board's compiler made of chain.c.
    let mut load =
        unsafe { apps.loader(&HOST).start("chain", Awaited::new(CHAIN.len() as u64, &mut block))? };
    let (extension, polls) = Polls::of(load.complete(budget, disk::read)).await;
    let extension = extension?;
    let ran = RAN.load(Ordering::Relaxed) - ran;
    println!(
        "budget {budget}: {} polls, the longest {} instructions; the other task ran {ran} times",
        polls.count, polls.longest
    );
    // SAFETY: that is the function's type there.
    let chain = unsafe { extension.symbol::<Chain>("chain")? };
    check("the chain's sum", chain.call((50,)), 5_000);
    check("ticks", TICKS.load(Ordering::Relaxed), 100);
    check("uses left", extension.unload().map_err(|refused| refused.error)?, 0);
    drop(load);
    check("memory in use", in_use(apps), 0);
    if ran == 0 {
        println!("the other task did not run");
        process::exit(1);
    }
    Timer::after(Duration::from_millis(1)).await;
    Ok(polls.longest)
}

#[cortex_m_rt::exception]
unsafe fn HardFault(frame: &cortex_m_rt::ExceptionFrame) -> ! {
    common::fault(frame.pc() as usize)
}
