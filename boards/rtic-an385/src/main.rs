//! Firmware for QEMU's mps2-an385 under RTIC: an extension is loaded in steps by a task of low priority. An interrupt calls
//! another extension meanwhile, and a task of the same priority runs between the steps. It prints what the longest step
//! takes, for several budgets.
#![no_std]
#![no_main]

mod device;

use core::future::poll_fn;
use core::task::Poll;

/// Lets tasks of the same priority run.
async fn pause() {
    let mut paused = false;
    poll_fn(|context| {
        if core::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[rtic::app(device = crate::device, peripherals = false, dispatchers = [UARTRX0])]
mod app {
    use super::pause;
    use common::demo::{check, in_use};
    use common::mps2::{Alarm, HZ, Stopwatch, instructions};
    use common::{CHAIN, IN_C, Room};
    use core::sync::atomic::{AtomicU32, Ordering};
    use core::task::Poll;
    use llext::lock::CriticalSectionRawMutex;
    use llext::{Error, Handle, Pool, call};
    use rtic_monotonics::systick::prelude::*;
    use semihosting::{println, process};

    systick_monotonic!(Mono, 10_000);

    type Apps = common::demo::Apps<CriticalSectionRawMutex>;
    type Extension = Handle<'static, Pool<'static>, CriticalSectionRawMutex, 4>;
    type Function = extern "C" fn(u32) -> u32;
    /// What the interrupt calls: it keeps nothing, and is refused once the extension goes.
    type Blink = call::WeakFunction<'static, Function, Pool<'static>, CriticalSectionRawMutex, 4>;

    /// Cycles between two calls by the interrupt.
    const PERIOD: u32 = HZ / 2_000;

    static LEDS: AtomicU32 = AtomicU32::new(0);
    static TICKS: AtomicU32 = AtomicU32::new(0);
    /// How often the interrupt called the extension, and how often the task of the same priority ran.
    static CALLED: AtomicU32 = AtomicU32::new(0);
    static RAN: AtomicU32 = AtomicU32::new(0);

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

    #[shared]
    struct Shared {
        blink: Option<Blink>,
        /// The longest that the interrupt had to wait, in cycles.
        latest: u32,
    }

    #[local]
    struct Local {
        apps: &'static Apps,
    }

    #[init(local = [
        code: Room<{ common::CODE }> = common::room(),
        data: Room<{ common::DATA }> = common::room(),
        registry: Option<Apps> = None,
    ])]
    fn init(context: init::Context) -> (Shared, Local) {
        let init::LocalResources { code, data, registry, .. } = context.local;
        let apps = registry.insert(Apps::new(Pool::new(code, data)));
        Mono::start(context.core.SYST, HZ);
        Stopwatch::start();
        Alarm::every(PERIOD);
        if loads::spawn().is_err() || others::spawn().is_err() {
            common::fault(0)
        }
        (Shared { blink: None, latest: 0 }, Local { apps })
    }

    /// Calls an extension, on time.
    #[task(binds = TIMER0, priority = 3, shared = [blink, latest])]
    fn sample(context: sample::Context) {
        let sample::SharedResources { blink, latest, .. } = context.shared;
        let waited = Alarm::since(PERIOD);
        Alarm::seen();
        (blink, latest).lock(|blink, latest| {
            let Some(blink) = blink else { return };
            *latest = waited.max(*latest);
            if blink.try_call((1,)).is_ok() {
                CALLED.fetch_add(1, Ordering::Relaxed);
            }
        });
    }

    /// What has to go on as well, at the priority of the loads.
    #[task(priority = 1)]
    async fn others(_: others::Context) {
        loop {
            Mono::delay(500.micros()).await;
            RAN.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[task(priority = 1, local = [apps], shared = [blink, latest])]
    async fn loads(mut context: loads::Context) {
        let apps: &'static Apps = context.local.apps;
        // SAFETY: the file is what this board's compiler made of blink.c, where that is the function's type.
        let loaded = unsafe {
            let extension = apps.loader(&HOST).load("blink", IN_C);
            extension
                .and_then(|extension| Ok((extension.function::<Function>("blink")?.downgrade(), extension)))
        };
        let (blink, extension) = done(loaded);
        let before = in_use(apps);
        context.shared.blink.lock(|shared| *shared = Some(blink));
        for budget in [1, 16, 64, 256, u32::MAX] {
            let chain = done(load(apps, budget).await);
            TICKS.store(0, Ordering::Relaxed);
            check("the chain's sum", call_chain(&chain), 5_000);
            check("uses left", done(chain.unload().map_err(|refused| refused.error)), 0);
            check("memory in use is as before", in_use(apps), before);
        }
        let latest = context.shared.latest.lock(|latest| *latest);
        println!("latest interrupt: {} instructions after its time", instructions(latest));
        check("uses left", done(extension.unload().map_err(|refused| refused.error)), 0);
        let after = CALLED.load(Ordering::Relaxed);
        Mono::delay(1.millis()).await;
        check("calls after the unload", CALLED.load(Ordering::Relaxed) - after, 0);
        check("memory in use at the end", in_use(apps), 0);
        process::exit(0)
    }

    /// Loads the extension, a step at a time.
    async fn load(apps: &'static Apps, budget: u32) -> Result<Extension, Error> {
        let (called, ran) = (CALLED.load(Ordering::Relaxed), RAN.load(Ordering::Relaxed));
        let began = Stopwatch::now();
        // SAFETY: the file is what this board's compiler made of chain.c.
        let mut load = unsafe { apps.loader(&HOST).start("chain", CHAIN)? };
        let (mut steps, mut longest) = (0, 0);
        let extension = loop {
            let before = Stopwatch::now();
            let step = load.step(budget);
            longest = before.elapsed().max(longest);
            steps += 1;
            match step {
                Poll::Ready(extension) => break extension?,
                Poll::Pending => pause().await,
            }
        };
        let due = began.elapsed() / instructions(PERIOD);
        let called = CALLED.load(Ordering::Relaxed) - called;
        let ran = RAN.load(Ordering::Relaxed) - ran;
        println!("budget {budget}: {steps} steps, the longest {longest} instructions");
        println!(
            "meanwhile: {called} calls by the interrupt, {due} were due; the other task ran {ran} times"
        );
        let others_run = ran > 0 || steps == 1;
        if called < due || !others_run {
            process::exit(1);
        }
        Ok(extension)
    }

    fn call_chain(extension: &Extension) -> u32 {
        // SAFETY: that is the function's type there.
        done(unsafe { extension.symbol::<Function>("chain") }).call((50,))
    }

    fn done<T>(result: Result<T, Error>) -> T {
        result.unwrap_or_else(|error| {
            println!("E{:04}: {error}; {}", error.code(), error.cure());
            process::exit(1)
        })
    }
}

#[cortex_m_rt::exception]
unsafe fn HardFault(frame: &cortex_m_rt::ExceptionFrame) -> ! {
    common::fault(frame.pc() as usize)
}
