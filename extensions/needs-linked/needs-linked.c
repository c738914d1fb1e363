//! about: a shared object linked with another one names it in DT_NEEDED and finds it live
//! needs: provider.c
//! links: provider.c
//! kinds: so (only a shared object has DT_NEEDED)
//! places: !arm gcc a32 (LLD enters its PLT in the wrong instruction set when it links with another shared object)
//! shows: DT_NEEDED
//! call: probe() = 12
int provider_twice(int value);

int probe(void) { return provider_twice(6); }
