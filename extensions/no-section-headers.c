//! about: a shared object without section headers loads from its program headers alone
//! kinds: so (an object is nothing without sections)
//! patch: e_shoff = 0
//! patch: e_shnum = 0
//! patch: e_shstrndx = 0
//! shows: sections=0
//! call: probe() = 42
//! trace: 1 | | 2
//! exports: probe
#include "host.h"

static int number = 42;
static int *volatile pointer = &number;

__attribute__((constructor)) static void init(void) { host_trace(1); }
__attribute__((destructor)) static void fini(void) { host_trace(2); }

int probe(void) { return *pointer; }
