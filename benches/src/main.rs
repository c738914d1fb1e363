//! Measures how long llext takes to load, look up and unload, beside dlopen, elf_loader and the limit of the machine.
//!
//! Every row of a workload runs in every round, on one core, and what it loaded is called and checked. Nothing here
//! judges the clock: the gate's verdicts are printed, and the program ends well whatever they say.

#[cfg(measurable)]
mod heap;
#[cfg(measurable)]
mod measure;
#[cfg(measurable)]
mod memory;
#[cfg(measurable)]
mod report;
#[cfg(measurable)]
mod rows;
#[cfg(measurable)]
mod run;
#[cfg(measurable)]
mod scope;
#[cfg(measurable)]
mod workload;

#[cfg(measurable)]
fn main() -> std::process::ExitCode {
    run::main()
}

#[cfg(not(measurable))]
fn main() -> std::process::ExitCode {
    eprintln!(
        "the workloads are x86-64 files for a glibc process: they can be measured on such a Linux only"
    );
    std::process::ExitCode::from(1)
}
