/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Where files come from, and what of them is used where it lies. */
#include "suite.h"

#ifdef WITH_LINKED
#include <sys/mman.h>
#endif

static struct file file;

static int is_in_file(const void *address)
{
	return (uintptr_t)address - (uintptr_t)file.bytes < file.size;
}

static const void *flash(struct llext *ext)
{
	const void *symbol = llext_find_sym(&ext->exp_tab, "flash");
	const void *(*function)(void);

	memcpy(&function, &symbol, sizeof(function));
	return function();
}

/* A constant for flash stays in the file, if that stays; other storage copies. */
static void rodata_no_reloc(void)
{
	struct llext_buf_loader stays, goes;
	struct llext *ext;

	file = slurp("sections.o");
	stays = (struct llext_buf_loader)LLEXT_PERSISTENT_BUF_LOADER(file.bytes, file.size);
	goes = (struct llext_buf_loader)LLEXT_TEMPORARY_BUF_LOADER(file.bytes, file.size);
	EQUAL(llext_load(&stays.loader, "flash", &ext, NULL), 0);
	CHECK(is_in_file(flash(ext)) && is_in_file(llext_find_sym(&ext->exp_tab, "in_rodata")));
	CHECK(!is_in_file(llext_find_sym(&ext->exp_tab, "in_data")));
	EQUAL(llext_unload(&ext), 0);
	EQUAL(llext_load(&goes.loader, "flash", &ext, NULL), 0);
	CHECK(!is_in_file(flash(ext)));
	EQUAL(llext_unload(&ext), 0);
	drop(&file);
}

static struct llext_loader *asked;
static int asked_for;

static bool is_detached(const elf_shdr_t *header)
{
	elf_shdr_t wanted;

	asked_for++;
	return llext_get_section_header(asked, NULL, ".detach", &wanted) == 0 && wanted.sh_name == header->sh_name;
}

static void detached(void)
{
	struct llext_load_param param = LLEXT_LOAD_PARAM_DEFAULT;
	struct llext_buf_loader loader;
	struct llext *ext;

	file = slurp("sections.o");
	loader = (struct llext_buf_loader)LLEXT_WRITABLE_BUF_LOADER(file.bytes, file.size);
	param.section_detached = is_detached;
	asked = &loader.loader;
	EQUAL(llext_load(&loader.loader, "detached", &ext, &param), 0);
	CHECK(asked_for > 0 && is_in_file(llext_find_sym(&ext->exp_tab, "detached_entry")));
	/* Where all memory can be run in, the code of a file that is written to is used there as well. */
#ifdef __linux__
	CHECK(!is_in_file(llext_find_sym(&ext->exp_tab, "probe")));
#else
	CHECK(is_in_file(llext_find_sym(&ext->exp_tab, "probe")));
#endif
	EQUAL(call(ext, "detached_entry", 0, NULL), 5);
	EQUAL(probe(ext), 6);
	EQUAL(llext_unload(&ext), 0);
	loader = (struct llext_buf_loader)LLEXT_TEMPORARY_BUF_LOADER(file.bytes, file.size);
	EQUAL(llext_load(&loader.loader, "detached", &ext, &param), -ENOTSUP);
	drop(&file);
}

static int open_file(const char *path, void **opened)
{
	*opened = fopen(path, "rb");
	return *opened ? 0 : -errno;
}

static ssize_t read_file(void *opened, void *out, size_t len)
{
	/* In small pieces: it is for the loader to ask for the rest. */
	return (ssize_t)fread(out, 1, len > 100 ? 100 : len, (FILE *)opened);
}

static int seek_file(void *opened, size_t position)
{
	return fseek((FILE *)opened, (long)position, SEEK_SET) ? -errno : 0;
}

static int closed;

static void close_file(void *opened)
{
	closed++;
	fclose((FILE *)opened);
}

static void fs_loader(void)
{
	static const struct llext_file_hooks hooks = { open_file, read_file, seek_file, close_file };
	struct llext_fs_loader loader = LLEXT_FS_LOADER(path_of("sections.o"));
	struct llext_fs_loader missing = LLEXT_FS_LOADER("/no/such/file");
	struct llext *ext;

	closed = 0;
	llext_set_file_hooks(&hooks);
	EQUAL(llext_load(&loader.loader, "fs", &ext, NULL), 0);
	CHECK(!loader.is_open && closed == 1);
	EQUAL(probe(ext), 6);
	EQUAL(llext_unload(&ext), 0);
	EQUAL(llext_load(&missing.loader, "fs", &ext, NULL), -ENOENT);
	EQUAL(closed, 1);
	llext_set_file_hooks(NULL);
}

