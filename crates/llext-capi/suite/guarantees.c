/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What callers in C are kept from, and what they may do. */
#include "suite.h"

static void nulls_are_refused(void)
{
	struct llext_buf_loader loader = LLEXT_TEMPORARY_BUF_LOADER(NULL, 0);
	struct llext *ext = NULL;
	elf_shdr_t header;

	EQUAL(llext_load(NULL, "name", &ext, NULL), -EINVAL);
	EQUAL(llext_load(&loader.loader, NULL, &ext, NULL), -EINVAL);
	EQUAL(llext_load(&loader.loader, "name", NULL, NULL), -EINVAL);
	CHECK(llext_load(&loader.loader, "name", &ext, NULL) < 0 && ext == NULL);
	EQUAL(llext_unload(NULL), -EINVAL);
	EQUAL(llext_unload(&ext), -EINVAL);
	CHECK(llext_by_name(NULL) == NULL && llext_find_sym(NULL, NULL) == NULL);
	EQUAL(llext_iterate(NULL, NULL), -EINVAL);
	EQUAL(llext_call_fn(NULL, "probe"), -EINVAL);
	EQUAL(llext_bringup(NULL), -EINVAL);
	EQUAL(llext_teardown(NULL), -EINVAL);
	llext_bootstrap(NULL, NULL, NULL);
	EQUAL(llext_get_fn_table_entry(NULL, true, NULL, 0), -EINVAL);
	EQUAL(llext_find_section(NULL, ".text"), -EINVAL);
	EQUAL(llext_get_section_header(NULL, NULL, ".text", &header), -EINVAL);
	EQUAL(llext_section_shndx(NULL, NULL, ".text"), -EINVAL);
	EQUAL(llext_get_section_info(NULL, NULL, 0, NULL, NULL, NULL), -EINVAL);
	EQUAL(llext_get_region_info(NULL, NULL, LLEXT_MEM_TEXT, NULL, NULL, NULL), -EINVAL);
	EQUAL(llext_free_inspection_data(NULL, NULL), -EINVAL);
#ifndef WITH_STD
	EQUAL(llext_heap_init(NULL, 100), -EINVAL);
	EQUAL(llext_heap_init(&header, sizeof(header)), -EBUSY);
#endif
}

/* A structure after its last unload, and one that serves another extension by now. */
static void the_stale_are_told(void)
{
	struct llext *ext, *stale, *others[8];
	struct llext elsewhere = { 0 }, *wild = &elsewhere;
	char name[] = "other0";

	EQUAL(load("hello.o", "stale", &ext), 0);
	stale = ext;
	EQUAL(llext_unload(&ext), 0);
	EQUAL(llext_unload(&stale), -EINVAL);
	EQUAL(llext_unload(&wild), -EINVAL);
	wild = (struct llext *)((char *)stale + 1);
	EQUAL(llext_unload(&wild), -EINVAL);
	for (int at = 0; at < 8; at++, name[5]++) {
		EQUAL(load("hello.o", name, &others[at]), 0);
		CHECK(others[at] != stale);
	}
	EQUAL(llext_call_fn(stale, "probe"), -EINVAL);
	EQUAL(llext_bringup(stale), -EINVAL);
	CHECK(llext_find_sym(&stale->exp_tab, "probe") == NULL);
	EQUAL(stale->use_count, 0);
	CHECK(stale->mem[LLEXT_MEM_TEXT] == NULL && stale->name[0] == 0);
	for (int at = 0; at < 8; at++) {
		EQUAL(llext_unload(&others[at]), 0);
	}
}

static void names_are_whole(void)
{
	static const char long_name[] = "a name of forty-seven bytes, and then some, and so on";
	char name[48] = "";
	struct llext *one, *two;

	memcpy(name, long_name, 47);
	EQUAL(load("hello.o", name, &one), 0);
	CHECK(strlen(one->name) == 47 && llext_by_name(name) == one);
	EQUAL(load("hello.o", long_name, &two), -EINVAL);
	EQUAL(load("hello.o", "", &two), -EINVAL);
	EQUAL(load("hello.o", "a name of forty-", &two), 0);
	CHECK(one != two);
	EQUAL(llext_unload(&one), 0);
	EQUAL(llext_unload(&two), 0);
}

/* LLEXT tells 15 bytes apart; a name has room for 47. */
static void names_at_their_edges(void)
{
	static const char digits[] = "123456789012345678901234567890123456789012345678";
	static const size_t lengths[] = { 1, 14, 15, 16, 17, 31, 32, 46, 47 };
	struct llext *all[9], *refused;
	char name[49];

	for (size_t at = 0; at < 9; at++) {
		snprintf(name, lengths[at] + 1, "%s", digits);
		EQUAL(load("hello.o", name, &all[at]), 0);
		EQUAL(strlen(all[at]->name), lengths[at]);
	}
	EQUAL(load("hello.o", digits, &refused), -EINVAL);
	CHECK(refused == NULL && llext_by_name(digits) == NULL);
	EQUAL(load("hello.o", "\xff\xfe", &refused), -EINVAL);
	for (size_t at = 0; at < 9; at++) {
		snprintf(name, lengths[at] + 1, "%s", digits);
		CHECK(llext_by_name(name) == all[at]);
		EQUAL(llext_unload(&all[at]), 0);
	}
}

