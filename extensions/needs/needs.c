//! about: functions and data that another extension exports, found by name among the dependencies given
//! needs: provider.c
//! kinds: o-default o-large o-large-pic o-large-pie o-sections r so (far data: o-nopic cannot reach it)
//! call: probe() = 33
//! call: by_pointer() = 36
//! trace: 1 2 | | 3
#include "host.h"

int provider_add(int a, int b);
extern int provider_number;

static int *volatile pointer = &provider_number;
static int (*volatile function)(int, int) = provider_add;

__attribute__((constructor)) static void init(void) { host_trace(provider_add(0, 2)); }
__attribute__((destructor)) static void fini(void) { host_trace(provider_add(0, 3)); }

int probe(void) { return provider_add(*pointer, 3); }
int by_pointer(void) { return function(*pointer, 6); }
