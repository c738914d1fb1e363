/* Calls the host from its constructor and from its destructor. */
#include <llext/extension.h>

int host_apply(int (*function)(int), int value);

static int number;

static int add(int value)
{
	return number += value;
}

__attribute__((constructor)) static void begin(void)
{
	host_apply(add, 1);
}

__attribute__((destructor)) static void end(void)
{
	host_apply(add, 10);
}

int probe(void)
{
	return number;
}
LL_EXTENSION_SYMBOL(probe);
