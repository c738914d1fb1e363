//! How much of its scratch memory a load clears in one step: no more than its budget says, whoever gives the memory.

use crate::common::compile;
use crate::workload::{Anything, FLAGS, source};
use core::mem::MaybeUninit;
use core::task::Poll;
use llext::memory::{Memory, MemoryError, PoolBlock, PoolScratch, Request, Window};
use llext::source::{ReadOnly, Source};
use llext::{NoopRawMutex, Pool, Registry};
use std::cell::Cell;

/// A pool that keeps account of how much of its scratch memory is cleared.
struct Watched<'a> {
    pool: Pool<'a>,
    cleared: &'a Cell<usize>,
}

struct WatchedScratch<'a> {
    scratch: PoolScratch<'a>,
    cleared: &'a Cell<usize>,
}

impl AsRef<[u8]> for WatchedScratch<'_> {
    fn as_ref(&self) -> &[u8] {
        self.scratch.as_ref()
    }
}

impl AsMut<[u8]> for WatchedScratch<'_> {
    fn as_mut(&mut self) -> &mut [u8] {
        Watched::clear(self, usize::MAX);
        self.scratch.as_mut()
    }
}

// SAFETY: what is given is given by the pool.
unsafe impl<'a> Memory for Watched<'a> {
    type Block = PoolBlock<'a>;
    type Scratch = WatchedScratch<'a>;

    fn reach(&self) -> Window {
        self.pool.reach()
    }

    fn reserve(&mut self, request: &Request) -> Result<PoolBlock<'a>, MemoryError> {
        self.pool.reserve(request)
    }

    fn release(&mut self, block: PoolBlock<'a>) {
        self.pool.release(block);
    }

    fn scratch(&mut self, bytes: usize) -> Result<WatchedScratch<'a>, MemoryError> {
        Ok(WatchedScratch { scratch: self.pool.scratch(bytes)?, cleared: self.cleared })
    }

    fn clear(scratch: &mut WatchedScratch<'a>, bytes: usize) -> usize {
        let cleared = Pool::clear(&mut scratch.scratch, bytes);
        scratch.cleared.set(scratch.cleared.get() + cleared);
        cleared
    }

    fn give_back(&mut self, scratch: WatchedScratch<'a>) {
        self.pool.give_back(scratch.scratch);
    }
}

/// How many steps of `budget` a load takes, and the most scratch memory that one of them clears.
fn steps(file: &mut dyn Source, budget: u32, lent: Option<&mut [u8]>) -> (u32, usize) {
    let (mut memory, cleared) = (vec![MaybeUninit::uninit(); 4 << 20], Cell::new(0));
    let watched = Watched { pool: Pool::unified(&mut memory), cleared: &cleared };
    let apps = Registry::<_, NoopRawMutex, 1>::new(watched);
    let loader = apps.loader(&Anything).bring_up(false);
    let loader = if let Some(lent) = lent { loader.scratch(lent) } else { loader };
    // SAFETY: nothing of it is run.
    let mut load = unsafe { loader.start("app", file) }.unwrap();
    let (mut steps, mut most) = (0, 0);
    loop {
        steps += 1;
        let ended = load.step(budget);
        most = cleared.take().max(most);
        if let Poll::Ready(ended) = ended {
            ended.unwrap();
            return (steps, most);
        }
    }
}

#[test]
fn scratch_memory_is_cleared_in_steps() {
    let pic = [&["-fPIC"], &FLAGS[..2]].concat();
    let shared = [&["-shared", "-nostdlib"], &pic[..]].concat();
    for (kind, flags) in [("plain", FLAGS), ("pic", &pic), ("shared", &shared)] {
        let bytes = compile(&format!("steps_{kind}"), &source(400), flags);
        for budget in [1, 16, u32::MAX] {
            let (lent, read) =
                (steps(&mut &bytes[..], budget, None), steps(&mut ReadOnly(&bytes), budget, None));
            for (_, most) in [lent, read] {
                let limit = (budget as usize).saturating_mul(256);
                assert!((1..=limit).contains(&most), "{kind}: {most} bytes in a step of {budget}");
            }
            let mut room = vec![0xaa; 1 << 20];
            assert_eq!(
                steps(&mut ReadOnly(&bytes), budget, Some(&mut room)),
                (read.0, 0),
                "{kind}, {budget}"
            );
        }
    }
}
