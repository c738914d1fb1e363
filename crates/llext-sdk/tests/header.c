/* Everything that include/llext/extension.h exports, and what it leaves out. Compiled as C and as C++. */
#include <llext/extension.h>

#ifdef __cplusplus
extern "C" {
#endif
int add(int a, int b);
extern const volatile unsigned char table[3];
#ifdef __cplusplus
}
#endif

struct point {
	int x, y;
};

int add(int a, int b) { return a + b; }
static void hidden(void) {}
const volatile unsigned char table[3] = { 1, 2, 3 };
static int counter = 1;
static struct point origin = { 0, 0 };
static struct point unit = { 1, 1 };

LL_EXTENSION_SYMBOL(add);
LL_EXTENSION_SYMBOL_NAMED(hidden, shown);
EXPORT_SYMBOL(table);
EXPORT_SYMBOL_NAMED(counter, count);
EXPORT_GROUP_SYMBOL(LIBC, origin);
EXPORT_GROUP_SYMBOL_NAMED(DEVICE, unit, device_unit);
EXPORT_GROUP_SYMBOL_NAMED(DEVICE, origin.y, device_y);

#ifdef NEEDS
LLEXT_NEEDS("math"); LLEXT_NEEDS("gfx-2d.so");
LLEXT_NEEDS("abc");
#endif
