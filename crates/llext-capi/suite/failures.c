/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Files that are damaged, memory that is too small, and loads without end: nothing may be left of any. */
#include "suite.h"

static int load_bytes(const uint8_t *bytes, size_t size)
{
	struct llext_buf_loader loader = LLEXT_TEMPORARY_BUF_LOADER(bytes, size);
	struct llext *ext;
	int loaded = llext_load(&loader.loader, "damaged", &ext, NULL);

	return loaded == 0 ? llext_unload(&ext) : loaded;
}

static void files_that_are_cut_off(void)
{
	static const char *const kinds[] = { "sections.o", "sections.r", "sections.so" };

	for (int kind = 0; kind < 3; kind++) {
		struct file file = slurp(kinds[kind]);
		int refused = 0;

		for (size_t size = 0; size < file.size; size += 24) {
			refused += load_bytes(file.bytes, size) < 0;
		}
		CHECK(refused > 20);
		drop(&file);
	}
}

static void files_with_other_bytes(void)
{
	static const char *const kinds[] = { "sections.o", "sections.so" };

	for (int kind = 0; kind < 2; kind++) {
		struct file file = slurp(kinds[kind]);
		int refused = 0;

		for (size_t at = 0; at < file.size; at += at < 256 ? 1 : 7) {
			uint8_t was = file.bytes[at];

			file.bytes[at] = (uint8_t)(was ^ (1u << at % 8 | 0x80));
			refused += load_bytes(file.bytes, file.size) < 0;
			file.bytes[at] = was;
		}
		CHECK(refused > 50);
		EQUAL(load_bytes(file.bytes, file.size), 0);
		drop(&file);
	}
}

static void headers_that_do_not_suit(void)
{
	static const struct {
		size_t at;
		uint8_t value;
	} bad[] = { { 0, 0 }, { 4, 3 }, { 5, 2 }, { 16, 2 }, { 16, 9 }, { 18, 99 } };

	for (size_t at = 0; at < sizeof(bad) / sizeof(bad[0]); at++) {
		struct file file = slurp("hello.o");

		file.bytes[bad[at].at] = bad[at].value;
		EQUAL(load_bytes(file.bytes, file.size), -ENOEXEC);
		drop(&file);
	}
}

static void missing_symbols_are_all_told(void)
{
	struct llext *ext;

	EQUAL(load("missing-three.o", "missing", &ext), -ENODATA);
	EQUAL(logs, 4);
	EQUAL(logged_number, -ENODATA);
}

/* A heap of every size: too small for the load, for its tables, for what is kept. */
static void memory_may_run_out(void)
{
#ifndef WITH_STD
	static const struct llext_load_param keep = { true, false, NULL, true, LLEXT_COMPRESSION_TYPE_NONE };
	struct file file = slurp("sections.o");
	int refused = 0, loaded = -1;

	EQUAL(take_heap(), 0);
	for (size_t size = 0; loaded < 0; size += 64) {
		struct llext_buf_loader loader = LLEXT_TEMPORARY_BUF_LOADER(file.bytes, file.size);
		struct llext *ext;

		EQUAL(give_heap(size + 1), 0);
		loaded = llext_load(&loader.loader, "small", &ext, &keep);
		if (loaded < 0) {
			EQUAL(loaded, -ENOMEM);
			refused++;
		} else {
			EQUAL(llext_heap_uninit(), -EBUSY);
			EQUAL(llext_unload(&ext), 0);
		}
		EQUAL(take_heap(), 0);
	}
	CHECK(refused > 20);
	EQUAL(give_heap(1 << 20), 0);
	drop(&file);
#endif
}

static void loads_and_unloads_go_on(void)
{
	for (int at = 0; at < 2000; at++) {
		struct file file = slurp(at % 2 ? "hello.so" : "sections.o");

		EQUAL(load_bytes(file.bytes, file.size), 0);
		drop(&file);
	}
}

static void errors_are_told_in_words(void)
{
	uint8_t wrong[64] = { 0 };
	struct llext_buf_loader loader = LLEXT_TEMPORARY_BUF_LOADER(wrong, sizeof(wrong));
	struct llext *ext;

	EQUAL(llext_load(&loader.loader, "wr\"ong", &ext, NULL), -ENOEXEC);
	EQUAL(logged_number, -ENOEXEC);
	CHECK(strncmp(logged, "wr\\\"ong: file: not ELF", 21) == 0);
}

TESTS(FAILURE_TESTS, TEST(errors_are_told_in_words), TEST(files_that_are_cut_off), TEST(files_with_other_bytes), TEST(headers_that_do_not_suit),
      TEST(missing_symbols_are_all_told), TEST(memory_may_run_out), TEST(loads_and_unloads_go_on));
