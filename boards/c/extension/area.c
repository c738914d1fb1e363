/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the firmware loads: it has variables and constants, a constructor and a destructor, and calls its host. */
#include <llext/extension.h>

void host_says(const char *what, int number);

static int calls;

__attribute__((constructor)) static void begin(void)
{
	host_says("up", calls);
}

__attribute__((destructor)) static void end(void)
{
	host_says("down", calls);
}

int area(int width, int height)
{
	calls++;
	host_says("area", width * height);
	return width * height;
}
LL_EXTENSION_SYMBOL(area);
