/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What compilers call where the processor lacks it, sums of `double` and the thread pointer: a host of its own offers it. */
#include "suite.h"

#ifndef __linux__

#ifdef __arm__
#define EACH(what) what(__aeabi_i2d) what(__aeabi_dmul) what(__aeabi_dadd) what(__aeabi_d2iz) what(__aeabi_read_tp)
#else
#define EACH(what) what(__floatsidf) what(__muldf3) what(__adddf3) what(__fixdfsi)
#endif

#define OFFER(name) void name(void); EXPORT_SYMBOL(name);
EACH(OFFER)

#endif
