//! about: static objects are made in order and destroyed in reverse through __cxa_atexit, which the run time keeps
//! flags: -std=c++17 -fno-exceptions -fno-rtti
//! shows[o r]: __cxa_atexit __dso_handle
//! call: sum() = 6
//! trace: 100 1 2 3 | 6 | -3 -2 -1 -100
#include "host.h"

struct Noted {
	int number;
	explicit Noted(int number) : number(number) { host_trace(number); }
	~Noted() { host_trace(-number); }
};

static Noted first(1);
static Noted others[2] = {Noted(2), Noted(3)};
__attribute__((init_priority(200))) static Noted early(100);

extern "C" int sum()
{
	int sum = first.number + others[0].number + others[1].number;
	host_trace(sum);
	return sum;
}
