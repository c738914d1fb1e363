/* Calls the host, which calls it back. */
#include <llext/extension.h>

int host_apply(int (*function)(int), int value);

static int one_more(int value)
{
	return value + 1;
}

int probe(int value)
{
	return host_apply(one_more, value);
}
LL_EXTENSION_SYMBOL(probe);
