//! about: the C library's own data, stderr, reached through the GOT or a 64-bit address
//! kinds: o-default o-large o-large-pic so (default gcc code reaches it by a short distance: far-data-refused)
//! flags[o-default]: -fPIC
//! libc
//! call: probe() = 2
#include <stdio.h>

int probe(void) { return fileno(stderr); }
