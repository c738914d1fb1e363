//! about: data of the host, beside its code and more than 2 GiB away, by pointers in the extension's own data
//! shows[o r]: R_X86_64_64
//! call: beside() = 77
//! call: away() = 78
//! call[native arm aarch64 riscv64]: far() = 1
#include "host.h"

static int *volatile beside_pointer = &host_number;
static int *volatile away_pointer = &host_far_number;

int beside(void) { return *beside_pointer; }
int away(void) { return *away_pointer; }
int far(void) { return host_is_far(away_pointer); }
