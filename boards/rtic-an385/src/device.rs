//! What RTIC has to know of the processor: its interrupts. A product takes its maker's crate.

use cortex_m::interrupt::InterruptNumber;

/// How many bits of an interrupt's priority the processor has.
pub const NVIC_PRIO_BITS: u8 = 3;

/// The interrupts that are used: one of the board's first timer, and one that only dispatches tasks.
#[derive(Clone, Copy)]
#[repr(u16)]
pub enum Interrupt {
    UARTRX0 = 0,
    TIMER0 = common::mps2::TIMER0,
}

/// Makers' crates have it under this name as well.
pub use Interrupt as interrupt;

// SAFETY: these are their numbers.
unsafe impl InterruptNumber for Interrupt {
    fn number(self) -> u16 {
        self as u16
    }
}

unsafe extern "C" {
    fn UARTRX0();
    fn TIMER0();
}

/// The vectors up to the last that is used.
// SAFETY: cortex-m-rt's linker script puts this section and name behind the vectors of exceptions.
#[unsafe(link_section = ".vector_table.interrupts")]
#[unsafe(no_mangle)]
pub static __INTERRUPTS: [Option<unsafe extern "C" fn()>; 9] = {
    let mut vectors = [None; 9];
    vectors[Interrupt::UARTRX0 as usize] = Some(UARTRX0 as unsafe extern "C" fn());
    vectors[Interrupt::TIMER0 as usize] = Some(TIMER0 as unsafe extern "C" fn());
    vectors
};
