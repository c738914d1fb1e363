/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Firmware in C: loads an extension from memory and from files, calls it and unloads it. It is 0 if all went as it should.
 */
#include "firmware.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zephyr/llext/buf_loader.h>
#include <zephyr/llext/llext.h>
#include <llext/hooks.h>

/* The extension's file, in flash. */
__asm__(".section .rodata.extension, \"a\"\n"
	".balign 8\n"
	"extension:\n"
	".incbin \"area.o\"\n"
	"extension_end:\n"
	".previous\n");
extern const uint8_t extension[], extension_end[];

static uint8_t heap[16 * 1024] __attribute__((aligned(16)));

/* What the extension said last. */
static char said[40];

void host_says(const char *what, int number);

void host_says(const char *what, int number)
{
	snprintf(said, sizeof(said), "%s %d", what, number);
	printf("  %s\n", said);
}
EXPORT_SYMBOL(host_says);

static void hear(int error, const char *line)
{
	printf("  error %d: %s\n", error, line);
}

/* Whether something is as it should be, which is said. */
static int holds(int condition, const char *what)
{
	if (!condition) {
		printf("%s: no\n", what);
	}
	return condition;
}

/* Calls what was loaded, and unloads it; 0 if it did as it should. */
static int use(struct llext *ext)
{
	int (*area)(int, int);
	const void *symbol;

	if (!holds(llext_bringup(ext) == 0 && strcmp(said, "up 0") == 0, "the constructor ran")) {
		return -1;
	}
	symbol = llext_find_sym(&ext->exp_tab, "area");
	if (!holds(symbol != NULL, "area is exported")) {
		return -1;
	}
	memcpy(&area, &symbol, sizeof(area));
	if (!holds(area(6, 7) == 42 && strcmp(said, "area 42") == 0, "6 times 7 is 42") ||
	    !holds(llext_heap_uninit() < 0, "the heap is in use") ||
	    !holds(llext_teardown(ext) == 0 && strcmp(said, "down 1") == 0, "the destructor ran") ||
	    !holds(llext_unload(&ext) == 0 && ext == NULL, "it was unloaded")) {
		return -1;
	}
	return 0;
}

/* Loads with any loader, and uses what came. */
static int load(const char *from, struct llext_loader *loader)
{
	struct llext *ext;
	int loaded;

	printf("from %s:\n", from);
	loaded = llext_load(loader, "area", &ext, NULL);
	if (!holds(loaded == 0, "it was loaded")) {
		return loaded;
	}
	printf("  %u bytes\n", (unsigned int)ext->alloc_size);
	return use(ext);
}

static int load_all(void)
{
	size_t size = (size_t)(extension_end - extension);
	struct llext_buf_loader copied = LLEXT_TEMPORARY_BUF_LOADER(extension, size);
	struct llext_buf_loader kept = LLEXT_PERSISTENT_BUF_LOADER(extension, size);
	struct llext_fs_loader file = LLEXT_FS_LOADER("area.o");
	struct llext_fs_loader small = LLEXT_FS_LOADER("/area.llext");
	struct llext_fs_loader missing = LLEXT_FS_LOADER("no such file");
	struct llext *ext;

	if (load("memory", &copied.loader) != 0 || load("flash, some of it in place", &kept.loader) != 0) {
		return -1;
	}
	llext_set_file_hooks(&HOST_FILES);
	if (load("a file of the emulator's", &file.loader) != 0) {
		return -1;
	}
	llext_set_file_hooks(&LITTLEFS_FILES);
	if (!holds(make_littlefs(small.name, extension, size) == 0, "littlefs is made") ||
	    load("littlefs", &small.loader) != 0) {
		return -1;
	}
	return holds(llext_load(&missing.loader, "missing", &ext, NULL) == -ENOENT, "a file is missing") ? 0 : -1;
}

int main(void)
{
	llext_set_log_hook(hear);
	if (!holds(llext_heap_init(heap, sizeof(heap)) == 0, "the heap is given") || load_all() != 0 ||
	    !holds(llext_heap_uninit() == 0, "all memory came back")) {
		return 1;
	}
	printf("all memory came back\n");
	return 0;
}
