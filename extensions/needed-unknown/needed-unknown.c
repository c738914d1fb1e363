//! about: a library named in DT_NEEDED that is not there ends the load
//! links: provider.c
//! kinds: so (only a shared object has DT_NEEDED)
//! error: MissingDependency
int provider_twice(int value);

int probe(void) { return provider_twice(6); }
