//! about: a file without any global symbol runs its constructor and destructor
//! kinds: o r (a shared object holds its compiler's start files)
//! trace: 1 | | 2
//! hides: init fini
#include "host.h"

__attribute__((constructor)) static void init(void) { host_trace(1); }
__attribute__((destructor)) static void fini(void) { host_trace(2); }
