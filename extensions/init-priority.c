//! about: constructors run by priority, then in the file's order; destructors the other way round
//! shows[o r]: .init_array.* .fini_array.*
//! call: probe() = 0
//! trace: 101 102 5000 1 2 | | 2 1 5000 102 101
#include "host.h"

__attribute__((constructor)) static void first(void) { host_trace(1); }
__attribute__((constructor(5000))) static void late(void) { host_trace(5000); }
__attribute__((constructor(101))) static void earliest(void) { host_trace(101); }
__attribute__((constructor)) static void second(void) { host_trace(2); }
__attribute__((constructor(102))) static void early(void) { host_trace(102); }

__attribute__((destructor(102))) static void early_end(void) { host_trace(102); }
__attribute__((destructor)) static void first_end(void) { host_trace(1); }
__attribute__((destructor(5000))) static void late_end(void) { host_trace(5000); }
__attribute__((destructor)) static void second_end(void) { host_trace(2); }
__attribute__((destructor(101))) static void earliest_end(void) { host_trace(101); }

int probe(void) { return 0; }
