//! about: what registers itself while the extension runs is ended before what its constructors registered
//! flags: -std=c++17 -fno-exceptions -fno-rtti -fno-threadsafe-statics
//! call: later() = 2
//! trace: 1 | 2 3 | -3 -2 -1 40
#include "host.h"

struct Noted {
	int number;
	explicit Noted(int number) : number(number) { host_trace(number); }
	~Noted() { host_trace(-number); }
};

static Noted first(1);

extern "C" int later()
{
	static Noted second(2);
	static Noted third(3);
	return second.number;
}

__attribute__((destructor)) static void fini() { host_trace(40); }
