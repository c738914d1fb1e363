//! about: a file for another processor is refused
//! patch: e_machine = 8
//! error: WrongMachine
int probe(void) { return 1; }
