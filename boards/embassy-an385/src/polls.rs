//! What the polls of a future take.

use common::mps2::Stopwatch;
use core::future::{Future, poll_fn};
use core::pin::pin;

/// How often a future was polled, and the instructions of its longest poll: so long all other tasks had to wait.
#[derive(Clone, Copy, Default)]
pub(crate) struct Polls {
    pub(crate) count: u32,
    pub(crate) longest: u32,
}

impl Polls {
    /// Runs the future to its end.
    pub(crate) async fn of<F: Future>(future: F) -> (F::Output, Self) {
        let (mut future, mut polls) = (pin!(future), Self::default());
        let output = poll_fn(|context| {
            let before = Stopwatch::now();
            let polled = future.as_mut().poll(context);
            polls.longest = polls.longest.max(before.elapsed());
            polls.count += 1;
            polled
        })
        .await;
        (output, polls)
    }
}
