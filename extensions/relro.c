//! about: constants with addresses in them are read-only once the load is done
//! shows[o-default r]: .data.rel.ro*
//! shows[so-default so-now so-relr]: PT_GNU_RELRO
//! call: probe() = 3
//! call[native+so-default native+so-now native+so-relr native+o-nopic]: protection() = 4
//! call[native+so-norelro]: protection() = 6
#include "host.h"

static int values[] = {1, 2};
static volatile int first;
static int *const pointers[] = {&values[0], &values[1]};

int probe(void) { return *pointers[first] + *pointers[first + 1]; }
int protection(void) { return host_protection((const void *)pointers); }
