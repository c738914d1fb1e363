//! about: an indirect function that is exported: reached by name from outside and through its own PLT
//! kinds: so (an object is refused: ifunc-in-object)
//! places: !arm+!riscv (their compilers know no indirect functions where there is no operating system)
//! shows: STT_GNU_IFUNC
//! call: probe() = 22
//! call: chosen() = 22
static int slow(void) { return 1; }
static int fast(void) { return 22; }
static volatile int have_fast = 1;

typedef int function(void);
static function *resolve(void) { return have_fast ? fast : slow; }

__attribute__((ifunc("resolve"))) int chosen(void);

int probe(void) { return chosen(); }
