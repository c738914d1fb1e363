#include "host.h"

int provider_number = 30;

__attribute__((constructor)) static void init(void) { host_trace(1); }

int provider_add(int a, int b) { return a + b; }
