//! about: position-independent code reaches the host's data through the GOT, however far
//! kinds: o-large-pic o-default so (other code reaches data directly)
//! flags[o-default]: -fPIC
//! shows[o-default]: R_X86_64_REX_GOTPCRELX
//! shows[o-large-pic]: R_X86_64_GOT64
//! call: beside() = 77
//! call: away() = 78
#include "host.h"

int beside(void) { return host_number; }
int away(void) { return host_far_number; }
