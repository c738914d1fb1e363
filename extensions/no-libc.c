//! about: without the C library on offer its functions are missing like any other
//! kinds: o r (a shared object already lacks libc.so.6 itself, see no-libc-needed)
//! no-libc
//! error: UndefinedSymbols
//! missing: strtol
#include <stdlib.h>

static const char *volatile text = "4";

int probe(void) { return (int)strtol(text, 0, 10); }
