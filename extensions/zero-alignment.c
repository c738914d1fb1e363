//! about: an alignment of 0 means 1
//! kinds: o r (a shared object loads from its program headers)
//! patch: .comment.sh_addralign = 0
//! patch: .text.unaligned.sh_addralign = 0
//! call: probe() = 4
__attribute__((section(".text.unaligned"))) int probe(void) { return 4; }
