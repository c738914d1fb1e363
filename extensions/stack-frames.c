//! about: recursion, large frames and memory on the stack, called through and from the host
//! places: !v6-m (a frame of it is larger than all memory of the board)
//! call: depth(100) = 5050
//! call: through_host(10) = 55
//! call: frame(9) = 9
#include "host.h"

int depth(int n) { return n ? n + depth(n - 1) : 0; }

int through_host(int n) { return n ? n + host_apply(through_host, n - 1) : 0; }

int frame(int value)
{
	volatile char large[20000];
	large[0] = large[19999] = (char)value;
	return (large[0] + large[19999]) / 2;
}
