//! about: a shared object that would have to write into its code is refused
//! kinds: so-default (one is enough)
//! places: x86_64 (the options that lead to it are those of x86-64)
//! flags: -fno-pic -mcmodel=large
//! link: -Wl,-z,notext
//! shows: DT_TEXTREL
//! error: TextRelocations
#include "host.h"

int probe(void) { return host_add(1, 2); }
