//! about: a file that says it is a program is refused
//! patch: e_type = 2
//! error: WrongKind NotPreLocated
int probe(void) { return 1; }
