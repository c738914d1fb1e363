//! about: thread-local variables are refused, in every form code may reach them
//! shows[o r]: STT_TLS
//! shows[so]: PT_TLS
//! error: ThreadLocal
__thread int counter = 1;
static __thread int zeroed;

int probe(void) { return counter++ + zeroed++; }
