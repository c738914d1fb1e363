//! about: a weak definition stands where no strong one is, before a host symbol of the same name
//! shows: STB_WEAK
//! call: probe() = 3042
//! call: by_pointer() = 3042
//! object: weak_number = 42
#include "host.h"

__attribute__((weak)) int weak_number = 42;

/* The host has a function of this name too. */
__attribute__((weak)) int host_add(int a, int b) { return 3000 + a + b; }

static int (*volatile pointer)(int, int) = host_add;

int probe(void) { return host_add(weak_number, 0); }
int by_pointer(void) { return pointer(weak_number, 0); }
