//! about: an indirect function in an object is refused
//! kinds: o r (a shared object has its linker's IRELATIVE entries: ifunc)
//! places: !arm+!riscv (their compilers know no indirect functions where there is no operating system)
//! shows: STT_GNU_IFUNC
//! error: UnsupportedSymbol
static int only(void) { return 22; }

typedef int function(void);
static function *resolve(void) { return only; }

__attribute__((ifunc("resolve"))) int chosen(void);

int probe(void) { return chosen(); }
