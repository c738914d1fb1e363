//! about: an object, too, names what it needs: in a note, which the loader looks for among those that are live
//! needs: math.c
//! shows: .note.llext
//! call: area(6, 7) = 42
//! call: volume(2, 3) = 12
#include <llext/extension.h>

LLEXT_NEEDS("math");
int multiply(int a, int b);

int area(int a, int b) { return multiply(a, b); }
LL_EXTENSION_SYMBOL(area);

/* Of a square base. */
int volume(int side, int height)
{
	return multiply(area(side, side), height);
}
LL_EXTENSION_SYMBOL(volume);
