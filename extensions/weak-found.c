//! about: a weak undefined symbol that the host defines is the host's
//! shows: STB_WEAK
//! error[native+o-nopic+gcc native+o-nopic+O2]: RelocationOverflow
//! call: probe() = 5
__attribute__((weak)) int host_add(int a, int b);

int probe(void) { return host_add ? host_add(2, 3) : -1; }
