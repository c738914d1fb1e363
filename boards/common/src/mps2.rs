//! Two timers of Arm's MPS2 boards (CMSDK APB timers, 25 MHz): one counts cycles, one interrupts.
//!
//! The emulator is told to let 16 cycles pass in 10 instructions (`-icount shift=6`): so what is counted here are the
//! guest's instructions, not what silicon would take.

/// Of the clock that both count.
pub const HZ: u32 = 25_000_000;
/// The interrupt of [`Alarm`].
pub const TIMER0: u16 = 8;

const CONTROL: usize = 0;
const VALUE: usize = 4;
const RELOAD: usize = 8;
const INTERRUPT: usize = 12;

/// The first timer: it interrupts after a time, once or again and again.
#[derive(Clone, Copy)]
pub struct Alarm;

impl Alarm {
    /// An interrupt comes after so many cycles, and again after each time as many.
    pub fn every(cycles: u32) {
        write(0, RELOAD, cycles - 1);
        Self::after(cycles);
    }

    /// An interrupt comes after so many cycles.
    pub fn after(cycles: u32) {
        write(0, VALUE, cycles - 1);
        write(0, CONTROL, 1 << 3 | 1);
    }

    /// The interrupt is seen.
    pub fn seen() {
        write(0, INTERRUPT, 1);
    }

    /// The interrupt is seen, and does not come again.
    pub fn stop() {
        write(0, CONTROL, 0);
        Self::seen();
    }

    /// How long ago it came, where it comes again and again after so many cycles.
    pub fn since(cycles: u32) -> u32 {
        cycles - 1 - read(0, VALUE)
    }
}

/// Instructions from now on.
#[derive(Clone, Copy)]
pub struct Stopwatch(u32);

impl Stopwatch {
    /// Starts the second timer, which goes on for ever.
    pub fn start() {
        write(1, RELOAD, u32::MAX);
        write(1, VALUE, u32::MAX);
        write(1, CONTROL, 1);
    }

    /// It counts down.
    pub fn now() -> Self {
        Self(read(1, VALUE))
    }

    /// The instructions since then: less than three minutes.
    pub fn elapsed(self) -> u32 {
        instructions(self.0.wrapping_sub(read(1, VALUE)))
    }
}

/// The emulator's instructions in so many cycles.
pub fn instructions(cycles: u32) -> u32 {
    (u64::from(cycles) * 10 / 16) as u32
}

fn register(timer: usize, offset: usize) -> *mut u32 {
    (0x4000_0000 + timer * 0x1000 + offset) as *mut u32
}

fn write(timer: usize, offset: usize, value: u32) {
    // SAFETY: only this module uses these timers, which touch no memory.
    unsafe { register(timer, offset).write_volatile(value) }
}

fn read(timer: usize, offset: usize) -> u32 {
    // SAFETY: as above.
    unsafe { register(timer, offset).read_volatile() }
}
