/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A host that exports numbers instead of names: built so, and prepared by `cargo llext prepare --slid`. */
#include "suite.h"

#ifdef CONFIG_LLEXT_EXPORT_BUILTINS_BY_SLID

/* LLEXT's examples: the first bytes of the digests of these names. */
#if UINTPTR_MAX > 0xffffffffu
#define PRINTK 0x87B3105268827052u
#define Z_IMPL_EXT_SYSCALL_FAIL 0xD58BC0E7C64CD965u
#else
#define PRINTK 0x87B31052u
#define Z_IMPL_EXT_SYSCALL_FAIL 0xD58BC0E7u
#endif

__attribute__((weak)) void z_impl_ext_syscall_fail(void);
EXPORT_SYMBOL_NAMED(host_add, printk);
EXPORT_SYSCALL(ext_syscall_fail);

static void numbers_link(void)
{
	struct llext *ext;

	EQUAL(load("hello.slid", "hello", &ext), 0);
	EQUAL(probe(ext), 1);
	CHECK(strcmp(printed, "hello, world") == 0);
	EQUAL(llext_unload(&ext), 0);
}

static void names_and_numbers_do_not_mix(void)
{
	struct llext *ext;

	EQUAL(load("hello.o", "hello", &ext), -ENODATA);
	EQUAL(load("hello.so", "hello", &ext), -ENODATA);
}

static void numbers_are_found(void)
{
	int (*add)(int, int) = host_add;
	const void *expected;

	memcpy(&expected, &add, sizeof(expected));
	CHECK(llext_find_sym(NULL, (const char *)PRINTK) == expected);
	CHECK(llext_find_sym(NULL, (const char *)Z_IMPL_EXT_SYSCALL_FAIL) == NULL);
	CHECK(llext_find_sym(NULL, (const char *)(PRINTK + 1)) == NULL);
}

/* Between extensions it is names. */
static void extensions_have_names(void)
{
	struct llext *math, *app;
	const int sides[] = { 3, 4 };

	EQUAL(load("math.o", "math", &math), 0);
	EQUAL(load("app.o", "app", &app), 0);
	EQUAL(call(app, "area", 2, sides), 12);
	EQUAL(llext_unload(&app), 0);
	EQUAL(llext_unload(&math), 0);
}

/* The library of this suite has no messages. */
static void errors_are_told_by_number(void)
{
	uint8_t wrong[64] = { 0 };
	struct llext_buf_loader loader = LLEXT_TEMPORARY_BUF_LOADER(wrong, sizeof(wrong));
	struct llext *ext;

	EQUAL(llext_load(&loader.loader, "wrong", &ext, NULL), -ENOEXEC);
	EQUAL(logged_number, -ENOEXEC);
	CHECK(strcmp(logged, "wrong: error 100") == 0);
}

TESTS(SLID_TESTS, TEST(errors_are_told_by_number), TEST(numbers_link), TEST(names_and_numbers_do_not_mix), TEST(numbers_are_found),
      TEST(extensions_have_names));

#else

const struct test SLID_TESTS[] = { { NULL, NULL, NULL } };

#endif
