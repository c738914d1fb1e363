//! about: a shared object with only the GNU hash table finds its exports
//! kinds: so (only a shared object has hash tables)
//! link: -Wl,--hash-style=gnu
//! shows: DT_GNU_HASH !DT_HASH
//! call: first() = 1
//! call: second() = 2
//! call: third_with_a_long_name() = 3
//! object: number = 4
//! exports: first second third_with_a_long_name number
//! hides: absent
int number = 4;

int first(void) { return 1; }
int second(void) { return 2; }
int third_with_a_long_name(void) { return 3; }
