//! about: what another extension needs: it counts how often it is used
//! call: multiply(6, 7) = 42
//! call: count() = 1
//! exports: multiply count
//! hides: calls
#include <llext/extension.h>

static int calls;

int multiply(int a, int b)
{
	calls++;
	return a * b;
}
LL_EXTENSION_SYMBOL(multiply);

int count(void) { return calls; }
LL_EXTENSION_SYMBOL(count);
