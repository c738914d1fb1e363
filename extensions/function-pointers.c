//! about: pointers to functions in tables and variables, to its own and to the host's, called from both sides
//! shows[o r]: R_X86_64_64
//! call: by_table(0) = 11
//! call: by_table(1) = 20
//! call: by_table(2) = 13
//! call: by_callback(5) = 10
//! call: by_variable() = 30
//! call: equal() = 1
#include "host.h"

static int plus_one(int value) { return value + 1; }
static int twice(int value) { return value * 2; }
int plus_three(int value) { return value + 3; }

static int (*const table[])(int) = {plus_one, twice, plus_three};
static int (*volatile variable)(int, int) = host_add;

int by_table(int index) { return table[index](10); }
int by_callback(int value) { return host_apply(twice, value); }
int by_variable(void) { return variable(10, 20); }

/* One function has one address, whichever way it is asked for. */
int equal(void) { return table[2] == plus_three; }
