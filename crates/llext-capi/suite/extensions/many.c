/* With NUMBER: one of ten providers; without: what uses all of them. */
#include <llext/extension.h>

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)

#ifdef NUMBER
int PASTE(provided_, NUMBER)(void)
{
	return NUMBER;
}
#define EXPORT(number) LL_EXTENSION_SYMBOL(provided_##number)
#define EXPORT_NUMBER(number) EXPORT(number)
EXPORT_NUMBER(NUMBER);
#else
#define EACH(what) what(0) what(1) what(2) what(3) what(4) what(5) what(6) what(7) what(8) what(9)
#define DECLARE(number) int provided_##number(void);
#define ADD(number) +provided_##number()
EACH(DECLARE)

int probe(void)
{
	return 0 EACH(ADD);
}
LL_EXTENSION_SYMBOL(probe);
#endif
