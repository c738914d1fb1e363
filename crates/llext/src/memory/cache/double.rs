//! A machine of caches, for tests: what its instruction fetch sees after the steps of a sequence.

use super::sequence::{AARCH64, ARM_A, ARM_M, RISCV, Step};
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;
use std::vec::Vec;

/// Pieces of memory in the order in which they came: of two at an address the later one counts. (Megabytes are shown to
/// it, so it keeps no account of single bytes.)
#[derive(Clone, Debug, Default)]
struct Bytes(Vec<(usize, Rc<[u8]>)>);

impl Bytes {
    fn put(&mut self, address: usize, bytes: &[u8]) {
        self.0.push((address, bytes.into()));
    }

    fn append(&mut self, other: &mut Self) {
        self.0.append(&mut other.0);
    }

    /// Those pieces, or their parts, that lie in a range.
    fn within(&self, range: Range<usize>) -> impl Iterator<Item = (usize, &[u8])> {
        self.0.iter().filter_map(move |(address, bytes)| {
            let (start, end) = (range.start.max(*address), range.end.min(address + bytes.len()));
            (start < end).then(|| (start, &bytes[start - address..end - address]))
        })
    }

    fn at(&self, address: usize) -> Option<u8> {
        self.within(address..address + 1).last().map(|(_, bytes)| bytes[0])
    }
}

/// A machine whose instruction fetch sees written code late, each step in the place where a manual lets it be.
#[derive(Clone, Debug, Default)]
pub(super) struct Machine {
    /// Whether caches need no maintenance, only fetch has to be told.
    coherent: bool,
    /// On their way to memory.
    cleaning: Bytes,
    /// In memory.
    memory: Bytes,
    /// On their way out of the instruction cache; what fetch will read for them.
    invalidating: Bytes,
    /// No longer in the instruction cache.
    invalid: Bytes,
    /// What fetch sees.
    seen: Bytes,
}

impl Machine {
    /// One with caches for data and for instructions, as Arm's.
    pub(super) fn split() -> Self {
        Self::default()
    }

    /// One without any that a program sees, as RISC-V's.
    pub(super) fn coherent() -> Self {
        Self { coherent: true, ..Self::default() }
    }

    /// Does the steps for code at `address`, which was just written.
    pub(super) fn run(&mut self, steps: &[Step], address: usize, code: &[u8]) {
        if self.coherent {
            self.step(Step::Clean, address, code);
        }
        for step in steps {
            self.step(*step, address, code);
            if self.coherent && *step == Step::Barrier {
                self.step(Step::Invalidate, address, code);
                self.invalid.append(&mut self.invalidating);
            }
        }
    }

    fn step(&mut self, step: Step, address: usize, code: &[u8]) {
        match step {
            Step::Clean => self.cleaning.put(address, code),
            Step::Invalidate => {
                for (address, bytes) in self.memory.within(address..address + code.len()) {
                    self.invalidating.put(address, bytes);
                }
            }
            Step::Barrier => {
                self.memory.append(&mut self.cleaning);
                self.invalid.append(&mut self.invalidating);
            }
            Step::Refetch => self.seen.append(&mut self.invalid),
            Step::ForgetBranches | Step::Ask => {}
        }
    }

    /// What instruction fetch sees at an address; nothing, where no code was shown to it.
    pub(super) fn fetched(&self, address: usize) -> Option<u8> {
        self.seen.at(address)
    }
}

std::thread_local! {
    /// Each architecture's sequence on a machine that it is for.
    static SEEN: RefCell<[(Machine, &'static [Step]); 4]> = RefCell::new([
        (Machine::split(), AARCH64),
        (Machine::split(), ARM_A),
        (Machine::split(), ARM_M),
        (Machine::coherent(), RISCV),
    ]);
}

/// This code is shown to instruction fetch.
#[cfg(all(feature = "std", target_os = "linux"))]
pub(super) fn record(address: usize, code: &[u8]) {
    SEEN.with_borrow_mut(|seen| {
        seen.iter_mut().for_each(|(machine, steps)| machine.run(steps, address, code))
    });
}

/// What this thread would fetch at an address, if all architectures agree: nothing, if it was never shown.
#[cfg(all(feature = "std", target_os = "linux"))]
pub(crate) fn fetched(address: usize) -> Option<u8> {
    SEEN.with_borrow(|seen| {
        let [first, others @ ..] = seen.each_ref().map(|(machine, _)| machine.fetched(address));
        first.filter(|_| others.iter().all(|other| *other == first))
    })
}