/* Of a live extension and its loader, whatever else is NULL or out of range. */
static void nulls_besides(void)
{
	struct llext_load_param param = LLEXT_LOAD_PARAM_DEFAULT;
	struct file file = slurp("sections.o");
	struct llext_buf_loader loader = LLEXT_PERSISTENT_BUF_LOADER(file.bytes, file.size), huge = loader;
	struct llext_symtable none = { 3, NULL };
	elf_shdr_t header;
	struct llext *ext;
	void *function;

	param.keep_section_info = true;
	EQUAL(llext_load(&loader.loader, "nulls", &ext, &param), 0);
	EQUAL(llext_call_fn(ext, NULL), -EINVAL);
	CHECK(llext_find_sym(&ext->exp_tab, NULL) == NULL && llext_find_sym(&none, "probe") == NULL);
	EQUAL(llext_get_fn_table_entry(ext, false, &function, SIZE_MAX), -EINVAL);
	EQUAL(llext_find_section(&loader.loader, NULL), -EINVAL);
	EQUAL(llext_get_section_header(&loader.loader, ext, NULL, &header), -EINVAL);
	EQUAL(llext_get_section_header(&loader.loader, ext, ".text", NULL), -EINVAL);
	EQUAL(llext_get_section_header(NULL, NULL, ".text", &header), -EINVAL);
	EQUAL(llext_section_shndx(NULL, ext, NULL), -EINVAL);
	EQUAL(llext_get_section_info(&loader.loader, ext, UINT32_MAX, NULL, NULL, NULL), -EINVAL);
	EQUAL(llext_get_section_info(&loader.loader, ext, 1, NULL, NULL, NULL), 0);
	EQUAL(llext_get_region_info(&loader.loader, ext, LLEXT_MEM_COUNT, NULL, NULL, NULL), -EINVAL);
	EQUAL(llext_get_region_info(&loader.loader, ext, LLEXT_MEM_TEXT, NULL, NULL, NULL), 0);
	EQUAL(llext_buf_read(NULL, &header, 1), -EINVAL);
	EQUAL(llext_buf_read(&loader.loader, NULL, 1), -EINVAL);
	EQUAL(llext_fs_prepare(NULL), -EINVAL);
	EQUAL(llext_unload(&ext), 0);
	/* No buffer is this long; the file is, and is found to be. */
	huge.len = SIZE_MAX;
	EQUAL(llext_load(&huge.loader, "huge", &ext, NULL), 0);
	EQUAL(probe(ext), 6);
	EQUAL(llext_unload(&ext), 0);
	drop(&file);
}

static void more_than_eight_dependencies(void)
{
	struct llext *providers[10], *user;
	char file[] = "many0.o";

	for (int at = 0; at < 10; at++, file[4]++) {
		EQUAL(load(file, file, &providers[at]), 0);
	}
	EQUAL(load("many.o", "user", &user), 0);
	EQUAL(probe(user), 45);
	for (int at = 0; at < 10; at++) {
		EQUAL(providers[at]->use_count, 2);
		CHECK(at > 7 || user->dependency[at] != NULL);
	}
	EQUAL(llext_unload(&user), 0);
	for (int at = 0; at < 10; at++) {
		EQUAL(llext_unload(&providers[at]), 0);
	}
}

static void too_many_extensions(void)
{
	struct llext *all[64];
	char name[] = "00";
	int loaded, count = 0;

	while ((loaded = load("hello.o", name, &all[count])) == 0 && count < 60) {
		count++;
		snprintf(name, sizeof(name), "%02d", count % 100);
	}
	EQUAL(loaded, -ENOMEM);
	CHECK(count >= 16);
	while (count > 0) {
		EQUAL(llext_unload(&all[--count]), 0);
	}
}

static struct file slow;
static size_t at, calls, last_call;
static int finalized;

static int slow_read(struct llext_loader *loader, void *out, size_t len)
{
	(void)loader;
	if (++calls == last_call) {
		return -1234;
	}
	/* As LLEXT's buffer loader: what is not there is not read, and that is a success. */
	memcpy(out, slow.bytes + at, at > slow.size ? 0 : len > slow.size - at ? slow.size - at : len);
	at += len;
	return 0;
}

static int slow_seek(struct llext_loader *loader, size_t position)
{
	(void)loader;
	at = position;
	return ++calls == last_call ? -1234 : 0;
}

static void *slow_peek(struct llext_loader *loader, size_t position)
{
	(void)loader;
	return position < slow.size ? slow.bytes + position : NULL;
}

