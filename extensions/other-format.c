//! about: a file of 64 bits that says it has 32 is refused, and the other way round
//! patch[x86_64 aarch64 riscv64]: e_ident_class = 1
//! patch[arm riscv32 x86]: e_ident_class = 2
//! error: WrongFormat
int probe(void) { return 1; }
