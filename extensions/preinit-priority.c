//! about: preinit entries come before the earliest constructor, and the init hook after the last
//! kinds: o r (a linker allows no .preinit_array in a shared object)
//! call: probe() = 0
//! exports: llext_init llext_fini
//! trace: 1 101 2 3 | | 4 5 6
#include "host.h"

static void preinit(void) { host_trace(1); }
__attribute__((section(".preinit_array"), used)) static void (*const preinit_entry)(void) = preinit;

__attribute__((constructor)) static void init(void) { host_trace(2); }
__attribute__((constructor(101))) static void earliest(void) { host_trace(101); }
__attribute__((destructor)) static void fini(void) { host_trace(5); }
__attribute__((destructor(101))) static void latest(void) { host_trace(6); }

int llext_init(void)
{
	host_trace(3);
	return 0;
}

void llext_fini(void) { host_trace(4); }

int probe(void) { return 0; }
