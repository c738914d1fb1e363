//! about: without the C library on offer, a shared object that names it in DT_NEEDED is refused
//! kinds: so (only a shared object has DT_NEEDED)
//! places: native (elsewhere there is no C library to name)
//! no-libc
//! link: -Wl,--no-as-needed -lc
//! shows: DT_NEEDED
//! error: MissingDependency
int probe(void) { return 1; }
