//! about: two C files and one in assembly become one extension
//! files: second.c third.S
//! kinds: r so (one object holds one file)
//! call: probe(5) = 5113
#include "second.h"

static int private_counter = 1000;

int counter(void) { return private_counter; }

int probe(int value) { return value * counter() + second(10) + third(); }
