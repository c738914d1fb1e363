//! Interleaved rounds on one core: in each, every row loads, looks up, is checked and unloads once.

use crate::rows::{self, Registry, Row};
use crate::workload::Workload;
use llext::memory::Linux;
use llext_bench::shape::Shape;
use std::time::Instant;

/// Rounds that are checked but not counted.
const WARM_UP: usize = 2;

/// The phases that are timed, in the order they run.
pub(crate) const PHASES: [&str; 3] = ["load", "lookup", "unload"];

/// A row's nanoseconds, by phase.
pub(crate) struct Times {
    /// The row's name.
    pub(crate) row: &'static str,
    nanoseconds: [Vec<u64>; PHASES.len()],
}

impl Times {
    fn new(row: &'static str, rounds: usize) -> Self {
        Self { row, nanoseconds: PHASES.map(|_| Vec::with_capacity(rounds)) }
    }

    /// The middle of all rounds.
    pub(crate) fn median(&self, phase: usize) -> u64 {
        let mut sorted = self.nanoseconds[phase].clone();
        sorted.sort_unstable();
        sorted[sorted.len() / 2]
    }

    /// The fastest round.
    pub(crate) fn fastest(&self, phase: usize) -> u64 {
        self.nanoseconds[phase].iter().copied().min().unwrap_or_default()
    }
}

/// Keeps this thread on the core it runs on, so that caches and clocks stay the same.
pub(crate) fn pin_to_one_core() -> Result<usize, String> {
    // SAFETY: the call takes nothing.
    let core = usize::try_from(unsafe { libc::sched_getcpu() }).map_err(|_| "sched_getcpu failed")?;
    // SAFETY: a set of cores is plain bits, and all zero is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel counts fewer cores than the set has bits.
    unsafe { libc::CPU_SET(core, &mut set) };
    // SAFETY: the set lives through the call; 0 is this thread.
    match unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set) } {
        0 => Ok(core),
        _ => Err(format!("cannot stay on core {core}: {}", std::io::Error::last_os_error())),
    }
}

/// Runs ahead of ordinary programs where that is allowed, so that they do not interrupt a round; whether it was.
pub(crate) fn go_first() -> bool {
    // SAFETY: the parameters are plain numbers, and all zero is valid.
    let mut parameters: libc::sched_param = unsafe { std::mem::zeroed() };
    parameters.sched_priority = 1;
    // SAFETY: the parameters live through the call; 0 is this thread.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &parameters) == 0 }
}

/// Measures every row of `workload` over `rounds` counted rounds.
pub(crate) fn measure(workload: &Workload, rounds: usize) -> Result<Vec<Times>, String> {
    let registry = Registry::new(Linux::new());
    let mut rows = rows::all(workload, &registry)?;
    let mut times: Vec<_> = rows.iter().map(|row| Times::new(row.name(), rounds)).collect();
    let mut addresses = Vec::with_capacity(workload.exports.len());
    for round in 0..WARM_UP + rounds {
        for turn in 0..rows.len() {
            // Another row begins each round, so that none always finds the caches as the same neighbour left them.
            let row = (round + turn) % rows.len();
            let nanoseconds = once(&mut *rows[row], workload, &mut addresses, round < WARM_UP)
                .map_err(|error| format!("{} at {}: {error}", times[row].row, workload.shape.name))?;
            if round >= WARM_UP {
                times[row].nanoseconds.iter_mut().zip(nanoseconds).for_each(|(all, one)| all.push(one));
            }
        }
    }
    Ok(times)
}

/// One load, look-up and unload; what was loaded is called in between.
fn once(
    row: &mut dyn Row,
    workload: &Workload,
    addresses: &mut Vec<usize>,
    whole: bool,
) -> Result<[u64; PHASES.len()], String> {
    addresses.clear();
    let load = timed(|| row.load())?;
    let lookup = timed(|| row.look_up(&workload.exports, addresses))?;
    check(&workload.shape, addresses, whole)?;
    let unload = timed(|| row.unload())?;
    Ok([load, lookup, unload])
}

fn timed(work: impl FnOnce() -> Result<(), String>) -> Result<u64, String> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_nanos() as u64)
}

/// Calls `ext_main`, and every other export as well when `whole`.
fn check(shape: &Shape, addresses: &[usize], whole: bool) -> Result<(), String> {
    let (&main, functions) = addresses.split_last().ok_or("nothing was looked up")?;
    expect("ext_main", call(main), shape.main_value())?;
    if functions.len() != shape.functions {
        return Err(format!("{} addresses for {} functions", functions.len(), shape.functions));
    }
    for (number, &address) in functions.iter().enumerate().filter(|_| whole) {
        expect("an exported function", call(address), shape.value(number))?;
    }
    Ok(())
}

fn expect(who: &str, found: i32, expected: i32) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{who} returned {found}, {expected} expected"))
}

fn call(address: usize) -> i32 {
    // SAFETY: the address is an export's of a workload that is loaded, and every export has this type.
    let function: extern "C" fn() -> i32 = unsafe { std::mem::transmute(address) };
    function()
}
