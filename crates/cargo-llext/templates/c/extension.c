/* An extension: build it with `llext build`, try it with `llext run . --call add 1 2`. */
#include <llext/extension.h>

/* Says that the extension is there. */
int probe(void)
{
	return 1;
}
LL_EXTENSION_SYMBOL(probe);

/* Adds two numbers. */
int add(int a, int b)
{
	return (int)((unsigned)a + (unsigned)b);
}
LL_EXTENSION_SYMBOL(add);
