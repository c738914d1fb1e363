//! Relocations applied to the bytes of one section: what the rows of an architecture make of real instructions.

mod bench;
mod count;
mod golden;
mod hostile;
mod pairs;
mod riscv;
mod x86;
