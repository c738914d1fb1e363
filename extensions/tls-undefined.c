//! about: a thread-local variable of somebody else is refused too
//! kinds: o r (a shared object would name it as missing)
//! error: ThreadLocal UnsupportedRelocation UnsupportedSymbol
//! missing[v6-m v7-m v7e-m v8-m]: __aeabi_read_tp
extern __thread int counter;

int probe(void) { return counter++; }
