//! about: a strong definition in one file replaces the weak one in another
//! files: strong.c
//! kinds: r so (one object holds one file)
//! call: probe() = 12
__attribute__((weak)) int chosen(void) { return 1; }
__attribute__((weak)) int number = 1;

int probe(void) { return chosen() + number; }
