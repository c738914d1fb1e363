//! about: without the C library on offer its functions are missing like any other
//! kinds: o r (a shared object already lacks libc.so.6 itself, see no-libc-needed)
//! no-libc
//! error: UndefinedSymbols
//! missing: strtol
long strtol(const char *text, char **end, int base);

static const char *volatile text = "4";

int probe(void) { return (int)strtol(text, 0, 10); }
