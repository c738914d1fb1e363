//! about: an init hook that returns non-zero ends the load, and what ran before is undone
//! error: InitFailed
//! exports: llext_init llext_fini
//! trace: 1 2 10
#include "host.h"

__attribute__((constructor)) static void init(void) { host_trace(1); }
__attribute__((destructor)) static void fini(void) { host_trace(10); }

int llext_init(void)
{
	host_trace(2);
	return 5;
}

void llext_fini(void) { host_trace(4); }
