/* Loads the extension it is given, and says what its function returns. */
#include <llext/fs_loader.h>
#include <llext/llext.h>
#include <stdio.h>

int double_of(int value)
{
	return 2 * value;
}
EXPORT_SYMBOL(double_of);

int main(int argc, char **argv)
{
	struct llext_fs_loader loader = LLEXT_FS_LOADER(argv[argc - 1]);
	struct llext *ext;
	int (*answer)(void);
	int loaded = llext_load(&loader.loader, "app", &ext, NULL);

	if (loaded < 0) {
		return -loaded;
	}
	answer = (int (*)(void))llext_find_sym(&ext->exp_tab, "answer");
	if (answer != NULL) {
		printf("%d\n", answer());
	}
	return llext_unload(&ext);
}
