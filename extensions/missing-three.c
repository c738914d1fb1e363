//! about: three undefined symbols are named together, once each; a weak one is not among them
//! error: UndefinedSymbols
//! missing: absent_data absent_function another_absent_function
int absent_function(int value);
int another_absent_function(int value);
extern int absent_data;
__attribute__((weak)) int absent_but_weak(void);

static int (*const pointer)(int) = absent_function;

int probe(void)
{
	int value = absent_function(absent_data) + absent_function(2) + another_absent_function(3);
	return absent_but_weak ? absent_but_weak() : value + pointer(4);
}
