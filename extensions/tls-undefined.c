//! about: a thread-local variable of somebody else is refused too
//! kinds: o r (a shared object would name it as missing)
//! error: ThreadLocal UnsupportedRelocation UnsupportedSymbol
extern __thread int counter;

int probe(void) { return counter++; }
