//! about: the address of a host function, taken in code, is the one the host knows
//! call: probe() = 3
//! call: equal() = 1
//! error[native+o-nopic+gcc native+o-nopic+O2]: RelocationOverflow
#include "host.h"

static int (*volatile in_data)(int, int) = host_add;
static int (*volatile in_code)(int, int);

int probe(void)
{
	in_code = host_add;
	return in_code(1, 2);
}

int equal(void)
{
	in_code = host_add;
	return in_code == in_data;
}
