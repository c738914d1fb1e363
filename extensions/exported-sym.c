//! about: the entries of .exported_sym, written by llext/extension.h, are all that is exported
//! places: !arm+!riscv !gcc !r-lld (gcc for newlib ignores `retain`, so that LLD drops sections which nothing names)
//! flags: -DLL_EXTENSION_BUILD
//! shows: .exported_sym
//! call: probe() = 1
//! call: renamed() = 2
//! call: exported_as_in_the_image() = 3
//! exports: probe renamed exported_as_in_the_image
//! hides: private_function private_number
#include <llext/extension.h>

int private_number = 2;
int private_function(void) { return private_number; }

int probe(void) { return private_number - 1; }
LL_EXTENSION_SYMBOL(probe);

LL_EXTENSION_SYMBOL_NAMED(private_function, renamed);

/* The image's own spelling means the same in an extension. */
int exported_as_in_the_image(void) { return 3; }
EXPORT_SYMBOL(exported_as_in_the_image);
