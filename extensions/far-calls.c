//! about: functions more than 2 GiB away are reached from every kind of call site
//! shows[o-default]: R_X86_64_PLT32
//! call[native arm aarch64 riscv64]: far() = 1
//! call: many() = 21
//! call: tail(4) = 9
//! call: near_and_far() = 10
//! call: pointer() = 15
#include "host.h"

static int (*volatile in_data)(int, int) = host_far_add;

int far(void) { return host_is_far((const void *)in_data); }
int many(void) { return host_far_add(host_far_add(1, 2), host_far_add(3, host_far_add(4, host_far_add(5, 6)))); }
int tail(int value) { return host_far_add(value, 5); }
int near_and_far(void) { return host_add(host_far_add(1, 2), host_add(3, 4)); }
int pointer(void) { return in_data(7, 8); }
