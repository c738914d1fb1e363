//! Models of the registry's races, run by loom (every schedule up to a bound, weak memory included) and by shuttle
//! (many random schedules). What is checked is the registry itself; only extensions are made by hand.
//!
//! After each schedule nothing may be left: see [`world::run`]. A model is a story told to either checker.

mod calls;
mod checker;
mod dependents;
mod extension;
mod failures;
mod interrupts;
mod iteration;
mod ledger;
mod loading;
mod memory;
#[cfg(shuttle)]
mod mixed;
mod mutex;
mod names;
mod objects;
mod uses;
mod world;
