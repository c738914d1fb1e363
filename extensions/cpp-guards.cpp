//! about: a static in a function is made on the first call, behind its guard, and ended at unload
//! flags: -std=c++17 -fno-exceptions -fno-rtti
//! call: probe() = 1
//! call: probe() = 2
//! trace: 0 | 11 1 12 | -1
#include "host.h"

/* What libstdc++ has, in its simplest form. */
extern "C" int __cxa_guard_acquire(char *guard) { return *guard == 0 && (host_trace(11), 1); }
extern "C" void __cxa_guard_release(char *guard)
{
	*guard = 1;
	host_trace(12);
}

struct Counter {
	int count = 0;
	Counter() { host_trace(1); }
	~Counter() { host_trace(-1); }
};

extern "C" int probe()
{
	static Counter counter;
	return ++counter.count;
}

__attribute__((constructor)) static void init() { host_trace(0); }
