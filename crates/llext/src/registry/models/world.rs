//! The registry of a model, and what must hold after every schedule.

use super::ledger;
use super::memory::ModelMemory;
use super::mutex::ModelMutex;
use crate::registry::{Extension, Handle, Registry, State, Status, Weak};
use core::ops::Deref;
use std::boxed::Box;

/// Two, for every slot more is more schedules.
pub(super) const SLOTS: usize = 2;
pub(super) const NAMES: [&str; 3] = ["a", "b", "c"];
/// The indices of the names.
pub(super) const A: usize = 0;
pub(super) const B: usize = 1;
pub(super) const C: usize = 2;

pub(super) type Apps = Registry<ModelMemory, ModelMutex, SLOTS>;
pub(super) type Record = Extension<ModelMemory, ModelMutex, SLOTS>;
pub(super) type AppHandle = Handle<'static, ModelMemory, ModelMutex, SLOTS>;
pub(super) type AppWeak = Weak<'static, ModelMemory, ModelMutex, SLOTS>;

/// Tells a story once, on a registry of its own. Afterwards the registry is empty, all memory is back, what came up went
/// down, and all that once. That every thread ends is for the checker to see.
pub(super) fn run(story: &impl Fn(&'static Apps)) {
    ledger::begin();
    let apps = Box::into_raw(Box::new(Apps::new(ModelMemory { in_use: 0 })));
    // SAFETY: it lives until the last line but one, and a story waits for its threads and keeps nothing.
    let shared: &'static Apps = unsafe { &*apps };
    // The checkers' atomics are made when first used: now, when nobody races.
    (0..SLOTS).for_each(|slot| assert_eq!(shared.statuses(slot), Some(Status::EMPTY)));
    story(shared);
    assert_empty(shared);
    ledger::close();
    // SAFETY: it came from a box, and nobody has it any more.
    drop(unsafe { Box::from_raw(apps) });
}

fn assert_empty(apps: &Apps) {
    for slot in 0..SLOTS {
        let status = apps.statuses(slot).expect("there is such a slot");
        assert_eq!((status.state, status.uses, status.holds), (State::Empty, 0, 0), "slot {slot}");
    }
    assert_eq!(apps.memory.with(|memory| memory.in_use), 0, "blocks are in use");
    let is_clear = apps.table.with(|table| {
        table.entries.iter().all(|entry| entry.name.as_bytes().is_empty() && entry.extension.is_none())
    });
    assert!(is_clear, "a name stayed in the table");
}

/// Calls into the extension that a handle or a guard leads to; its number.
pub(super) fn call(extension: &impl Deref<Target = Record>) -> usize {
    extension.block.body().call();
    extension.block.body().number
}
