//! A pool that hardware protects: an extension that does what it must not is stopped, and told by name.

use crate::demo::check;
use crate::host::HOST;
use crate::{IN_C, Room, WRONG, room};
use core::cell::Cell;
use core::task::Poll;
use critical_section::Mutex;
use llext::lock::CriticalSectionRawMutex;
use llext::memory::Part;
use llext::memory::protect::{Protect, Protected, Shield};
use llext::registry::Place;
use llext::{Error, Handle, Registry};
use semihosting::{println, process};

/// Memory for one slice, aligned so that one region covers it.
#[repr(align(8192))]
pub struct Slice(Room<8192>);

impl Slice {
    /// A slice with nothing in it.
    pub const EMPTY: Self = Self(room());
}

type Apps<U> = Registry<Protected<'static, U>, CriticalSectionRawMutex, 2>;
type Extension<U> = Handle<'static, Protected<'static, U>, CriticalSectionRawMutex, 2>;
type Attempt = extern "C" fn();
type Count = extern "C" fn() -> u32;

/// What the handler of faults asks, and what it was told last.
static APPS: Mutex<Cell<Option<&'static (dyn Locate + Sync)>>> = Mutex::new(Cell::new(None));
static FOUND: Mutex<Cell<Option<Place>>> = Mutex::new(Cell::new(None));

trait Locate {
    fn locate(&self, address: usize) -> Option<Place>;
}

impl<U: Protect> Locate for Apps<U> {
    fn locate(&self, address: usize) -> Option<Place> {
        self.locate(address)
    }
}

/// What a handler of faults does with an address that could not be run, or at which memory could not be used. It returns
/// if that was an extension's doing: then its function is to be left.
pub fn stopped(at: usize) {
    let place = critical_section::with(|cs| APPS.borrow(cs).get()).and_then(|apps| apps.locate(at));
    let Some(place) = place else { crate::fault(at) };
    println!("stopped: {place}");
    critical_section::with(|cs| FOUND.borrow(cs).set(Some(place)));
}

/// Loads `wrong.c` into protected slices, and lets it try.
pub fn run<U: Protect + Send + 'static>(unit: U, slices: &'static mut [Slice; 3]) -> Result<(), Error> {
    let shield = Shield::new(unit);
    // SAFETY: nothing uses it once this function returns: the pool is gone by then.
    let shield: &'static Shield<U> = unsafe { &*(&raw const shield) };
    let [code, constants, data] = slices.each_mut().map(|slice| &mut slice.0[..]);
    let pool = Protected::new(shield, code, constants, data).map_err(|error| Error::Memory { error })?;
    let apps = Apps::new(pool);
    // SAFETY: as for the shield; the handler of faults is told to forget it.
    let apps: &'static Apps<U> = unsafe { &*(&raw const apps) };
    critical_section::with(|cs| APPS.borrow(cs).set(Some(apps)));
    let tried = try_all(apps);
    critical_section::with(|cs| APPS.borrow(cs).set(None));
    // SAFETY: the closure uses nothing but the pool.
    check("memory in use under protection", unsafe { apps.with_memory(|pool| pool.in_use() as u32) }, 0);
    tried
}

fn try_all<U: Protect>(apps: &'static Apps<U>) -> Result<(), Error> {
    for round in 1..=2 {
        // SAFETY: the file is what this board's compiler made of wrong.c, and hardware stops it.
        let wrong = unsafe { apps.loader(&HOST).load("wrong", WRONG)? };
        attempt(&wrong, "write_code", Part::Code, "write_code")?;
        attempt(&wrong, "write_constants", Part::Code, "write_constants")?;
        attempt(&wrong, "run_data", Part::Data, "table")?;
        attempt(&wrong, "run_constants", Part::Constants, "limits")?;
        call_while_loading(apps, &wrong)?;
        check("round", round, round);
        wrong.unload().map_err(|refused| refused.error)?;
    }
    Ok(())
}

/// Calls a function that is stopped where it should be.
fn attempt<U: Protect>(wrong: &Extension<U>, name: &str, part: Part, symbol: &str) -> Result<(), Error> {
    critical_section::with(|cs| FOUND.borrow(cs).set(None));
    // SAFETY: that is the function's type there.
    unsafe { wrong.symbol::<Attempt>(name)? }.call(());
    let found = critical_section::with(|cs| FOUND.borrow(cs).get());
    let as_expected = found.is_some_and(|place| {
        let near =
            place.symbol.is_some_and(|(name, offset)| name.as_bytes() == symbol.as_bytes() && offset < 32);
        place.extension == wrong.name() && place.part == part && near
    });
    if !as_expected {
        println!("{name} was not stopped in {symbol}");
        process::exit(1);
    }
    Ok(())
}

/// While one extension is loaded, the other runs on.
fn call_while_loading<U: Protect>(apps: &'static Apps<U>, wrong: &Extension<U>) -> Result<(), Error> {
    // SAFETY: that is the function's type there.
    let count = unsafe { wrong.symbol::<Count>("count")? };
    // SAFETY: the file is what this board's compiler made of blink.c.
    let mut load = unsafe { apps.loader(&HOST).start("blink", IN_C)? };
    let mut calls = 0;
    let blink = loop {
        calls += 1;
        if count.call(()) != 20 + 1 + calls {
            check("counted while loading", calls, 0);
        }
        if let Poll::Ready(loaded) = load.step(8) {
            break loaded?;
        }
    };
    println!("called {calls} times while loading");
    // SAFETY: that is the function's type there.
    check("blink", unsafe { blink.symbol::<extern "C" fn(u32) -> u32>("blink")? }.call((0,)), 10);
    blink.unload().map(drop).map_err(|refused| refused.error)
}
