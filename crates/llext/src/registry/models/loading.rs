//! A load without a file: the steps of the real one, in their order.

use super::extension::{HOOKS, lifecycle};
use super::ledger;
use super::world::{AppHandle, Apps, NAMES, Record, SLOTS};
use crate::error::{Error, Name};
use crate::lifecycle::Context;
use crate::memory::{Block, Memory, Request, Window};
use crate::registry::{Claim, ExportView, Id, Wanted};
use crate::source::Identity;
use core::time::Duration;

/// What a load is told.
#[derive(Clone, Copy)]
pub(super) struct Load {
    which: usize,
    file: u64,
    patience: Duration,
    needs: Option<usize>,
    ending: Ending,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Live,
    Failed,
    Abandoned,
}

/// A load of the extension whose name has this index. It does not wait, and goes well.
pub(super) const fn load(which: usize) -> Load {
    Load { which, file: 0, patience: Duration::ZERO, needs: None, ending: Ending::Live }
}

impl Load {
    /// Waits for whoever loads or unloads the name.
    pub(super) const fn patient(self) -> Self {
        Self { patience: Duration::MAX, ..self }
    }

    /// Loads another file under the same name.
    pub(super) const fn other_file(self) -> Self {
        Self { file: 1, ..self }
    }

    /// Uses symbols of the live extension whose name has this index.
    pub(super) const fn needing(self, which: usize) -> Self {
        Self { needs: Some(which), ..self }
    }

    /// Its constructors say no.
    pub(super) const fn failing(self) -> Self {
        Self { ending: Ending::Failed, ..self }
    }

    /// It is given up before it is linked.
    pub(super) const fn abandoned(self) -> Self {
        Self { ending: Ending::Abandoned, ..self }
    }

    pub(super) fn run(self, apps: &'static Apps) -> Result<AppHandle, Error> {
        let wanted = Wanted {
            name: NAMES[self.which],
            identity: Some(Identity::of_file(0, self.file, 0, 0, 0)),
            same_name_is_enough: false,
            patience: self.patience,
        };
        match apps.claim(&wanted)? {
            Claim::Live(handle) => Ok(handle),
            Claim::New(id) => self.link(apps, id),
        }
    }

    fn link(self, apps: &'static Apps, id: Id) -> Result<AppHandle, Error> {
        let before = ledger::latest(self.which);
        assert!(before.is_none_or(|body| body.is_released()), "the name is free before its memory is");
        let provider = match self.needs.map(|needed| apps.pin_called(NAMES[needed].as_bytes())) {
            Some(Err(_) | Ok(None)) => {
                apps.abandon(id);
                return Err(Error::Died);
            }
            provider => provider.and_then(Result::ok).flatten(),
        };
        let request = Request { sizes: [0; 4], aligns: [1; 4], window: Window { low: 0, high: u64::MAX } };
        let mut block = apps.memory.with(|memory| memory.reserve(&request))?;
        if self.ending == Ending::Abandoned {
            block.retire();
            apps.memory.with(|memory| memory.release(block));
            provider.into_iter().for_each(|slot| apps.unpin(slot));
            apps.abandon(id);
            return Err(Error::InitFailed { name: Name::EMPTY, status: 0 });
        }
        let body = block.body();
        ledger::name(self.which, body);
        if self.ending == Ending::Failed {
            body.fail();
        }
        let mut providers = [false; SLOTS];
        provider.into_iter().for_each(|slot| providers[slot] = true);
        let record = body.place(Context::new(NAMES[self.which], HOOKS), |context| Record {
            addresses: block.addresses(),
            block,
            sizes: [0, 0, 0, size_of_val(body) as u32],
            in_place: (0, 0),
            exports: ExportView::Table { entries: (align_of::<usize>(), 0), buckets: (align_of::<u32>(), 0) },
            lifecycle: lifecycle(self.which),
            context,
            providers,
            soname: None,
            #[cfg(feature = "reset")]
            initial: None,
            #[cfg(feature = "reset")]
            template: None,
        });
        apps.initialise(id, record);
        // SAFETY: the record was just written, and nobody takes it away before it is published; its functions are here.
        let brought_up = unsafe { record.as_ref().context().bringup(&record.as_ref().lifecycle) };
        brought_up.inspect_err(|_| apps.roll_back(id))?;
        Ok(apps.publish(id, record))
    }
}
