//! about: initialised, zeroed and constant data keep their values, and each its protection
//! shows[o-default o-nopic r]: .data* .bss* .rodata*
//! call: sum_of_constants() = 60
//! call: count() = 41
//! call: count() = 42
//! call: last_of_zeroed() = 0
//! call[native]: protections() = 5466
#include "host.h"

static volatile int initialised = 40;
static volatile int zeroed[1000];
static volatile int first;
static const int constants[] = {10, 20, 30};

int sum_of_constants(void) { return constants[first] + constants[first + 1] + constants[first + 2]; }

int count(void)
{
	zeroed[0] += 1;
	return initialised + zeroed[0];
}

int last_of_zeroed(void) { return zeroed[999]; }

/* code, constants, data, bss: a digit each */
int protections(void)
{
	return host_protection((const void *)count) * 1000 + host_protection((const void *)constants) * 100 +
	       host_protection((const void *)&initialised) * 10 + host_protection((const void *)zeroed);
}
