//! about: llext_init follows the constructors; llext_fini comes before atexit and the destructors
//! call: probe() = 0
//! exports: llext_init llext_fini
//! trace: 1 2 | 3 | 4 30 20 10
#include "host.h"

int atexit(void (*function)(void));

static void last(void) { host_trace(20); }
static void but_last(void) { host_trace(30); }

__attribute__((constructor)) static void init(void) { host_trace(1); }
__attribute__((destructor)) static void fini(void) { host_trace(10); }

int llext_init(void)
{
	host_trace(2);
	return atexit(last) | atexit(but_last);
}

void llext_fini(void) { host_trace(4); }

int probe(void)
{
	host_trace(3);
	return 0;
}
