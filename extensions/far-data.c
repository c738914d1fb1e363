//! about: code that reaches far data by a 32-bit distance is placed beside that data, not beside the host
//! kinds: o-default o-nopic (other kinds reach it from anywhere)
//! flags[clang+o-default]: -fdirect-access-external-data
//! shows: R_X86_64_PC32
//! error[native+clang+o-nopic+O0 riscv64]: RelocationOverflow
//! call: probe() = 78
#include "host.h"

int probe(void) { return host_far_number; }