/* Without hooks: files of the system where the library has them. */
static void fs_loader_without_hooks(void)
{
	struct llext_fs_loader loader = LLEXT_FS_LOADER(path_of("sections.so"));
	struct llext *ext;
	int loaded = llext_load(&loader.loader, "fs", &ext, NULL);

#ifdef WITH_STD
	EQUAL(loaded, 0);
	EQUAL(probe(ext), 6);
	EQUAL(llext_unload(&ext), 0);
#else
	EQUAL(loaded, -ENOTSUP);
#endif
}

#ifdef __linux__
static void semihost_loader(void)
{
	struct llext_semihost_loader loader = LLEXT_SEMIHOST_LOADER(path_of("sections.o"));
	struct llext *ext;

	EQUAL(llext_load(&loader.loader, "computer", &ext, NULL), -ENOTSUP);
	CHECK(ext == NULL && loader.fd == -1);
}

static void semihost_files_that_are_cut_off(void)
{
	struct llext_semihost_loader loader = LLEXT_SEMIHOST_LOADER("file");
	char byte;

	EQUAL(llext_seek(&loader.loader, 0), -EINVAL);
	EQUAL(llext_read(&loader.loader, &byte, 1), -EINVAL);
	llext_finalize(&loader.loader);
}
#else
/* A file of the emulator's computer, asked for without the C library; and its edges. */
static void semihost_loader(void)
{
	struct llext_semihost_loader loader = LLEXT_SEMIHOST_LOADER(path_of("sections.o"));
	struct llext_semihost_loader missing = LLEXT_SEMIHOST_LOADER("no such file"), nameless = LLEXT_SEMIHOST_LOADER(NULL);
	uint8_t first[4], rest;
	struct llext *ext;

	EQUAL(llext_load(&loader.loader, "computer", &ext, NULL), 0);
	CHECK(loader.fd == -1 && loader.total_bytes > sizeof(elf_ehdr_t));
	EQUAL(probe(ext), 6);
	EQUAL(llext_unload(&ext), 0);
	EQUAL(llext_load(&missing.loader, "missing", &ext, NULL), -ENOENT);
	EQUAL(llext_load(&nameless.loader, "missing", &ext, NULL), -EINVAL);
	CHECK(ext == NULL && missing.fd == -1);

	EQUAL(llext_prepare(&loader.loader), 0);
	EQUAL(llext_read(&loader.loader, first, sizeof(first)), 0);
	CHECK(memcmp(first, "\177ELF", 4) == 0 && loader.total_bytes == 4);
	EQUAL(llext_get_size(&loader.loader), loader.size);
	EQUAL(llext_seek(&loader.loader, loader.size), 0);
	EQUAL(llext_read(&loader.loader, &rest, 1), -EINVAL);
	EQUAL(llext_seek(&loader.loader, loader.size + 1), -EINVAL);
	EQUAL(llext_seek(&loader.loader, loader.size - 3), 0);
	EQUAL(llext_read(&loader.loader, first, 4), -EINVAL);
	llext_finalize(&loader.loader);
	EQUAL(loader.fd, -1);
	EQUAL(llext_read(&loader.loader, first, 1), -EINVAL);
	EQUAL(llext_seek(&loader.loader, 0), -EINVAL);
}

static void semihost_files_that_are_cut_off(void)
{
	struct llext_semihost_loader loader = LLEXT_SEMIHOST_LOADER(path_of("cut-off"));
	struct llext *ext;

	file = slurp("sections.o");
	for (size_t size = 0; size < file.size; size += 150) {
		FILE *cut = fopen(loader.filename, "wb");

		CHECK(cut && fwrite(file.bytes, 1, size, cut) == size && fclose(cut) == 0);
		EQUAL(llext_load(&loader.loader, "computer", &ext, NULL), -EINVAL);
		CHECK(ext == NULL && loader.fd == -1 && loader.size == size);
	}
	EQUAL(remove(loader.filename), 0);
	drop(&file);
}
#endif

