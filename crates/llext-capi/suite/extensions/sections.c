/* One symbol in each kind of section, some detached and some for flash; for inspect, find_section, detached, rodata_no_reloc. */
#include <llext/extension.h>

int in_bss;
int in_data = 1;
extern const int in_rodata, in_my_rodata, kept_in_flash;
const int in_rodata = 2;
__attribute__((section(".my_rodata"))) const int in_my_rodata = 3;
__attribute__((section(".llext.rodata.noreloc"))) const int kept_in_flash = 4;

__attribute__((section(".detach"))) int detached_entry(void)
{
	return 5;
}

int probe(void)
{
	return in_bss + in_data + in_rodata + in_my_rodata;
}

const int *flash(void)
{
	return &kept_in_flash;
}

LL_EXTENSION_SYMBOL(in_bss);
LL_EXTENSION_SYMBOL(in_data);
LL_EXTENSION_SYMBOL(in_rodata);
LL_EXTENSION_SYMBOL(in_my_rodata);
LL_EXTENSION_SYMBOL(detached_entry);
LL_EXTENSION_SYMBOL(probe);
LL_EXTENSION_SYMBOL(flash);
