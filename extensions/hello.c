//! about: says hello through a host function and returns a value
//! call: probe() = 1
//! output: hello, world
//! exports: probe
#include "host.h"

int probe(void)
{
	host_print("hello, world");
	return 1;
}
