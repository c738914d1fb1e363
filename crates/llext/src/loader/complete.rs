//! A load as a future: its file is read by an asynchronous driver, and others run between its steps.

use super::load::Load;
use crate::error::Error;
use crate::lock::RawMutex;
use crate::memory::Memory;
use crate::registry::Handle;
use crate::source::{Awaited, ReadError};
use core::future::poll_fn;
use core::task::Poll;

impl<'r, M: Memory, R: RawMutex, const N: usize> Load<'r, '_, M, R, N, Awaited<'_>> {
    /// Goes on to the end, in steps of at most `budget` units of work, at least one; between two of them others run. `read`
    /// fills a piece of the file, beginning at an offset, and is waited for.
    ///
    /// Where this is dropped before its end, the load stays as it is, and may be completed later. One whose `read` failed is
    /// undone. See [`Awaited`] for an example.
    ///
    /// # Errors
    /// As of [`Load::step`]; [`Error::Read`] with what `read` failed with.
    pub async fn complete(
        &mut self,
        budget: u32,
        mut read: impl AsyncFnMut(u64, &mut [u8]) -> Result<(), ReadError>,
    ) -> Result<Handle<'r, M, R, N>, Error> {
        loop {
            if let Poll::Ready(result) = self.step(budget.max(1)) {
                return result;
            }
            if let Some((offset, piece)) = self.file.source.given().wanted() {
                if let Err(error) = read(offset, piece).await {
                    self.undo();
                    return Err(Error::Read { error });
                }
                self.file.source.given().arrived();
            }
            pause().await;
        }
    }
}

/// Lets others run.
async fn pause() {
    let mut paused = false;
    poll_fn(|context| {
        if paused {
            return Poll::Ready(());
        }
        paused = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
