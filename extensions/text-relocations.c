//! about: a shared object that would have to write into its code is refused
//! kinds: so-default (one is enough)
//! flags: -fno-pic -mcmodel=large
//! link: -Wl,-z,notext
//! shows: DT_TEXTREL
//! error: TextRelocations
#include "host.h"

int probe(void) { return host_add(1, 2); }
