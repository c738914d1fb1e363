//! about: section contents lie in the file in reverse order, the section headers before them all
//! kinds: o r (the segments of a shared object cannot move)
//! patch: reverse-sections
//! call: probe() = 60
//! trace: 1 | | 2
#include "host.h"

static int data[] = {10, 20};
static const int constants[] = {30};
static int *volatile pointer = data;
static const int *volatile constant_pointer = constants;

__attribute__((constructor)) static void init(void) { host_trace(1); }
__attribute__((destructor)) static void fini(void) { host_trace(2); }

int probe(void) { return pointer[0] + pointer[1] + *constant_pointer; }
