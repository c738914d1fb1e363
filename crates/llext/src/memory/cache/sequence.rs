//! What each architecture's manual has a program do between writing code and running it, as data: in this order, with
//! nothing left out. `native` does the steps of its own; tests do all of them on a machine made of nothing but caches.
#![cfg_attr(any(not(test), loom, shuttle), allow(dead_code, reason = "each build has one architecture"))]

/// A step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Writes the data cache's lines of the code to where instruction fetch reads.
    Clean,
    /// Drops the instruction cache's lines of the code, or all of them.
    Invalidate,
    /// Drops predictions of branches.
    ForgetBranches,
    /// Waits until all before it is done.
    Barrier,
    /// Fetches what comes next anew.
    Refetch,
    /// The operating system does all of it, on all cores.
    Ask,
}

/// The step at a place of a sequence.
pub(super) const fn step(sequence: &[Step], at: usize) -> Option<Step> {
    if at < sequence.len() { Some(sequence[at]) } else { None }
}

/// <https://www.intel.com/sdm>, volume 3, "Self-Modifying Code": fetch snoops, and a jump to the code is enough. The compiler
/// must not move writes over it.
pub(super) const X86: &[Step] = &[Step::Barrier];

/// <https://developer.arm.com/documentation/ddi0487>, section B2.7: DC CVAU, DSB, IC IVAU, DSB, ISB.
pub(super) const AARCH64: &[Step] =
    &[Step::Clean, Step::Barrier, Step::Invalidate, Step::Barrier, Step::Refetch];

/// The same manual, section G4.2.9: DCCMVAU, DSB, ICIMVAU, BPIALL, DSB, ISB.
pub(super) const ARM_A: &[Step] =
    &[Step::Clean, Step::Barrier, Step::Invalidate, Step::ForgetBranches, Step::Barrier, Step::Refetch];

/// <https://developer.arm.com/documentation/ddi0403>, section B2.2.7: as Arm A, and a barrier before, for the registers of
/// the caches lie in memory, and are written in no order with the code.
pub(super) const ARM_M: &[Step] = &[
    Step::Barrier,
    Step::Clean,
    Step::Barrier,
    Step::Invalidate,
    Step::ForgetBranches,
    Step::Barrier,
    Step::Refetch,
];

/// <https://docs.riscv.org/reference/isa/unpriv/zifencei.html>: FENCE.I makes fetch see what the hart's own stores wrote.
pub(super) const RISCV: &[Step] = &[Step::Barrier, Step::Refetch];

/// arm: `cacheflush`; RISC-V: `riscv_flush_icache`, for a thread can move to another core at any moment.
pub(super) const LINUX: &[Step] = &[Step::Ask];

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::super::double::Machine;
    use super::Step::{Ask, Barrier, Clean, ForgetBranches, Invalidate, Refetch};
    use super::*;
    use std::vec::Vec;

    const OLD: [u8; 8] = [1; 8];
    const NEW: [u8; 8] = [2; 8];

    /// What a machine fetches that held `OLD`, wrote `NEW` and did these steps.
    fn fetched(mut machine: Machine, steps: &[Step]) -> Vec<Option<u8>> {
        machine.run(ARM_M, 0x1000, &OLD);
        machine.run(steps, 0x1000, &NEW);
        (0x1000..0x1008).map(|address| machine.fetched(address)).collect()
    }

    #[test]
    fn every_sequence_shows_what_was_written() {
        for steps in [AARCH64, ARM_A, ARM_M] {
            assert_eq!(fetched(Machine::split(), steps), NEW.map(Some), "{steps:?}");
        }
        assert_eq!(fetched(Machine::coherent(), RISCV), NEW.map(Some));
        assert_eq!((X86, LINUX), (&[Barrier][..], &[Ask][..]));
    }

    #[test]
    fn a_step_less_or_in_another_place_shows_the_old_code() {
        let old = OLD.map(Some);
        for steps in [AARCH64, ARM_A, ARM_M] {
            let needed = steps.iter().enumerate().skip_while(|(_, step)| **step != Clean);
            for (at, _) in needed.filter(|(_, step)| **step != ForgetBranches) {
                let mut less = steps.to_vec();
                less.remove(at);
                assert_eq!(
                    fetched(Machine::split(), &less),
                    old,
                    "without {:?}, {at} of {steps:?}",
                    steps[at]
                );
            }
        }
        assert_eq!(fetched(Machine::split(), &[Invalidate, Barrier, Clean, Barrier, Refetch]), old);
        assert_eq!(fetched(Machine::split(), &[Clean, Invalidate, Barrier, Barrier, Refetch]), old);
        assert_eq!(fetched(Machine::split(), RISCV), old);
        for step in RISCV {
            assert_eq!(fetched(Machine::coherent(), &[*step]), old, "only {step:?}");
        }
    }

    #[test]
    fn branches_are_forgotten_between_the_barriers_that_fetch_waits_for() {
        for steps in [ARM_A, ARM_M] {
            let [.., Barrier, Invalidate, ForgetBranches, Barrier, Refetch] = steps else {
                panic!("{steps:?}")
            };
        }
    }
}