/* Code in one half of a piece of memory, all else in the other. */
static void code_and_data_apart(void)
{
	struct file halves = slurp("many-sections.r");
	struct llext *ext;

#ifndef WITH_STD
	uint8_t *const code = halves.bytes, *const data = halves.bytes + halves.size / 2;

	EQUAL(take_heap(), 0);
	EQUAL(llext_heap_init_harvard(code, halves.size / 2, data, halves.size / 2), 0);
	EQUAL(load("hello.o", "apart", &ext), 0);
	CHECK((uintptr_t)llext_find_sym(&ext->exp_tab, "probe") - (uintptr_t)code < halves.size / 2);
	CHECK((uintptr_t)ext->mem[LLEXT_MEM_RODATA] - (uintptr_t)data < halves.size / 2);
	EQUAL(llext_heap_uninit(), -EBUSY);
	EQUAL(probe(ext), 1);
	EQUAL(llext_unload(&ext), 0);
	EQUAL(load("hello.so", "apart", &ext), -ENOTSUP);
	EQUAL(llext_heap_uninit(), 0);
	EQUAL(give_heap(1 << 20), 0);
#else
	EQUAL(llext_heap_init_harvard(halves.bytes, 10, halves.bytes, 10), -ENOSYS);
	EQUAL(load("hello.o", "apart", &ext), 0);
	EQUAL(llext_unload(&ext), 0);
#endif
	drop(&halves);
}

/* Puts a file that `cargo llext link` wrote where it was linked for. */
static void put_in_place(const struct file *linked)
{
	elf_ehdr_t header;
	elf_phdr_t part;

	memcpy(&header, linked->bytes, sizeof(header));
	for (unsigned int at = 0; at < header.e_phnum; at++) {
		memcpy(&part, linked->bytes + header.e_phoff + at * sizeof(part), sizeof(part));
		if (part.p_type == PT_LOAD) {
			memcpy((void *)(uintptr_t)part.p_vaddr, linked->bytes + part.p_offset, part.p_filesz);
		}
	}
}

/* Where the suite's maker had it linked for, if it did. */
#define CODE_AT 0x20000000
#define DATA_AT 0x20100000
#define SPAN 0x10000

static void pre_located(void)
{
	struct llext_load_param param = LLEXT_LOAD_PARAM_DEFAULT;
#ifdef WITH_LINKED
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, all = PROT_READ | PROT_WRITE | PROT_EXEC;
	uint8_t *code = (uint8_t *)mmap((void *)CODE_AT, SPAN, all, flags, -1, 0);
	uint8_t *data = (uint8_t *)mmap((void *)DATA_AT, SPAN, all, flags, -1, 0);
	struct file linked = slurp("object-export.linked");
	struct llext_buf_loader loader = LLEXT_TEMPORARY_BUF_LOADER(linked.bytes, linked.size);
	struct llext *ext;

	param.pre_located = true;
	EQUAL(llext_load(&loader.loader, "placed", &ext, &param), -EFAULT);
	put_in_place(&linked);
	EQUAL(llext_load(&loader.loader, "placed", &ext, &param), 0);
	CHECK((uintptr_t)llext_find_sym(&ext->exp_tab, "read_number") - (uintptr_t)code < SPAN);
	CHECK((uintptr_t)llext_find_sym(&ext->exp_tab, "number") - (uintptr_t)data < SPAN);
	EQUAL(call(ext, "read_number", 0, NULL), 42);
	EQUAL(llext_unload(&ext), 0);
	EQUAL(llext_load(&loader.loader, "placed", &ext, NULL), -ENOEXEC);
	munmap(code, SPAN);
	munmap(data, SPAN);
	drop(&linked);
#else
	struct file object = slurp("hello.o");
	struct llext_buf_loader loader = LLEXT_TEMPORARY_BUF_LOADER(object.bytes, object.size);
	struct llext *ext;

	(void)put_in_place;
	param.pre_located = true;
	EQUAL(llext_load(&loader.loader, "placed", &ext, &param), -EFAULT);
	drop(&object);
#endif
}

TESTS(STORAGE_TESTS, TEST(pre_located), TEST(rodata_no_reloc), TEST(detached), TEST(fs_loader), TEST(fs_loader_without_hooks),
      TEST(semihost_loader), TEST(semihost_files_that_are_cut_off), TEST(code_and_data_apart));
