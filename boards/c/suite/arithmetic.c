/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the compiler calls for sums of `double`, where the processor has none: the firmware offers its own to extensions. */
#include <llext/symbol.h>

#ifdef __arm__
#define EACH(what) what(__aeabi_i2d) what(__aeabi_dmul) what(__aeabi_dadd) what(__aeabi_d2iz)
#else
#define EACH(what) what(__floatsidf) what(__muldf3) what(__adddf3) what(__fixdfsi)
#endif

#define OFFER(name) void name(void); EXPORT_SYMBOL(name);
EACH(OFFER)
