//! What stands for a disk: it takes a while for a block, and says by an interrupt that it is there. A task of its own owns
//! it, and answers others through channels.

use common::CHAIN;
use common::mps2::{self, Alarm};
use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::channel::Channel;
use embassy_sync::signal::Signal;
use llext::source::ReadError;

pub(crate) const BLOCK: usize = 512;
/// What the disk takes for a block, in cycles of the board's clock: 200 microseconds.
const LATENCY: u32 = mps2::HZ / 5_000;

static WANTED: Channel<CriticalSectionRawMutex, u64, 1> = Channel::new();
/// Each block, or what remains of the file, and where it begins.
static BLOCKS: Channel<CriticalSectionRawMutex, (u64, &'static [u8]), 1> = Channel::new();
static DONE: Signal<CriticalSectionRawMutex, ()> = Signal::new();

/// Fills `piece` with the block at `offset`. The task that asks sleeps meanwhile.
pub(crate) async fn read(offset: u64, piece: &mut [u8]) -> Result<(), ReadError> {
    WANTED.send(offset).await;
    loop {
        // A block for somebody who did not wait for it is not ours.
        let (at, block) = BLOCKS.receive().await;
        if at == offset {
            let block = block.get(..piece.len()).ok_or(ReadError::Failed { os: 0 })?;
            piece.copy_from_slice(block);
            return Ok(());
        }
    }
}

/// The disk's own task.
#[embassy_executor::task]
pub(crate) async fn serve() -> ! {
    // SAFETY: the handler below may run from now on.
    unsafe { NVIC::unmask(Timer0) }
    loop {
        let offset = WANTED.receive().await;
        Alarm::after(LATENCY);
        DONE.wait().await;
        let block = CHAIN.get(offset as usize..).unwrap_or_default();
        BLOCKS.send((offset, &block[..block.len().min(BLOCK)])).await;
    }
}

/// A timer of the board, whose interrupt stands for the disk's.
#[derive(Clone, Copy)]
struct Timer0;

// SAFETY: that is the interrupt's number on this board.
unsafe impl InterruptNumber for Timer0 {
    fn number(self) -> u16 {
        mps2::TIMER0
    }
}

/// Of all interrupts that have no other handler: there is only this one.
#[cortex_m_rt::exception]
unsafe fn DefaultHandler(number: i16) {
    if number != mps2::TIMER0 as i16 {
        common::fault(number as usize)
    }
    Alarm::stop();
    DONE.signal(());
}
