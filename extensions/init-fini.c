//! about: preinit, init, entry and fini run in this order, as in LLEXT's test of the same name
//! kinds: o r (a linker allows no .preinit_array in a shared object)
//! shows[o r]: .preinit_array* .init_array* .fini_array* SHT_PREINIT_ARRAY SHT_INIT_ARRAY SHT_FINI_ARRAY
//! call: probe() = 0x123
//! object: number = 0x123
//! trace: 0x1 0x12 | 0x123 | 0x1234
#include "host.h"

int number;

static void append(int digit)
{
	number = number << 4 | digit;
	host_trace(number);
}

static void preinit(void) { append(1); }
static void init(void) { append(2); }
static void fini(void) { append(4); }

#define ENTRY_IN(array) __attribute__((section(array), used)) static void (*const
ENTRY_IN(".preinit_array") preinit_entry)(void) = preinit;
ENTRY_IN(".init_array") init_entry)(void) = init;
ENTRY_IN(".fini_array") fini_entry)(void) = fini;

int probe(void)
{
	append(3);
	return number;
}
