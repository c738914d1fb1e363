#include <llext/extension.h>

int double_of(int value);

int answer(void)
{
	return double_of(21);
}
LL_EXTENSION_SYMBOL(answer);
