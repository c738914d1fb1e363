//! about: code that reaches data 1 TiB apart by 32-bit distances is refused, and told to compile with -fPIC
//! kinds: o-default o-nopic (other kinds reach it)
//! places: native (elsewhere no data is so far away)
//! flags[clang+o-default]: -fdirect-access-external-data
//! shows[o-default]: R_X86_64_PC32
//! error: RelocationOverflow
#include "host.h"

int probe(void) { return host_number + host_far_number; }