static void slow_finalize(struct llext_loader *loader)
{
	(void)loader;
	finalized++;
}

/* Every operation fails once: the load says its number, is finalised, and leaves nothing. */
static void operations_may_fail(void)
{
	struct llext_loader loader = 
		LLEXT_LOADER_(NULL, slow_read, slow_seek, NULL, slow_finalize, NULL, LLEXT_STORAGE_TEMPORARY);
	struct llext *ext;
	int loaded = -1;

	slow = slurp("sections.o");
	for (last_call = 1; loaded < 0; last_call++) {
		calls = 0;
		finalized = 0;
		loaded = llext_load(&loader, "slow", &ext, NULL);
		CHECK(finalized == 1);
		if (loaded < 0) {
			EQUAL(loaded, -1234);
		}
	}
	CHECK(last_call > 20);
	EQUAL(probe(ext), 6);
	EQUAL(llext_unload(&ext), 0);
	loader.read = NULL;
	EQUAL(llext_load(&loader, "slow", &ext, NULL), -EINVAL);
	drop(&slow);
}

/* A peek has no length: what is cut off is found out all the same. */
static void peeks_and_short_reads(void)
{
	struct llext_loader loader =
		LLEXT_LOADER_(NULL, slow_read, slow_seek, slow_peek, NULL, NULL, LLEXT_STORAGE_PERSISTENT);
	struct llext *ext;
	size_t whole;

	slow = slurp("sections.o");
	last_call = 0;
	EQUAL(llext_load(&loader, "peek", &ext, NULL), 0);
	CHECK((uintptr_t)llext_find_sym(&ext->exp_tab, "in_rodata") - (uintptr_t)slow.bytes < slow.size);
	EQUAL(llext_unload(&ext), 0);
	whole = slow.size;
	for (slow.size = 0; slow.size < whole; slow.size += 64) {
		CHECK(llext_load(&loader, "short", &ext, NULL) < 0);
		CHECK(ext == NULL);
	}
	slow.size = whole;
	drop(&slow);
}

static size_t slow_size(struct llext_loader *loader)
{
	(void)loader;
	return slow.size;
}

/* And so it is by its size, where that is known. */
static void sizes_and_short_reads(void)
{
	struct llext_loader loader =
		LLEXT_LOADER_(NULL, slow_read, slow_seek, NULL, NULL, slow_size, LLEXT_STORAGE_TEMPORARY);
	struct llext *ext;
	size_t whole;

	slow = slurp("sections.o");
	last_call = 0;
	EQUAL(llext_load(&loader, "sized", &ext, NULL), 0);
	EQUAL(probe(ext), 6);
	EQUAL(llext_unload(&ext), 0);
	whole = slow.size;
	for (slow.size = 0; slow.size < whole; slow.size += 64) {
		EQUAL(llext_load(&loader, "short", &ext, NULL), -EINVAL);
		CHECK(ext == NULL);
	}
	EQUAL(llext_get_size(&loader), slow.size);
	loader.get_size = NULL;
	EQUAL(llext_get_size(&loader), 0);
	slow.size = whole;
	drop(&slow);
}

static uint8_t *second;

/* The file lies in two pieces, each where a peek of its bytes says. */
static void *scattered_peek(struct llext_loader *loader, size_t position)
{
	uint8_t *whole = slow_peek(loader, position);

	return whole && position >= slow.size / 2 ? second + position : whole;
}

/* What does not lie in one piece is copied. */
static void peeks_that_scatter(void)
{
	struct llext_loader loader =
		LLEXT_LOADER_(NULL, slow_read, slow_seek, scattered_peek, NULL, NULL, LLEXT_STORAGE_PERSISTENT);
	struct file other = slurp("sections.o");
	struct llext *ext;

	slow = slurp("sections.o");
	second = other.bytes;
	last_call = 0;
	EQUAL(llext_load(&loader, "scattered", &ext, NULL), 0);
	CHECK((uintptr_t)llext_find_sym(&ext->exp_tab, "in_rodata") - (uintptr_t)slow.bytes >= slow.size);
	CHECK((uintptr_t)llext_find_sym(&ext->exp_tab, "in_rodata") - (uintptr_t)second >= slow.size);
	EQUAL(probe(ext), 6);
	EQUAL(llext_find_section(&loader, ".text"), -ENOEXEC);
	EQUAL(llext_unload(&ext), 0);
	drop(&other);
	drop(&slow);
}

TESTS(GUARANTEE_TESTS, TEST(nulls_are_refused), TEST(nulls_besides), TEST(the_stale_are_told), TEST(names_are_whole),
      TEST(names_at_their_edges), TEST(more_than_eight_dependencies), TEST(too_many_extensions), TEST(operations_may_fail),
      TEST(peeks_and_short_reads), TEST(sizes_and_short_reads), TEST(peeks_that_scatter));
