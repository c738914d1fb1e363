//! about: an indirect function of the extension itself is chosen once, by IRELATIVE
//! kinds: so (an object is refused: ifunc-in-object)
//! places: !arm+!riscv (their compilers know no indirect functions where there is no operating system)
//! places: !x86 !clang (LLD's PLT takes a register that clang does not set for a hidden function)
//! shows: R_X86_64_IRELATIVE
//! call: probe() = 22
//! call: by_pointer() = 22
static int slow(void) { return 1; }
static int fast(void) { return 22; }
static volatile int have_fast = 1;

typedef int function(void);
static function *resolve(void) { return have_fast ? fast : slow; }

__attribute__((ifunc("resolve"), visibility("hidden"))) int chosen(void);
static function *volatile pointer = chosen;

int probe(void) { return chosen(); }
int by_pointer(void) { return pointer(); }
