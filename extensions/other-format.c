//! about: a file that says it is 32-bit is refused
//! patch: e_ident_class = 1
//! error: WrongFormat
int probe(void) { return 1; }
