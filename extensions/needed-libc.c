//! about: libc.so.6 in DT_NEEDED is the host's to provide, with versioned symbols
//! kinds: so (only a shared object has DT_NEEDED)
//! libc
//! shows: DT_NEEDED DT_VERNEED
//! call: probe() = 4
#include <string.h>

static const char *volatile text = "four";

int probe(void) { return (int)strlen(text); }
