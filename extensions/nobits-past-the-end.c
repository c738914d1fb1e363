//! about: the file offset of a NOBITS section means nothing, even past the end of the file
//! kinds: o r (a shared object loads from its program headers)
//! patch: .bss.moved.sh_offset = 0x7fffffff
//! call: probe() = 4
__attribute__((section(".bss.moved"))) static volatile int zeroed[1000];

int probe(void) { return zeroed[999] + 4; }
